/**
 * Archives: one file each, beside the log, for a person to find when a session could not be brought back.
 * The name is a function of the token, so that archiving the same incident twice is one archive.
 */
import { createHash } from 'node:crypto'
import {
  type Archive,
  count,
  decode,
  epochMs,
  fieldAtFault,
  idOf,
  type Json,
  PlanningView,
  SessionRecord,
  type StoreError,
  struct,
  text,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { type Disk, writeAll, writeWhole } from './disk.js'
import { lineOf, readLine } from './line.js'
import { isDeeper, nestingLimit } from './nesting.js'
import { mostLimitBytes, type Settings } from './option.js'
import { type SealError, Sealed, type Sealer, type SealPlace } from './seal.js'
import { notFound, tooDeep, tooLarge, unusable } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

const archiveVersion = 1

const json = new t.Type<Json, Json, unknown>(
  'JSON',
  (u): u is Json => u !== undefined,
  (u, c) => (u === undefined ? t.failure(u, c) : t.success(u as Json)),
  t.identity,
)

const snapshotFields = { sessionId: t.string, incarnation: count, view: PlanningView }
const SnapshotHead = struct('snapshot', snapshotFields)

const StoredArchive = struct('archive', {
  v: t.literal(archiveVersion),
  sessionId: text,
  incarnation: count,
  incident: count,
  token: text,
  atMs: epochMs,
  record: SessionRecord,
  snapshot: t.union([
    t.null,
    struct('snapshot', { ...snapshotFields, body: json }),
    struct('sealed snapshot', { ...snapshotFields, sealed: Sealed }),
  ]),
})
type StoredArchive = t.TypeOf<typeof StoredArchive>
type EncodedArchive = t.OutputOf<typeof StoredArchive>

const folder = 'archives'
const locationPattern =
  /^archives\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.json)$/

// ------------------------------------------------------------------------------------ combinators

/**
 * Keeps `archive` and returns its location, a path from the store's directory. An archive holds a record
 * and a snapshot, and may be as large as both.
 */
export const keepArchive = async (
  disk: Disk,
  directory: string,
  { limitBytes, sealer }: Pick<Settings, 'limitBytes' | 'sealer'>,
  archive: Archive,
): Promise<E.Either<StoreError, string>> => {
  if (isDeeper(archive.snapshot?.body, nestingLimit)) return E.left(tooDeep('archive'))
  const line = lineOf('archive', storedArchive(sealer, archive))
  if (line.length > 2 * limitBytes) {
    return E.left(tooLarge('archive', line.length, 2 * limitBytes))
  }
  const name = `${idOf('archive', archive.token)}.json`
  const location = `${folder}/${name}`
  const before = await archiveAt(disk, directory, sealer, location)
  // One whose key was not given is whole.
  if (E.isRight(before) || before.left._tag === 'KeyMissing') {
    // It may have got its name without that name having reached the medium.
    await disk.syncDirectory(`${directory}/${folder}`)
    return E.right(location)
  }
  await writeWhole(disk, `${directory}/${folder}`, name, (file) => writeAll(file, line, 0))
  return E.right(location)
}

/** The archive at `location`, which must be one that `keepArchive` has returned. */
export const archiveAt = async (
  disk: Disk,
  directory: string,
  sealer: Sealer,
  location: string,
): Promise<E.Either<StoreError, Archive>> => {
  const read = await readArchiveAt(disk, directory, location)
  return E.isLeft(read) ? read : unsealed(sealer, read.right, location)
}

// What was stored under the highest limit there may be; larger ones are not ours, and are not read.
const mostBytes = 2 * mostLimitBytes + (1 << 20)

const readArchiveAt = async (
  disk: Disk,
  directory: string,
  location: string,
): Promise<E.Either<StoreError, ReadArchive & { readonly bytes: number }>> => {
  if (!locationPattern.test(location)) return E.left(notFound(location))
  const path = `${directory}/${location}`
  const status = await disk.status(path)
  if (status === undefined) return E.left(notFound(location))
  if (status.kind !== 'file') return E.left(unusable(`${location}: not a regular file`))
  const { sizeBytes } = status
  if (sizeBytes > mostBytes) {
    return E.left(unusable(`${location}: ${sizeBytes} bytes, at most ${mostBytes} are read`))
  }
  const file = await disk.open(path)
  try {
    const read = archiveIn(await file.read(0, sizeBytes))
    return E.isLeft(read)
      ? E.left(unusable(`${location}: ${read.left}`))
      : E.right({ ...read.right, bytes: sizeBytes })
  } finally {
    await file.close()
  }
}

