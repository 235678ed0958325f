/**
 * The index in memory: of each session its latest record, and where in the log its latest body and its
 * journal stand. Bodies and journal stay on disk.
 */
import {
  type JournalEntry,
  type PlanningView,
  type SessionRecord,
  traitPool,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Damage } from './damage.js'
import type { Dropped } from './statement.js'

// ------------------------------------------------------------------------------------------ model

/** A line's place in the log. */
export interface Extent {
  readonly segment: string
  readonly offset: number
  readonly bytes: number
}

export interface HeldSnapshot {
  readonly incarnation: number
  readonly view: PlanningView
  readonly body: Extent
  /** The checksum of the body's line: another's body in its place would have another. */
  readonly bodyCrc: number
  /** The id of the key that sealed it; `undefined`: it stands there in clear. */
  readonly key: string | undefined
}

/** An entry that no projection holds yet. There may be one for each session: where it stands is enough. */
export interface Unfolded {
  readonly seq: number
  /** Absent: it stands on no line of its own. */
  readonly place: Extent | undefined
  /** Absent: it is read when it is needed. */
  readonly entry: JournalEntry | undefined
}

/** What is held of one session. */
export interface Held {
  readonly record: SessionRecord | undefined
  readonly snapshot: HeldSnapshot | undefined
  /** Oldest first. */
  readonly entries: readonly Extent[]
  /** The incarnation up to which the session was forgotten, when nothing came after it. */
  readonly forgotten: number | undefined
}

/** What is held of a session once somebody asks for it: its bytes are checked, and not looked into yet. */
export interface Folded {
  readonly held: E.Either<Damage, Held>
}

const nothingDropped: Dropped = {
  archives: 0,
  archiveBytes: 0,
  quarantined: 0,
  quarantinedBytes: 0,
}

/** What is held of one session, but for where its journal stands. */
export type HeldNow = Omit<Held, 'entries'>

/** What was held of one session at some time; where its journal stood then is copied when it is asked for. */
export interface Image extends HeldNow {
  readonly places: readonly Extent[]
  /** How many of them there were then. */
  readonly end: number
}

/** Its list grows in place, so that no commit copies it; whoever asks for it is given a list of his own. */
interface Kept extends Image {
  readonly places: Extent[]
}

const nothing: HeldNow = { record: undefined, snapshot: undefined, forgotten: undefined }

// ------------------------------------------------------------------------------------------ index

export class SessionIndex {
  /** What retention has dropped since the store was made. */
  dropped: Dropped = nothingDropped
  /** Told of a session whose bytes, once they were looked into, were none that can be used. */
  unusable: (damage: Damage) => void = () => undefined
  readonly #retained: number
  readonly #sessions = new Map<string, Kept | Folded>()
  readonly #alike = traitPool()
  #unfolded: Unfolded[] = []
  #handedOn = false
  #latestMs = 0
  #latestSeq = 0

  /** @param retained how many journal entries are kept of each session. */
  constructor(retained: number) {
    this.#retained = retained
  }

  get(sessionId: string): Held | undefined {
    const kept = this.#kept(sessionId)
    return kept === undefined ? undefined : this.#told(kept)
  }

  /** The same without where its journal stands, which is copied for whoever asks. */
  now(sessionId: string): HeldNow | undefined {
    return this.#kept(sessionId)
  }

