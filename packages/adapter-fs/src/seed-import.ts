/**
 * Takes over the seed's snapshot files found in the store's directory: each becomes a session with one
 * snapshot. A file is moved away only after what was made of it is durable, and a session the log already
 * has is never overwritten; a crash in between means that the file is found again and merely moved.
 *
 * The moved originals are kept as they are, secrets and all, readable by their owner alone.
 */
import {
  type JournalEntry,
  knownOptions,
  planningView,
  type Quarantined,
  RecoverySnapshot,
  type SessionRecord,
  type StoredSnapshot,
  type StoreError,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Disk } from './disk.js'
import type { Settings } from './option.js'
import type { Place } from './place.js'
import { quarantined, quarantineName, setAsideFile } from './quarantine.js'
import { registrationOf } from './registration.js'
import { type SeedProblem, seedEnding, seedSnapshot } from './seed-snapshot.js'
import { codeOf } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

/** A session made of a seed's file. */
export interface ImportedSession {
  readonly record: SessionRecord
  readonly entry: JournalEntry
  readonly snapshot: StoredSnapshot
}

/** What an import may ask of the log it fills. */
export interface ImportTarget {
  readonly has: (sessionId: string) => boolean
  /** The place of the next journal entry. */
  readonly nextSeq: () => number
  /** Returns when the session is durable. */
  readonly store: (session: ImportedSession) => Promise<E.Either<StoreError, void>>
}

const fileMode = 0o600
const importedName = 'imported'
/** What fails because of the one file, and not because of the moment. */
const ofTheFile: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EIO', 'EINVAL', 'ELOOP'])
/** How many files are held in memory at once, so that they share a flush. */
const batchFiles = 16

// ----------------------------------------------------------------------------------- constructors

/** The session a seed's snapshot stands for, as if it had been registered when it was taken. */
export const importedSession = (
  snapshot: RecoverySnapshot,
  wallMs: number,
  seq: number,
  storedSnapshot: StoredSnapshot['body'],
): ImportedSession => {
  const { sessionId } = snapshot
  const incarnation = 1
  const traits = {
    kind: knownOptions(snapshot.sessionOptions).kind,
    attended: false,
    shell: true,
    rerunnable: false,
    failureExitCodes: [],
    idempotentCommands: [],
  }
  // Engine time never starts before what is stored: a file from the future must not move it there.
  const atMs = Math.min(snapshot.timestamp.getTime(), wallMs)
  const { record, entry } = registrationOf({
    ...{ sessionId, incarnation, traits },
    ...{ atMs, wallMs, seq, by: 'import' },
  })
  const view = { ...planningView(snapshot, 1), capturedAtMs: atMs }
  return { record, entry, snapshot: { sessionId, incarnation, view, body: storedSnapshot } }
}

/** Imports what there is; left: the log refused, and what was not imported is where it was. */
export const importSeed = async (
  disk: Disk,
  place: Place,
  settings: Settings,
  target: ImportTarget,
): Promise<E.Either<StoreError, readonly Quarantined[]>> => {
  const names = (await disk.list(place.directory)).filter((name) => name.endsWith(seedEnding))
  const aside: Quarantined[] = []
  for (let first = 0; first < names.length; first += batchFiles) {
    const done = await Promise.all(
      names
        .slice(first, first + batchFiles)
        .map((name) => importOne(disk, place, settings, target, name)),
    )
    for (const one of done) {
      if (E.isLeft(one)) return one
      const { name, problem } = one.right
      if (problem === undefined) await settle(disk, place, name)
      else aside.push(await reject(disk, place, name, problem))
    }
  }
  if (names.length > 0) {
    for (const changed of [place.imported, place.quarantine, place.directory]) {
      await disk.syncDirectory(changed)
    }
  }
  return E.right(aside)
}

interface Outcome {
  readonly name: string
  readonly problem: SeedProblem | undefined
}

const importOne = async (
  disk: Disk,
  place: Place,
  settings: Settings,
  target: ImportTarget,
  name: string,
): Promise<E.Either<StoreError, Outcome>> => {
  const bytes = await contentOf(disk, place, settings.limitBytes, name)
  if (E.isLeft(bytes)) return E.right({ name, problem: { problem: bytes.left } })
  const read = seedSnapshot(name, bytes.right, settings)
  if (E.isLeft(read)) return E.right({ name, problem: read.left })
  if (target.has(read.right.sessionId)) return E.right({ name, problem: undefined })
  const body = RecoverySnapshot.encode(read.right) as StoredSnapshot['body']
  const session = importedSession(read.right, settings.wallMs(), target.nextSeq(), body)
  const stored = await target.store(session)
  if (E.isRight(stored)) return E.right({ name, problem: undefined })
  if (stored.left._tag !== 'TooLarge') return stored
  return E.right({
    name,
    problem: { problem: stored.left.message, sessionId: read.right.sessionId },
  })
}

const contentOf = async (
  disk: Disk,
  place: Place,
  limitBytes: number,
  name: string,
): Promise<E.Either<string, Buffer>> => {
  const path = `${place.directory}/${name}`
  const status = await disk.status(path)
  if (status?.kind !== 'file') return E.left('recovery snapshot: not a regular file')
  if (status.links !== 1) return E.left('recovery snapshot: the file has other names')
  if (status.sizeBytes > limitBytes) {
    return E.left(`recovery snapshot: ${status.sizeBytes} bytes, at most ${limitBytes} are read`)
  }
  try {
    const file = await disk.open(path)
    try {
      return E.right(await file.read(0, status.sizeBytes))
    } finally {
      await file.close()
    }
  } catch (error) {
    const code = codeOf(error)
    if (code === undefined || !ofTheFile.has(code)) throw error
    return E.left(`recovery snapshot: cannot be read (${code})`)
  }
}

const settle = async (disk: Disk, place: Place, name: string) => {
  await close(disk, `${place.directory}/${name}`)
  await setAsideFile(disk, place.directory, name, { path: place.imported, name: importedName })
}

// To others than its owner. Of a link or a second name the mode is somebody else's.
const close = async (disk: Disk, path: string) => {
  const status = await disk.status(path)
  if (status?.kind !== 'file' || status.links !== 1 || status.mode === fileMode) return
  if (status.userId === (process.geteuid?.() ?? status.userId)) await disk.setMode(path, fileMode)
}

const reject = async (
  disk: Disk,
  place: Place,
  name: string,
  { problem, sessionId }: SeedProblem,
): Promise<Quarantined> => {
  await close(disk, `${place.directory}/${name}`)
  const into = { path: place.quarantine, name: quarantineName }
  const keptAs = await setAsideFile(disk, place.directory, name, into)
  return quarantined(name, keptAs, problem, sessionId)
}
