/**
 * The shelf: lines that wait for their group, in bytes outside the heap that are used again. As texts they would
 * outlive the young generation: the collector copies what does, twice, and looks through the whole heap the
 * sooner. In bytes that are made for them, it does a piece of that work each time some are made.
 */
import { type LineText, put } from './line.js'

// ------------------------------------------------------------------------------------------ model

/** Lines in bytes, one behind the other; of what was moved or dropped nothing is there any more. */
export interface Shelved {
  /** In bytes. */
  readonly length: number
  /** Copies them to `bytes`, where there is room for them, and drops them; returns where they end. */
  readonly move: (bytes: Buffer, at: number) => number
  readonly drop: () => void
}

interface Board {
  readonly bytes: Buffer
  used: number
  /** How many lie on it. */
  held: number
}

const boardBytes = 1 << 20
/** What is larger has bytes of its own. */
const widest = boardBytes / 4
/** What is kept of them while nothing waits. */
const spareBoards = 16

// ------------------------------------------------------------------------------------------ shelf

export class Shelf {
  #board: Board | undefined
  readonly #spare: Board[] = []

  /** Puts lines into bytes. Those that are never moved nor dropped are collected with what they lie on. */
  hold(lines: readonly LineText[]): Shelved {
    const length = lines.reduce((sum, line) => sum + line.length, 0)
    if (length > widest) {
      const bytes = Buffer.allocUnsafe(length)
      putAll(lines, bytes, 0)
      return shelved(bytes, 0, length, () => {})
    }
    const board = this.#with(length)
    const from = board.used
    board.used = putAll(lines, board.bytes, from)
    board.held += 1
    return shelved(board.bytes, from, length, () => this.#cleared(board))
  }

  #with(length: number): Board {
    const board = this.#board
    if (board !== undefined && board.used + length <= boardBytes) return board
    this.#board = this.#spare.pop() ?? {
      bytes: Buffer.allocUnsafeSlow(boardBytes),
      used: 0,
      held: 0,
    }
    return this.#board
  }

  #cleared(board: Board): void {
    board.held -= 1
    if (board.held > 0) return
    board.used = 0
    if (board !== this.#board && this.#spare.length < spareBoards) this.#spare.push(board)
  }
}

const putAll = (lines: readonly LineText[], bytes: Buffer, at: number): number =>
  lines.reduce((end, line) => put(line, bytes, end), at)

const shelved = (held: Buffer, from: number, length: number, cleared: () => void): Shelved => {
  let isThere = true
  const drop = (): void => {
    if (isThere) cleared()
    isThere = false
  }
  const move = (bytes: Buffer, at: number): number => {
    if (!isThere) throw new Error('lines were moved that are no longer there')
    held.copy(bytes, at, from, from + length)
    drop()
    return at + length
  }
  return { length, move, drop }
}
