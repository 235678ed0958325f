/**
 * A connection that is in use: its control channel, and what its host is found to have. What gave up a
 * line whose connection still stands leaves it for who comes next; it is closed when nobody does.
 */
import type { Cancellation } from '@session-recovery/core'
import {
  type Environment,
  type HostShowable,
  type HostShowing,
  nothingShown,
  type ProcessIdentity,
  type StartFailure,
} from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import { type Connection, type Dialled, type DialOptions, dial } from './connection.js'
import { type Answer, type Control, controlOf } from './control.js'
import type { PoolHost } from './option.js'
import { surveyScript } from './script.js'
import { isKnownMachine } from './waiting.js'

// ------------------------------------------------------------------------------------------ model

/** What a host is found to have. */
export interface Survey {
  /** Where files of moments may stand: in memory where the host has such a place. */
  readonly place: string
  /** As `uname -m` names it. */
  readonly machine: string
  readonly tools: ReadonlySet<string>
  /** What its kernel shows of processes to one who asks over a connection. */
  readonly shows: HostShowing
  /** The server's process for this connection. */
  readonly served: ProcessIdentity | undefined
  /** What a login is given there. */
  readonly environment: Environment
}

export interface Line {
  readonly connection: Connection
  readonly control: Control
  /** Asked for once; left: it was not answered. */
  readonly survey: () => Promise<E.Either<string, Survey>>
}

export interface Switchboard {
  /** A line to the host: one that was given back, or a new one. */
  readonly take: (signal?: Cancellation) => Promise<E.Either<StartFailure, Line>>
  /** The app asked for a session: until the answer is called, what was refused may be tried again. */
  readonly allowAgain: () => () => void
  /** Has a script run on this host, now or when it is reached next. */
  readonly owe: (script: string) => void
  /** Runs on a line that is in use what is owed here. */
  readonly settle: (line: Line) => void
  /** Leaves a line for who comes next. */
  readonly giveBack: (line: Line) => Promise<void>
  /** Closes a line for good. */
  readonly hangUp: (line: Line) => Promise<void>
  /** Hangs up every line there is, also one that is in use. */
  readonly close: () => Promise<void>
}

const spareForMs = 5_000

// ----------------------------------------------------------------------------------- constructors

/** The lines to a host. */
export const switchboardOf = (host: PoolHost, options: DialOptions): Switchboard => {
  let spare: { readonly line: Line; readonly stopTimer: () => void } | undefined
  let closed = false
  let isAllowed = false
  const closing = new Set<Promise<void>>()
  const taken = new Set<Line>()
  const owed = new Set<string>()
  const settle = settling(owed)
  const used = (line: Line): E.Either<never, Line> => {
    taken.add(line)
    settle(line)
    return E.right(line)
  }
  const dials = new Map<Promise<Dialled>, () => void>()
  const hangUp = (line: Line): Promise<void> => {
    taken.delete(line)
    const done = line.connection.close().finally(() => closing.delete(done))
    closing.add(done)
    return done
  }
  const takeSpare = (): Line | undefined => {
    const left = spare
    spare = undefined
    left?.stopTimer()
    if (left === undefined || left.line.connection.lost() === undefined) return left?.line
    void hangUp(left.line)
    return undefined
  }
  return {
    take: async (signal) => {
      if (closed) return E.left({ detail: 'the driver is closed' })
      const free = takeSpare()
      if (free !== undefined) return used(free)
      const again = isAllowed
      isAllowed = false
      const over = new AbortController()
      const stop = () => over.abort()
      if (signal?.aborted === true) stop()
      signal?.addEventListener('abort', stop, { once: true })
      const dialling = dial(host, options, again, over.signal)
      dials.set(dialling, stop)
      const dialled = await dialling.finally(() => dials.delete(dialling))
      signal?.removeEventListener('abort', stop)
      if (E.isLeft(dialled)) return dialled
      const line = lineOver(dialled.right, options)
      if (closed) {
        await hangUp(line)
        return E.left({ detail: 'the driver is closed' })
      }
      return used(line)
    },
    hangUp,
    settle,
    owe: (script) => {
      owed.add(script)
      if (spare !== undefined) settle(spare.line)
    },
    allowAgain: () => {
      isAllowed = true
      return () => {
        isAllowed = false
      }
    },
    giveBack: async (line) => {
      if (closed || spare !== undefined || line.connection.lost() !== undefined) {
        return hangUp(line)
      }
      const stopTimer = options.clock.schedule(spareForMs, () => {
        spare = undefined
        void hangUp(line)
      })
      taken.delete(line)
      spare = { line, stopTimer }
    },
    close: async () => {
      closed = true
      const free = takeSpare()
      if (free !== undefined) void hangUp(free)
      for (const stop of dials.values()) stop()
      await Promise.all(dials.keys())
      for (const line of taken) void hangUp(line)
      await Promise.all(closing)
    },
  }
}

