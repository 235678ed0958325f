/**
 * What a store has promised, and whether it kept it (law 6): what it acknowledged is there whenever it is
 * opened again, and what it holds is something it was asked to hold.
 */
import { isDeepStrictEqual } from 'node:util'
import type {
  Commit,
  JournalEntry,
  Loaded,
  LoadedSession,
  SessionRecord,
  Store,
  StoredSnapshot,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'

// ------------------------------------------------------------------------------------------ model

/** What is known of one session's place in the store. */
interface Promised {
  readonly incarnation: number
  readonly record: SessionRecord
  /** The generation of the last snapshot of this incarnation. */
  readonly generation: number
}

export interface PledgeOptions {
  /** Told of each decision once it is durable, in order for each session. */
  readonly durable: (entry: JournalEntry, record: SessionRecord) => void
  /** Told of each record a store held when it was opened. */
  readonly found: (record: SessionRecord) => void
  readonly check: (holds: boolean, breach: () => string) => void
}

const archivesRemembered = 20

// ----------------------------------------------------------------------------------------- pledge

export class Pledge {
  readonly #options: PledgeOptions
  readonly #promised = new Map<string, Promised>()
  /** What was tried and not acknowledged: it may be there all the same. */
  readonly #tried = new Map<string, Commit[]>()
  /** Up to which incarnation each session may be gone. */
  readonly #forgetting = new Map<string, number>()
  readonly #archives = new Map<string, string>()

  constructor(options: PledgeOptions) {
    this.#options = options
  }

  /** Every archive that was acknowledged, of many the last, is read back. */
  async readBack(store: Store | undefined): Promise<void> {
    if (store === undefined) return
    for (const [location, token] of this.#archives) {
      const read = await store.readArchive(location)()
      const kept = E.isRight(read) ? read.right.token : undefined
      this.#options.check(kept === token, () => `the archive ${location} cannot be read back`)
    }
  }

  tries(commit: Commit): void {
    const { sessionId } = commit.record.control
    const tried = this.#tried.get(sessionId) ?? []
    tried.push(commit)
    this.#tried.set(sessionId, tried)
  }

  committed({ record, entry }: Commit): void {
    const { sessionId, incarnation } = record.control
    const before = this.#promised.get(sessionId)
    const generation = before?.incarnation === incarnation ? before.generation : 0
    this.#promised.set(sessionId, { incarnation, record, generation })
    this.#tried.delete(sessionId)
    this.#options.durable(entry, record)
  }

  /** Whether or not it comes to it: what a later incarnation keeps takes the place of a former one's. */
  triesToSave({ sessionId, incarnation }: StoredSnapshot): void {
    const before = this.#promised.get(sessionId)
    if (before === undefined || before.incarnation >= incarnation) return
    this.#promised.set(sessionId, { ...before, generation: 0 })
  }

  saved({ sessionId, incarnation, view }: StoredSnapshot): void {
    const before = this.#promised.get(sessionId)
    if (before?.incarnation !== incarnation || before.generation >= view.generation) return
    this.#promised.set(sessionId, { ...before, generation: view.generation })
  }

  archived(location: string, token: string): void {
    this.#archives.set(location, token)
    const [oldest] = this.#archives.keys()
    if (this.#archives.size > archivesRemembered && oldest !== undefined) {
      this.#archives.delete(oldest)
    }
  }

  triesToForget(sessionId: string, incarnation: number): void {
    const before = this.#forgetting.get(sessionId) ?? 0
    this.#forgetting.set(sessionId, Math.max(before, incarnation))
  }

  forgotten(sessionId: string, incarnation: number): void {
    const promised = this.#promised.get(sessionId)
    if (promised !== undefined && promised.incarnation <= incarnation) {
      this.#promised.delete(sessionId)
    }
    if (this.#forgetting.get(sessionId) === incarnation) this.#forgetting.delete(sessionId)
  }

  /** What a store held when it was opened: nothing that was promised may be missing. */
  found({ sessions, resting }: Pick<Loaded, 'sessions' | 'resting'>): void {
    const asleep = new Set(resting?.ids)
    const seen = new Set(asleep)
    for (const one of sessions) {
      seen.add(one.record.control.sessionId)
      this.#foundOne(one)
    }
    for (const [sessionId, { incarnation, record }] of this.#promised) {
      if (seen.has(sessionId)) continue
      this.#options.check(
        (this.#forgetting.get(sessionId) ?? 0) >= incarnation,
        () => `${sessionId}, acknowledged at revision ${record.rev}, is gone`,
      )
      this.#promised.delete(sessionId)
    }
    // What was tried and did not come of it never will: of those at rest that is seen when they are read.
    for (const sessionId of this.#tried.keys()) {
      if (!asleep.has(sessionId)) this.#tried.delete(sessionId)
    }
    this.#forgetting.clear()
  }

  /** What was read of a session that was found at rest. */
  woken(sessionId: string, one: LoadedSession | undefined): void {
    this.#options.check(one !== undefined, () => `${sessionId} was found at rest, and is gone`)
    if (one !== undefined) this.#foundOne(one)
    this.#tried.delete(sessionId)
  }

  #foundOne({ record, view }: LoadedSession): void {
    this.#checkFound(record, view?.generation ?? 0)
    this.#options.found(record)
  }

  #checkFound(record: SessionRecord, generation: number): void {
    const { check } = this.#options
    const { sessionId, incarnation } = record.control
    const promised = this.#promised.get(sessionId)
    if (promised !== undefined && isDeepStrictEqual(promised.record, record)) {
      check(
        generation >= promised.generation,
        () => `${sessionId}: snapshot ${promised.generation} was acknowledged, ${generation} found`,
      )
      return
    }
    const tried = this.#tried.get(sessionId)?.find((one) => isDeepStrictEqual(one.record, record))
    check(
      tried !== undefined,
      () =>
        `${sessionId}: revision ${promised?.record.rev} of incarnation ${promised?.incarnation} was ` +
        `acknowledged, ${record.rev} of ${incarnation} found`,
    )
    if (tried !== undefined) this.committed(tried)
  }
}
