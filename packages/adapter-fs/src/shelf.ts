/**
 * The shelf: large lines that wait for their group, in bytes outside the heap that are used again. As texts
 * they would outlive the young generation: the collector copies what does, twice, and looks through the whole
 * heap the sooner.
 */
import { bytesOf, type LineText, put } from './line.js'

// ------------------------------------------------------------------------------------------ model

/** A line in bytes; of what was moved or dropped nothing is there any more. */
export interface Shelved {
  /** In bytes. */
  readonly length: number
  /** Copies it to `bytes`, where there is room for it, and drops it; returns where it ends. */
  readonly move: (bytes: Buffer, at: number) => number
  readonly drop: () => void
}

interface Board {
  readonly bytes: Buffer
  used: number
  /** How many lines lie on it. */
  lines: number
}

const boardBytes = 1 << 20
/** A larger line has bytes of its own. */
const widest = boardBytes / 4
/** What is kept of them while nothing waits. */
const spareBoards = 16

// ------------------------------------------------------------------------------------------ shelf

export class Shelf {
  #board: Board | undefined
  readonly #spare: Board[] = []

  /** Puts a line into bytes. One that is never moved nor dropped is collected with what it lies on. */
  hold(line: LineText): Shelved {
    const { length } = line
    if (length > widest) return shelved(bytesOf(line), 0, length, () => {})
    const board = this.#with(length)
    const from = board.used
    board.used = put(line, board.bytes, from)
    board.lines += 1
    return shelved(board.bytes, from, length, () => this.#cleared(board))
  }

  #with(length: number): Board {
    const board = this.#board
    if (board !== undefined && board.used + length <= boardBytes) return board
    this.#board = this.#spare.pop() ?? {
      bytes: Buffer.allocUnsafeSlow(boardBytes),
      used: 0,
      lines: 0,
    }
    return this.#board
  }

  #cleared(board: Board): void {
    board.lines -= 1
    if (board.lines > 0) return
    board.used = 0
    if (board !== this.#board && this.#spare.length < spareBoards) this.#spare.push(board)
  }
}

const shelved = (held: Buffer, from: number, length: number, cleared: () => void): Shelved => {
  let isThere = true
  const drop = (): void => {
    if (isThere) cleared()
    isThere = false
  }
  const move = (bytes: Buffer, at: number): number => {
    if (!isThere) throw new Error('a line was moved that is no longer there')
    held.copy(bytes, at, from, from + length)
    drop()
    return at + length
  }
  return { length, move, drop }
}
