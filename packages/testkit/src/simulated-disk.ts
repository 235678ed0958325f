/**
 * A disk with bad habits, as one life of an engine sees it: it fails, is slow, takes a part of what it is
 * given; and when that life ends, what was under way is done, done in part, or not done at all.
 */
import type { Disk, DiskFile } from '@session-recovery/adapter-fs'
import type { Chance } from './chance.js'
import { changing, type Operation, systemError } from './disk-probe.js'
import { type EngineLife, never } from './engine-life.js'
import type { FaultBook } from './fault.js'

// ------------------------------------------------------------------------------------------ model

export interface SimulatedDiskOptions {
  readonly disk: Disk
  readonly life: EngineLife
  readonly faults: FaultBook
  readonly chance: Chance
  /** Asked once for each call: whether it is refused. */
  readonly isDown: () => boolean
  /** Of the faults of single calls that there would be, so many (0.1 to 1) happen. Default: all. */
  readonly faultShare?: number
}

/** How one operation on a disk is carried out. */
interface Work<A> {
  readonly whole: () => Promise<A>
  /** Does so much of it (0 to 1) as a crash leaves, if it can be done in part. */
  readonly part?: (share: number) => Promise<unknown>
}

const failures = ['EIO', 'ENOSPC', 'EACCES'] as const

// ------------------------------------------------------------------------------------------- disk

export const simulatedDisk = (options: SimulatedDiskOptions): Disk => {
  const { disk, life, faults, chance, faultShare = 1 } = options

  const cutShort = (name: Operation['name'], { whole, part }: Work<unknown>): void => {
    if (!changing.has(name) || !chance.percent(50)) return
    if (part === undefined) void whole().catch(() => undefined)
    else if (faults.may('torn tail')) {
      faults.happened('torn tail')
      void part(chance.whole(0, 100) / 100).catch(() => undefined)
    }
  }

  /** Waits, as a slow disk does; a death meanwhile leaves what is under way as chance has it. */
  const slowly = async (name: Operation['name'], work: Work<unknown>): Promise<void> => {
    if (!faults.strikes('slow disk', 5)) return
    const over = life.whenDying(() => cutShort(name, work))
    await life.wait(chance.pick([0, 1, 3, 20, 400, 5_000]))
    over()
  }

  const refuse = (name: Operation['name']): void => {
    if (options.isDown()) throw systemError('EIO')
    // Reads fail more seldom: most of them are made when a store is opened, which fails as a whole.
    const failure = faults.oneOf(failures, (changing.has(name) ? 0.7 : 0.1) * faultShare)
    if (failure !== undefined) throw systemError(failure)
  }

  const told = async <A>(name: Operation['name'], work: Work<A>): Promise<A> => {
    if (life.isDead) return never()
    if (!life.passes()) {
      cutShort(name, work)
      return never()
    }
    await slowly(name, work)
    refuse(name)
    const answer = await work.whole()
    if (!life.passes()) return never()
    if (changing.has(name) && faults.strikes('false failure', 0.5 * faultShare))
      throw systemError('EIO')
    return answer
  }

  const file = (opened: DiskFile): DiskFile => ({
    read: (position, bytes) => told('read', { whole: () => opened.read(position, bytes) }),
    write: (bytes, position) => {
      const first = (count: number) => opened.write(bytes.subarray(0, count), position)
      const isShort = bytes.length > 1 && faults.strikes('short write', 2 * faultShare)
      return told('write', {
        whole: () => first(isShort ? chance.whole(1, bytes.length - 1) : bytes.length),
        part: (share) => first(Math.floor(share * bytes.length)),
      })
    },
    sync: () => told('sync', { whole: opened.sync }),
    close: () => told('close', { whole: opened.close }),
  })

  return {
    status: (path) => told('status', { whole: () => disk.status(path) }),
    makeDirectory: (path) => told('makeDirectory', { whole: () => disk.makeDirectory(path) }),
    setMode: (path, mode) => told('setMode', { whole: () => disk.setMode(path, mode) }),
    list: (path) => told('list', { whole: () => disk.list(path) }),
    create: (path) => told('create', { whole: async () => file(await disk.create(path)) }),
    open: (path) => told('open', { whole: async () => file(await disk.open(path)) }),
    rename: (from, to) => told('rename', { whole: () => disk.rename(from, to) }),
    remove: (path) => told('remove', { whole: () => disk.remove(path) }),
    syncDirectory: (path) => told('syncDirectory', { whole: () => disk.syncDirectory(path) }),
    filesystemType: (path) => told('filesystemType', { whole: () => disk.filesystemType(path) }),
  }
}
