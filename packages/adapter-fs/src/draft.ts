/**
 * A file that is filled from its beginning, in large pieces.
 */
import { type DiskFile, writeAll } from './disk.js'
import type { Extent } from './session-index.js'

/** How much is written at once. */
export const pieceBytes: number = 1 << 20

/** Where its lines go, and how much of it there is. */
export class Draft {
  readonly file: DiskFile
  readonly name: string
  readonly #pieces: Buffer[] = []
  /** How many lines were added, each by itself. */
  lines = 0
  #waiting = 0
  #written = 0

  constructor(file: DiskFile, name: string) {
    this.file = file
    this.name = name
  }

  get bytes(): number {
    return this.#written + this.#waiting
  }

  /** Adds whole lines; returns where they will stand. */
  add(lines: Buffer): Extent {
    const extent = { segment: this.name, offset: this.bytes, bytes: lines.length }
    this.#pieces.push(lines)
    this.#waiting += lines.length
    this.lines += 1
    return extent
  }

  async flush(least: number): Promise<void> {
    if (this.#waiting < least || this.#waiting === 0) return
    const piece = Buffer.concat(this.#pieces)
    await writeAll(this.file, piece, this.#written)
    this.#written += piece.length
    this.#waiting = 0
    this.#pieces.length = 0
  }
}
