/**
 * The driver of real local shells on pseudo-terminals: opens sessions, notices their ends, captures,
 * runs strategies and verifies them.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Capture,
  type Clock,
  type Driver,
  type DriverError,
  knownOptions,
  type Observation,
  type RecoverySnapshot,
  type RunOutcome,
  type RunRequest,
  type Verdict,
} from '@session-recovery/core'
import type { Environment, TerminalSize } from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { capture } from './capture.js'
import { promptInterrupt, promptReset, sessionRefresh } from './interrupt.js'
import type { LaunchPad } from './launch.js'
import { respawn } from './respawn.js'
import { type OpenError, type Roster, rosterOf } from './roster.js'
import type { PtySession, Session, SessionSpec } from './session.js'
import { verify } from './verification.js'

// ------------------------------------------------------------------------------------------ model

export interface PtyOptions {
  readonly clock: Clock
  /** Random text for nonces: at least 128 bits, in letters and digits. Default: from the system. */
  readonly nonce?: () => string
  /** How much output is kept per session, in bytes of UTF-8. Default 262,144. */
  readonly outputLimitBytes?: number
  /** How long a shell may take to its first prompt. Default 10,000. */
  readonly promptTimeoutMs?: number
}

export interface OpenOptions {
  /** A name sought in `env.PATH`, or a path. Default: `env.SHELL`, else `bash`. */
  readonly command?: string
  readonly args?: readonly string[]
  readonly cwd: string
  /** The whole environment of the session; nothing of this process's own is added. */
  readonly env: Environment
  readonly cols?: number
  readonly rows?: number
  /** Somebody sits at it: it is never typed at. Default false. */
  readonly attended?: boolean
  /** How long a command may take; past it, one that waits for input counts as unresponsive. */
  readonly expectedMs?: number
}

export interface PtyDriver extends Driver {
  /** Starts a session's process and waits for its first proof of life. */
  readonly open: (sessionId: string, options: OpenOptions) => TE.TaskEither<OpenError, PtySession>
  /** A session that is open, or that a recovery has brought back from its snapshot. */
  readonly session: (sessionId: string) => PtySession | undefined
  /** Ends the session's process and forgets the session. */
  readonly end: (sessionId: string) => Promise<void>
  /** Ends every session; afterwards no process, timer, handle or file of the driver is left. */
  readonly close: () => Promise<void>
}

const defaultSize: TerminalSize = { cols: 80, rows: 24 }
const defaultOutputLimitBytes = 262_144
const defaultPromptTimeoutMs = 10_000

const supports: Driver['supports'] = {
  strategies: new Set([
    'restart',
    'restore',
    'prompt-interrupt',
    'prompt-reset',
    'session-refresh',
  ] as const),
  capture: true,
  proof: 'observed',
}

// ----------------------------------------------------------------------------------- constructors

/** A driver without sessions. */
export const ptyDriver = (options: PtyOptions): PtyDriver => {
  const { clock } = options
  const directory = privateDirectory()
  const pad: LaunchPad = {
    clock,
    nonce: options.nonce ?? (() => randomBytes(16).toString('hex')),
    directory: directory.path,
    promptTimeoutMs: options.promptTimeoutMs ?? defaultPromptTimeoutMs,
  }
  let listener: (observation: Observation) => void = () => {}
  const roster = rosterOf({
    pad,
    outputLimitBytes: options.outputLimitBytes ?? defaultOutputLimitBytes,
    tell: (observation) => listener(observation),
  })
  const unopened = (sessionId: string) => `session ${sessionId} is not open here`
  return {
    name: 'pty',
    supports,
    watch: (told) => {
      listener = told
      return () => {
        if (listener === told) listener = () => {}
      }
    },
    capture: ({ sessionId }) =>
      guarded<Capture>(async () => {
        const session = roster.find(sessionId)
        return session === undefined
          ? E.left(driverError(unopened(sessionId)))
          : E.right(await capture(session, clock))
      }),
    run: (request) => guarded(() => run(request, roster, pad)),
    verify: (request) =>
      guarded<Verdict>(async () => {
        const session = roster.find(request.sessionId)
        const detail = unopened(request.sessionId)
        return E.right(
          session === undefined
            ? { _tag: 'unproved', detail, evidence: [] }
            : await verify(session, request, clock),
        )
      }),
    detach: async (sessionId) => roster.detach(sessionId),
    open: (sessionId, wanted) => () => roster.open(sessionId, specOf(wanted), sizeOf(wanted)),
    session: roster.face,
    end: roster.end,
    close: async () => {
      listener = () => {}
      await roster.close()
      directory.remove()
    },
  }
}

