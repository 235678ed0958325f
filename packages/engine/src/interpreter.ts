/**
 * The interpreter: the only place where effects run, after the commit that decided them. What comes of
 * an effect returns as an event under the effect's token; what nobody awaits any more is dropped.
 */
import {
  type Archive,
  type ArchiveOutcome,
  type Capture,
  type Effect,
  type Failure,
  hostRestarted,
  isRecovering,
  type RecoveryStrategy,
  type RunOutcome,
  repeatable,
  replicaId,
  type SessionEvent,
  type SessionRecord,
  stuckFailure,
  type Verdict,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { deadline } from './deadline.js'
import { cleanText } from './free-text.js'
import type { Keeper } from './keeper.js'
import type { Lane } from './lane.js'
import { isReplica, takenOver } from './replica.js'
import type { Runtime } from './runtime.js'
import { UnderWay } from './under-way.js'

// ------------------------------------------------------------------------------------------ model

type EffectOf<T extends Effect['_tag']> = Extract<Effect, { readonly _tag: T }>

/** An event whose time is not known yet. */
type Untimed = SessionEvent extends infer Event
  ? Event extends SessionEvent
    ? Omit<Event, 'atMs'>
    : never
  : never

const failed = (detail: string): RunOutcome => ({ _tag: 'failed', detail })
const unproved = (detail: string): Verdict => ({ _tag: 'unproved', detail, evidence: [] })
const notArchived = (detail: string): ArchiveOutcome => ({ _tag: 'not-archived', detail })
const nothingKept = { generation: 0, capturedAtMs: 0 }

const isAtWork = ({ state }: SessionRecord): boolean =>
  state === 'recovering.attempting' || state === 'recovering.verifying'

const isBusy = (record: SessionRecord): boolean =>
  record.state === 'snapshotting.capturing' || isRecovering(record)

// ------------------------------------------------------------------------------------ interpreter

export interface Home {
  /** A lane and its interpreter know each other. */
  readonly lane: Lane
  readonly released: (released: 'begun' | 'done') => void
}

/** The interpreter of one session's effects. */
export class Interpreter {
  readonly #runtime: Runtime
  readonly #sessionId: string
  readonly #keeper: Keeper
  readonly #home: Home
  readonly #underWay = new UnderWay()
  #changedMeanwhile = false

  constructor(runtime: Runtime, sessionId: string, keeper: Keeper, home: Home) {
    this.#runtime = runtime
    this.#sessionId = sessionId
    this.#keeper = keeper
    this.#home = home
  }

  /** @param durable whether the decision is: what is not safe to repeat runs only then. */
  interpret(effects: readonly Effect[], record: SessionRecord, durable: boolean): void {
    this.#underWay.abortWhere(
      ({ kind, rev }) =>
        (kind === 'capture' && record.state !== 'snapshotting.capturing') ||
        (kind === 'look' && record.rev !== rev),
    )
    for (const effect of effects) this.#one(effect, record, durable)
    this.#letGo()
    if (this.#changedMeanwhile && !isBusy(record)) {
      this.#changedMeanwhile = false
      this.captureSoon()
    }
  }

  /**
   * Something worth keeping changed: captures it soon, after the capture or the recovery that may be under
   * way. What a recovery brings back is such: it stands elsewhere than what was kept.
   */
  captureSoon(): void {
    if (!this.#runtime.driver.supports.capture) return
    if (isBusy(this.#home.lane.record)) this.#changedMeanwhile = true
    else this.#runtime.background('a capture', () => this.#insist({ type: 'captureDue' }))
  }

  /**
   * Reports a failure the engine learnt of by itself.
   *
   * @param seenAtRev the revision of the session it was seen at, where a decision taken since then makes
   * it worthless.
   */
  async fail(failure: Failure, seenAtRev?: number): Promise<void> {
    if (!this.#runtime.policy.enabled) return
    const decided = this.#home.lane.insist((atMs, { rev }) =>
      seenAtRev === undefined || seenAtRev === rev
        ? { type: 'failed', atMs, failure, view: this.#keeper.view ?? nothingKept }
        : undefined,
    )
    // What was kept is wanted once the decision is durable, unless it has to wait for others then.
    const isAlone = this.#home.lane.record.control.traits.domains === undefined
    const ahead = async (): Promise<void> => {
      await this.#keeper.retrieve()
      await decided.catch(() => undefined)
      this.#letGo()
    }
    if (isAlone) this.#runtime.background('reading what was kept', ahead)
    await decided
  }

  /** Finds out whether a session found in the store lives; a dead one opens an incident. */
  async lookAfterStart(): Promise<void> {
    const { policy, clock, nowMs } = this.#runtime
    const { record } = this.#home.lane
    const token = `look:${record.control.incarnation}:${record.rev}`
    const { signal } = this.#underWay.begin(token, 'look', record.rev)
    const { over, end } = deadline(clock, policy.strategyTimeoutMs || policy.recoveryTimeout)
    const overtaken = new Promise<'overtaken'>((resolve) => {
      signal.addEventListener('abort', () => resolve('overtaken'), { once: true })
    })
    const asked = this.#verdict(record, token, signal).catch(async (thrown: unknown) =>
      unproved(await this.#messageOf('a look', thrown)),
    )
    const seen = await Promise.race([asked, over, overtaken])
    end()
    this.#underWay.abort(token)
    if (seen === 'overtaken' || (seen !== 'over' && seen._tag === 'alive')) return this.#letGo()
    const detail = seen === 'over' ? 'it gave no answer in time' : seen.detail
    await this.fail(
      hostRestarted('the host app started and found the session dead', [
        { source: 'engine', grade: 'observed', trusted: true, detail, atMs: nowMs() },
      ]),
      record.rev,
    )
  }

  /** Aborts everything under way. */
  abort(): void {
    this.#underWay.abortWhere(() => true)
  }

  #one(effect: Effect, record: SessionRecord, durable: boolean): void {
    switch (effect._tag) {
      case 'capture':
        this.#capture(effect, record)
        break
      case 'run':
        this.#run(effect, record, durable)
        break
      case 'verify':
        this.#verify(effect, record)
        break
      case 'archive':
        this.#archive(effect, record)
        break
      case 'abort':
        this.#underWay.abort(effect.token)
        break
      case 'release':
        this.#release(record)
        break
      case 'tell':
        // Those who listen were told the whole entry when it was committed.
        break
    }
  }

  // -------------------------------------------------------------------------------------- capturing

  #capture({ token }: EffectOf<'capture'>, record: SessionRecord): void {
    this.#changedMeanwhile = false
    this.#undertake<E.Either<{ readonly message: string }, Capture>>('capture', token, record, {
      ask: (signal) => this.#runtime.driver.capture(this.#request(record, token, signal))(),
      thrown: (message) => E.left({ message }),
      answer: (seen) =>
        E.isRight(seen)
          ? this.#keepCapture(token, seen.right, record)
          : this.#captureFailed(token, seen.left.message),
    })
  }

  async #keepCapture(token: string, capture: Capture, record: SessionRecord): Promise<void> {
    const { policy, notify, clock } = this.#runtime
    const kept = await this.#keeper.keep(capture.update, capture.bulkIdentity)
    if (kept._tag === 'closed') return
    if (kept._tag === 'refused') return this.#captureFailed(token, kept.error.message)
    notify({ _tag: 'captured', sessionId: this.#sessionId, view: kept.view, token })
    await this.#insist({ type: 'captured', token })
    const { interactive } = kept.view
    if (interactive === undefined) return
    const { traits } = record.control
    // The driver dates what it sees by the wall clock; so is the age of it.
    const nowMs = clock.wallMs()
    const stuck = stuckFailure(interactive, capture.foreground, traits, nowMs, policy.triggers)
    if (stuck !== undefined) await this.fail(stuck, record.rev)
  }

  async #captureFailed(token: string, message: string): Promise<void> {
    await this.#keeper.learnt()
    const detail = cleanText(message, this.#keeper.known)
    this.#runtime.notify({ _tag: 'capture-failed', sessionId: this.#sessionId, detail })
    await this.#insist({ type: 'captureFailed', token, detail })
  }

  // ------------------------------------------------------------------------------------- recovering

  #run(effect: EffectOf<'run'>, record: SessionRecord, durable: boolean): void {
    const { token, strategy } = effect
    const refused = this.#refusal(strategy, durable)
    this.#undertake<RunOutcome>('run', token, record, {
      ask: (signal) =>
        refused === undefined ? this.#ask(effect, record, signal) : Promise.resolve(refused),
      thrown: failed,
      answer: (outcome) => this.#insist({ type: 'acted', token, outcome }),
    })
  }

  #refusal(strategy: RecoveryStrategy, durable: boolean): RunOutcome | undefined {
    const { driver } = this.#runtime
    if (!driver.supports.strategies.has(strategy)) {
      return { _tag: 'unsupported', detail: `${driver.name} has no ${strategy}` }
    }
    // Were the app to crash now, nobody would know that it ran: it could run again.
    return durable || repeatable.has(strategy)
      ? undefined
      : failed('the store refused the decision, and this is not safe to do twice')
  }

  async #ask(
    effect: EffectOf<'run'>,
    record: SessionRecord,
    signal: AbortSignal,
  ): Promise<RunOutcome> {
    const { incident } = record.control
    if (incident === undefined) throw new Error(`a run without an incident in ${this.#sessionId}`)
    const kept = await this.#keeper.retrieve()
    if (signal.aborted) this.#letGo()
    if (signal.aborted) return failed('given up before it began')
    const outcome = await this.#runtime.driver.run({
      strategy: effect.strategy,
      attempt: effect.attempt,
      failure: incident.failure,
      plan: incident.plan,
      repeated: effect.repeated,
      lostSecrets: kept?.lostSecrets ?? [],
      policy: this.#runtime.policy,
      ...(effect.strategy === 'replicate'
        ? { replicaId: replicaId(this.#sessionId, effect.token) }
        : {}),
      ...(kept === undefined ? {} : { snapshot: kept.snapshot }),
      ...this.#request(record, effect.token, signal, effect.deadlineMs),
    })()
    return E.isRight(outcome) ? outcome.right : failed(outcome.left.message)
  }

  #verify(effect: EffectOf<'verify'>, record: SessionRecord): void {
    const { token } = effect
    this.#undertake<Verdict>('verify', token, record, {
      ask: (signal) => this.#verdict(record, token, signal, effect),
      thrown: unproved,
      answer: async (verdict) => {
        const settled = await takenOver(this.#runtime, record, effect, verdict)
        await this.#insist({ type: 'verified', token, verdict: settled })
        if (settled._tag === 'alive' && isReplica(effect, this.#runtime)) {
          await this.#insist({ type: 'unregistered' })
        }
      },
    })
  }

  async #verdict(
    record: SessionRecord,
    token: string,
    signal: AbortSignal,
    effect?: EffectOf<'verify'>,
  ): Promise<Verdict> {
    const kept = await this.#keeper.retrieve()
    if (signal.aborted) this.#letGo()
    if (signal.aborted) return unproved('given up before it began')
    const verdict = await this.#runtime.driver.verify({
      ...(effect === undefined ? {} : { strategy: effect.strategy }),
      ...(kept === undefined ? {} : { snapshot: kept.snapshot }),
      ...this.#request(record, token, signal, effect?.deadlineMs),
    })()
    return E.isRight(verdict) ? verdict.right : unproved(verdict.left.message)
  }

  #archive({ token, incident }: EffectOf<'archive'>, record: SessionRecord): void {
    this.#undertake<ArchiveOutcome>('archive', token, record, {
      ask: async () => {
        const archive: Archive = {
          v: 1,
          sessionId: this.#sessionId,
          incarnation: record.control.incarnation,
          incident,
          token,
          atMs: this.#runtime.nowMs(),
          record,
          snapshot: (await this.#keeper.stored()) ?? null,
        }
        const archived = await this.#runtime.store.archive(archive)()
        return E.isRight(archived)
          ? { _tag: 'archived', location: archived.right }
          : notArchived(archived.left.message)
      },
      thrown: notArchived,
      answer: (outcome) => this.#insist({ type: 'archived', token, outcome }),
    })
  }

  // ----------------------------------------------------------------------------------- what is shared

  /** What a strategy retrieves is large, and there are as many as sessions: nothing else holds it. */
  #letGo(): void {
    if (!isAtWork(this.#home.lane.record)) this.#keeper.letGo()
  }

  #release(record: SessionRecord): void {
    const { driver, store, logger, isStopped } = this.#runtime
    const sessionId = this.#sessionId
    this.abort()
    const kept = this.#keeper.close()
    this.#home.released('begun')
    this.#runtime.background(`release of ${sessionId}`, async () => {
      try {
        await driver.detach(sessionId)
      } catch (thrown) {
        await this.#messageOf('detach', thrown)
      }
      await kept
      // What is left then is forgotten on the next start.
      if (isStopped()) return
      const forgotten = await store.forget(sessionId, record.control.incarnation)()
      if (E.isRight(forgotten)) this.#home.released('done')
      else logger('warn', `${sessionId} is not forgotten`, forgotten.left)
    })
  }

  /** Asks under `token`, and gives on the answer unless it was aborted meanwhile. */
  #undertake<A>(
    kind: Effect['_tag'],
    token: string,
    record: SessionRecord,
    work: {
      readonly ask: (signal: AbortSignal) => Promise<A>
      readonly thrown: (message: string) => A
      readonly answer: (result: A) => Promise<void>
    },
  ): void {
    const controller = this.#underWay.begin(token, kind, record.rev)
    this.#runtime.background(`${kind} of ${this.#sessionId}`, async () => {
      const result = await work
        .ask(controller.signal)
        .catch(async (thrown: unknown) => work.thrown(await this.#messageOf(kind, thrown)))
      this.#underWay.end(token, controller)
      if (!controller.signal.aborted) await work.answer(result)
    })
  }

  /** What `thrown` says, and a line in the log: without the secrets it may hold. */
  async #messageOf(what: string, thrown: unknown): Promise<string> {
    await this.#keeper.learnt()
    const { message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown))
    const detail = cleanText(stack ?? message, this.#keeper.known)
    this.#runtime.logger('error', `${what} of ${this.#sessionId} threw`, detail)
    return message
  }

  #request(record: SessionRecord, token: string, signal: AbortSignal, deadlineMs?: number) {
    const { incarnation, traits } = record.control
    const bound = deadlineMs === undefined ? {} : { deadlineMs }
    return { sessionId: this.#sessionId, incarnation, traits, token, signal, ...bound }
  }

  async #insist(event: Untimed): Promise<void> {
    await this.#home.lane.insist((atMs) => ({ atMs, ...event }) as SessionEvent)
  }
}
