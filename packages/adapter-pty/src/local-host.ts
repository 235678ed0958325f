/**
 * This machine as a host: programs on pseudo-terminals, seen through the kernel.
 */
import { accessSync, constants as fsConstants, statSync } from 'node:fs'
import { constants as osConstants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { type IPty, spawn } from '@lydell/node-pty'
import type { Cancellation, Clock, Exit } from '@session-recovery/core'
import {
  type Environment,
  type Host,
  type HostShowing,
  type Process,
  type ProcessEnd,
  type ProcessListener,
  type ProcessStart,
  type Started,
  waitFor,
} from '@session-recovery/shell'
import { endLeftover, type LoneLook, loneLook } from './leftover.js'
import { type Momentary, momentary, type Written } from './momentary.js'
import {
  commandLineOf,
  environmentOf,
  identityOf,
  lives,
  readStat,
  sendSignal,
  workingDirectoryOf,
} from './process.js'
import { numberMark } from './process-number.js'
import { shownHere } from './shown-here.js'
import { terminalFactOf } from './terminal-fact.js'
import { type TurnSlice, turnSlices } from './turn-slice.js'

// ----------------------------------------------------------------------------------- constructors

export interface LocalHost extends Host {
  /** What the kernel of this machine shows of processes. */
  readonly shows: HostShowing
  /** Removes what it wrote. */
  readonly close: () => void
}

/** This machine. */
export const localHost = (clock: Clock): LocalHost => {
  const files = momentary()
  const shows = shownHere()
  const closing = new AbortController()
  const ground = {
    ...{ clock, shows, files, isLone: loneLook(), slice: turnSlices(clock) },
    closing: closing.signal,
  }
  return {
    name: 'this machine',
    shows,
    start: (start, listener, signal) => startProcess(start, listener, signal, ground),
    close: () => {
      closing.abort()
      files.removeAll()
    },
  }
}

// ------------------------------------------------------------------------------------ combinators

interface Ground {
  readonly clock: Clock
  readonly shows: HostShowing
  readonly files: Momentary
  readonly isLone: LoneLook
  readonly slice: TurnSlice
  readonly closing: Cancellation
}

const notStarted = (detail: string): Started => ({ _tag: 'not-started', failure: { detail } })

const startProcess = async (
  start: ProcessStart,
  listener: ProcessListener,
  signal: Cancellation | undefined,
  ground: Ground,
): Promise<Started> => {
  const { command, integration, environment } = start
  await ground.slice()
  if (signal?.aborted === true || ground.closing.aborted) return notStarted('called off')
  const startedIn = nearestDirectory(start.cwd)
  if (startedIn === undefined) return notStarted(`${start.cwd}: no such directory`)
  const program = programOf(command, environment.PATH ?? '', startedIn)
  if (program === undefined) return notStarted(`${command}: no such program`)
  const files = integration === undefined ? undefined : ground.files.write(integration)
  let pty: IPty
  try {
    pty = spawnPty(program, start, startedIn, files)
  } catch (error) {
    files?.remove()
    return notStarted(`${program}: ${error instanceof Error ? error.message : String(error)}`)
  }
  const over = processOver(pty, startedIn, listener, ground, () => files?.remove())
  const process = { ...over, shows: ground.shows }
  if (integration === undefined) await seenAsProgram(process, ground.clock, signal)
  return { _tag: 'started', process }
}

const spawnPty = (
  program: string,
  { args, environment, size, integration }: ProcessStart,
  cwd: string,
  files: Written | undefined,
): IPty => {
  const path = files?.path ?? ''
  const env = { ...environment, ...integration?.environment(path) }
  return spawn(program, [...(integration?.args(path) ?? []), ...args], {
    ...size,
    cwd,
    env,
    name: environment.TERM ?? 'xterm-256color',
  })
}

const signalNames = new Map(
  Object.entries(osConstants.signals).map(([name, number]) => [number, name] as const),
)

const exitOf = (exitCode: number, signal: number | undefined): Exit =>
  signal === undefined || signal === 0
    ? { exitCode }
    : { signal: signalNames.get(signal as never) ?? `signal ${signal}` }

const askedWithinMs = 300
const forcedWithinMs = 5_000

const processOver = (
  pty: IPty,
  startedIn: string,
  listener: ProcessListener,
  { clock, isLone }: Ground,
  settled: () => void,
): Omit<Process, 'shows'> => {
  const identity = identityOf(pty.pid)
  const born = numberMark(pty.pid)
  const wakes = new Set<() => void>()
  let end: ProcessEnd | undefined
  let alone: Promise<boolean> | undefined
  pty.onData(listener.output)
  pty.onExit(({ exitCode, signal }) => {
    end = { _tag: 'exited', exit: exitOf(exitCode, signal) }
    listener.gone(end)
    for (const wake of [...wakes]) wake()
    // Where nobody is left nobody can come any more.
    alone = isLone(identity, born)
  })
  const own = (signal: NodeJS.Signals): boolean =>
    end === undefined && lives(identity) && sendSignal(identity.pid, signal)
  const gone = (withinMs: number) =>
    waitFor(
      {
        clock,
        withinMs,
        wakeBy: (wake) => {
          wakes.add(wake)
          return () => wakes.delete(wake)
        },
      },
      () => end,
    )
  return {
    identity,
    startedIn,
    settled,
    write: (text) => {
      if (end === undefined) pty.write(text)
      return end === undefined
    },
    resize: ({ cols, rows }) => {
      if (end === undefined) pty.resize(cols, rows)
    },
    look: (flags) => terminalFactOf(identity, flags),
    signal: async (to, name) => {
      if (to === 'process') return own(name)
      return readStat(identity.pid)?.foregroundGroup === to.group && sendSignal(-to.group, name)
    },
    surroundings: async () => {
      const workingDirectory = workingDirectoryOf(identity.pid)
      const environment = environmentOf(identity.pid)
      return {
        ...(workingDirectory === undefined ? {} : { workingDirectory }),
        ...(environment === undefined ? {} : { environment }),
      }
    },
    end: async () => {
      own('SIGHUP')
      own('SIGCONT')
      if (end === undefined && (await gone(askedWithinMs))._tag !== 'seen') {
        own('SIGKILL')
        await gone(forcedWithinMs)
      }
      return (await alone) === true ? { ended: [], letBe: [] } : endLeftover(identity, born, clock)
    },
  }
}

// Until it has become the program, a new process shows the command line of this one.
const seenAsProgram = async (
  { identity: { pid } }: Process,
  clock: Clock,
  signal: Cancellation | undefined,
): Promise<void> => {
  if (process.platform !== 'linux') return
  const bounds = { clock, withinMs: forcedWithinMs, everyMs: 5, wakeBy: () => () => {} }
  await waitFor({ ...bounds, ...(signal === undefined ? {} : { signal }) }, () => {
    const line = commandLineOf(pid)
    return line === undefined || (line !== '' && line !== commandLineOf(process.pid))
      ? true
      : undefined
  })
}

// --------------------------------------------------------------------------------------- programs

const isDirectory = (path: string): boolean => {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  } catch {
    return false
  }
}

const nearestDirectory = (path: string): string | undefined => {
  let at = path
  while (!isDirectory(at) && dirname(at) !== at) at = dirname(at)
  return isDirectory(at) ? at : undefined
}

const isProgram = (path: string): boolean => {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false
    accessSync(path, fsConstants.X_OK)
    return true
  } catch {
    return false
  }
}

const programOf = (command: string, path: string, cwd: string): string | undefined => {
  const places = command.includes('/') ? [cwd] : path.split(delimiter)
  return places
    .map((place) => (command.startsWith('/') ? command : join(place, command)))
    .find(isProgram)
}

/** This process's own environment. */
export const ownEnvironment = (): Environment =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  )