  /** Every session; those that were forgotten in the order in which they were. */
  *entries(): IterableIterator<[string, Held]> {
    for (const [sessionId, found] of this.#sessions) {
      const kept = isFolded(found) ? this.#unfold(sessionId, found) : found
      if (kept !== undefined) yield [sessionId, this.#told(kept)]
    }
  }

  /** Every session as it is now, in the same order: nothing that comes later changes it. */
  image(): ReadonlyMap<string, Image> {
    for (const sessionId of this.folded()) this.#kept(sessionId)
    // None of them is folded any more.
    return new Map(this.#sessions as ReadonlyMap<string, Kept>)
  }

  /** Where the journal of what was held stood then, as far as it is retained; oldest first. */
  entriesOf({ places, end }: Image): readonly Extent[] {
    return places.slice(Math.max(end - this.#retained, 0), end)
  }

  /** Holds what is found of a session when it is asked for. */
  fold(sessionId: string, folded: Folded): void {
    this.#sessions.set(sessionId, folded)
  }

  /** The sessions that nobody has asked for yet. */
  folded(): readonly string[] {
    const ids: string[] = []
    for (const [sessionId, held] of this.#sessions) if (isFolded(held)) ids.push(sessionId)
    return ids
  }

  /** The others. */
  *asked(): IterableIterator<[string, HeldNow]> {
    for (const [sessionId, held] of this.#sessions) if (!isFolded(held)) yield [sessionId, held]
  }

  #kept(sessionId: string): Kept | undefined {
    const held = this.#sessions.get(sessionId)
    return held !== undefined && isFolded(held) ? this.#unfold(sessionId, held) : held
  }

  #told(kept: Kept): Held {
    const { record, snapshot, forgotten } = kept
    return { record, snapshot, entries: this.entriesOf(kept), forgotten }
  }

  #unfold(sessionId: string, { held }: Folded): Kept | undefined {
    if (E.isLeft(held)) {
      this.#sessions.delete(sessionId)
      this.unusable(held.left)
      return undefined
    }
    const { record } = held.right
    if (record !== undefined) {
      this.share(record)
      // One text instead of two that are equal.
      if (record.control.sessionId === sessionId) record.control.sessionId = sessionId
    }
    const kept = keptOf(held.right)
    this.#sessions.set(sessionId, kept)
    return kept
  }

  /** Has a record fresh from the medium, which is nobody else's yet, share what it has in common with others. */
  share(record: SessionRecord): void {
    record.control.traits = this.#alike(record.control.traits)
  }

  commit(record: SessionRecord, place: Extent, entry: JournalEntry): void {
    const { sessionId, incarnation } = record.control
    const kept = this.#kept(sessionId)
    const snapshot = kept?.snapshot
    // One of a later life is of a registration that was refused: it would stand in the way of all that this
    // life saves from now on.
    const isOfThisLife = snapshot?.incarnation === incarnation
    const places = this.#withPlace(kept?.places ?? [], place)
    this.#sessions.set(sessionId, {
      record,
      snapshot: isOfThisLife ? snapshot : undefined,
      places,
      end: places.length,
      forgotten: undefined,
    })
    const held = this.#handedOn ? undefined : entry
    this.#unfolded.push({ seq: entry.seq, place, entry: held })
    this.note(entry.event.atMs, entry.seq)
  }

  // Now and then those are dropped that are retained no longer: each time they would be moved for one. Never in
  // place, where an image has them.
  #withPlace(places: Extent[], place: Extent): Extent[] {
    const retained = this.#retained
    if (retained > 0) places.push(place)
    return places.length > retained + (retained >> 2) ? places.slice(-retained) : places
  }

  snapshot(sessionId: string, snapshot: HeldSnapshot): void {
    this.note(snapshot.view.capturedAtMs, 0)
    const kept = this.#kept(sessionId) ?? { ...nothing, places: [], end: 0 }
    if (isWanted(kept, snapshot)) this.#sessions.set(sessionId, { ...kept, snapshot })
  }

  forget(sessionId: string, incarnation: number): void {
    const kept = this.#kept(sessionId) ?? { ...nothing, places: [], end: 0 }
    const { record, snapshot, places, end } = kept
    if (record !== undefined && record.control.incarnation > incarnation) {
      if (snapshot === undefined || snapshot.incarnation > incarnation) return
      this.#sessions.set(sessionId, { ...kept, snapshot: undefined })
      return
    }
    this.#sessions.delete(sessionId)
    this.#sessions.set(sessionId, { ...nothing, places, end, forgotten: incarnation })
  }

  /** Holds exactly this of a session. */
  hold(sessionId: string, held: Held): void {
    this.note(held.snapshot?.view.capturedAtMs ?? 0, 0)
    this.#sessions.set(sessionId, keptOf(held))
  }

  drop(sessionId: string): void {
    this.#sessions.delete(sessionId)
  }

  /** The latest time that anything stored carries. */
  get latestMs(): number {
    return this.#latestMs
  }

  /** The highest `seq` of any entry. */
  get latestSeq(): number {
    return this.#latestSeq
  }

  /** Counts what a checkpoint says of times and places. */
  note(atMs: number, seq: number): void {
    this.#latestMs = Math.max(this.#latestMs, atMs)
    this.#latestSeq = Math.max(this.#latestSeq, seq)
  }

  /** The entries that no checkpoint's projection holds, in the order they became durable. */
  get unfolded(): readonly Unfolded[] {
    return this.#unfolded
  }

  /** What was loaded is known to whoever asked for it: from now on the medium alone keeps entries. */
  handOn(): void {
    this.#handedOn = true
    this.#unfolded = this.#unfolded.map(({ seq, place, entry }) =>
      place === undefined ? { seq, place, entry } : { seq, place, entry: undefined },
    )
  }

  /** Exactly these are unfolded. */
  setUnfolded(unfolded: readonly Unfolded[]): void {
    this.#unfolded = [...unfolded]
  }
}

const isFolded = (held: Kept | Folded): held is Folded => 'held' in held

const keptOf = ({ record, snapshot, entries, forgotten }: Held): Kept => ({
  record,
  snapshot,
  places: [...entries],
  end: entries.length,
  forgotten,
})

/** Whether `snapshot` is newer than what is held, and of a session that still wants it. */
export const isWanted = (
  held: HeldNow | undefined,
  snapshot: Pick<HeldSnapshot, 'incarnation' | 'view'>,
): boolean => {
  if (held === undefined) return true
  if (held.forgotten !== undefined && snapshot.incarnation <= held.forgotten) return false
  if (held.record !== undefined && snapshot.incarnation < held.record.control.incarnation) {
    return false
  }
  const kept = held.snapshot
  return (
    kept === undefined ||
    snapshot.incarnation > kept.incarnation ||
    (snapshot.incarnation === kept.incarnation && snapshot.view.generation >= kept.view.generation)
  )
}
