/**
 * What a process waits for, told from the system call it sleeps in and the memory that call points to.
 * Pure: what the kernel showed is handed in.
 */
import {
  memoryNeeded,
  polledDescriptors,
  type SystemCall,
  selectedDescriptors,
  systemCallOf,
  type Waiting,
} from '@session-recovery/shell'

// ------------------------------------------------------------------------------------------ model

/** As `uname -m` names it; of others no call is known. */
export type Machine = string

/** What the kernel showed of the processes that were looked at. */
export interface Shown {
  /** `/proc/PID/syscall`: the number, then the arguments. */
  readonly call: (pid: number) => string | undefined
  /** The same of each of its other threads. */
  readonly threads: (pid: number) => readonly string[]
  /** The signals it ignores, as a mask in hexadecimal digits. */
  readonly ignored: (pid: number) => string | undefined
  /** What a descriptor of the process stands for. */
  readonly link: (pid: number, descriptor: number) => string | undefined
  readonly memory: (pid: number, address: bigint) => Buffer | undefined
  /** The descriptors that an epoll descriptor watches. */
  readonly watched: (pid: number, descriptor: number) => readonly number[]
}

const names: Readonly<Record<string, string>> = { x86_64: 'x64', aarch64: 'arm64' }

/** Whether the calls of such a machine are known. */
export const isKnownMachine = (machine: Machine): boolean => Object.hasOwn(names, machine)

// ------------------------------------------------------------------------------------ combinators

/** What a process waits for; `undefined` when it was not shown. */
export const waitingIn = (shown: Shown, pid: number, machine: Machine): Waiting | undefined => {
  const callOf = (line: string) => systemCallOf(line, names[machine] ?? machine)
  const call = callOf(shown.call(pid) ?? '')
  if (call === undefined) return undefined
  if (call._tag === 'child') return { _tag: 'others' }
  if (call._tag === 'write') {
    const isPipe = shown.link(pid, call.descriptor)?.startsWith('pipe:') ?? false
    return isPipe ? { _tag: 'others' } : { _tag: 'elsewhere' }
  }
  if (call._tag === 'lock' || call._tag === 'other') return { _tag: 'elsewhere' }
  const descriptors = awaited(shown, pid, call)
  if (descriptors === undefined) return undefined
  const files = descriptors.map((descriptor) => shown.link(pid, descriptor) ?? '')
  // A thread that waits for another to let go of a lock has no business of its own.
  const isBusy = shown.threads(pid).some((line) => callOf(line)?._tag !== 'lock')
  return {
    _tag: 'reading',
    files: isBusy ? [...files, 'what another thread waits for'] : files,
    bounded: call._tag !== 'read' && call.patience === 'bounded',
  }
}

const stopSignals = (1n << 19n) | (1n << 21n)

/** Whether a process ignores SIGTSTP and SIGTTOU; `undefined` when it was not shown. */
export const ignoresStopsIn = (shown: Shown, pid: number): boolean | undefined => {
  const mask = shown.ignored(pid)
  if (mask === undefined || !/^[0-9a-f]+$/.test(mask)) return undefined
  return (BigInt(`0x${mask}`) & stopSignals) === stopSignals
}

const awaited = (
  shown: Shown,
  pid: number,
  call: Extract<SystemCall, { readonly _tag: 'read' | 'poll' | 'select' | 'epoll' }>,
): readonly number[] | undefined => {
  if (call._tag === 'read') return [call.descriptor]
  if (call._tag === 'epoll') return shown.watched(pid, call.descriptor)
  const bytes = memoryNeeded(call)?.bytes ?? 0
  if (bytes === 0 || call.address === 0n) return []
  // Of one descriptor there is one set that is worth waiting for: its memory is not asked for.
  if (call._tag === 'select' && call.count === 1) return [0]
  const memory = shown.memory(pid, call.address)
  if (memory === undefined || memory.length < bytes) return undefined
  return call._tag === 'poll'
    ? polledDescriptors(memory.subarray(0, bytes))
    : selectedDescriptors(memory, call.count)
}
