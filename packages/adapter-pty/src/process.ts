/**
 * What the kernel says about processes, read from Linux's /proc. Elsewhere, and of other users'
 * processes, nothing is known, and what is not known is `undefined`.
 */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs'
import type { ProcessIdentity, Waiting } from '@session-recovery/shell'

// ------------------------------------------------------------------------------------------ model

export interface ProcessStat {
  readonly pid: number
  /** R, S, D, T, t, Z, … */
  readonly state: string
  readonly group: number
  readonly session: number
  /** The process group in the foreground of its terminal. */
  readonly foregroundGroup: number
  readonly startTicks: number
}

// ---------------------------------------------------------------------------------------- reading

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const link = (path: string): string | undefined => {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/** `/proc/PID/stat`; `undefined` when there is no such process, or no /proc. */
export const readStat = (pid: number): ProcessStat | undefined => {
  const line = read(`/proc/${pid}/stat`)
  if (line === undefined) return undefined
  // The name stands in parentheses and may hold anything, parentheses and spaces included.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  const number = (index: number): number => Number(fields[index] ?? Number.NaN)
  return {
    pid,
    state: fields[0] ?? '',
    group: number(2),
    session: number(3),
    foregroundGroup: number(5),
    startTicks: number(19),
  }
}

const bootId = (): string | undefined => read('/proc/sys/kernel/random/boot_id')?.trim()

export const identityOf = (pid: number): ProcessIdentity => {
  const stat = readStat(pid)
  const boot = bootId()
  return {
    pid,
    ...(stat === undefined ? {} : { startTicks: stat.startTicks }),
    ...(boot === undefined ? {} : { bootId: boot }),
  }
}

/** Whether the process lives (a zombie does not); where there is no /proc, whether its number does. */
export const lives = ({ pid, startTicks }: ProcessIdentity): boolean => {
  if (startTicks !== undefined) {
    const stat = readStat(pid)
    return stat !== undefined && stat.startTicks === startTicks && stat.state !== 'Z'
  }
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Sends a signal; `false` when there was nobody to take it. A negative `pid` is a process group. */
export const sendSignal = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false
  }
}

/** The name of a process's program, at most 15 bytes. */
export const nameOf = (pid: number): string => read(`/proc/${pid}/comm`)?.trim() ?? ''

/** The program and arguments of a process, as one line. */
export const commandLineOf = (pid: number): string | undefined =>
  read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim()

export const workingDirectoryOf = (pid: number): string | undefined => link(`/proc/${pid}/cwd`)

/** The environment a process was started with. */
export const environmentOf = (pid: number): Readonly<Record<string, string>> | undefined => {
  const block = read(`/proc/${pid}/environ`)
  if (block === undefined || block === '') return undefined
  const entries = block.split('\0').filter((entry) => entry.includes('='))
  return Object.fromEntries(
    entries.map((entry) => [
      entry.slice(0, entry.indexOf('=')),
      entry.slice(entry.indexOf('=') + 1),
    ]),
  )
}

/** The terminal a process reads from. */
export const terminalOf = (pid: number): string | undefined => {
  const path = link(`/proc/${pid}/fd/0`)
  return path?.startsWith('/dev/pts/') ? path : undefined
}

/** Every process there is that `wanted` accepts. */
export const processesWhere = (wanted: (stat: ProcessStat) => boolean): readonly ProcessStat[] => {
  const names = ((): readonly string[] => {
    try {
      return readdirSync('/proc')
    } catch {
      return []
    }
  })()
  return names.flatMap((name) => {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined
    return stat !== undefined && wanted(stat) ? [stat] : []
  })
}

// ---------------------------------------------------------------------------------------- waiting

type Call = 'read' | 'poll' | 'select' | 'epoll'

const calls: Readonly<Record<string, Readonly<Record<number, Call>>>> = {
  x64: {
    0: 'read',
    19: 'read',
    7: 'poll',
    271: 'poll',
    23: 'select',
    270: 'select',
    232: 'epoll',
    281: 'epoll',
    441: 'epoll',
  },
  arm64: { 63: 'read', 65: 'read', 73: 'poll', 72: 'select', 22: 'epoll', 441: 'epoll' },
}

/** What a process waits for; `undefined` when the kernel does not show it. */
export const waitingOf = (pid: number): Waiting | undefined => {
  const known = calls[process.arch]
  const line = read(`/proc/${pid}/syscall`)?.trim()
  if (known === undefined || line === undefined || line === '') return undefined
  const [number = '', ...words] = line.split(' ')
  const call = known[Number(number)]
  if (!/^\d+$/.test(number) || call === undefined) return { _tag: 'elsewhere' }
  const [first = 0n, second = 0n] = words.slice(0, 2).map((word) => BigInt(word))
  const descriptors = awaited(pid, call, first, second)
  if (descriptors === undefined) return undefined
  const files = descriptors.map((descriptor) => link(`/proc/${pid}/fd/${descriptor}`) ?? '')
  return { _tag: 'reading', files, bounded: false }
}

const awaited = (
  pid: number,
  call: Call,
  first: bigint,
  second: bigint,
): readonly number[] | undefined => {
  if (call === 'read') return [Number(first)]
  if (call === 'poll') return pollSet(memoryOf(pid, first, 8 * Math.min(Number(second), 1024)))
  if (call === 'select') return selectSet(memoryOf(pid, second, 128), Number(first))
  const targets = read(`/proc/${pid}/fdinfo/${first}`)?.matchAll(/^tfd:\s*(\d+)/gm)
  return targets === undefined ? undefined : [...targets].map((match) => Number(match[1]))
}

const pollIn = 1

const pollSet = (memory: Buffer | undefined): readonly number[] | undefined => {
  if (memory === undefined) return undefined
  const entries = Array.from({ length: memory.length / 8 }, (_, i) => i * 8)
  return entries
    .filter((at) => memory.readInt32LE(at) >= 0 && (memory.readInt16LE(at + 4) & pollIn) !== 0)
    .map((at) => memory.readInt32LE(at))
}

const selectSet = (memory: Buffer | undefined, count: number): readonly number[] | undefined =>
  memory === undefined
    ? undefined
    : Array.from({ length: Math.min(count, 1024) }, (_, i) => i).filter(
        (i) => ((memory[i >> 3] ?? 0) & (1 << (i & 7))) !== 0,
      )

const memoryOf = (pid: number, address: bigint, length: number): Buffer | undefined => {
  if (address === 0n || length === 0) return Buffer.alloc(0)
  try {
    const file = openSync(`/proc/${pid}/mem`, 'r')
    try {
      const memory = Buffer.alloc(length)
      return readSync(file, memory, 0, length, address) === length ? memory : undefined
    } finally {
      closeSync(file)
    }
  } catch {
    return undefined
  }
}
