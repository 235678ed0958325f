/**
 * What a process waits for, told from the system call it sleeps in and the memory that call points to.
 * Pure: what the kernel showed is handed in.
 */
import type { Waiting } from '@session-recovery/shell'

// ------------------------------------------------------------------------------------------ model

/** As `uname -m` names it; of others no call is known. */
export type Machine = string

/** What the kernel showed of the processes that were looked at. */
export interface Shown {
  /** `/proc/PID/syscall`: the number, then the arguments. */
  readonly call: (pid: number) => string | undefined
  /** What a descriptor of the process stands for. */
  readonly link: (pid: number, descriptor: number) => string | undefined
  readonly memory: (pid: number, address: bigint) => Buffer | undefined
  /** The descriptors that an epoll descriptor watches. */
  readonly watched: (pid: number, descriptor: number) => readonly number[]
}

interface Call {
  readonly _tag: 'read' | 'poll' | 'select' | 'epoll'
  /**
   * Which argument bounds the wait: a number of milliseconds, negative for ever, or an address of a
   * time, zero for ever.
   */
  readonly bound?: { readonly argument: number; readonly isAddress: boolean }
}

const ms = (argument: number) => ({ argument, isAddress: false })
const time = (argument: number) => ({ argument, isAddress: true })

const calls: Readonly<Record<string, Readonly<Record<number, Call>>>> = {
  x86_64: {
    0: { _tag: 'read' },
    19: { _tag: 'read' },
    7: { _tag: 'poll', bound: ms(2) },
    271: { _tag: 'poll', bound: time(2) },
    23: { _tag: 'select', bound: time(4) },
    270: { _tag: 'select', bound: time(4) },
    232: { _tag: 'epoll', bound: ms(3) },
    281: { _tag: 'epoll', bound: ms(3) },
    441: { _tag: 'epoll', bound: time(3) },
  },
  aarch64: {
    63: { _tag: 'read' },
    65: { _tag: 'read' },
    73: { _tag: 'poll', bound: time(2) },
    72: { _tag: 'select', bound: time(4) },
    22: { _tag: 'epoll', bound: ms(3) },
    441: { _tag: 'epoll', bound: time(3) },
  },
}

// ------------------------------------------------------------------------------------ combinators

/** What a process waits for; `undefined` when it was not shown. */
export const waitingIn = (shown: Shown, pid: number, machine: Machine): Waiting | undefined => {
  const known = calls[machine]
  const line = shown.call(pid)?.trim()
  if (known === undefined || line === undefined || line === '') return undefined
  const [number = '', ...words] = line.split(' ')
  const call = known[Number(number)]
  if (!/^\d+$/.test(number) || call === undefined) return { _tag: 'elsewhere' }
  const args = words.map((word) => BigInt(word))
  const descriptors = awaited(shown, pid, call, args)
  if (descriptors === undefined) return undefined
  const files = descriptors.map((descriptor) => shown.link(pid, descriptor) ?? '')
  return { _tag: 'reading', files, bounded: isBounded(call, args) }
}

const isBounded = ({ bound }: Call, args: readonly bigint[]): boolean => {
  if (bound === undefined) return false
  const value = args[bound.argument] ?? 0n
  return bound.isAddress ? value !== 0n : BigInt.asIntN(32, value) >= 0n
}

const awaited = (
  shown: Shown,
  pid: number,
  { _tag }: Call,
  args: readonly bigint[],
): readonly number[] | undefined => {
  const [first = 0n, second = 0n] = args
  switch (_tag) {
    case 'read':
      return [Number(first)]
    case 'poll':
      return second === 0n ? [] : pollSet(shown.memory(pid, first))
    case 'select':
      return second === 0n ? [] : selectSet(shown.memory(pid, second), Number(first))
    case 'epoll':
      return shown.watched(pid, Number(first))
  }
}

const pollIn = 1

const pollSet = (memory: Buffer | undefined): readonly number[] | undefined => {
  if (memory === undefined || memory.length < 8) return undefined
  const entries = Array.from({ length: Math.floor(memory.length / 8) }, (_, i) => i * 8)
  return entries
    .filter((at) => memory.readInt32LE(at) >= 0 && (memory.readInt16LE(at + 4) & pollIn) !== 0)
    .map((at) => memory.readInt32LE(at))
}

const selectSet = (memory: Buffer | undefined, count: number): readonly number[] | undefined =>
  memory === undefined || memory.length === 0
    ? undefined
    : Array.from({ length: Math.min(count, 1024) }, (_, i) => i).filter(
        (i) => ((memory[i >> 3] ?? 0) & (1 << (i & 7))) !== 0,
      )
