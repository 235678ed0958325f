/**
 * Files that stand for moments: what a new shell is told is written where it reads it, and is gone with its
 * first prompt.
 */
import {
  accessSync,
  constants,
  mkdtempSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Integration } from '@session-recovery/shell'

// ------------------------------------------------------------------------------------------ model

/** What stands on the disk for moments: each process has a directory of its own, which is gone with it. */
export interface Momentary {
  readonly write: (integration: Integration) => Written
  readonly removeAll: () => void
}

export interface Written {
  readonly path: string
  readonly remove: () => void
}

// ----------------------------------------------------------------------------------- constructors

// Nothing is made before it is needed nor kept afterwards: an app that is killed cannot tidy up.
export const momentary = (): Momentary => {
  const standing = new Set<string>()
  const remove = (path: string, names: readonly string[]): void => {
    if (standing.delete(path) && !isRemoved(path, names)) {
      rmSync(path, { recursive: true, force: true })
    }
  }
  return {
    write: ({ files }) => {
      // mkdtemp makes it 0700.
      const path = mkdtempSync(join(placeForMoments(), 'session-recovery-'))
      standing.add(path)
      const texts = Object.entries(files(path))
      for (const [name, text] of texts) {
        writeFileSync(join(path, name), text, { mode: 0o600, flag: 'wx' })
      }
      return {
        path,
        remove: () =>
          remove(
            path,
            texts.map(([name]) => name),
          ),
      }
    },
    removeAll: () => {
      for (const path of [...standing]) remove(path, [])
    },
  }
}

// ------------------------------------------------------------------------------------ combinators

// In memory where the system has such a place, so that no value of a snapshot reaches a disk, and removing
// it costs nothing.
const placeForMoments = (): string => {
  const { TMPDIR } = process.env
  return TMPDIR === undefined && isWritableDirectory(memoryBacked) ? memoryBacked : tmpdir()
}
const memoryBacked = '/dev/shm'

const isWritableDirectory = (path: string): boolean => {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return false
    accessSync(path, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

// By name: to find out what there is takes several times as long, and a prompt waits for it.
const isRemoved = (path: string, names: readonly string[]): boolean => {
  try {
    for (const name of names) unlinkSync(join(path, name))
    rmdirSync(path)
    return true
  } catch {
    return false
  }
}
