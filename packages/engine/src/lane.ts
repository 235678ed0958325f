/**
 * A lane: one session's events, one after the other, each decided, committed, told and only then acted
 * on. The single place where a record changes.
 */
import {
  type Effect,
  factsOf,
  isJournalled,
  type JournalEntry,
  recordDigest,
  type SessionEvent,
  type SessionRecord,
  type StoreError,
  stepVersion,
  wakeAtMs,
  wakeEvent,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Sleeper } from './alarm.js'
import { type IncidentEnd, incidentEnd } from './incident-end.js'
import type { Runtime } from './runtime.js'
import type { Stepped } from './step.js'

// ------------------------------------------------------------------------------------------ model

export type Dispatched =
  | { readonly _tag: 'changed'; readonly record: SessionRecord; readonly durable: boolean }
  | { readonly _tag: 'unchanged'; readonly record: SessionRecord }
  | { readonly _tag: 'refused'; readonly error: StoreError }
  | { readonly _tag: 'stopped' }

/**
 * Makes the event when its turn has come, so that it carries the time at which it is decided and knows
 * the record it meets; `undefined` when it has been overtaken.
 */
export type MakeEvent = (atMs: number, record: SessionRecord) => SessionEvent | undefined

/** What a lane needs of its session. */
export interface Attendant {
  /**
   * Takes the secrets out of an event before anything is decided on it; a promise where they have to be
   * asked for first.
   */
  readonly clean: (event: SessionEvent) => SessionEvent | Promise<SessionEvent>
  /** Carries effects out; called after the commit that decided them. */
  readonly interpret: (effects: readonly Effect[], record: SessionRecord, durable: boolean) => void
}

/** How long the engine waits before it asks a store that refused once more (`halt`). */
export const storeRetryMs = 1_000

// ------------------------------------------------------------------------------------------- lane

/** What an entry says of the record it follows; the first of a registration follows none. */
type Former = Pick<JournalEntry, 'from' | 'follows'>
type Refuse = (error: StoreError) => void
type Ended = (end: IncidentEnd) => void

// There are many, and most of them do nothing: what they may need some day is made on that day.
export class Lane implements Sleeper {
  wakesAtMs: number | undefined
  queuedAtMs: number | undefined
  readonly #runtime: Runtime
  readonly #attendant: Attendant
  /** Refuses an offer whose turn has not come. */
  #offered: Set<Refuse> | undefined
  #waiting: Map<number, Ended[]> | undefined
  #record: SessionRecord
  /** The digest of the record the last decision led to; `undefined` before the first, or while what was found is as it was. */
  #lastDigest: string | undefined
  /** What is to be decided before anything else: it was found in the store. */
  #found: MakeEvent | undefined
  /** The revision the store holds: behind the record's own while the disk fails (`degrade`). */
  #durableRev: number
  #halted: StoreError | undefined
  /** The end of the last incident: it may come before whoever opened it could ask. */
  #lastEnd: IncidentEnd | undefined
  #closed = false
  /** What its turn is waited for; `undefined`: nothing is under way. */
  #last: Promise<unknown> | undefined
  #endPause: (() => void) | undefined

  /**
   * @param durableRev the revision the store holds; 0 for a session it has not seen.
   */
  constructor(runtime: Runtime, first: SessionRecord, durableRev: number, attendant: Attendant) {
    this.#runtime = runtime
    this.#attendant = attendant
    this.#record = first
    this.#durableRev = durableRev
  }

  get record(): SessionRecord {
    return this.#record
  }

  /** Commits the first record of a registration. */
  begin(event: SessionEvent, effects: readonly Effect[]): Promise<Dispatched> {
    return this.#inTurn(() => this.#decide([this.#record, effects], event, {}))
  }

