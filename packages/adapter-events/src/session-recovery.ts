/**
 * `SessionRecovery`, the drop-in class: the seed's constructor, methods and events over the engine. A
 * host of the seed changes one import; what it gains is that "recovered" is said only with evidence.
 */
import { EventEmitter } from 'node:events'
import {
  type Clock,
  emptyTally,
  fieldAtFault,
  type InteractiveStatistics,
  interactiveStatistics,
  type Logger,
  type Notice,
  type Policy,
  type RecoveryAttempt,
  type RecoveryConfig,
  type TriggerAdvice,
  triggerAdvice,
  unstorable,
  withoutValue,
} from '@session-recovery/core'
import {
  createEngine,
  type Engine,
  firstSnapshot,
  type UpdateResult,
} from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { Announcer, type Tell } from './announcer.js'
import { Attempts } from './attempt.js'
import { EngineLife } from './engine-life.js'
import type { RecoveryEventMap, RecoverySnapshot } from './event.js'
import { eventDriver } from './event-driver.js'
import { type InteractiveUpdate, withInteractive } from './interactive-state.js'
import { configOf, enginePolicy, optionsFrom, type SessionRecoveryOptions } from './option.js'
import { Queue } from './queue.js'
import { invalidInput, notRunning, storeFailed } from './session-recovery-error.js'
import { SnapshotMirror } from './snapshot-mirror.js'
import { readUpdate, refusedUpdate } from './snapshot-update.js'
import { type Statistics, statisticsOf } from './statistic.js'

// ------------------------------------------------------------------------------------------ model

/** What an app may change of a snapshot. */
export type SnapshotChange = Partial<
  Pick<
    RecoverySnapshot,
    | 'sessionState'
    | 'environment'
    | 'workingDirectory'
    | 'commandHistory'
    | 'outputBuffer'
    | 'errorContext'
    | 'interactiveState'
  >
>

// ------------------------------------------------------------------------------------------ class

export class SessionRecovery extends EventEmitter<RecoveryEventMap> {
  readonly #policy: Policy
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #engine: Engine
  readonly #life: EngineLife
  readonly #announcer: Announcer
  readonly #mirror: SnapshotMirror
  readonly #attempts: Attempts
  readonly #queue = new Queue()
  #isRunning = false

