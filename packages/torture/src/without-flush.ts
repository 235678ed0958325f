/** A disk that leaves one kind of flush out: what is kept honest by a flush must be seen to break without it. */
import type { Disk, DiskFile } from '@session-recovery/adapter-fs'

// ------------------------------------------------------------------------------------------ model

/** Each flush that a filesystem of a real machine can be seen to need. */
export const flushes = ['log', 'checkpoint', 'directory', 'archive', 'archive directory'] as const
export type Flush = (typeof flushes)[number]

const files: Partial<Record<Flush, RegExp>> = {
  log: /\/log\/[^/]*\.jsonl$/,
  checkpoint: /\/log\/[^/]*\.jsonl\.tmp$/,
  archive: /\/archives\/[^/]*$/,
}

const directories: Partial<Record<Flush, RegExp>> = {
  directory: /\/log$/,
  'archive directory': /\/archives$/,
}

// ------------------------------------------------------------------------------------ combinators

/** `disk`, but that it only says that it does that flush. */
export const withoutFlush = (disk: Disk, flush: Flush): Disk => {
  const lying = (path: string, file: DiskFile): DiskFile =>
    files[flush]?.test(path) === true ? { ...file, sync: async () => undefined } : file
  return {
    ...disk,
    create: async (path) => lying(path, await disk.create(path)),
    open: async (path) => lying(path, await disk.open(path)),
    syncDirectory: async (path) => {
      if (directories[flush]?.test(path) !== true) await disk.syncDirectory(path)
    },
  }
}
