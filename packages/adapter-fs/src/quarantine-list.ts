/**
 * What lies in a store's quarantine, told from the files themselves, and the way back for what has one: a
 * snapshot file of format 0, once a person has mended it. Raw stretches of the log have none: what of them
 * can be read is shown.
 */
import type { NotFound, StoreError } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { type Disk, type FileStatus, realDisk } from './disk.js'
import { readLine } from './line.js'
import { type FileStoreOptions, limitBytesOf } from './option.js'
import { type TakeOwnership, takeOwnership } from './ownership.js'
import { type Place, viewPlace } from './place.js'
import { seedEnding, seedSnapshot } from './seed-snapshot.js'
import { segmentNumbers } from './segment.js'
import { statementOf } from './statement.js'
import { attempt, notFound, unusable } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

/** A file in the quarantine. */
export interface QuarantinedFile {
  /** Its path from the store's directory. */
  readonly location: string
  readonly bytes: number
  /** A stretch of the log, a snapshot file of format 0, or something else that was in the way. */
  readonly kind: 'log' | 'snapshot' | 'other'
  /** Where it stood. */
  readonly source: string
  /** What is wrong with it, as far as it can be told now. */
  readonly problem: string
  /** It can be put back to where it is imported. */
  readonly restorable?: true
  readonly sessionId?: string
}

const folder = 'quarantine'
const stretchPattern = /^(\d+-\d+\.jsonl)\.(\d+)$/
/** As much of a file as is looked at to tell what is wrong. */
const shownBytes = 1 << 20

// ----------------------------------------------------------------------------------- constructors

/** All there is in the quarantine, by name. */
export const listQuarantine = async (
  disk: Disk,
  place: Place,
): Promise<readonly QuarantinedFile[]> => {
  const there = (await disk.status(place.quarantine))?.kind === 'directory'
  const names = there ? await disk.list(place.quarantine) : []
  const files: QuarantinedFile[] = []
  for (const name of [...names].sort()) {
    const one = await foundAt(disk, place, name)
    if (E.isRight(one)) files.push(await quarantinedFile(disk, place, one.right))
  }
  return files
}

/** What is in the quarantine under `location`, and its bytes, at most the first mebibyte. */
export const showQuarantined = (
  { directory }: Pick<FileStoreOptions, 'directory'>,
  location: string,
  disk: Disk = realDisk,
): TE.TaskEither<StoreError, { readonly file: QuarantinedFile; readonly content: Buffer }> =>
  attempt('show', async () => {
    const place = await viewPlace(disk, directory)
    if (E.isLeft(place)) return place
    const found = await foundAt(disk, place.right, location)
    if (E.isLeft(found)) return found
    const { name, status } = found.right
    if (status.kind !== 'file') return E.left(unusable(`${location}: not a regular file`))
    const file = await quarantinedFile(disk, place.right, found.right)
    return E.right({ file, content: await bytesOf(disk, place.right, name, status.sizeBytes) })
  })

interface Found {
  readonly name: string
  readonly status: FileStatus
}

const foundAt = async (
  disk: Disk,
  place: Place,
  location: string,
): Promise<E.Either<NotFound, Found>> => {
  const name = nameAt(location)
  if (name === undefined) return E.left(notFound(location))
  const status = await disk.status(`${place.quarantine}/${name}`)
  return status === undefined ? E.left(notFound(location)) : E.right({ name, status })
}

/** The bytes of a file, at most the first mebibyte. */
const bytesOf = async (
  disk: Disk,
  place: Place,
  name: string,
  sizeBytes: number,
): Promise<Buffer> => {
  const file = await disk.open(`${place.quarantine}/${name}`)
  try {
    return await file.read(0, Math.min(shownBytes, sizeBytes))
  } finally {
    await file.close()
  }
}