// ------------------------------------------------------------------------------------ combinators

// What is not answered stays owed.
const settling =
  (owed: Set<string>) =>
  (line: Line): void => {
    for (const script of owed) {
      owed.delete(script)
      void line.control.run(script).then((answer) => {
        if (E.isLeft(answer)) owed.add(script)
      })
    }
  }

const lineOver = (connection: Connection, { clock }: DialOptions): Line => {
  const control = controlOf(connection, clock)
  let survey: Promise<E.Either<string, Survey>> | undefined
  const surveyed = async (): Promise<E.Either<string, Survey>> => {
    const answer = await control.run(surveyScript)
    return E.chain(({ bytes, code }: Answer) =>
      code === 0
        ? E.right(surveyIn(bytes.toString('utf8')))
        : E.left(`the host does not tell its environment: env -0 left with ${code}`),
    )(answer)
  }
  return {
    connection,
    control,
    survey: () => {
      survey ??= surveyed()
      return survey
    },
  }
}

/** Reads what the survey printed. */
export const surveyIn = (text: string): Survey => {
  const at = text.indexOf('\n\n')
  const told = new Map(
    text
      .slice(0, at)
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
  const entries = text
    .slice(at + 2)
    .split('\0')
    .filter((entry) => entry.includes('='))
    .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)])
  return {
    place: told.get('place') || '/tmp',
    machine: told.get('machine') ?? '',
    tools: new Set(['tmux', 'dtach'].filter((tool) => told.has(tool))),
    shows: showsIn(told),
    served: servedIn(text.slice(0, at), told.get('boot')),
    environment: Object.fromEntries(entries.filter(([name = '']) => !ofTheLogin.test(name))),
  }
}

// Whoever serves the connection is told from /proc, where there is one: so is all else.
const showsIn = (told: ReadonlyMap<string, string>): HostShowing => {
  if (!/^\d+ \d+$/.test(told.get('served') ?? '')) return nothingShown
  const isShown = told.has('calls') && isKnownMachine(told.get('machine') ?? '')
  return new Set<HostShowable>([
    'directory',
    'environment',
    'identity',
    'foreground',
    'leftover',
    ...(isShown ? (['waiting'] as const) : []),
    ...(told.has('stty') ? (['terminalFlags'] as const) : []),
  ])
}

/** Reads who serves a connection. */
export const servedIn = (text: string, bootId = ''): ProcessIdentity | undefined => {
  const [, pid, startTicks] = /^served=(\d+) (\d+)$/m.exec(text) ?? []
  return pid === undefined || startTicks === undefined
    ? undefined
    : { pid: Number(pid), startTicks: Number(startTicks), bootId }
}

// What belongs to one connection, or to the script that asked.
const ofTheLogin = /^(SSH_.*|PWD|OLDPWD|SHLVL|_|LINES|COLUMNS|TERM)$/
