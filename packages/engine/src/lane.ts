/**
 * A lane: one session's events, one after the other, each decided, committed, told and only then acted
 * on. The single place where a record changes.
 */
import {
  digest,
  type Effect,
  factsOf,
  isJournalled,
  type JournalEntry,
  type SessionEvent,
  SessionRecord,
  type StoreError,
  stepVersion,
  wakeAtMs,
  wakeEvent,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { type IncidentEnd, incidentEnd } from './incident-end.js'
import type { Runtime } from './runtime.js'
import type { Stepped } from './step.js'

// ------------------------------------------------------------------------------------------ model

export type Dispatched =
  | { readonly _tag: 'changed'; readonly record: SessionRecord; readonly durable: boolean }
  | { readonly _tag: 'unchanged'; readonly record: SessionRecord }
  | { readonly _tag: 'refused'; readonly error: StoreError }
  | { readonly _tag: 'stopped' }

/** Makes the event when its turn has come, so that it carries the time at which it is decided. */
export type MakeEvent = (atMs: number) => SessionEvent

/** Carries effects out; called after the commit that decided them. */
export type Interpret = (
  effects: readonly Effect[],
  record: SessionRecord,
  durable: boolean,
) => void

/** How long the engine waits before it asks a store that refused once more (`halt`). */
export const storeRetryMs = 1_000

// ------------------------------------------------------------------------------------------- lane

export class Lane {
  readonly #runtime: Runtime
  readonly #interpret: Interpret
  readonly #waiting = new Map<number, ((end: IncidentEnd) => void)[]>()
  #record: SessionRecord
  /** The digest of the record the last decision led to; empty before the first of this lane. */
  #lastDigest = ''
  /** The revision the store holds: behind the record's own while the disk fails (`degrade`). */
  #durableRev: number
  #halted: StoreError | undefined
  #closed = false
  #last: Promise<unknown> = Promise.resolve()
  #cancelWake = () => {}
  #endPause = () => {}

  /** @param durableRev the revision the store holds; 0 for a session it has not seen. */
  constructor(runtime: Runtime, first: SessionRecord, durableRev: number, interpret: Interpret) {
    this.#runtime = runtime
    this.#record = first
    this.#durableRev = durableRev
    if (durableRev > 0) this.#lastDigest = digest(SessionRecord.encode(first))
    this.#interpret = interpret
  }

  get record(): SessionRecord {
    return this.#record
  }

  /** Commits the first record of a registration. */
  begin(event: SessionEvent, effects: readonly Effect[]): Promise<Dispatched> {
    return this.#inTurn(() => this.#decide([this.#record, effects], event, undefined))
  }

  /** Decides on an event of the app's; if the store refuses, the app is told and nothing has happened. */
  offer(make: MakeEvent): Promise<Dispatched> {
    return this.#halted === undefined
      ? this.#inTurn(() => this.#once(make))
      : Promise.resolve({ _tag: 'refused', error: this.#halted })
  }

  /**
   * Decides on what the engine itself has learnt: it cannot be handed back, so it is decided again until
   * the store holds it.
   */
  insist(make: MakeEvent): Promise<Dispatched> {
    return this.#inTurn(async () => {
      for (;;) {
        const result = await this.#once(make)
        this.#halted = result._tag === 'refused' ? result.error : undefined
        if (result._tag !== 'refused') return result
        await this.#pause(storeRetryMs)
      }
    })
  }

  /** Resolves when the incident ends, or the engine stops. */
  incidentEnd(incident: number): Promise<IncidentEnd> {
    return new Promise((resolve) => {
      if (this.#closed) resolve({ _tag: 'stopped', incident })
      else this.#waiting.set(incident, [...(this.#waiting.get(incident) ?? []), resolve])
    })
  }

  /** Arms the timer for the record's next deadline. */
  arm(): void {
    this.#cancelWake()
    const atMs = wakeAtMs(this.#record)
    if (this.#closed || atMs === undefined) return
    const delayMs = Math.max(0, atMs - this.#runtime.nowMs())
    this.#cancelWake = this.#runtime.clock.schedule(delayMs, () => {
      this.#runtime.background('waking a session', async () => {
        const woken = await this.insist((nowMs) => wakeEvent(this.#record, nowMs))
        if (woken._tag === 'unchanged') this.arm()
      })
    })
  }

  /** No timer fires, nobody waits any more, nothing is decided. */
  close(): void {
    this.#closed = true
    this.#cancelWake()
    this.#endPause()
    for (const [incident, resolvers] of this.#waiting) {
      for (const resolve of resolvers) resolve({ _tag: 'stopped', incident })
    }
    this.#waiting.clear()
  }

  async #once(make: MakeEvent): Promise<Dispatched> {
    if (this.#closed || this.#runtime.isStopped()) return { _tag: 'stopped' }
    const event = make(this.#runtime.nowMs())
    const stepped = this.#runtime.step(this.#record, event)
    if (stepped[0] === this.#record) return { _tag: 'unchanged', record: this.#record }
    return isJournalled(event.type)
      ? this.#decide(stepped, event, this.#record)
      : this.#adopt(stepped, undefined, true)
  }

  /** Commits a decision and adopts it; a refusal changes nothing, or (`degrade`) is told and lived with. */
  async #decide(
    stepped: Stepped,
    event: SessionEvent,
    from: SessionRecord | undefined,
  ): Promise<Dispatched> {
    const { ledger, store, policy, logger } = this.#runtime
    const [record, effects] = stepped
    const { sessionId } = record.control
    const seq = ledger.take()
    const entry = this.#entry(seq, record, event, effects, from)
    const committed = await store.commit({ record, expectedRev: this.#durableRev, entry })()
    const refused = E.isLeft(committed)
    const degraded =
      refused &&
      policy.onStoreFailure === 'degrade' &&
      committed.left._tag === 'StoreUnavailable' &&
      !this.#runtime.isStopped()
    ledger.settle(seq, refused && !degraded ? undefined : entry)
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
    this.#record = record
    this.arm()
    if (entry !== undefined) {
      this.#lastDigest = entry.recordDigest
      this.#runtime.notify({ _tag: 'decided', entry, record, durable })
      this.#settle(entry, durable)
    }
    this.#interpret(effects, record, durable)
    return { _tag: 'changed', record, durable }
  }

  #settle(entry: JournalEntry, durable: boolean): void {
    for (const fact of factsOf(entry)) {
      const end = incidentEnd(fact, durable)
      if (end === undefined) continue
      for (const resolve of this.#waiting.get(end.incident) ?? []) resolve(end)
      this.#waiting.delete(end.incident)
    }
  }

  #entry(
    seq: number,
    record: SessionRecord,
    event: SessionEvent,
    effects: readonly Effect[],
    from: SessionRecord | undefined,
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
      recordDigest: digest(SessionRecord.encode(record)),
      ...(from === undefined ? {} : { from: from.state, follows: this.#lastDigest }),
    }
  }

  #inTurn(work: () => Promise<Dispatched>): Promise<Dispatched> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
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
