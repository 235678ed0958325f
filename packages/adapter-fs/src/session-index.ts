/**
 * The index in memory: of each session its latest record, and where in the log its latest body and its
 * journal stand. Bodies and journal stay on disk.
 */
import type { JournalEntry, PlanningView, SessionRecord } from '@session-recovery/core'

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

export interface SessionIndex {
  readonly get: (sessionId: string) => Held | undefined
  /** Every session; those that were forgotten in the order in which they were. */
  readonly entries: () => IterableIterator<[string, Held]>
  readonly commit: (record: SessionRecord, place: Extent, entry: JournalEntry) => void
  readonly snapshot: (sessionId: string, snapshot: HeldSnapshot) => void
  readonly forget: (sessionId: string, incarnation: number) => void
  /** Holds exactly this of a session. */
  readonly hold: (sessionId: string, held: Held) => void
  readonly drop: (sessionId: string) => void
  /** The latest time that anything stored carries. */
  readonly latestMs: () => number
  /** The highest `seq` of any entry. */
  readonly latestSeq: () => number
  /** Counts what a checkpoint says of times and places. */
  readonly note: (atMs: number, seq: number) => void
  /** The entries that no checkpoint's projection holds, in the order they became durable. */
  readonly unfolded: () => readonly JournalEntry[]
  /** Exactly these are unfolded. */
  readonly setUnfolded: (entries: readonly JournalEntry[]) => void
}

const nothing: Held = {
  record: undefined,
  snapshot: undefined,
  entries: [],
  forgotten: undefined,
}

// ----------------------------------------------------------------------------------- constructors

/** @param retained how many journal entries are kept of each session. */
export const sessionIndex = (retained: number): SessionIndex => {
  const sessions = new Map<string, Held>()
  let latestMs = 0
  let latestSeq = 0
  let unfolded: JournalEntry[] = []
  const note = (atMs: number, seq: number) => {
    latestMs = Math.max(latestMs, atMs)
    latestSeq = Math.max(latestSeq, seq)
  }
  return {
    get: (sessionId) => sessions.get(sessionId),
    entries: () => sessions.entries(),
    commit: (record, place, entry) => {
      const { sessionId, incarnation } = record.control
      const { snapshot, entries } = sessions.get(sessionId) ?? nothing
      sessions.set(sessionId, {
        record,
        snapshot:
          snapshot !== undefined && snapshot.incarnation >= incarnation ? snapshot : undefined,
        entries: retainedOf(entries, place, retained),
        forgotten: undefined,
      })
      unfolded.push(entry)
      note(entry.event.atMs, entry.seq)
    },
    snapshot: (sessionId, snapshot) => {
      note(snapshot.view.capturedAtMs, 0)
      const held = sessions.get(sessionId) ?? nothing
      if (isWanted(held, snapshot)) sessions.set(sessionId, { ...held, snapshot })
    },
    forget: (sessionId, incarnation) => {
      const held = sessions.get(sessionId) ?? nothing
      const { record, snapshot } = held
      if (record !== undefined && record.control.incarnation > incarnation) {
        if (snapshot !== undefined && snapshot.incarnation <= incarnation) {
          sessions.set(sessionId, { ...held, snapshot: undefined })
        }
        return
      }
      sessions.delete(sessionId)
      sessions.set(sessionId, { ...nothing, entries: held.entries, forgotten: incarnation })
    },
    hold: (sessionId, held) => {
      note(held.snapshot?.view.capturedAtMs ?? 0, 0)
      sessions.set(sessionId, held)
    },
    drop: (sessionId) => {
      sessions.delete(sessionId)
    },
    latestMs: () => latestMs,
    latestSeq: () => latestSeq,
    note,
    unfolded: () => unfolded,
    setUnfolded: (entries) => {
      unfolded = [...entries]
    },
  }
}

/** Whether `snapshot` is newer than what is held, and of a session that still wants it. */
export const isWanted = (
  held: Held | undefined,
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

const retainedOf = (entries: readonly Extent[], entry: Extent, retained: number): Extent[] =>
  retained === 0 ? [] : [...(entries.length < retained ? entries : entries.slice(1)), entry]
