/**
 * Blanks written ahead of the log. A flush of a file that has grown has to write the file's new size, too, and
 * with it whatever other programs changed about other files; a flush of what was written over blanks has not.
 *
 * A line ends in its newline, and what reads JSON or text passes blanks over: what is left of them behind the
 * last line says nothing, and is no damage.
 */
import { type Disk, type DiskFile, writeAll } from './disk.js'
import type { Shelved } from './shelf.js'
import { codeOf } from './store-error.js'

const blank = 0x20

/** What a group is put together in, used again for the next one: only one is written at a time. */
export class Room {
  #bytes = Buffer.alloc(0)

  /** So many bytes, whatever they say. */
  of(bytes: number): Buffer {
    if (bytes > roomLimit) return Buffer.allocUnsafe(bytes)
    if (bytes > this.#bytes.length) {
      this.#bytes = Buffer.allocUnsafeSlow(Math.min(roomLimit, 2 * bytes))
    }
    return this.#bytes.subarray(0, bytes)
  }
}

const roomLimit = 1 << 20
const noRoom: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/**
 * Writes all of `lines`, one behind the other, at `position`. Where that goes beyond `writtenBytes`, up to where
 * the file is written, blanks are written behind it, if the disk has room for them. They are put together in
 * `room`, which is free again afterwards; what lay on a shelf is moved there.
 *
 * @returns up to where the file is written now.
 */
export const writeAhead = async (
  { aheadBytes = 0 }: Disk,
  file: DiskFile,
  lines: readonly (Buffer | Shelved)[],
  position: number,
  writtenBytes: number,
  room: Room,
): Promise<number> => {
  const length = lines.reduce((sum, line) => sum + line.length, 0)
  const end = position + length
  const blanks = end > writtenBytes ? aheadBytes : 0
  const bytes = joined(lines, room.of(length + blanks))
  if (blanks > 0) {
    try {
      await writeAll(file, bytes, position)
      return end + blanks
    } catch (error) {
      if (!noRoom.has(codeOf(error))) throw error
    }
  }
  await writeAll(file, bytes.subarray(0, length), position)
  return Math.max(end, writtenBytes)
}

const joined = (lines: readonly (Buffer | Shelved)[], bytes: Buffer): Buffer => {
  let at = 0
  for (const line of lines) {
    at = 'move' in line ? line.move(bytes, at) : at + line.copy(bytes, at)
  }
  return bytes.fill(blank, at)
}

const pieceBytes = 64 << 10

/** Where the blanks begin that end the first `end` bytes of a file; `end` where there are none. */
export const endBeforeBlanks = async (file: DiskFile, end: number): Promise<number> => {
  for (let from = end; from > 0; ) {
    const start = Math.max(0, from - pieceBytes)
    const piece = await file.read(start, from - start)
    const last = piece.findLastIndex((byte) => byte !== blank)
    if (last >= 0) return start + last + 1
    from = start
  }
  return 0
}
