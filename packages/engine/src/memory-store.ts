/**
 * The store that keeps everything in memory and nothing beyond the process: for `persistenceEnabled: false`
 * and for tests. It refuses what any store refuses, so that an engine cannot tell it from one on disk.
 */
import type {
  Archive,
  JournalEntry,
  NotFound,
  SessionRecord,
  Store,
  StoredSnapshot,
  StoreError,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'

// ------------------------------------------------------------------------------------------ model

interface Held {
  record: SessionRecord
  snapshot: StoredSnapshot | undefined
}

/** The contents of a memory store; give the same to two stores to open it again after a crash. */
export interface MemoryMedium {
  readonly sessions: Map<string, Held>
  /** By session, oldest first; that of a forgotten session stays until the next checkpoint. */
  readonly journals: Map<string, JournalEntry[]>
  readonly archives: Map<string, Archive>
  projection: Parameters<Store['checkpoint']>[0] | undefined
  throughSeq: number
  latestSeq: number
  latestMs: number
}

export const memoryMedium = (): MemoryMedium => ({
  sessions: new Map(),
  journals: new Map(),
  archives: new Map(),
  projection: undefined,
  throughSeq: 0,
  latestSeq: 0,
  latestMs: 0,
})

/** Journal entries kept per session once a checkpoint holds them; older ones are dropped. */
export const journalLimit = 100

/** Archives kept; the oldest is dropped for one more. */
export const archiveLimit = 1_000

// ----------------------------------------------------------------------------------- constructors

const missing = (what: string): NotFound => ({
  _tag: 'NotFound',
  what,
  message: `nothing is stored for ${what}`,
})

const commitTo =
  (medium: MemoryMedium): Store['commit'] =>
  ({ record, expectedRev, entry }) =>
  async () => {
    const { sessionId, incarnation } = record.control
    const held = medium.sessions.get(sessionId)
    const latest = held?.record.control.incarnation ?? 0
    const actualRev = incarnation > latest ? 0 : (held?.record.rev ?? 0)
    if (incarnation < latest || actualRev !== expectedRev) {
      const at = `${sessionId} is at incarnation ${latest}, revision ${actualRev}`
      const message = `${at}, not at incarnation ${incarnation}, revision ${expectedRev}`
      return E.left({ _tag: 'RevisionConflict', sessionId, expectedRev, actualRev, message })
    }
    medium.latestSeq = Math.max(medium.latestSeq, entry.seq)
    medium.latestMs = Math.max(medium.latestMs, entry.event.atMs)
    medium.sessions.set(sessionId, {
      record,
      snapshot: incarnation > latest ? undefined : held?.snapshot,
    })
    const journal = medium.journals.get(sessionId) ?? []
    journal.push(entry)
    medium.journals.set(sessionId, journal)
    trim(journal, medium.throughSeq)
    return E.right(undefined)
  }

/** Drops what is beyond the limit; what no checkpoint holds yet is needed to count it. */
const trim = (journal: JournalEntry[], throughSeq: number): void => {
  if (journal.length <= journalLimit) return
  const beyond = journal.slice(0, Math.max(0, journal.length - journalLimit))
  journal.splice(0, beyond.filter(({ seq }) => seq <= throughSeq).length)
}

const saveTo =
  (medium: MemoryMedium): Store['saveSnapshot'] =>
  (snapshot) =>
  async () => {
    const held = medium.sessions.get(snapshot.sessionId)
    if (held?.record.control.incarnation !== snapshot.incarnation) {
      return E.left(missing(`incarnation ${snapshot.incarnation} of ${snapshot.sessionId}`))
    }
    const newer = (held.snapshot?.view.generation ?? 0) < snapshot.view.generation
    if (newer) held.snapshot = snapshot
    medium.latestMs = Math.max(medium.latestMs, snapshot.view.capturedAtMs)
    return E.right(undefined)
  }

const checkpointTo =
  (medium: MemoryMedium): Store['checkpoint'] =>
  (projection, throughSeq) =>
  async () => {
    medium.projection = projection
    medium.throughSeq = throughSeq
    for (const [sessionId, journal] of medium.journals) {
      const isOver = !medium.sessions.has(sessionId) && (journal.at(-1)?.seq ?? 0) <= throughSeq
      if (isOver) medium.journals.delete(sessionId)
      else trim(journal, throughSeq)
    }
    return E.right(undefined)
  }

const archiveTo =
  (medium: MemoryMedium): Store['archive'] =>
  (archive) =>
  async () => {
    const location = `memory:${archive.token}`
    if (!medium.archives.has(location)) medium.archives.set(location, archive)
    const [oldest] = medium.archives.keys()
    if (medium.archives.size > archiveLimit && oldest !== undefined) medium.archives.delete(oldest)
    return E.right(location)
  }

/**
 * A store in memory over `medium`.
 *
 * @example
 * memoryStore().durability // => 'memory'
 */
export const memoryStore = (medium: MemoryMedium = memoryMedium()): Store => ({
  name: 'memory',
  durability: 'memory',
  open: async () => {
    const all = [...medium.journals.values()].flat().sort((a, b) => a.seq - b.seq)
    const sessions = [...medium.sessions.values()].map(({ record, snapshot }) => ({
      record,
      view: snapshot?.view,
    }))
    return E.right({
      sessions,
      projection: medium.projection,
      entries: all.filter((entry) => entry.seq > medium.throughSeq),
      quarantined: [],
      latestMs: medium.latestMs,
      latestSeq: medium.latestSeq,
    })
  },
  commit: commitTo(medium),
  saveSnapshot: saveTo(medium),
  readSnapshot: (sessionId) => async () => {
    const snapshot = medium.sessions.get(sessionId)?.snapshot
    return snapshot === undefined
      ? E.left(missing(`a snapshot of ${sessionId}`))
      : E.right(snapshot)
  },
  readJournal: (sessionId) => async () => E.right([...(medium.journals.get(sessionId) ?? [])]),
  archive: archiveTo(medium),
  readArchive: (location) => async (): Promise<E.Either<StoreError, Archive>> => {
    const archive = medium.archives.get(location)
    return archive === undefined ? E.left(missing(location)) : E.right(archive)
  },
  forget: (sessionId, incarnation) => async () => {
    const held = medium.sessions.get(sessionId)
    const isForgotten = held !== undefined && held.record.control.incarnation <= incarnation
    if (isForgotten) medium.sessions.delete(sessionId)
    return E.right(undefined)
  },
  checkpoint: checkpointTo(medium),
  close: async () => {},
})
