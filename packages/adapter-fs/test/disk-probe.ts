/** A disk that can be watched, and made to fail, before each operation; the rest is the disk beneath. */
import type { Disk, DiskFile } from '../src/index.js'

export interface Operation {
  readonly name: keyof Disk | 'read' | 'write' | 'sync' | 'close'
  readonly path: string
}

/** What changes something; everything else only looks. */
export const changing: ReadonlySet<Operation['name']> = new Set<Operation['name']>([
  'makeDirectory',
  'setMode',
  'create',
  'rename',
  'remove',
  'syncDirectory',
  'write',
  'sync',
])

/** `before` may throw what the disk is to answer, and may return a number to take only so many bytes. */
export const probed = (
  disk: Disk,
  before: (operation: Operation) => number | undefined | void | Promise<void>,
): Disk => {
  const file = (opened: DiskFile, path: string): DiskFile => ({
    read: async (position, bytes) => {
      await before({ name: 'read', path })
      return opened.read(position, bytes)
    },
    write: async (bytes, position) => {
      const taken = await before({ name: 'write', path })
      return opened.write(typeof taken === 'number' ? bytes.subarray(0, taken) : bytes, position)
    },
    sync: async () => {
      await before({ name: 'sync', path })
      return opened.sync()
    },
    close: async () => {
      await before({ name: 'close', path })
      return opened.close()
    },
  })
  const told =
    <A>(name: keyof Disk, run: (path: string) => Promise<A>) =>
    async (path: string): Promise<A> => {
      await before({ name, path })
      return run(path)
    }
  return {
    status: told('status', disk.status),
    makeDirectory: told('makeDirectory', disk.makeDirectory),
    setMode: (path, mode) => told('setMode', (it) => disk.setMode(it, mode))(path),
    list: told('list', disk.list),
    create: told('create', async (path) => file(await disk.create(path), path)),
    open: told('open', async (path) => file(await disk.open(path), path)),
    rename: (from, to) => told('rename', () => disk.rename(from, to))(to),
    remove: told('remove', disk.remove),
    syncDirectory: told('syncDirectory', disk.syncDirectory),
    filesystemType: told('filesystemType', disk.filesystemType),
  }
}

/** An error as the system makes them. */
export const systemError = (code: string): Error =>
  Object.assign(new Error(`${code}: as the test wants it`), { code })