interface ReadArchive {
  readonly stored: StoredArchive
  /** What its seal is bound to. */
  readonly place: SealPlace
}

/** What stands in an archive beside its snapshot's body; no key is needed to see it. */
export interface ArchiveHead {
  readonly location: string
  readonly bytes: number
  readonly sessionId: string
  readonly incarnation: number
  readonly incident: number
  readonly atMs: number
  readonly record: SessionRecord
  readonly snapshot: 'none' | 'clear' | 'sealed'
}

/** The head of the archive at `location`. */
export const archiveHeadAt = async (
  disk: Disk,
  directory: string,
  location: string,
): Promise<E.Either<StoreError, ArchiveHead>> =>
  E.map(({ stored, bytes }: ReadArchive & { readonly bytes: number }): ArchiveHead => {
    const { sessionId, incarnation, incident, atMs, record, snapshot } = stored
    const kind = snapshot === null ? 'none' : 'sealed' in snapshot ? 'sealed' : 'clear'
    return { location, bytes, sessionId, incarnation, incident, atMs, record, snapshot: kind }
  })(await readArchiveAt(disk, directory, location))

/** The locations of all archives, whatever they are worth. */
export const archiveLocations = async (
  disk: Disk,
  directory: string,
): Promise<readonly string[]> => {
  const there = (await disk.status(`${directory}/${folder}`))?.kind === 'directory'
  const names = there ? await disk.list(`${directory}/${folder}`) : []
  return names
    .map((name) => `${folder}/${name}`)
    .filter((location) => locationPattern.test(location))
    .sort()
}

const archiveIn = (bytes: Buffer): E.Either<string, ReadArchive> => {
  const line = readLine(bytes)
  if (E.isLeft(line)) return line
  const payload = line.right.payload()
  if (E.isLeft(payload)) return payload
  const decoded = decode(StoredArchive, 'archive')(payload.right)
  if (E.isLeft(decoded)) return E.left(fieldAtFault(decoded.left))
  // As it stands there: what a later version reads into it has no seal.
  return E.right({ stored: decoded.right, place: sealPlaceOf(payload.right as EncodedArchive) })
}

/** As it is stored: with a key, its snapshot is sealed. */
const storedArchive = (sealer: Sealer, archive: Archive): EncodedArchive => {
  const { snapshot, ...rest } = archive
  if (snapshot === null || sealer.current === undefined) return StoredArchive.encode(archive)
  const { body, ...head } = snapshot
  const beside = {
    ...StoredArchive.encode({ ...rest, snapshot: null }),
    snapshot: SnapshotHead.encode(head),
  }
  const sealed = sealer.seal(JSON.stringify(body), placeBeside(beside))
  return { ...beside, snapshot: { ...beside.snapshot, sealed } }
}

const unsealed = (
  sealer: Sealer,
  { stored: { snapshot, ...rest }, place }: ReadArchive,
  location: string,
): E.Either<SealError, Archive> => {
  if (snapshot === null) return E.right({ ...rest, snapshot })
  if (!('sealed' in snapshot)) {
    const accepted = sealer.accept(snapshot.body, location)
    return E.map((body: Json) => ({ ...rest, snapshot: { ...snapshot, body } }))(accepted)
  }
  const { sealed, ...head } = snapshot
  const opened = sealer.open(sealed, place, location)
  return E.map((body: Json) => ({ ...rest, snapshot: { ...head, body } }))(opened)
}

const sealPlaceOf = ({ snapshot, ...rest }: EncodedArchive): SealPlace => {
  if (snapshot === null || !('sealed' in snapshot)) return []
  const { sealed: _, ...head } = snapshot
  return placeBeside({ ...rest, snapshot: head })
}

// An archive is whole in itself: all that stands beside the body is bound to it.
const placeBeside = (beside: unknown): SealPlace => [
  'archive',
  createHash('sha256').update(JSON.stringify(beside)).digest('hex'),
]
