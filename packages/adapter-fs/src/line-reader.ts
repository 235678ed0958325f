/**
 * Reads a file line by line in bounded memory, with the place of each line, and can leap over lines that
 * need not be read.
 */
import type { DiskFile } from './disk.js'

// ------------------------------------------------------------------------------------------ model

/** A stretch of the file up to and with a newline, or to the end that was asked for. */
export interface FoundLine {
  readonly offset: number
  readonly bytes: number
  /** Counted from 1. */
  readonly number: number
  /** `undefined`: longer than the limit, and therefore not kept. */
  readonly content: Buffer | undefined
}

export interface LineReader {
  /** The next line; `undefined` at the end. */
  readonly next: () => Promise<FoundLine | undefined>
  /** Goes to `offset`, where line `number` starts. */
  readonly seek: (offset: number, number: number) => void
}

const chunkBytes = 1 << 20
const newline = 0x0a

// ----------------------------------------------------------------------------------- constructors

/** Reads `file` up to byte `end`; a line of more than `limitBytes` is passed over without its content. */
export const lineReader = (file: DiskFile, end: number, limitBytes: number): LineReader => {
  let offset = 0
  let number = 1
  let held: Buffer = Buffer.alloc(0)
  let heldAt = 0

  const more = async (from: number): Promise<Buffer> =>
    from >= end ? Buffer.alloc(0) : file.read(from, Math.min(chunkBytes, end - from))

  const found = (bytes: number, content: Buffer | undefined): FoundLine => {
    const line = { offset, bytes, number, content }
    offset += bytes
    number += 1
    return line
  }

  // Finds the end of a line that is too long to keep, holding one piece of it at a time.
  const passOver = async (searched: number): Promise<FoundLine> => {
    let position = offset + searched
    for (;;) {
      const piece = await more(position)
      if (piece.length === 0) return found(position - offset, undefined)
      const stop = piece.indexOf(newline)
      if (stop >= 0) return found(position + stop + 1 - offset, undefined)
      position += piece.length
    }
  }

  const next = async (): Promise<FoundLine | undefined> => {
    if (offset >= end) return undefined
    if (offset < heldAt || offset >= heldAt + held.length) {
      held = await more(offset)
      heldAt = offset
      if (held.length === 0) return undefined
    }
    let searched = 0
    for (;;) {
      const start = offset - heldAt
      const stop = held.indexOf(newline, start + searched)
      if (stop >= 0) return found(stop + 1 - start, held.subarray(start, stop + 1))
      searched = held.length - start
      if (searched > limitBytes) return passOver(searched)
      const piece = await more(heldAt + held.length)
      if (piece.length === 0) return found(searched, held.subarray(start))
      held = Buffer.concat([held.subarray(start), piece])
      heldAt = offset
    }
  }

  return {
    next,
    seek: (to, line) => {
      offset = to
      number = line
    },
  }
}
