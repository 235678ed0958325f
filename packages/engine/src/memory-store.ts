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
  readonly journal: JournalEntry[]
}

/** The contents of a memory store; give the same to two stores to open it again after a crash. */
export interface MemoryMedium {
  readonly sessions: Map<string, Held>
  readonly archives: Map<string, Archive>
  projection: Parameters<Store['checkpoint']>[0] | undefined
  throughSeq: number
  latestSeq: number
  latestMs: number
}

export const memoryMedium = (): MemoryMedium => ({
  sessions: new Map(),
  archives: new Map(),
  projection: undefined,
  throughSeq: 0,
  latestSeq: 0,
  latestMs: 0,
})

/** Journal entries kept per session; older ones are dropped. */
export const journalLimit = 200

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
    const born = held === undefined || incarnation > held.record.control.incarnation
    const actualRev = born ? 0 : held.record.rev
    if (actualRev !== expectedRev) {
      const message = `${sessionId} is at revision ${actualRev}, not ${expectedRev}`
      return E.left({ _tag: 'RevisionConflict', sessionId, expectedRev, actualRev, message })
    }
    medium.latestSeq = Math.max(medium.latestSeq, entry.seq)
    medium.latestMs = Math.max(medium.latestMs, entry.event.atMs)
    if (held === undefined) {
      medium.sessions.set(sessionId, { record, snapshot: undefined, journal: [entry] })
    } else {
      held.record = record
      if (born) held.snapshot = undefined
      held.journal.push(entry)
      if (held.journal.length > journalLimit) held.journal.shift()
    }
    return E.right(undefined)
  }

const saveTo =
  (medium: MemoryMedium): Store['saveSnapshot'] =>
  (snapshot) =>
  async () => {
    const held = medium.sessions.get(snapshot.sessionId)
    if (held === undefined) return E.left(missing(snapshot.sessionId))
    const newer = (held.snapshot?.view.generation ?? 0) < snapshot.view.generation
    if (newer) held.snapshot = snapshot
    medium.latestMs = Math.max(medium.latestMs, snapshot.view.capturedAtMs)
    return E.right(undefined)
  }

/**
 * A store in memory over `medium`.
 *
 * @example
 * memoryStore().durability // => 'memory'
 */
export const memoryStore = (medium: MemoryMedium = memoryMedium()): Store => {
  const journal = () =>
    [...medium.sessions.values()].flatMap((held) => held.journal).sort((a, b) => a.seq - b.seq)
  return {
    name: 'memory',
    durability: 'memory',
    open: async () => {
      const all = journal()
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
    readJournal: (sessionId) => async () =>
      E.right([...(medium.sessions.get(sessionId)?.journal ?? [])]),
    archive: (archive) => async () => {
      const location = `memory:${archive.token}`
      if (!medium.archives.has(location)) medium.archives.set(location, archive)
      return E.right(location)
    },
    readArchive: (location) => async (): Promise<E.Either<StoreError, Archive>> => {
      const archive = medium.archives.get(location)
      return archive === undefined ? E.left(missing(location)) : E.right(archive)
    },
    forget: (sessionId, incarnation) => async () => {
      const held = medium.sessions.get(sessionId)
      if (held?.record.control.incarnation === incarnation) medium.sessions.delete(sessionId)
      return E.right(undefined)
    },
    checkpoint: (projection, throughSeq) => async () => {
      medium.projection = projection
      medium.throughSeq = throughSeq
      return E.right(undefined)
    },
    close: async () => {},
  }
}
