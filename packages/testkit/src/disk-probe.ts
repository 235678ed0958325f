/** A disk that can be watched, and made to fail, before each operation; the rest is the disk beneath. */
import type { Disk, DiskFile } from '@session-recovery/adapter-fs'

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

/** How an operation is to go: take only so many bytes, or be done and then answer that it failed. */
export interface Interference {
  readonly takenBytes?: number
  readonly failsAfterwards?: string
}

type Before = (operation: Operation) => Interference | undefined | void | Promise<void>

/** `before` may throw what the disk is to answer without doing anything. */
export const probed = (disk: Disk, before: Before): Disk => {
  const told = async <A>(
    name: Operation['name'],
    path: string,
    run: (interference: Interference) => Promise<A>,
  ): Promise<A> => {
    const interference = (await before({ name, path })) ?? {}
    const answer = await run(interference)
    if (interference.failsAfterwards !== undefined) throw systemError(interference.failsAfterwards)
    return answer
  }
  const file = (opened: DiskFile, path: string): DiskFile => ({
    read: (position, bytes) => told('read', path, () => opened.read(position, bytes)),
    write: (bytes, position) =>
      told('write', path, ({ takenBytes }) =>
        opened.write(bytes.subarray(0, takenBytes), position),
      ),
    sync: () => told('sync', path, opened.sync),
    close: () => told('close', path, opened.close),
  })
  return {
    status: (path) => told('status', path, () => disk.status(path)),
    makeDirectory: (path) => told('makeDirectory', path, () => disk.makeDirectory(path)),
    setMode: (path, mode) => told('setMode', path, () => disk.setMode(path, mode)),
    list: (path) => told('list', path, () => disk.list(path)),
    create: (path) => told('create', path, async () => file(await disk.create(path), path)),
    open: (path) => told('open', path, async () => file(await disk.open(path), path)),
    rename: (from, to) => told('rename', to, () => disk.rename(from, to)),
    remove: (path) => told('remove', path, () => disk.remove(path)),
    syncDirectory: (path) => told('syncDirectory', path, () => disk.syncDirectory(path)),
    filesystemType: (path) => told('filesystemType', path, () => disk.filesystemType(path)),
  }
}

/** An error as the system makes them. */
export const systemError = (code: string): Error =>
  Object.assign(new Error(`${code}: as the test wants it`), { code })
