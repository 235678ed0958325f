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
  type RecoveryStrategy,
  type RunOutcome,
  repeatable,
  type SessionEvent,
  type SessionRecord,
  scrubAll,
  stuckFailure,
  type Verdict,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Keeper } from './keeper.js'
import type { Lane } from './lane.js'
import type { Runtime } from './runtime.js'

// ------------------------------------------------------------------------------------------ model

type EffectOf<T extends Effect['_tag']> = Extract<Effect, { readonly _tag: T }>

/** An event whose time is not known yet. */
type Untimed = SessionEvent extends infer Event
  ? Event extends SessionEvent
    ? Omit<Event, 'atMs'>
    : never
  : never

interface Work {
  readonly kind: Effect['_tag']
  readonly controller: AbortController
}

const failed = (detail: string): RunOutcome => ({ _tag: 'failed', detail })
const unproved = (detail: string): Verdict => ({ _tag: 'unproved', detail, evidence: [] })
const notArchived = (detail: string): ArchiveOutcome => ({ _tag: 'not-archived', detail })
const nothingKept = { generation: 0, capturedAtMs: 0 }

// ------------------------------------------------------------------------------------ interpreter

/** The interpreter of one session's effects. */
export class Interpreter {
  readonly #runtime: Runtime
  readonly #sessionId: string
  readonly #keeper: Keeper
  /** Asked for late: a lane and its interpreter know each other. */
  readonly #lane: () => Lane
  readonly #released: (released: 'begun' | 'done') => void
  readonly #underWay = new Map<string, Work>()
  #changedMeanwhile = false

  constructor(
    runtime: Runtime,
    sessionId: string,
    keeper: Keeper,
    lane: () => Lane,
    released: (released: 'begun' | 'done') => void,
  ) {
    this.#runtime = runtime
    this.#sessionId = sessionId
    this.#keeper = keeper
    this.#lane = lane
    this.#released = released
  }

