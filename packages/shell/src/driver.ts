/**
 * The driver of real shells, over whatever hosts they run on: opens sessions, notices their ends,
 * captures, runs strategies and verifies them.
 */
import { randomBytes } from 'node:crypto'
import {
  type Capture,
  type Clock,
  type Driver,
  type DriverError,
  knownOptions,
  type Observation,
  type RecoverySnapshot,
  type RecoveryStrategy,
  type RunOutcome,
  type RunRequest,
  type Verdict,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { capture } from './capture.js'
import type { Environment } from './environment.js'
import type { HostPool, HostShowing } from './host.js'
import { inheritedIn } from './inheritance.js'
import { promptInterrupt, promptReset, sessionRefresh } from './interrupt.js'
import type { LaunchPad } from './launch.js'
import { wrongDriverOption, wrongOpenOption } from './option.js'
import { probeIn } from './probe.js'
import { reconnect } from './reattachment.js'
import { migrate, replicate } from './relocation.js'
import { respawn } from './respawn.js'
import { commandRetry } from './retry.js'
import { type OpenError, type Roster, rosterOf } from './roster.js'
import type { TerminalSize } from './screen.js'
import type { Session, SessionSpec, ShellSession } from './session.js'
import { setAsideIn } from './set-aside.js'
import { shownBy } from './showing.js'
import { unknownIn } from './unknown-command.js'
import { verify } from './verification.js'

// ------------------------------------------------------------------------------------------ model

export interface ShellDriverOptions {
  readonly clock: Clock
  /** Random text for nonces: at least 128 bits, in letters and digits. Default: from the system. */
  readonly nonce?: () => string
  /** How much output is kept per session, in bytes of UTF-8. Default 262,144. */
  readonly outputLimitBytes?: number
  /** How long a shell may take to its first prompt. Default 10,000. */
  readonly promptTimeoutMs?: number
}

/** What a kind of hosts brings to the driver. */
export interface ShellDriverParts {
  readonly name: string
  readonly pool: HostPool
  /** The most that any of these hosts shows of a process. */
  readonly shows: HostShowing
  /** The strategies that these hosts can carry out. */
  readonly strategies: ReadonlySet<RecoveryStrategy>
  /** What a session runs that names no command. */
  readonly defaultCommand: (environment: Environment) => string
  /** The environment of a session whose options name `known`. */
  readonly adoptedEnvironment: (known: Environment) => Environment
  /** What is given up when the driver closes, after its sessions. */
  readonly close: () => Promise<void>
}

export interface OpenOptions {
  /** A name sought in `env.PATH`, or a path. */
  readonly command?: string
  readonly args?: readonly string[]
  readonly cwd: string
  readonly env: Environment
  readonly cols?: number
  readonly rows?: number
  /** Somebody sits at it: it is never typed at. Default false. */
  readonly attended?: boolean
  /** How long a command may take; past it, one that waits for input counts as unresponsive. */
  readonly expectedMs?: number
}

export interface ShellDriver<Options extends OpenOptions = OpenOptions> extends Driver {
  /** Starts a session's process and waits for its first proof of life. */
  readonly open: (sessionId: string, options: Options) => TE.TaskEither<OpenError, ShellSession>
  /** A session that is open, or that a recovery has brought back from its snapshot. */
  readonly session: (sessionId: string) => ShellSession | undefined
  /** Ends the session's process and forgets the session. */
  readonly end: (sessionId: string) => Promise<void>
  /** Ends every session; afterwards no process, timer, handle or file of the driver is left. */
  readonly close: () => Promise<void>
}

const defaultSize: TerminalSize = { cols: 80, rows: 24 }
const defaultOutputLimitBytes = 262_144
const defaultPromptTimeoutMs = 10_000

interface Held {
  readonly parts: ShellDriverParts
  readonly roster: Roster
  readonly pad: LaunchPad
  readonly tell: (observation: Observation) => void
}

// ----------------------------------------------------------------------------------- constructors

/** A driver without sessions. */
export const shellDriver = <Options extends OpenOptions>(
  parts: ShellDriverParts,
  options: ShellDriverOptions,
): ShellDriver<Options> => {
  const { clock } = options
  const pad: LaunchPad = {
    clock,
    nonce: options.nonce ?? (() => randomBytes(16).toString('hex')),
    promptTimeoutMs: options.promptTimeoutMs ?? defaultPromptTimeoutMs,
  }
  let listener: (observation: Observation) => void = () => {}
  const tell = (observation: Observation): void => listener(observation)
  const roster = rosterOf({
    pool: parts.pool,
    pad,
    outputLimitBytes: options.outputLimitBytes ?? defaultOutputLimitBytes,
    tell,
  })
  const held = { parts, roster, pad, tell }
  const unopened = (sessionId: string) => `session ${sessionId} is not open here`
  return {
    name: parts.name,
    supports: {
      strategies: parts.strategies,
      capture: true,
      proof: 'observed',
      replicas: true,
      shows: shownBy(true, parts.shows),
    },
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
    probe: probeIn(parts.pool, roster),
    run: (request) => guarded(() => run(request, held)),
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
    showing: (sessionId) => roster.face(sessionId)?.shows(),
    detach: async (sessionId) => roster.detach(sessionId),
    open: (id, wanted) => async () => {
      const wrong = wrongDriverOption(options) ?? wrongOpenOption(wanted)
      return wrong === undefined
        ? roster.open({ id, spec: specOf(wanted, parts), options: wanted, size: sizeOf(wanted) })
        : E.left({ _tag: 'SpawnFailed', sessionId: id, message: wrong.detail, ...wrong })
    },
    session: roster.face,
    end: roster.end,
    close: async () => {
      listener = () => {}
      await roster.close()
      // What is being started is taken back over the very connections that the parts then close.
      await roster.settled()
      await parts.close()
      await roster.settled()
    },
  }
}

// ------------------------------------------------------------------------------------ combinators

const run = async (request: RunRequest, held: Held): Promise<E.Either<DriverError, RunOutcome>> => {
  const { strategy, sessionId, snapshot } = request
  const { parts, roster } = held
  if (!parts.strategies.has(strategy)) {
    return E.right({ _tag: 'unsupported', detail: `${parts.name} has no ${strategy}` })
  }
  // Nothing is ended, nor taken in, for work that nobody wants any more.
  if (request.signal.aborted) return E.right({ _tag: 'failed', detail: 'called off' })
  const found = roster.find(sessionId)
  if (found === undefined && snapshot === undefined) {
    return E.left(driverError(`session ${sessionId} is not open here, and nothing was kept of it`))
  }
  const session =
    found === undefined && snapshot !== undefined
      ? roster.adopt({
          id: sessionId,
          spec: specFrom(snapshot, request.traits.attended, parts),
          options: snapshot.sessionOptions,
          size: defaultSize,
          ...(snapshot.standing === undefined ? {} : { place: snapshot.standing.place }),
        })
      : E.right(found as Session)
  if (E.isLeft(session)) return E.left(driverError(session.left.detail))
  if (found === undefined && snapshot !== undefined) {
    session.right.unknown = unknownIn(snapshot)
    session.right.setAside = setAsideIn(snapshot)
    session.right.inherited = inheritedIn(snapshot.standing)
    session.right.droppedHistoryLines = snapshot.droppedHistoryLines ?? 0
    session.right.output.takeOver(snapshot.outputBuffer.join(''), snapshot.droppedOutputBytes ?? 0)
  }
  const outcome = await roster.whileStarting(session.right, () =>
    runOn(session.right, request, held),
  )
  // Where it stands now is to be kept, also of a program that says nothing by itself.
  if (outcome._tag === 'done' && session.right.watched) held.tell({ _tag: 'changed', sessionId })
  return E.right(outcome)
}

const runOn = async (
  session: Session,
  request: RunRequest,
  { parts: { pool }, roster, pad }: Held,
): Promise<RunOutcome> => {
  session.interrupted = undefined
  session.deed = {}
  switch (request.strategy) {
    case 'prompt-interrupt':
      return promptInterrupt(session, request, pad.clock)
    case 'prompt-reset':
      return promptReset(session, request, pad.clock)
    case 'session-refresh':
      return sessionRefresh(session, request, pad)
    case 'command-retry':
      return commandRetry(session, request, pad)
    case 'reconnect':
      return reconnect(session, request, pad)
    case 'migrate':
      return migrate(session, request, pad, pool)
    case 'replicate':
      return request.replicaId === undefined
        ? { _tag: 'failed', detail: 'nobody gave the replica an id' }
        : replicate(session, request.replicaId, request, pad, { pool, roster })
    case 'restart':
    case 'restore':
      return respawn(session, request.strategy, request, pad)
    case 'fallback':
      return { _tag: 'unsupported', detail: 'the last resort is not a matter of the session' }
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

const specOf = (
  { command, args, cwd, env, attended, expectedMs }: OpenOptions,
  { defaultCommand }: ShellDriverParts,
): SessionSpec => ({
  command: command ?? defaultCommand(env),
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
  parts: ShellDriverParts,
): SessionSpec => {
  const { command, environment, workingDirectory: cwd } = knownOptions(sessionOptions)
  const wanted = {
    ...(command === undefined ? {} : { command }),
    cwd: cwd || workingDirectory,
    env: parts.adoptedEnvironment(environment),
    attended,
  }
  return specOf(wanted, parts)
}
