/**
 * Archives as a person deals with them: which there are, what one holds, and the way back into the store.
 *
 * To restore an archive is to register its session again, as its next incarnation with a fresh budget and
 * with the archived snapshot: the engine that opens the store next finds it dead and recovers it as it
 * does whatever it finds dead. No process is started here, and the archive stays.
 */
import {
  type Archive,
  loadedSessions,
  type SessionRecord,
  type SessionStateName,
  type StoreError,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { type ArchiveHead, archiveAt, archiveHeadAt, archiveLocations } from './archive.js'
import { type Disk, realDisk } from './disk.js'
import { type FileStoreOptions, settingsOf } from './option.js'
import { type TakeOwnership, takeOwnership } from './ownership.js'
import { viewPlace } from './place.js'
import { registrationOf } from './registration.js'
import { fileStore } from './store.js'
import { attempt, unusable } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

/** The session of an archive is not lost: the store holds a later life of it. */
export interface SessionLives {
  readonly _tag: 'SessionLives'
  readonly sessionId: string
  readonly incarnation: number
  readonly state: SessionStateName
  readonly message: string
}

/** An archive, or why it cannot be read. */
export type ListedArchive =
  | ({ readonly _tag: 'archive' } & ArchiveHead)
  | { readonly _tag: 'unreadable'; readonly location: string; readonly problem: string }

/** A session that is registered again. */
export interface RestoredSession {
  readonly sessionId: string
  readonly incarnation: number
  /** Whether the archive held a snapshot; without one there is little to bring back. */
  readonly withSnapshot: boolean
}

// ---------------------------------------------------------------------------------------- reading

/** Every archive of a store, oldest first; nothing is owned or changed. */
export const listArchives = (
  { directory }: Pick<FileStoreOptions, 'directory'>,
  disk: Disk = realDisk,
): TE.TaskEither<StoreError, readonly ListedArchive[]> =>
  attempt('list archives', async () => {
    const place = await viewPlace(disk, directory)
    if (E.isLeft(place)) return place
    const listed: ListedArchive[] = []
    for (const location of await archiveLocations(disk, place.right.directory)) {
      const head = await archiveHeadAt(disk, place.right.directory, location)
      if (E.isRight(head)) listed.push({ _tag: 'archive', ...head.right })
      else if (head.left._tag !== 'NotFound') {
        listed.push({ _tag: 'unreadable', location, problem: head.left.message })
      }
    }
    return E.right(listed.sort((a, b) => atMsOf(a) - atMsOf(b)))
  })

const atMsOf = (listed: ListedArchive): number => (listed._tag === 'archive' ? listed.atMs : 0)

/** The archive at `location`; what is sealed needs its key. Nothing is owned or changed. */
export const showArchive = (
  options: Pick<FileStoreOptions, 'directory' | 'sealing'>,
  location: string,
  disk: Disk = realDisk,
): TE.TaskEither<StoreError, Archive> =>
  attempt('show archive', async () => {
    const settings = settingsOf(options)
    if (E.isLeft(settings)) return E.left(unusable(`options: ${settings.left}`))
    const place = await viewPlace(disk, options.directory)
    if (E.isLeft(place)) return place
    return archiveAt(disk, place.right.directory, settings.right.sealer, location)
  })

// -------------------------------------------------------------------------------------- restoring

/** States in which nothing is done for a session any more. */
const over: ReadonlySet<SessionStateName> = new Set(['exhausted', 'unregistered'])

/**
 * Registers the session of the archive at `location` again. The store is owned meanwhile: while an engine
 * has it open this answers `StoreOwned`, and changes nothing.
 */
export const restoreArchive = (
  options: FileStoreOptions,
  location: string,
  disk: Disk = realDisk,
  own: TakeOwnership = takeOwnership,
): TE.TaskEither<StoreError | SessionLives, RestoredSession> => {
  const wallMs = options.wallMs ?? Date.now
  return async () => {
    // Where there is no such archive nothing is opened, and no directory made.
    const known = await showArchive(options, location, disk)()
    if (E.isLeft(known)) return known
    const store = fileStore(options, disk, own)
    const loaded = await store.open()
    if (E.isLeft(loaded)) return loaded
    try {
      const read = await store.readArchive(location)()
      if (E.isLeft(read)) return read
      const archive = read.right
      const held = loadedSessions(loaded.right).find(
        ({ record }) => record.control.sessionId === archive.sessionId,
      )?.record
      if (held !== undefined && !over.has(held.state)) return E.left(livesStill(held))
      const journal = await store.readJournal(archive.sessionId)()
      if (E.isLeft(journal)) return journal
      const incarnation =
        1 +
        Math.max(
          archive.incarnation,
          held?.control.incarnation ?? 0,
          ...journal.right.map((entry) => entry.incarnation),
        )
      const { latestMs, latestSeq } = loaded.right
      const again = registeredAgain(
        archive,
        incarnation,
        Math.max(wallMs(), latestMs),
        latestSeq + 1,
      )
      const stored = await store.commit({ ...again, expectedRev: 0 })()
      if (E.isLeft(stored)) return stored
      const { snapshot, sessionId } = archive
      if (snapshot !== null) {
        const kept = await store.saveSnapshot({ ...snapshot, incarnation })()
        if (E.isLeft(kept)) return kept
      }
      return E.right({ sessionId, incarnation, withSnapshot: snapshot !== null })
    } finally {
      await store.close()
    }
  }
}

const livesStill = ({ state, control }: SessionRecord): SessionLives => ({
  _tag: 'SessionLives',
  sessionId: control.sessionId,
  incarnation: control.incarnation,
  state,
  message:
    `session ${JSON.stringify(control.sessionId)} is ${state} in its incarnation ` +
    `${control.incarnation}: it is not lost`,
})

const registeredAgain = (
  { sessionId, record: { control } }: Archive,
  incarnation: number,
  atMs: number,
  seq: number,
) =>
  registrationOf({
    ...{ sessionId, incarnation, traits: control.traits },
    ...{ atMs, wallMs: atMs, seq, by: 'restore' },
  })