const quarantinedFile = async (
  disk: Disk,
  place: Place,
  { name, status }: Found,
): Promise<QuarantinedFile> => {
  const location = `${folder}/${name}`
  const bytes = status.sizeBytes
  if (status.kind !== 'file') {
    return { location, bytes, kind: 'other', source: name, problem: 'not a regular file' }
  }
  const read = await bytesOf(disk, place, name, bytes)
  const stretch = stretchPattern.exec(name)
  if (stretch !== null && segmentNumbers(stretch[1] ?? '') !== undefined) {
    const source = `log/${stretch[1]}: byte ${stretch[2]}`
    return { location, bytes, kind: 'log', source, ...problemOf(read) }
  }
  if (!name.endsWith(seedEnding)) {
    const problem = 'it was in the way of a file of the store'
    return { location, bytes, kind: 'other', source: name, problem }
  }
  const rules = { secretNames: [], storeOutput: true }
  const snapshot = seedSnapshot(name, read, rules)
  const said = E.isLeft(snapshot)
    ? snapshot.left
    : {
        problem: 'nothing any more',
        sessionId: snapshot.right.sessionId,
        restorable: true as const,
      }
  return { location, bytes, kind: 'snapshot', source: name, ...said }
}

/** A name in the quarantine, with or without the folder; nothing else. */
const nameAt = (location: string): string | undefined => {
  const name = location.startsWith(`${folder}/`) ? location.slice(folder.length + 1) : location
  const isName = name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name)
  return isName ? name : undefined
}

const problemOf = (stretch: Buffer): { readonly problem: string; readonly sessionId?: string } => {
  for (let at = 0; at < stretch.length; ) {
    const end = stretch.indexOf(0x0a, at)
    const bytes = stretch.subarray(at, end < 0 ? stretch.length : end + 1)
    const line = readLine(bytes)
    if (E.isLeft(line)) return { problem: line.left }
    const statement = line.right.kind === 'body' ? undefined : statementOf(line.right)
    if (statement !== undefined && E.isLeft(statement)) {
      const { problem, sessionId } = statement.left
      return { problem, ...(sessionId === undefined ? {} : { sessionId }) }
    }
    at += bytes.length
  }
  return { problem: 'whole, but what it belongs to is missing' }
}

// ------------------------------------------------------------------------------------ combinators

/**
 * Puts a snapshot file of format 0 back where the next start imports it. It must be whole now: what the
 * import would refuse again stays where it is, and so does everything else. The store is owned meanwhile.
 */
export const restoreQuarantined = (
  options: Pick<FileStoreOptions, 'directory' | 'limitBytes'>,
  location: string,
  disk: Disk = realDisk,
  own: TakeOwnership = takeOwnership,
): TE.TaskEither<StoreError, string> =>
  attempt('restore', async () => {
    const place = await viewPlace(disk, options.directory)
    if (E.isLeft(place)) return place
    const ownership = await own(place.right, () => undefined)
    if (E.isLeft(ownership)) return ownership
    try {
      return await putBack(disk, place.right, limitBytesOf(options), location)
    } finally {
      await ownership.right.release()
    }
  })

const putBack = async (
  disk: Disk,
  place: Place,
  limitBytes: number,
  location: string,
): Promise<E.Either<StoreError, string>> => {
  const found = await foundAt(disk, place, location)
  if (E.isLeft(found)) return found
  const file = await quarantinedFile(disk, place, found.right)
  const { kind, source, problem, restorable, bytes } = file
  if (kind !== 'snapshot') {
    return E.left(
      unusable(
        `${location}: only a snapshot file of format 0 can be put back; this is kept to be read`,
      ),
    )
  }
  if (restorable !== true) return E.left(unusable(`${location}: ${problem}`))
  if (bytes > limitBytes) {
    return E.left(unusable(`${location}: ${bytes} bytes, at most ${limitBytes} are read`))
  }
  if ((await disk.status(`${place.directory}/${source}`)) !== undefined) {
    return E.left(unusable(`${source}: a file of that name is waiting to be imported`))
  }
  await disk.rename(`${place.quarantine}/${source}`, `${place.directory}/${source}`)
  await disk.syncDirectory(place.quarantine)
  await disk.syncDirectory(place.directory)
  return E.right(source)
}
