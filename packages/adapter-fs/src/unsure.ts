/**
 * What a killed owner wrote and never flushed is read like the rest, so it has to be flushed before
 * anything is built on it. What a power cut has torn in the middle of it is taken out first: once a header
 * lists the segment it passes for whole, and is leapt over.
 *
 * A flush that failed must not be asked for again: the system tells of an error once, drops what it could
 * not write, and the next flush of the same file succeeds without it. So the segment is written anew, and
 * takes the place of the one that cannot be trusted; whoever opens the store then reads the new one.
 */
import type { Damage } from './damage.js'
import { type Disk, writeAll, writeWhole } from './disk.js'
import type { LoadedLog } from './load.js'
import type { Place } from './place.js'

// ------------------------------------------------------------------------------------------ model

// For as long as this process runs: a later one cannot know, but nor does it find in memory what a disk
// has lost, once that memory was needed for something else.
const doubted = new WeakMap<Disk, Set<string>>()

const pieceBytes = 1 << 20

// ------------------------------------------------------------------------------------ combinators

/**
 * Writes segments anew without what is torn in them, which was set aside.
 *
 * @returns whether there were any: then the log has to be read again.
 */
export const takeOutTorn = async (
  disk: Disk,
  place: Place,
  { unsure, live, damages }: Pick<LoadedLog, 'unsure' | 'live' | 'damages'>,
): Promise<boolean> => {
  let any = false
  for (const name of unsure) {
    const bytes = live.find((span) => span.name === name)?.bytes ?? 0
    const torn = damages.filter((one) => one.torn && one.segment === name && one.offset < bytes)
    if (torn.length === 0) continue
    await writeAnew(disk, place.log, name, bytes, torn)
    any = true
  }
  return any
}

/** Rejects when something could not be flushed; opening the store anew is then the way to go on. */
export const flushUnsure = async (
  disk: Disk,
  place: Place,
  { unsure, live }: Pick<LoadedLog, 'unsure' | 'live'>,
): Promise<void> => {
  const doubts = doubted.get(disk) ?? new Set<string>()
  doubted.set(disk, doubts)
  for (const name of unsure) {
    const key = `${place.device}/${place.inode}/${name}`
    const bytes = live.find((span) => span.name === name)?.bytes ?? 0
    if (!doubts.has(key)) {
      const failed = await flushed(disk, `${place.log}/${name}`)
      if (failed === undefined) continue
      doubts.add(key)
      await writeAnew(disk, place.log, name, bytes)
      doubts.delete(key)
      // What was read may not be what was copied: it is read again.
      throw failed
    }
    await writeAnew(disk, place.log, name, bytes)
    doubts.delete(key)
    throw again(name)
  }
  if (unsure.length > 0) await disk.syncDirectory(place.log)
}

const again = (name: string): Error =>
  Object.assign(new Error(`${name} could not be flushed and was written anew`), { code: 'EAGAIN' })

/** What the flush failed with. */
const flushed = async (disk: Disk, path: string): Promise<unknown> => {
  const file = await disk.open(path)
  try {
    await file.sync()
    return undefined
  } catch (error) {
    return error
  } finally {
    await file.close()
  }
}

/** @param without stretches to leave out, in their order. */
const writeAnew = async (
  disk: Disk,
  directory: string,
  name: string,
  bytes: number,
  without: readonly Pick<Damage, 'offset' | 'bytes'>[] = [],
) => {
  const from = await disk.open(`${directory}/${name}`)
  try {
    await writeWhole(disk, directory, name, async (file) => {
      let done = 0
      let written = 0
      for (const next of [...without, { offset: bytes, bytes: 0 }]) {
        for (; done < next.offset; done += pieceBytes) {
          const piece = await from.read(done, Math.min(pieceBytes, next.offset - done))
          await writeAll(file, piece, written)
          written += piece.length
        }
        done = next.offset + next.bytes
      }
    })
  } finally {
    await from.close()
  }
}
