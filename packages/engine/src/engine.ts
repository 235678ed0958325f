/**
 * The engine for many sessions: the face an embedding app calls, over one seat per session.
 */
import {
  type Classifier,
  classifier,
  type DecodeError,
  type DomainRecord,
  decode,
  defaultPolicy,
  emptyTally,
  Failure,
  type InteractiveState,
  interactiveStatistics,
  isRecovering,
  type Logger,
  type Notice,
  type RecoverySnapshot,
  type Sink,
  type SnapshotUpdate,
  statisticsOf,
  triggerAdvice,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type {
  CancelResult,
  Engine,
  EngineOptions,
  EngineStatistics,
  RecoverResult,
  RegisterResult,
  Registration,
  RenewResult,
  ReportResult,
  ResetResult,
  SessionStatus,
  StartResult,
  StopResult,
  UnregisterResult,
  UpdateResult,
} from './face.js'
import type { MakeEvent } from './lane.js'
import { Lifecycle } from './lifecycle.js'
import { memorySecrets } from './memory-secrets.js'
import { checkedRegistration, checkedUpdate } from './registration.js'
import type { Ports, Running } from './running.js'
import type { Seat } from './seat.js'
import { stepUnder } from './step.js'
import { systemClock } from './system-clock.js'

type StepOf = Ports['stepOf']

const silent: Logger = () => {}
const notRunning = { _tag: 'not-running' } as const
const notRegistered = { _tag: 'not-registered' } as const
const disabled = { _tag: 'disabled' } as const

/**
 * An engine under `options.policy`; nothing happens before `start`.
 *
 * @param stepOf what decides; another than the default must decide the same, and is for comparing the two.
 */
export const createEngine = (options: EngineOptions, stepOf: StepOf = stepUnder): Engine =>
  new SessionEngine(options, stepOf)

class SessionEngine implements Engine {
  readonly policy
  readonly #ports: Ports
  readonly #sinks = new Set<Sink>()
  readonly #registering = new Set<string>()
  readonly #lifecycle: Lifecycle
  readonly #classify: Classifier

  constructor(
    { policy = defaultPolicy, driver, store, secrets, clock, logger }: EngineOptions,
    stepOf: StepOf,
  ) {
    // Nothing is captured, and no timer armed for it, where the driver cannot capture.
    this.policy = driver.supports.capture ? policy : { ...policy, snapshotInterval: 0 }
    this.#classify = classifier(policy.reasonRules)
    this.#ports = {
      driver,
      store,
      secrets: secrets ?? memorySecrets(),
      clock: clock ?? systemClock,
      logger: logger ?? silent,
      stepOf,
    }
    this.#lifecycle = new Lifecycle(this.#ports, this.policy, this.#notify)
  }

  // --------------------------------------------------------------------------------- start and stop

  start = (): Promise<StartResult> => this.#lifecycle.start()

  stop = (): Promise<StopResult> => this.#lifecycle.stop()

  destroy = async (): Promise<void> => {
    await this.stop()
    this.#sinks.clear()
  }

  // ------------------------------------------------------------------------------------ registration

  register = async (
    sessionId: string,
    registration: Registration = {},
  ): Promise<RegisterResult> => {
    if (this.#running === undefined) return notRunning
    if (!this.policy.enabled) return { _tag: 'disabled' }
    const checked = checkedRegistration(
      sessionId,
      registration,
      this.policy,
      this.#ports.driver.domainsOf,
    )
    if (E.isLeft(checked)) return { _tag: 'invalid', error: checked.left }
    if (this.#registering.has(sessionId)) return { _tag: 'already-registered' }
    this.#registering.add(sessionId)
    try {
      const incarnation = this.#running.nextIncarnation(sessionId)
      if (this.#running.seats.has(sessionId)) {
        if (registration.whenRegistered !== 'replace') return { _tag: 'already-registered' }
        const gone = await this.unregister(sessionId)
        if (gone._tag === 'store-failed') return gone
      }
      if (this.#running === undefined) return notRunning
      return await this.#running.begin({
        sessionId,
        incarnation,
        ...checked.right,
      })
    } finally {
      this.#registering.delete(sessionId)
    }
  }

  unregister = async (sessionId: string): Promise<UnregisterResult> => {
    const done = await this.#offer(sessionId, (atMs) => ({ type: 'unregistered', atMs }))
    return done._tag === 'changed' || done._tag === 'unchanged' ? { _tag: 'unregistered' } : done
  }

  update = async (sessionId: string, update: SnapshotUpdate): Promise<UpdateResult> => {
    const running = this.#running
    if (running === undefined) return notRunning
    const seat = running.seats.get(sessionId)
    if (seat === undefined) return notRegistered
    const decoded = checkedUpdate(update)
    if (E.isLeft(decoded)) return { _tag: 'invalid', error: decoded.left }
    const kept = await seat.keeper.keep(decoded.right)
    if (kept._tag === 'refused') return { _tag: 'store-failed', error: kept.error }
    if (kept._tag === 'closed') return this.#gone(running)
    const { view, durable } = kept
    running.runtime.notify({ _tag: 'captured', sessionId, view })
    // A trigger only advises; a look at the session tells whether the evidence agrees.
    if (decoded.right.interactiveState !== undefined && this.advice(sessionId).shouldTrigger) {
      seat.interpreter.captureSoon()
    }
    return { _tag: 'updated', generation: view.generation, durable }
  }

  // ---------------------------------------------------------------------------------------- recovery

  reportFailure = (sessionId: string, failure?: string | Failure): Promise<ReportResult> =>
    this.#report(sessionId, failure, (reported) => reported)

  recover = (sessionId: string, failure?: string | Failure): Promise<RecoverResult> =>
    this.#report(sessionId, failure, (reported, seat) => this.#recovered(reported, seat))

  /** Takes a failure in, when its turn has come, and answers with what became of it. */
  #report<A>(
    sessionId: string,
    failure: string | Failure | undefined,
    answer: (reported: ReportResult, seat: Seat | undefined) => A | Promise<A>,
  ): Promise<A | typeof disabled> {
    if (!this.policy.enabled) return Promise.resolve(disabled)
    const running = this.#running
    const registered = running?.seats.registered ?? 0
    // There may be a hundred thousand of these in one tick: a promise and a function are all that each takes.
    return new Promise((resolve, reject) => {
      const work = () => {
        const seat = running?.seats.seatOf(sessionId, registered)
        const reported = this.#reportFailure(running, seat, failure)
        return reported.then((made) => resolve(answer(made, seat))).catch(reject)
      }
      if (running === undefined) void work()
      else running.turnstile.admit(work)
    })
  }

  async #reportFailure(
    running: Running | undefined,
    seat: Seat | undefined,
    failure: string | Failure | undefined,
  ): Promise<ReportResult> {
    const typed = this.#typed(failure)
    if (E.isLeft(typed)) return { _tag: 'invalid', error: typed.left }
    const done = await this.#offerTo(running, seat, (atMs) => {
      const view = seat?.keeper.view ?? { generation: 0, capturedAtMs: atMs }
      return { type: 'failed', atMs, failure: typed.right, view }
    })
    if (done._tag !== 'changed' && done._tag !== 'unchanged') return done
    const { incident, lastEnd } = done.record.control
    if (incident !== undefined) {
      const _tag = done._tag === 'changed' ? 'opened' : 'already-recovering'
      return { _tag, incident: incident.number }
    }
    const archive = lastEnd?.archive
    if (done.record.state === 'exhausted') {
      return { _tag: 'exhausted', ...(archive === undefined ? {} : { archive }) }
    }
    return notRegistered
  }

  async #recovered(reported: ReportResult, seat: Seat | undefined): Promise<RecoverResult> {
    if (reported._tag === 'exhausted') return { attempts: 0, durable: true, ...reported }
    if (reported._tag !== 'opened' || seat === undefined) {
      return reported._tag === 'opened' ? { _tag: 'stopped' } : reported
    }
    const end = await seat.lane.incidentEnd(reported.incident)
    switch (end._tag) {
      case 'recovered': {
        const { receipt, strategy } = end.fact
        const { attempts, durable } = end
        return { _tag: 'recovered', receipt, strategy, attempts, durable }
      }
      case 'exhausted': {
        const { attempts, archive, archiveError } = end.fact
        return {
          _tag: 'exhausted',
          attempts,
          durable: end.durable,
          ...(archive === undefined ? {} : { archive }),
          ...(archiveError === undefined ? {} : { archiveError }),
        }
      }
      case 'cancelled':
        return { _tag: 'cancelled', why: end.why, durable: end.durable }
      case 'stopped':
        return { _tag: 'stopped' }
    }
  }

  cancel = async (sessionId: string, why = 'the app asked for it'): Promise<CancelResult> => {
    const done = await this.#offer(sessionId, (atMs) => ({ type: 'cancelled', atMs, why }))
    if (done._tag === 'unchanged') return { _tag: 'not-recovering' }
    return done._tag === 'changed' ? { _tag: 'cancelled' } : done
  }

  reset = async (sessionId: string): Promise<ResetResult> => {
    const done = await this.#offer(sessionId, (atMs) => ({ type: 'reset', atMs }))
    if (done._tag === 'unchanged') return { _tag: 'not-exhausted' }
    return done._tag === 'changed' ? { _tag: 'reset' } : done
  }

  // ----------------------------------------------------------------------------------------- to look

  sessions = (): readonly SessionStatus[] => [...this.#seats()].map(statusOf)

  status = (sessionId: string): SessionStatus | undefined => {
    const seat = this.#running?.seats.get(sessionId)
    return seat && statusOf(seat)
  }

  stats = (): EngineStatistics => {
    const sums = this.#running?.runtime.ledger.projections.tally() ?? emptyTally
    const states: InteractiveState[] = []
    let activeRecoveries = 0
    // Those who rest recover from nothing, and nothing is known of their interaction.
    for (const { lane, keeper } of this.#running?.seats.made() ?? []) {
      if (isRecovering(lane.record)) activeRecoveries += 1
      const interactive = keeper.view?.interactive
      if (interactive !== undefined) states.push(interactive)
    }
    return {
      ...structuredClone(statisticsOf(sums)),
      activeRecoveries,
      registeredSessions: this.#running?.seats.size ?? 0,
      heldSessions: this.#running?.gate.waiting ?? 0,
      heldBack: this.#running?.heldBack ?? 0,
      isRunning: this.#running !== undefined,
      interactive: interactiveStatistics(states, sums),
    }
  }

  domains = (): readonly DomainRecord[] => structuredClone(this.#running?.gate.records ?? [])

  renew = (domain: string): RenewResult => {
    if (this.#running === undefined) return notRunning
    return { _tag: this.#running.gate.renew(domain) ? 'renewed' : 'unknown' }
  }

  history = (sessionId: string) =>
    structuredClone(this.#running?.runtime.ledger.projections.history(sessionId) ?? [])

  advice = (sessionId: string) => {
    const state = this.#running?.seats.get(sessionId)?.keeper.view?.interactive
    return triggerAdvice(state, this.#ports.clock.wallMs(), this.policy.triggers)
  }

  snapshot = async (sessionId: string): Promise<RecoverySnapshot | undefined> =>
    structuredClone(await this.#running?.seats.get(sessionId)?.keeper.shown())

  snapshots = async (): Promise<Readonly<Record<string, RecoverySnapshot>>> => {
    const shown = [...this.#seats()].map(async ({ lane, keeper }) => {
      const snapshot = await keeper.shown()
      return snapshot === undefined ? [] : [[lane.record.control.sessionId, snapshot] as const]
    })
    return structuredClone(Object.fromEntries((await Promise.all(shown)).flat()))
  }

  journal = async (sessionId: string) => {
    const read = await this.#ports.store.readJournal(sessionId)()
    return E.isRight(read) ? structuredClone(read.right) : []
  }

  subscribe = (sink: Sink): (() => void) => {
    this.#sinks.add(sink)
    return () => this.#sinks.delete(sink)
  }

  // ----------------------------------------------------------------------------------------- innards

  get #running(): Running | undefined {
    return this.#lifecycle.running
  }

  #seats(): Iterable<Seat> {
    return this.#running?.seats.values() ?? []
  }

  readonly #notify = (notice: Notice): void => {
    for (const sink of this.#sinks) {
      try {
        // A subscriber may be asynchronous although nobody waits for it.
        const told: unknown = sink(notice)
        if (told instanceof Promise) told.catch(this.#threw)
      } catch (thrown) {
        this.#threw(thrown)
      }
    }
  }

  readonly #threw = (thrown: unknown): void => {
    this.#ports.logger('error', 'a subscriber threw', thrown)
  }

  #offer(sessionId: string, make: MakeEvent) {
    const running = this.#running
    return this.#offerTo(running, running?.seats.get(sessionId), make)
  }

  async #offerTo(running: Running | undefined, seat: Seat | undefined, make: MakeEvent) {
    if (running === undefined) return notRunning
    if (seat === undefined) return this.#gone(running)
    const done = await seat.lane.offer(make)
    if (done._tag === 'refused') return { _tag: 'store-failed', error: done.error } as const
    return done._tag === 'stopped' ? this.#gone(running) : done
  }

  /** Why a session takes nothing any more: it is gone, or the engine has stopped. */
  #gone(running: Running) {
    return this.#running === running ? notRegistered : notRunning
  }

  #typed(failure: string | Failure | undefined): E.Either<DecodeError, Failure> {
    return failure === undefined || typeof failure === 'string'
      ? E.right(this.#classify(failure))
      : decode(Failure, 'failure')(failure)
  }
}

const statusOf = ({ lane, keeper }: Seat): SessionStatus => ({
  sessionId: lane.record.control.sessionId,
  record: structuredClone(lane.record),
  view: structuredClone(keeper.view),
})
