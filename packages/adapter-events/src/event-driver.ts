/**
 * The driver that touches no session itself: it asks the app that embeds the engine, by the seed's
 * events, and waits for what the app's listeners answer.
 */
import {
  type Capture,
  type CaptureRequest,
  type Driver,
  type DriverError,
  fieldAtFault,
  type Logger,
  type RecoverySnapshot,
  type RunOutcome,
  type RunRequest,
  type SnapshotUpdate,
  storedBytes,
  type Verdict,
  type VerifyRequest,
  withoutValue,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { type Answer, ask, type HostEmitter, messageOf, untilAborted } from './acknowledgement.js'
import { type Acknowledged, claimed, unproved, verdictFrom } from './evidence.js'
import {
  type AskedStrategy,
  askedStrategies,
  type HostRequest,
  hostRequest,
  restoreState,
  sshOptionsOf,
  strategyMessage,
  withoutLost,
} from './request.js'
import { readUpdate } from './snapshot-update.js'

// ------------------------------------------------------------------------------------------ model

export interface EventDriverOptions {
  readonly logger?: Logger
  /** The time evidence is dated by, in milliseconds since the epoch. Default: the wall clock. */
  readonly wallMs?: () => number
  /** Is given what the host answered to a `snapshot-request`, and gives back what is to be kept. */
  readonly adopt?: (sessionId: string, update: SnapshotUpdate) => SnapshotUpdate
}

type Asked = E.Either<DriverError, SnapshotUpdate>

// ----------------------------------------------------------------------------------- constructors

const driverError = (message: string): DriverError => ({ _tag: 'DriverError', message })

const givenUp = 'it was given up before the host answered'

/**
 * A driver that asks by the events of `emitter`. Nobody listens: `unsupported`, at once. A listener throws or
 * rejects: `failed`, with its message. All listeners return or resolve: acknowledged. One never answers:
 * the engine's deadline ends the wait.
 */
export const eventDriver = (emitter: HostEmitter, options: EventDriverOptions = {}): Driver =>
  new EventDriver(emitter, options)

class EventDriver implements Driver {
  readonly name = 'events'
  readonly supports = { strategies: askedStrategies, capture: true, proof: 'observed' } as const
  readonly #emitter: HostEmitter
  readonly #logger: Logger
  readonly #wallMs: () => number
  readonly #adopt: NonNullable<EventDriverOptions['adopt']>
  /** What the host acknowledged last, by session, until it is verified. */
  readonly #acknowledged = new Map<string, Acknowledged & { readonly strategy: AskedStrategy }>()

  constructor(emitter: HostEmitter, { logger, wallMs, adopt }: EventDriverOptions) {
    this.#emitter = emitter
    this.#logger = logger ?? (() => {})
    this.#wallMs = wallMs ?? Date.now
    this.#adopt = adopt ?? ((_, update) => update)
  }

  /** An app reports what it notices by itself. */
  watch = () => () => {}

  detach = async (sessionId: string): Promise<void> => {
    this.#acknowledged.delete(sessionId)
  }

  // ------------------------------------------------------------------------------------------- run

  run = (request: RunRequest) => async (): Promise<E.Either<DriverError, RunOutcome>> =>
    E.right(await this.#run(request))

  async #run(request: RunRequest): Promise<RunOutcome> {
    const { sessionId, strategy } = request
    this.#acknowledged.delete(sessionId)
    if (strategy === 'fallback') {
      return { _tag: 'unsupported', detail: 'the last resort is the engine’s own' }
    }
    if (request.snapshot === undefined) {
      return { _tag: 'failed', detail: 'nothing was kept that could be brought back' }
    }
    const snapshot = withoutLost(request.snapshot, request.lostSecrets)
    if (strategy === 'reconnect' && !sshOptionsOf(snapshot)) {
      return { _tag: 'not-applicable', detail: 'a local session has no connection' }
    }
    this.#announce(sessionId, strategy)
    if (strategy === 'command-retry' && !hasPending(snapshot)) {
      return { _tag: 'not-applicable', detail: 'no command is pending' }
    }
    const asked = hostRequest(strategy, snapshot, request)
    const { event } = asked
    const answer = await this.#ask(asked, request)
    if (answer._tag === 'answered') {
      const handedBytes = storedBytes(JSON.stringify(asked.payload))
      this.#acknowledged.set(sessionId, { strategy, event, handedBytes })
    }
    return outcomeOf(answer, event)
  }

  #ask({ event, payload }: HostRequest, { signal }: RunRequest): Promise<Answer> {
    return ask(this.#emitter, event, payload, signal)
  }

  #announce(sessionId: string, strategy: AskedStrategy): void {
    const message = strategyMessage[strategy]
    try {
      this.#emitter.emit('recovery-strategy-attempt', { sessionId, strategy, message })
    } catch (thrown) {
      this.#logger('error', 'a listener of recovery-strategy-attempt threw', thrown)
    }
  }

  // ---------------------------------------------------------------------------------------- verify

  verify = (request: VerifyRequest) => async (): Promise<E.Either<DriverError, Verdict>> =>
    E.right(await this.#verify(request))

  async #verify({ sessionId, strategy, token, snapshot, signal }: VerifyRequest): Promise<Verdict> {
    const kept = this.#acknowledged.get(sessionId)
    const acknowledged = kept?.strategy === strategy ? kept : undefined
    const state = snapshot && restoreState(snapshot)
    const payload = { sessionId, strategy, token, restoreState: state }
    const answer = await ask(this.#emitter, 'session-verify-request', payload, signal)
    if (answer._tag === 'given-up') return unproved(givenUp)
    if (answer._tag === 'refused') return unproved(answer.message)
    const values = answer._tag === 'answered' ? answer.values : []
    const atMs = this.#wallMs()
    const verdict = verdictFrom(values, acknowledged?.handedBytes ?? 0, atMs)
    if (E.isLeft(verdict)) {
      const problem = fieldAtFault(verdict.left)
      this.#logger('error', problem, withoutValue(verdict.left))
      return unproved(problem)
    }
    if (verdict.right !== undefined) return verdict.right
    return acknowledged === undefined
      ? unproved('nobody gives evidence: no listener of session-verify-request answers')
      : claimed(acknowledged, atMs)
  }

  // --------------------------------------------------------------------------------------- capture

  capture = (request: CaptureRequest) => async (): Promise<E.Either<DriverError, Capture>> => {
    const { sessionId, signal } = request
    let answered = false
    const answer = new Promise<Asked>((resolve) => {
      const callback = (updates?: unknown): void => {
        if (answered || signal.aborted) {
          this.#logger('warn', `${sessionId} answered a snapshot-request too late, or twice`)
          return
        }
        answered = true
        resolve(this.#read(sessionId, updates))
      }
      // A listener may return before it calls back; it is only over when it throws or nobody listens.
      ask(this.#emitter, 'snapshot-request', { sessionId, callback }, signal)
        .then((asked) => {
          if (asked._tag === 'unheard') resolve(refusal('nobody listens to snapshot-request'))
          if (asked._tag === 'refused') resolve(refusal(asked.message))
        })
        .catch((thrown: unknown) => resolve(refusal(messageOf(thrown))))
    })
    const update = await untilAborted(answer, signal)
    if (update._tag === 'given-up') return E.left(driverError(givenUp))
    return E.map(
      (kept: SnapshotUpdate): Capture => ({
        update: this.#adopt(sessionId, kept),
        foreground: { kind: 'unknown', reasons: ['an app’s events do not show the foreground'] },
      }),
    )(update)
  }

  #read(sessionId: string, updates: unknown): Asked {
    if (updates === undefined || updates === null) return refusal('the host has nothing to say')
    const read = readUpdate(sessionId, updates)
    if (E.isLeft(read)) {
      const problem = fieldAtFault(read.left)
      this.#logger('error', `${sessionId}: ${problem}`, withoutValue(read.left))
      return refusal(problem)
    }
    for (const field of read.right.refused) {
      this.#logger('warn', `${sessionId}: ${fieldAtFault(field)}`, withoutValue(field))
    }
    return E.right(read.right.update)
  }
}

const refusal = (message: string): Asked => E.left(driverError(message))

const hasPending = (snapshot: RecoverySnapshot): boolean =>
  (snapshot.interactiveState?.pendingCommands.length ?? 0) > 0

const outcomeOf = (answer: Answer, event: string): RunOutcome => {
  switch (answer._tag) {
    case 'unheard':
      return { _tag: 'unsupported', detail: `nobody listens to ${event}` }
    case 'refused':
      return { _tag: 'failed', detail: answer.message }
    case 'given-up':
      return { _tag: 'failed', detail: givenUp }
    case 'answered':
      return { _tag: 'done', detail: `acknowledged ${event}` }
  }
}
