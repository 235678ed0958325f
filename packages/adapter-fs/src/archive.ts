/**
 * Archives: one file each, beside the log, for a person to find when a session could not be brought back.
 * The name is a function of the token, so that archiving the same incident twice is one archive.
 */
import {
  type Archive,
  count,
  decode,
  epochMs,
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
import { fieldAtFault } from './statement.js'
import { notFound, tooLarge, unusable } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

const archiveVersion = 1

const json = new t.Type<Json, Json, unknown>(
  'JSON',
  (u): u is Json => u !== undefined,
  (u, c) => (u === undefined ? t.failure(u, c) : t.success(u as Json)),
  t.identity,
)

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
    struct('snapshot', {
      sessionId: t.string,
      incarnation: count,
      view: PlanningView,
      body: json,
    }),
  ]),
})

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
  limitBytes: number,
  archive: Archive,
): Promise<E.Either<StoreError, string>> => {
  const line = lineOf('archive', StoredArchive.encode(archive))
  if (line.length > 2 * limitBytes) {
    return E.left(tooLarge('archive', line.length, 2 * limitBytes))
  }
  const name = `${idOf('archive', archive.token)}.json`
  const location = `${folder}/${name}`
  if (E.isRight(await archiveAt(disk, directory, location))) {
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
  location: string,
): Promise<E.Either<StoreError, Archive>> => {
  if (!locationPattern.test(location)) return E.left(notFound(location))
  const path = `${directory}/${location}`
  const status = await disk.status(path)
  if (status === undefined) return E.left(notFound(location))
  if (status.kind !== 'file') return E.left(unusable(`${location}: not a regular file`))
  const file = await disk.open(path)
  try {
    return E.mapLeft((problem: string) => unusable(`${location}: ${problem}`))(
      archiveIn(await file.read(0, status.sizeBytes)),
    )
  } finally {
    await file.close()
  }
}

const archiveIn = (bytes: Buffer): E.Either<string, Archive> => {
  const line = readLine(bytes)
  if (E.isLeft(line)) return line
  const payload = line.right.payload()
  if (E.isLeft(payload)) return payload
  const decoded = decode(StoredArchive, 'archive')(payload.right)
  return E.mapLeft(fieldAtFault)(decoded)
}
