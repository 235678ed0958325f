/**
 * What the kernel says about processes, read from Linux's /proc. Elsewhere, and of other users'
 * processes, nothing is known, and what is not known is `undefined`.
 */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import {
  memoryNeeded,
  type ProcessIdentity,
  polledDescriptors,
  type SystemCall,
  selectedDescriptors,
  systemCallOf,
  type Waiting,
} from '@session-recovery/shell'

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

// No process outlives its boot.
let boot: string | undefined
const bootId = (): string | undefined => {
  boot ??= read('/proc/sys/kernel/random/boot_id')?.trim()
  return boot
}

export const identityOf = (pid: number): ProcessIdentity => {
  const stat = readStat(pid)
  const id = bootId()
  return {
    pid,
    ...(stat === undefined ? {} : { startTicks: stat.startTicks }),
    ...(id === undefined ? {} : { bootId: id }),
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
export const processesWhere = (wanted: (stat: ProcessStat) => boolean): readonly ProcessStat[] =>
  processNumbers().flatMap((pid) => {
    const stat = readStat(pid)
    return stat !== undefined && wanted(stat) ? [stat] : []
  })

/** The number of every process there is. */
export const processNumbers = (): readonly number[] => numbersIn(names('/proc'))

/** The number of every process there is when it is asked, read aside: it takes a while. */
export const processNumbersAside = async (): Promise<readonly number[]> =>
  numbersIn(await readdir('/proc').catch(() => []))

const numbersIn = (entries: readonly string[]): readonly number[] =>
  entries.filter((name) => /^\d+$/.test(name)).map(Number)

const names = (directory: string): readonly string[] => {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

// ---------------------------------------------------------------------------------------- waiting

/** What a process waits for; `undefined` when the kernel does not show it. */
export const waitingOf = (pid: number): Waiting | undefined => {
  const call = callOf(`/proc/${pid}`)
  if (call === undefined) return undefined
  if (call._tag === 'child') return { _tag: 'others' }
  if (call._tag === 'write') {
    return isPipe(fileOf(pid, call.descriptor)) ? { _tag: 'others' } : { _tag: 'elsewhere' }
  }
  if (call._tag === 'lock' || call._tag === 'other') return { _tag: 'elsewhere' }
  const descriptors = awaited(pid, call)
  if (descriptors === undefined) return undefined
  const files = descriptors.map((descriptor) => fileOf(pid, descriptor) ?? '')
  return {
    _tag: 'reading',
    files: hasBusyThread(pid) ? [...files, 'what another thread waits for'] : files,
    bounded: call._tag !== 'read' && call.patience === 'bounded',
  }
}

const callOf = (directory: string): SystemCall | undefined =>
  systemCallOf(read(`${directory}/syscall`) ?? '', process.arch)

/** What the kernel says of the call a process sleeps in; `undefined` where it says nothing. */
export const systemCallLineOf = (pid: number): string | undefined => read(`/proc/${pid}/syscall`)

const fileOf = (pid: number, descriptor: number): string | undefined =>
  link(`/proc/${pid}/fd/${descriptor}`)

const isPipe = (file: string | undefined): boolean => file?.startsWith('pipe:') ?? false

// A thread that waits for another to let go of a lock has no business of its own.
const hasBusyThread = (pid: number): boolean =>
  names(`/proc/${pid}/task`)
    .filter((thread) => thread !== String(pid))
    .some((thread) => callOf(`/proc/${pid}/task/${thread}`)?._tag !== 'lock')

const awaited = (
  pid: number,
  call: Extract<SystemCall, { readonly _tag: 'read' | 'poll' | 'select' | 'epoll' }>,
): readonly number[] | undefined => {
  if (call._tag === 'read') return [call.descriptor]
  if (call._tag === 'epoll') {
    const targets = read(`/proc/${pid}/fdinfo/${call.descriptor}`)?.matchAll(/^tfd:\s*(\d+)/gm)
    return targets === undefined ? undefined : [...targets].map((match) => Number(match[1]))
  }
  const needed = memoryNeeded(call)
  const memory = needed === undefined ? undefined : memoryOf(pid, needed.address, needed.bytes)
  if (memory === undefined) return undefined
  return call._tag === 'poll' ? polledDescriptors(memory) : selectedDescriptors(memory, call.count)
}

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

const stopSignals = (1n << 19n) | (1n << 21n)

/** Whether a process ignores SIGTSTP and SIGTTOU; `undefined` when the kernel does not show it. */
export const ignoresStopsOf = (pid: number): boolean | undefined => {
  const mask = ignoredSignals(pid)
  return mask === undefined ? undefined : (mask & stopSignals) === stopSignals
}

/** The signals a process ignores, SIGHUP the lowest bit; `undefined` when the kernel does not show it. */
export const ignoredSignals = (pid: number): bigint | undefined => {
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]
  return mask === undefined ? undefined : BigInt(`0x${mask}`)
}