  /** @param durable whether the decision is: what is not safe to repeat runs only then. */
  interpret(effects: readonly Effect[], record: SessionRecord, durable: boolean): void {
    if (record.state !== 'snapshotting.capturing') {
      for (const [token, { kind }] of this.#underWay) if (kind === 'capture') this.#abortOne(token)
    }
    for (const effect of effects) this.#one(effect, record, durable)
  }

  /** Something worth keeping changed: captures it soon, after the capture that may be under way. */
  captureSoon(): void {
    if (this.#lane().record.state === 'snapshotting.capturing') this.#changedMeanwhile = true
    else this.#runtime.background('a capture', () => this.#insist({ type: 'captureDue' }))
  }

  /** Reports a failure the engine learnt of by itself. */
  fail(failure: Failure): Promise<void> {
    return this.#insist({ type: 'failed', failure, view: this.#keeper.view ?? nothingKept })
  }

  /** Finds out whether a session found in the store lives; a dead one opens an incident. */
  async lookAfterStart(): Promise<void> {
    const { record } = this.#lane()
    const token = `look:${record.control.incarnation}:${record.rev}`
    const controller = this.#begin('verify', token)
    const verdict = await this.#runtime.driver.verify(
      this.#request(record, token, controller.signal),
    )()
    this.#underWay.delete(token)
    if (controller.signal.aborted || (E.isRight(verdict) && verdict.right._tag === 'alive')) return
    const detail = E.isLeft(verdict) ? verdict.left.message : 'it gave no proof of life'
    const atMs = this.#runtime.nowMs()
    await this.fail(
      hostRestarted('the host app started and found the session dead', [
        { source: 'engine', grade: 'observed', trusted: true, detail, atMs },
      ]),
    )
  }

  /** Aborts everything under way. */
  abort(): void {
    for (const token of [...this.#underWay.keys()]) this.#abortOne(token)
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
        this.#abortOne(effect.token)
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
    this.#undertake<E.Either<{ readonly message: string }, Capture>>('capture', token, {
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
    const sessionId = this.#sessionId
    const kept = await this.#keeper.keep(capture.update)
    if (E.isLeft(kept)) {
      notify({ _tag: 'store-failed', sessionId, error: kept.left })
      return this.#captureFailed(token, kept.left.message)
    }
    notify({ _tag: 'captured', sessionId, view: kept.right, token })
    await this.#insist({ type: 'captured', token })
    if (this.#changedMeanwhile) {
      this.#changedMeanwhile = false
      await this.#insist({ type: 'captureDue' })
    }
    const { interactive } = kept.right
    if (interactive === undefined) return
    const { traits } = record.control
    // The driver dates what it sees by the wall clock; so is the age of it.
    const nowMs = clock.wallMs()
    const stuck = stuckFailure(interactive, capture.foreground, traits, nowMs, policy.triggers)
    if (stuck !== undefined) await this.fail(stuck)
  }

  async #captureFailed(token: string, detail: string): Promise<void> {
    this.#runtime.notify({ _tag: 'capture-failed', sessionId: this.#sessionId, detail })
    await this.#insist({ type: 'captureFailed', token, detail })
  }

  // ------------------------------------------------------------------------------------- recovering

  #run(effect: EffectOf<'run'>, record: SessionRecord, durable: boolean): void {
    const { token, strategy } = effect
    const refused = this.#refusal(strategy, durable)
    this.#undertake<RunOutcome>('run', token, {
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
    if (signal.aborted) return failed('given up before it began')
    const outcome = await this.#runtime.driver.run({
      ...this.#request(record, effect.token, signal, effect.deadlineMs),
      strategy: effect.strategy,
      attempt: effect.attempt,
      failure: incident.failure,
      plan: incident.plan,
      repeated: effect.repeated,
      ...(kept === undefined ? {} : { snapshot: kept.snapshot }),
      lostSecrets: kept?.lostSecrets ?? [],
      policy: this.#runtime.policy,
    })()
    return E.isRight(outcome) ? outcome.right : failed(outcome.left.message)
  }

  #verify(effect: EffectOf<'verify'>, record: SessionRecord): void {
    const { token, strategy, deadlineMs } = effect
    this.#undertake<Verdict>('verify', token, {
      ask: async (signal) => {
        const kept = await this.#keeper.retrieve()
        const verdict = await this.#runtime.driver.verify({
          ...this.#request(record, token, signal, deadlineMs),
          strategy,
          ...(kept === undefined ? {} : { snapshot: kept.snapshot }),
        })()
        return E.isRight(verdict) ? verdict.right : unproved(verdict.left.message)
      },
      thrown: unproved,
      answer: (verdict) => this.#insist({ type: 'verified', token, verdict }),
    })
  }

  #archive({ token, incident }: EffectOf<'archive'>, record: SessionRecord): void {
    this.#undertake<ArchiveOutcome>('archive', token, {
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

  #release(record: SessionRecord): void {
    const { driver, store, logger } = this.#runtime
    const sessionId = this.#sessionId
    this.abort()
    this.#released('begun')
    this.#runtime.background(`release of ${sessionId}`, async () => {
      await driver.detach(sessionId)
      const forgotten = await store.forget(sessionId, record.control.incarnation)()
      if (E.isRight(forgotten)) this.#released('done')
      else logger('warn', `${sessionId} is not forgotten`, forgotten.left)
    })
  }

  /** Asks under `token`, and gives on the answer unless it was aborted meanwhile. */
  #undertake<A>(
    kind: Effect['_tag'],
    token: string,
    work: {
      readonly ask: (signal: AbortSignal) => Promise<A>
      readonly thrown: (message: string) => A
      readonly answer: (result: A) => Promise<void>
    },
  ): void {
    const controller = this.#begin(kind, token)
    this.#runtime.background(`${kind} of ${this.#sessionId}`, async () => {
      const result = await work.ask(controller.signal).catch((thrown: unknown) => {
        this.#runtime.logger('error', `${kind} of ${this.#sessionId} threw`, thrown)
        return work.thrown(thrown instanceof Error ? thrown.message : String(thrown))
      })
      if (this.#underWay.get(token)?.controller === controller) this.#underWay.delete(token)
      if (!controller.signal.aborted) await work.answer(result)
    })
  }

  #begin(kind: Effect['_tag'], token: string): AbortController {
    const controller = new AbortController()
    this.#underWay.set(token, { kind, controller })
    return controller
  }

  #abortOne(token: string): void {
    this.#underWay.get(token)?.controller.abort()
    this.#underWay.delete(token)
  }

  #request(record: SessionRecord, token: string, signal: AbortSignal, deadlineMs?: number) {
    const { incarnation, traits } = record.control
    const bound = deadlineMs === undefined ? {} : { deadlineMs }
    return { sessionId: this.#sessionId, incarnation, traits, token, signal, ...bound }
  }

  /** What the world answered may hold secrets of the session: they are taken out before it is decided on. */
  async #insist(event: Untimed): Promise<void> {
    const clean = scrubAll(event, this.#keeper.secrets)
    await this.#lane().insist((atMs) => ({ ...clean, atMs }) as SessionEvent)
  }
}