  /**
   * @param config the seed's config; what is left out has the seed's default, and 0 is 0.
   * @throws SessionRecoveryError `InvalidConfig`, with the field at fault.
   */
  constructor(config?: Partial<RecoveryConfig>, options: SessionRecoveryOptions = {}) {
    super()
    const { policy, logger, clock, store, secrets } = optionsFrom(config, options)
    const wallMs = () => clock.wallMs()
    this.#policy = policy
    this.#logger = logger
    this.#clock = clock
    this.#mirror = new SnapshotMirror(policy.snapshotLimit, wallMs)
    this.#engine = createEngine({
      policy: enginePolicy(policy),
      driver: eventDriver(this, {
        logger,
        wallMs,
        adopt: (sessionId, update) => this.#mirror.change(sessionId, update),
      }),
      store,
      clock,
      logger,
      ...(secrets === undefined ? {} : { secrets }),
    })
    this.#life = new EngineLife(this.#engine, this.#load)
    this.#announcer = new Announcer(policy, this.#tell, {
      told: (sessionId) => this.#mirror.get(sessionId),
      stored: (sessionId) => this.#engine.snapshot(sessionId),
    })
    this.#attempts = new Attempts(this.#engine, this.#life, this.#queue, this.#tell, logger)
    this.#engine.subscribe(this.#hear)
  }

  // --------------------------------------------------------------------------------- start and stop

  /**
   * Starts watching; sessions of a former run are in `getAllSnapshots()` afterwards.
   *
   * @throws SessionRecoveryError `StoreFailed` (rejects) when the store cannot be opened.
   */
  async start(): Promise<void> {
    if (this.#isRunning) return this.#logger('warn', 'SessionRecovery is already running')
    this.#isRunning = true
    try {
      await this.#life.start()
    } catch (refused) {
      this.#isRunning = false
      throw refused
    }
    if (this.#isRunning) this.#tell('started', () => [])
  }

  /** Stops within `stopTimeoutMs`: no timer fires afterwards. Open recoveries go on after `start()`. */
  async stop(): Promise<void> {
    const wasRunning = this.#isRunning
    this.#isRunning = false
    if (!wasRunning) this.#logger('warn', 'SessionRecovery is not running')
    await this.#life.stop()
    if (wasRunning) this.#tell('stopped', () => [])
  }

  /** Stops, and forgets every listener and what is in memory; what is stored stays. */
  async destroy(): Promise<void> {
    await this.stop()
    this.#mirror.clear()
    this.removeAllListeners()
  }

  // ----------------------------------------------------------------------------------- registration

  /**
   * Watches a session, or an id anew with a fresh budget; resolves when it is durable.
   *
   * @throws SessionRecoveryError `InvalidInput`, `StoreFailed`, `NotRunning` (rejects).
   */
  async registerSession(
    sessionId: string,
    sessionState: unknown,
    sessionOptions: unknown,
  ): Promise<void> {
    if (!this.#policy.enabled) return
    const registration = { sessionState, sessionOptions }
    // Whoever does not use types may pass any id: the engine refuses it, with its field.
    const isStorable = unstorable([sessionState, sessionOptions]) === undefined
    if (isStorable && typeof sessionId === 'string') {
      const now = new Date(this.#clock.wallMs())
      this.#mirror.put(firstSnapshot(sessionId, registration, now))
    }
    await this.#queue.add(sessionId, async () => {
      const engine = await this.#life.use()
      const done = await engine.register(sessionId, {
        ...registration,
        // The host is asked before anything is done: it knows who sits there and what may run again.
        attended: false,
        rerunnable: true,
        whenRegistered: 'replace',
      })
      if (done._tag === 'registered') return
      this.#mirror.delete(sessionId)
      if (done._tag === 'invalid') throw invalidInput(done.error)
      if (done._tag === 'store-failed') throw storeFailed(done.error)
      throw notRunning()
    })
    this.#tellSnapshot('session-registered', sessionId)
  }

  /**
   * Watches a session no longer, and forgets it.
   *
   * @throws SessionRecoveryError `StoreFailed`, `NotRunning` (rejects).
   */
  async unregisterSession(sessionId: string): Promise<void> {
    this.#mirror.delete(sessionId)
    await this.#queue.add(sessionId, async () => {
      const engine = await this.#life.use()
      const done = await engine.unregister(sessionId)
      if (done._tag === 'store-failed') throw storeFailed(done.error)
      if (done._tag === 'not-running') throw notRunning()
    })
    this.#tell('session-unregistered', () => [{ sessionId }])
    this.#announcer.forget(sessionId)
  }

  /**
   * Changes what is kept of a session; resolves when it is durable. What is `undefined` changes nothing;
   * a session nobody registered is ignored, as in the seed.
   *
   * @throws SessionRecoveryError `InvalidInput`, `StoreFailed`, `NotRunning` (rejects).
   */
  async updateSessionSnapshot(sessionId: string, updates: SnapshotChange): Promise<void> {
    if (!this.#mirror.has(sessionId)) return
    if (await this.#update(sessionId, updates)) this.#tellSnapshot('snapshot-updated', sessionId)
  }

  /** Changes what is known of the dialogue with a session; otherwise as `updateSessionSnapshot`. */
  async updateInteractiveState(
    sessionId: string,
    interactiveUpdates: InteractiveUpdate,
  ): Promise<void> {
    if (!this.#mirror.has(sessionId)) return
    if (typeof interactiveUpdates !== 'object' || interactiveUpdates === null) {
      throw invalidInput(refusedUpdate('interactiveState', 'an object'))
    }
    const before = this.#mirror.interactive(sessionId)
    const interactiveState = withInteractive(before, interactiveUpdates)
    if (!(await this.#update(sessionId, { interactiveState }))) return
    this.#tell('interactive-state-updated', () => {
      const snapshot = this.#mirror.get(sessionId)
      const shown = snapshot && this.#announcer.shown(snapshot).interactiveState
      return [{ sessionId, interactiveState: shown ?? interactiveState }]
    })
  }

  // --------------------------------------------------------------------------------------- recovery

  /**
   * Reports a failure, and waits for the attempt that answers it; later attempts go on by themselves.
   * Called while the next attempt is waited for, it answers with that one.
   *
   * @returns true when the attempt recovered the session, with the proof the policy asks for; false when it
   * failed, and at once when an attempt is under way, none is left, the session is unknown, recovery is
   * disabled or stopped.
   */
  async recoverSession(sessionId: string, failureReason?: string): Promise<boolean> {
    if (!this.#mirror.has(sessionId)) {
      this.#logger('warn', `No snapshot found for session ${sessionId} - cannot recover`)
      return false
    }
    return this.#attempts.answer(sessionId, failureReason)
  }

  /** Whether the dialogue with a session looks stuck. */
  shouldTriggerInteractiveRecovery(sessionId: string): TriggerAdvice {
    const state = this.#mirror.interactive(sessionId)
    return triggerAdvice(state, this.#clock.wallMs(), this.#policy.triggers)
  }

  // ----------------------------------------------------------------------------------------- to look

  getRecoveryStatistics(): Statistics {
    const registeredSessions = this.#mirror.size
    const isRunning = this.#isRunning
    const config = configOf(this.#policy)
    return statisticsOf({ ...this.#life.stats(), registeredSessions, isRunning, config })
  }

  /** The newest attempts on a session, oldest first. */
  getSessionRecoveryHistory(sessionId: string): RecoveryAttempt[] {
    return structuredClone([...this.#life.history(sessionId)])
  }

  /** Every session's snapshot, as values. Secrets of a former run are references. */
  getAllSnapshots(): Record<string, RecoverySnapshot> {
    const all = this.#mirror.ids().map((id) => [id, this.#mirror.get(id)] as const)
    return Object.fromEntries(all.flatMap(([id, one]) => (one === undefined ? [] : [[id, one]])))
  }

  getInteractiveRecoveryStats(): InteractiveStatistics {
    const { strategiesSucceeded } = this.#life.stats()
    const states = this.#mirror.ids().flatMap((id) => this.#mirror.interactive(id) ?? [])
    const succeeded = Object.fromEntries(Object.entries(strategiesSucceeded))
    return interactiveStatistics(states, { ...emptyTally, strategiesSucceeded: succeeded })
  }

  // ------------------------------------------------------------------------------------------ innards

  readonly #load = async (): Promise<void> => {
    const stored = await this.#engine.snapshots()
    for (const snapshot of Object.values(stored)) {
      if (!this.#mirror.has(snapshot.sessionId)) this.#mirror.put(snapshot)
    }
  }

  readonly #hear = (notice: Notice): void => {
    switch (notice._tag) {
      case 'decided':
        this.#announcer.announce(notice)
        this.#attempts.settle(notice.entry)
        break
      case 'captured':
        if (notice.token !== undefined) this.#tellSnapshot('snapshot-updated', notice.sessionId)
        break
      case 'capture-failed':
        this.#logger('debug', `${notice.sessionId}: no snapshot: ${notice.detail}`)
        break
      case 'stopped':
        this.#attempts.settleAll()
        break
      default:
        break
    }
  }

  readonly #tell: Tell = (event, make) => {
    if (this.listenerCount(event) === 0) return
    try {
      Reflect.apply(this.emit, this, [event, ...make()])
    } catch (thrown) {
      this.#logger('error', `a listener of ${event} threw`, thrown)
    }
  }

  #tellSnapshot(event: 'session-registered' | 'snapshot-updated', sessionId: string): void {
    const snapshot = this.#mirror.get(sessionId)
    if (snapshot === undefined) return
    this.#tell(event, () => [{ sessionId, snapshot: this.#announcer.shown(snapshot) }])
  }

  /** Whether the engine took the update; false where the session is gone. */
  async #update(sessionId: string, input: unknown): Promise<boolean> {
    const read = readUpdate(sessionId, input)
    if (E.isLeft(read)) throw invalidInput(read.left)
    for (const field of read.right.refused)
      this.#logger('warn', fieldAtFault(field), withoutValue(field))
    const update = this.#mirror.change(sessionId, read.right.update)
    return this.#queue.add(sessionId, async () => {
      const engine = await this.#life.use()
      return taken(await engine.update(sessionId, update))
    })
  }
}

const taken = (done: UpdateResult): boolean => {
  if (done._tag === 'invalid') throw invalidInput(done.error)
  if (done._tag === 'store-failed') throw storeFailed(done.error)
  if (done._tag === 'not-running') throw notRunning()
  return done._tag === 'updated'
}
