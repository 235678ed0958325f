/**
 * The few operations on files the store needs, as a port: everything that reaches the disk passes here,
 * so that what a disk may do (fail, fill up, lose what was not flushed) can be put in its place.
 * Operations reject with the system's error, which carries a `code`.
 */
import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

export interface FileStatus {
  /** What the name itself stands for: a link is not followed. */
  readonly kind: 'file' | 'directory' | 'link' | 'other'
  readonly sizeBytes: number
  /** Permission bits. */
  readonly mode: number
  readonly userId: number
  /** How many names the file has. */
  readonly links: number
  readonly device: bigint
  readonly inode: bigint
  /** When its content was changed last, in milliseconds since the epoch. */
  readonly modifiedMs: number
}

/** An open file. */
export interface DiskFile {
  /** Reads up to `bytes` bytes from `position` on; fewer only at the end of the file. */
  readonly read: (position: number, bytes: number) => Promise<Buffer>
  /** Writes from `position` on; returns how many bytes were taken, at least one. */
  readonly write: (bytes: Buffer, position: number) => Promise<number>
  /** Returns when the file's content and size are on the medium. */
  readonly sync: () => Promise<void>
  readonly close: () => Promise<void>
}

export interface Disk {
  /** `undefined` when nothing has that name. */
  readonly status: (path: string) => Promise<FileStatus | undefined>
  /** Makes a directory (0700) and those above it; returns the topmost one made, if any. */
  readonly makeDirectory: (path: string) => Promise<string | undefined>
  readonly setMode: (path: string, mode: number) => Promise<void>
  readonly list: (path: string) => Promise<readonly string[]>
  /** Makes a new file (0600 whatever the umask) for writing and reading; `EEXIST` if the name is taken. */
  readonly create: (path: string) => Promise<DiskFile>
  /** Opens a file for reading; a link is refused. */
  readonly open: (path: string) => Promise<DiskFile>
  readonly rename: (from: string, to: string) => Promise<void>
  readonly remove: (path: string) => Promise<void>
  /** Returns when the names in a directory are on the medium. */
  readonly syncDirectory: (path: string) => Promise<void>
  /** The kind of filesystem, as `statfs` numbers it. */
  readonly filesystemType: (path: string) => Promise<number>
  /** How many blanks are to be written ahead of a log, so that few flushes have to write its size; absent: none. */
  readonly aheadBytes?: number
}

// --------------------------------------------------------------------------------------- the disk

const fileMode = 0o600
const directoryMode = 0o700
const flag = (name: 'O_NOFOLLOW' | 'O_NONBLOCK' | 'O_DIRECTORY'): number => constants[name] ?? 0

const kindOf = (stats: { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean }) =>
  stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'link'
        : 'other'

const status: Disk['status'] = async (path) => {
  try {
    const stats = await fs.lstat(path, { bigint: true })
    return {
      kind: kindOf(stats),
      sizeBytes: Number(stats.size),
      mode: Number(stats.mode) & 0o777,
      userId: Number(stats.uid),
      links: Number(stats.nlink),
      device: stats.dev,
      inode: stats.ino,
      modifiedMs: Number(stats.mtimeMs),
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

const readFully = async (handle: fs.FileHandle, position: number, bytes: number) => {
  const buffer = Buffer.allocUnsafe(bytes)
  let filled = 0
  while (filled < bytes) {
    const { bytesRead } = await handle.read(buffer, filled, bytes - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

const diskFile = (handle: fs.FileHandle): DiskFile => ({
  read: (position, bytes) => readFully(handle, position, bytes),
  write: async (bytes, position) =>
    (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
  sync: () => handle.datasync(),
  close: () => handle.close(),
})

const create: Disk['create'] = async (path) => {
  const handle = await fs.open(path, 'wx+', fileMode)
  await orClosed(handle, handle.chmod(fileMode))
  return diskFile(handle)
}

const orClosed = async <A>(handle: fs.FileHandle, work: Promise<A>): Promise<A> => {
  try {
    return await work
  } catch (error) {
    await handle.close()
    throw error
  }
}

// A name that turned into a queue since it was looked at must not block: hence O_NONBLOCK.
const open: Disk['open'] = async (path) => {
  const handle = await fs.open(
    path,
    constants.O_RDONLY | flag('O_NOFOLLOW') | flag('O_NONBLOCK'),
    fileMode,
  )
  const stats = await orClosed(handle, handle.stat())
  if (stats.isFile()) return diskFile(handle)
  await handle.close()
  throw Object.assign(new Error(`${path} is not a regular file`), { code: 'EINVAL' })
}

// Windows cannot flush a directory and does not need to.
const syncDirectory: Disk['syncDirectory'] = async (path) => {
  if (process.platform === 'win32') return
  const handle = await fs.open(path, constants.O_RDONLY | flag('O_DIRECTORY'))
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The disk of this machine. */
// Node's own recursive mkdir never answers where a directory that is there takes no names (/proc).
const makeDirectory = async (path: string): Promise<string | undefined> => {
  try {
    await fs.mkdir(path, { mode: directoryMode })
    // Whatever the umask: in one that its owner may not enter nothing more can be made.
    await fs.chmod(path, directoryMode)
    return path
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await fs.stat(path)).isDirectory()) return undefined
    const above = dirname(path)
    // A drive that there is not has nothing above it.
    if (above === path || (await status(above)) !== undefined) throw error
    const topmost = await makeDirectory(above)
    await makeDirectory(path)
    return topmost ?? path
  }
}

export const realDisk: Disk = {
  status,
  makeDirectory,
  setMode: (path, mode) => fs.chmod(path, mode),
  list: (path) => fs.readdir(path),
  create,
  open,
  rename: (from, to) => fs.rename(from, to),
  remove: (path) => fs.unlink(path),
  syncDirectory,
  filesystemType: async (path) => (await fs.statfs(path)).type,
  aheadBytes: 256 << 10,
}

// ------------------------------------------------------------------------------------ combinators

/** Writes all of `bytes` at `position`, however few the disk takes at a time. */
export const writeAll = async (file: DiskFile, bytes: Buffer, position: number): Promise<void> => {
  let written = 0
  while (written < bytes.length) {
    written += await file.write(bytes.subarray(written), position + written)
  }
}

/** The ending of a name under which nothing is whole yet; swept away when a store is opened. */
export const unfinished = '.tmp'

/**
 * Makes `directory/name` hold what `fill` writes, or nothing at all: once this returns it is on the
 * medium, and a crash before leaves at most an unfinished file.
 */
export const writeWhole = async (
  disk: Disk,
  directory: string,
  name: string,
  fill: (file: DiskFile) => Promise<void>,
): Promise<void> => {
  const path = `${directory}/${name}`
  const draft = `${path}${unfinished}`
  if ((await disk.status(draft)) !== undefined) await disk.remove(draft)
  try {
    const file = await disk.create(draft)
    try {
      await fill(file)
      await file.sync()
    } finally {
      await file.close()
    }
    await disk.rename(draft, path)
    await disk.syncDirectory(directory)
  } catch (error) {
    await disk.remove(draft).catch(() => undefined)
    throw error
  }
}

/** Removes what an interrupted write left in `directory`. */
export const sweep = async (disk: Disk, directory: string): Promise<void> => {
  for (const name of await disk.list(directory)) {
    const path = `${directory}/${name}`
    if (!name.endsWith(unfinished)) continue
    if ((await disk.status(path))?.kind === 'file') await disk.remove(path)
  }
}