  /**
   * Decides on an event of the app's; if the store refuses, the app is told and nothing has happened.
   * While the store refuses what the engine has to write first, the app is told so at once.
   */
  offer(make: MakeEvent): Promise<Dispatched> {
    const halted = this.#halted
    if (halted !== undefined) return Promise.resolve({ _tag: 'refused', error: halted })
    return new Promise((resolve, reject) => {
      const refuse = (error: StoreError) => resolve({ _tag: 'refused', error })
      this.#offered ??= new Set()
      this.#offered.add(refuse)
      this.#inTurn(async () =>
        // One that was refused meanwhile must not happen after all.
        this.#withdraw(refuse) ? this.#once(make) : this.#unchanged(),
      ).then(resolve, reject)
    })
  }

  /**
   * Decides on what the engine itself has learnt: it cannot be handed back, so it is decided again until
   * the store holds it.
   */
  insist(make: MakeEvent): Promise<Dispatched> {
    return this.#inTurn(async () => {
      for (;;) {
        const result = await this.#once(make)
        this.#halted = undefined
        if (result._tag !== 'refused') return result
        this.#halt(result.error)
        await this.#pause(storeRetryMs)
      }
    })
  }

  /** Decides on what `make` says before anything else, when the first of it comes, or {@link takeUp} asks. */
  found(make: MakeEvent): void {
    this.#found = make
  }

  /** Resolves when it has been decided that this session was found. */
  async takeUp(): Promise<void> {
    if (this.#found !== undefined) await this.insist(() => undefined)
  }

  /** Resolves when the incident ends, or the engine stops. */
  incidentEnd(incident: number): Promise<IncidentEnd> {
    return new Promise((resolve) => {
      if (this.#lastEnd?.incident === incident) resolve(this.#lastEnd)
      else if (this.#closed) resolve({ _tag: 'stopped', incident })
      else {
        this.#waiting ??= new Map()
        this.#waiting.set(incident, [...(this.#waiting.get(incident) ?? []), resolve])
      }
    })
  }

  /** Sets the alarm to the record's next deadline. */
  arm(): void {
    const atMs = this.#closed ? undefined : wakeAtMs(this.#record)
    // A deadline may be a fraction; the time that events carry is whole, and the first at which it is due.
    this.#runtime.alarm.set(this, atMs === undefined ? undefined : Math.ceil(atMs))
  }

  /** A capture that begins may be late; what is under way is given up on time. */
  get canWait(): boolean {
    const { state } = this.#record
    return state === 'registered' || state === 'snapshotting.idle'
  }

  wake(): void {
    this.#runtime.background('waking a session', async () => {
      const woken = await this.insist((nowMs) => wakeEvent(this.#record, nowMs))
      if (woken._tag === 'unchanged') this.arm()
    })
  }

  /** No timer fires, nobody waits any more, nothing is decided. */
  close(): void {
    this.#closed = true
    this.arm()
    this.#endPause?.()
    for (const [incident, resolvers] of this.#waiting ?? []) {
      for (const resolve of resolvers) resolve({ _tag: 'stopped', incident })
    }
    this.#waiting = undefined
  }

  async #once(make: MakeEvent): Promise<Dispatched> {
    if (this.#closed || this.#runtime.isStopped()) return { _tag: 'stopped' }
    const found = this.#found
    if (found !== undefined) {
      this.#found = undefined
      const takenUp = await this.#once(found)
      if (takenUp._tag === 'refused') this.#found = found
      if (takenUp._tag === 'refused' || takenUp._tag === 'stopped') return takenUp
    }
    const made = make(this.#runtime.nowMs(), this.#record)
    if (made === undefined) return this.#unchanged()
    const clean = this.#attendant.clean(made)
    const event = clean instanceof Promise ? await clean : clean
    if (this.#closed || this.#runtime.isStopped()) return { _tag: 'stopped' }
    const stepped = this.#runtime.step(this.#record, event)
    if (stepped[0] === this.#record) return this.#unchanged()
    this.#lastDigest ??= recordDigest(this.#record)
    return isJournalled(event.type)
      ? this.#decide(stepped, event, { from: this.#record.state, follows: this.#lastDigest })
      : this.#adopt(stepped, undefined, true)
  }

  /** Commits a decision and adopts it; a refusal changes nothing, or (`degrade`) is told and lived with. */
  async #decide(stepped: Stepped, event: SessionEvent, former: Former): Promise<Dispatched> {
    const { ledger, store, policy, logger } = this.#runtime
    const [record, effects] = stepped
    const { sessionId } = record.control
    const seq = ledger.take()
    const entry = this.#entry(seq, record, event, effects, former)
    const commit = { record, expectedRev: this.#durableRev, entry }
    const committed = await store.commit(commit)().catch(unavailable)
    const refused = E.isLeft(committed)
    const degraded =
      refused &&
      policy.onStoreFailure === 'degrade' &&
      committed.left._tag === 'StoreUnavailable' &&
      !this.#runtime.isStopped()
    ledger.settle(seq, refused && !degraded ? undefined : entry, !refused)
    if (refused) {
      this.#runtime.notify({ _tag: 'store-failed', sessionId, error: committed.left })
      logger('error', `the store refused a decision on ${sessionId}`, committed.left)
      if (!degraded) return { _tag: 'refused', error: committed.left }
    } else {
      this.#durableRev = record.rev
    }
    return this.#runtime.isStopped() ? { _tag: 'stopped' } : this.#adopt(stepped, entry, !refused)
  }

  #adopt(
    [record, effects]: Stepped,
    entry: JournalEntry | undefined,
    durable: boolean,
  ): Dispatched {
    const attempts = this.#record.control.incident?.attempts ?? 0
    this.#record = record
    this.arm()
    if (entry !== undefined) {
      this.#lastDigest = entry.recordDigest
      this.#runtime.notify({ _tag: 'decided', entry, record, durable })
      this.#settle(entry, attempts, durable)
    }
    this.#attendant.interpret(effects, record, durable)
    return { _tag: 'changed', record, durable }
  }

  #settle(entry: JournalEntry, attempts: number, durable: boolean): void {
    for (const fact of factsOf(entry)) {
      const end = incidentEnd(fact, attempts, durable)
      if (end === undefined) continue
      this.#lastEnd = end
      for (const resolve of this.#waiting?.get(end.incident) ?? []) resolve(end)
      this.#waiting?.delete(end.incident)
      if (this.#waiting?.size === 0) this.#waiting = undefined
    }
  }

  #entry(
    seq: number,
    record: SessionRecord,
    event: SessionEvent,
    effects: readonly Effect[],
    former: Former,
  ): JournalEntry {
    return {
      v: 1,
      seq,
      sessionId: record.control.sessionId,
      incarnation: record.control.incarnation,
      rev: record.rev,
      stepVersion,
      policyDigest: this.#runtime.policyDigest,
      wallMs: this.#runtime.clock.wallMs(),
      event,
      to: record.state,
      effects: [...effects],
      recordDigest: recordDigest(record),
      ...former,
    }
  }

  #unchanged(): Dispatched {
    return { _tag: 'unchanged', record: this.#record }
  }

  #halt(error: StoreError): void {
    this.#halted = error
    for (const refuse of this.#offered ?? []) refuse(error)
    this.#offered = undefined
  }

  #withdraw(refuse: Refuse): boolean {
    const isThere = this.#offered?.delete(refuse) === true
    if (this.#offered?.size === 0) this.#offered = undefined
    return isThere
  }

  #inTurn(work: () => Promise<Dispatched>): Promise<Dispatched> {
    const done = (this.#last ?? Promise.resolve()).then(work)
    const end = (): void => {
      if (this.#last === over) this.#last = undefined
    }
    const over: Promise<void> = done.then(end, end)
    this.#last = over
    return done
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed) return resolve()
      const cancel = this.#runtime.clock.schedule(delayMs, resolve)
      this.#endPause = () => {
        cancel()
        resolve()
      }
    })
  }
}

/** A store that throws, against its contract, has refused. */
const unavailable = (thrown: unknown): E.Either<StoreError, never> =>
  E.left({ _tag: 'StoreUnavailable', operation: 'commit', message: String(thrown) })