// ------------------------------------------------------------------------------------ combinators

const run = async (
  request: RunRequest,
  roster: Roster,
  pad: LaunchPad,
): Promise<E.Either<DriverError, RunOutcome>> => {
  const { strategy, sessionId, snapshot } = request
  if (!supports.strategies.has(strategy)) {
    return E.right({ _tag: 'unsupported', detail: `local shells have no ${strategy}` })
  }
  const session =
    roster.find(sessionId) ??
    (snapshot === undefined
      ? undefined
      : roster.adopt(sessionId, specFrom(snapshot, request.traits.attended), defaultSize))
  if (session === undefined) {
    return E.left(driverError(`session ${sessionId} is not open here, and nothing was kept of it`))
  }
  return E.right(await roster.whileStarting(session, () => runOn(session, request, pad)))
}

const runOn = (session: Session, request: RunRequest, pad: LaunchPad): Promise<RunOutcome> => {
  session.interrupted = undefined
  switch (request.strategy) {
    case 'prompt-interrupt':
      return promptInterrupt(session, request, pad.clock)
    case 'prompt-reset':
      return promptReset(session, request, pad.clock)
    case 'session-refresh':
      return sessionRefresh(session, request, pad)
    default:
      return respawn(session, request.strategy === 'restore' ? 'restore' : 'restart', request, pad)
  }
}

const driverError = (message: string): DriverError => ({ _tag: 'DriverError', message })

// What the system throws, whatever it is, is an answer: the driver could not do it.
const guarded =
  <A>(work: () => Promise<E.Either<DriverError, A>>): TE.TaskEither<DriverError, A> =>
  async () => {
    try {
      return await work()
    } catch (error) {
      return E.left(driverError(error instanceof Error ? error.message : String(error)))
    }
  }

const specOf = ({ command, args, cwd, env, attended, expectedMs }: OpenOptions): SessionSpec => ({
  command: command ?? env.SHELL ?? 'bash',
  args: args ?? [],
  cwd,
  environment: env,
  attended: attended ?? false,
  ...(expectedMs === undefined ? {} : { expectedMs }),
})

const sizeOf = ({ cols, rows }: OpenOptions): TerminalSize => ({
  cols: cols ?? defaultSize.cols,
  rows: rows ?? defaultSize.rows,
})

const specFrom = (
  { sessionOptions, workingDirectory }: RecoverySnapshot,
  attended: boolean,
): SessionSpec => {
  const { command, environment, workingDirectory: cwd } = knownOptions(sessionOptions)
  const env = Object.keys(environment).length > 0 ? environment : hostEnvironment()
  return specOf({
    ...(command === undefined ? {} : { command }),
    cwd: cwd || workingDirectory,
    env,
    attended,
  })
}

const hostEnvironment = (): Environment =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  )

/** A directory that only this user can enter, made when first needed. */
const privateDirectory = () => {
  let made: string | undefined
  return {
    path: (): string => {
      // mkdtemp makes it 0700.
      made ??= mkdtempSync(join(tmpdir(), 'session-recovery-'))
      return made
    },
    remove: (): void => {
      if (made !== undefined) rmSync(made, { recursive: true, force: true })
      made = undefined
    },
  }
}
