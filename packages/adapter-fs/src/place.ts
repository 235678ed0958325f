/**
 * The directory a store lives in: made if it is missing, refused if it must not be used.
 */
import { parse, resolve } from 'node:path'
import type { Logger, NotFound, StoreUnusable } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { type Disk, type FileStatus, sweep } from './disk.js'
import { codeOf, notFound, unusable } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

export interface Place {
  readonly directory: string
  readonly device: bigint
  readonly inode: bigint
  readonly log: string
  readonly archives: string
  readonly quarantine: string
  readonly imported: string
}

/** The mode of the store's directory and of those in it. */
export const directoryMode = 0o700

// As statfs numbers them on Linux. With FUSE it cannot be told what is behind it, and sshfs may be.
const networked: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'],
  [0x517b, 'smb'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x01021997, '9p'],
  [0x65735546, 'fuse'],
  [0x5346414f, 'afs'],
  [0x6b414653, 'afs'],
  [0x73757245, 'coda'],
  [0x00c36400, 'ceph'],
  [0x0bd00bd0, 'lustre'],
  [0x47504653, 'gpfs'],
  [0x7461636f, 'ocfs2'],
  [0x01161970, 'gfs2'],
  [0x564c, 'ncp'],
  [0x786f4256, 'vboxsf'],
  [0x19830326, 'beegfs'],
])

// ----------------------------------------------------------------------------------- constructors

/** Makes or checks the store's directory, and gives it the mode 0700. */
export const openPlace = async (
  disk: Disk,
  path: string,
  logger: Logger,
): Promise<E.Either<StoreUnusable, Place>> => {
  const directory = resolve(path)
  await make(disk, directory, parse(directory).root)
  const status = await own(disk, directory, logger)
  if (E.isLeft(status)) return status
  const { device, inode } = status.right
  if (process.platform === 'linux') {
    const kind = networked.get((await disk.filesystemType(directory)) >>> 0)
    if (kind !== undefined) {
      return E.left(
        unusable(
          `${directory} is on a network filesystem (${kind}): a flush there promises nothing`,
        ),
      )
    }
  }
  return E.right(placeAt(directory, device, inode))
}

const placeAt = (directory: string, device: bigint, inode: bigint): Place => ({
  directory,
  device,
  inode,
  log: `${directory}/log`,
  archives: `${directory}/archives`,
  quarantine: `${directory}/quarantine`,
  imported: `${directory}/imported`,
})

/** The store's directory as it is found, without changing or owning anything; `NotFound` when it is none. */
export const viewPlace = async (
  disk: Disk,
  path: string,
): Promise<E.Either<StoreUnusable | NotFound, Place>> => {
  const directory = resolve(path)
  const status = await disk.status(directory)
  if (status === undefined) return E.left(notFound(directory))
  if (status.kind === 'link') {
    return E.left(unusable(`${directory} is a symbolic link: name the directory itself`))
  }
  if (status.kind !== 'directory') return E.left(unusable(`${directory} is no directory`))
  const place = placeAt(directory, status.device, status.inode)
  // Whatever else it may be: nothing of it is taken for a store's.
  return (await disk.status(place.log)) === undefined
    ? E.left(notFound(`${directory}: a store`))
    : E.right(place)
}

/** Makes or checks the directories inside. */
export const furnish = async (
  disk: Disk,
  place: Place,
  logger: Logger,
): Promise<E.Either<StoreUnusable, void>> => {
  for (const directory of [place.log, place.archives, place.quarantine, place.imported]) {
    await make(disk, directory, place.directory)
    const status = await own(disk, directory, logger)
    if (E.isLeft(status)) return status
  }
  return E.right(undefined)
}

// ------------------------------------------------------------------------------------ combinators

/** Removes what interrupted writes left. */
export const sweepPlace = async (disk: Disk, place: Place): Promise<void> => {
  for (const directory of [place.log, place.archives, place.quarantine]) {
    await sweep(disk, directory)
  }
}

// A directory must still be there after a power cut, and so must those above it. One that is found may
// have been made by a process that was killed before it could flush that; those above may be out of reach
// then, and are somebody else's.
const make = async (disk: Disk, directory: string, top: string) => {
  const isThere = (await disk.status(directory)) !== undefined
  const topmost = isThere ? undefined : await disk.makeDirectory(directory)
  let made = topmost !== undefined
  for (let below = directory; below !== top; below = resolve(below, '..')) {
    if (made) await disk.setMode(below, directoryMode)
    const above = resolve(below, '..')
    if (made) await disk.syncDirectory(above)
    else await flushInReach(disk, above)
    if (below === topmost) made = false
  }
}

const forbidden: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM'])

const flushInReach = async (disk: Disk, directory: string) => {
  try {
    await disk.syncDirectory(directory)
  } catch (error) {
    const code = codeOf(error)
    const isOutOfReach = forbidden.has(code)
      ? !(await isReadable(disk, directory))
      : code === 'EINVAL'
    if (!isOutOfReach) throw error
  }
}

// What may be read may be flushed: who was refused that alone was refused for the moment.
const isReadable = async (disk: Disk, directory: string): Promise<boolean> => {
  try {
    await disk.list(directory)
    return true
  } catch (error) {
    return !forbidden.has(codeOf(error))
  }
}

const own = async (
  disk: Disk,
  directory: string,
  logger: Logger,
): Promise<E.Either<StoreUnusable, FileStatus>> => {
  const status = await disk.status(directory)
  if (status?.kind === 'link') {
    return E.left(unusable(`${directory} is a symbolic link: name the directory itself`))
  }
  if (status?.kind !== 'directory') return E.left(unusable(`${directory} is no directory`))
  const user = process.geteuid?.()
  if (user !== undefined && status.userId !== user) {
    return E.left(
      unusable(`${directory} belongs to user ${status.userId}, this process runs as ${user}`),
    )
  }
  if (user !== undefined && status.mode !== directoryMode) {
    await disk.setMode(directory, directoryMode)
    logger('warn', `${directory} was open to others; its mode is 0700 now`, {
      formerMode: status.mode.toString(8),
    })
  }
  return E.right(status)
}
