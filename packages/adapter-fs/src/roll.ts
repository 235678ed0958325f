/**
 * The roll of a checkpoint: the heads of its sessions once more, side by side in a file of their own. Without it
 * a store that opens passes by every body between two heads, which is most of what a disk holds.
 *
 * The log is what counts. A roll that is missing, damaged, or of another checkpoint is passed over, and the
 * heads are read where they stand in the log. It consists of blocks, each a line that names its sessions
 * followed by their heads as they stand in the log; the last line names the checkpoint and the blocks, with a
 * checksum of each, so that all of them are checked before any session is believed.
 */
import { crc32 } from 'node:zlib'
import { count, decode, fieldAtFault, recordVersion, struct, text } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { Damage } from './damage.js'
import type { DiskFile } from './disk.js'
import { lineOf, readLine } from './line.js'
import { heldBy } from './session-head.js'
import type { Held } from './session-index.js'
import { statementOf } from './statement.js'

// ------------------------------------------------------------------------------------------ model

/** The version of the roll's format: one of another version is passed over. */
export const rollVersion = 1

/** Where a checkpoint's own line stands. */
export interface CheckpointPlace {
  readonly offset: number
  readonly bytes: number
  /** The number of the line. */
  readonly line: number
  readonly crc: number
}

/** The last line of a roll. */
export const RollStatement = struct('roll', {
  format: t.literal(rollVersion),
  /** The version of the records in it. */
  record: t.literal(recordVersion),
  segment: text,
  checkpoint: struct('checkpoint', { offset: count, bytes: count, line: count, crc: count }),
  /** Each key that a snapshot is sealed with, absent where it stands in clear, and a session that has one. */
  keys: t.array(struct('key', { sessionId: t.string }, { key: text })),
  blocks: t.array(struct('block', { bytes: count, crc: count })),
})
export type RollStatement = t.TypeOf<typeof RollStatement>

/** What the first line of a block says of its sessions, one item for each. */
interface Named {
  readonly ids: readonly string[]
  /** How long the heads are, in bytes. */
  readonly sizes: readonly number[]
  /** Where they stand in the segment. */
  readonly places: readonly number[]
  /** The numbers of those that cannot wait to be read. */
  readonly due: readonly number[]
}

/** A session whose head was read and not looked into yet. */
export class Packed {
  readonly #block: Block
  readonly #at: number

  constructor(block: Block, at: number) {
    this.#block = block
    this.#at = at
  }

  get held(): E.Either<Damage, Held> {
    return this.#block.heldAt(this.#at)
  }
}

// ------------------------------------------------------------------------------------------ block

/** Some sessions of a roll. */
export class Block {
  readonly #segment: string
  readonly #named: Named
  readonly #heads: Buffer
  readonly #starts: Uint32Array

  constructor(segment: string, named: Named, heads: Buffer, starts: Uint32Array) {
    this.#segment = segment
    this.#named = named
    this.#heads = heads
    this.#starts = starts
  }

  /** Its sessions, in the order of the checkpoint. */
  get ids(): readonly string[] {
    return this.#named.ids
  }

  /** Those that cannot wait to be read. */
  get due(): readonly string[] {
    return this.#named.due.flatMap((at) => this.#named.ids[at] ?? [])
  }

  heldAt(at: number): E.Either<Damage, Held> {
    const { ids, sizes, places } = this.#named
    const [start = 0, size = 0, offset = 0] = [this.#starts[at], sizes[at], places[at]]
    const found = headIn(this.#heads.subarray(start, start + size), ids[at])
    if (E.isLeft(found)) {
      const where = { segment: this.#segment, offset, bytes: size, line: 0 }
      return E.left({ ...where, problem: found.left, sessionId: ids[at] ?? '' })
    }
    return E.right(heldBy(found.right, this.#segment, offset + size))
  }
}

const headIn = (bytes: Buffer, sessionId: string | undefined) => {
  const line = readLine(bytes)
  if (E.isLeft(line)) return line
  const statement = statementOf(line.right)
  if (E.isLeft(statement)) return E.left(statement.left.problem)
  const { kind, said } = statement.right
  return kind === 'session' && said.sessionId === sessionId
    ? E.right(said)
    : E.left('session: sessionId: expected that of the roll')
}

// ----------------------------------------------------------------------------------- constructors

/** The name of the roll of a segment's checkpoint. */
export const rollName = (segment: string): string => segment.replace(/\.jsonl$/, '.roll')

/** The segment whose roll has this name; `undefined` for any other name. */
export const rolledSegment = (name: string): string | undefined =>
  name.endsWith('.roll') ? name.replace(/\.roll$/, '.jsonl') : undefined

/** A block of a roll, as it is written. */
export const blockBytes = (named: Named, heads: readonly Buffer[]): Buffer =>
  Buffer.concat([lineOf('block', named), ...heads])

export const crcOfBlock = (bytes: Buffer): number => crc32(bytes)

export const rollLine = (statement: RollStatement): Buffer =>
  lineOf('roll', RollStatement.encode(statement))

// ------------------------------------------------------------------------------------ combinators

/** What a roll tells. */
export interface Roll {
  readonly statement: RollStatement
  readonly blocks: readonly Block[]
}

const lastLineBytes = 64 << 10

/** Reads a roll of `sizeBytes` and checks all of it; left: what is wrong with it. */
export const readRoll = async (
  file: DiskFile,
  sizeBytes: number,
  segment: string,
): Promise<E.Either<string, Roll>> => {
  const statement = await lastLineOf(file, sizeBytes)
  if (E.isLeft(statement)) return statement
  if (statement.right.segment !== segment) return E.left('roll: that of another segment')
  const blocks: Block[] = []
  let from = 0
  for (const { bytes, crc } of statement.right.blocks) {
    const content = await file.read(from, bytes)
    from += bytes
    if (content.length !== bytes || crc32(content) !== crc) return E.left('block: a wrong checksum')
    const block = blockIn(content, statement.right)
    if (E.isLeft(block)) return block
    blocks.push(block.right)
  }
  return E.right({ statement: statement.right, blocks })
}

const lastLineOf = async (
  file: DiskFile,
  sizeBytes: number,
): Promise<E.Either<string, RollStatement>> => {
  for (let tail = Math.min(lastLineBytes, sizeBytes); ; tail = Math.min(tail * 4, sizeBytes)) {
    const bytes = await file.read(sizeBytes - tail, tail)
    const start = bytes.lastIndexOf('\n', -2) + 1
    if (start === 0 && tail < sizeBytes) continue
    const line = readLine(bytes.subarray(start))
    if (E.isLeft(line)) return line
    if (line.right.kind !== 'roll') return E.left('roll: no last line')
    const payload = line.right.payload()
    if (E.isLeft(payload)) return payload
    const read = decode(RollStatement, 'roll')(payload.right)
    return E.isLeft(read) ? E.left(fieldAtFault(read.left)) : read
  }
}

const areTexts = (list: unknown): list is readonly string[] =>
  Array.isArray(list) && list.every((one) => typeof one === 'string')

const areCounts = (list: unknown): list is readonly number[] =>
  Array.isArray(list) && list.every((one) => Number.isSafeInteger(one) && one >= 0)

// Its checksum is right: what is looked at is that it says what can be used, and quickly, for there are many.
const namedIn = (line: Buffer): Named | undefined => {
  const read = readLine(line)
  if (E.isLeft(read) || read.right.kind !== 'block') return undefined
  const payload = read.right.payload()
  if (E.isLeft(payload)) return undefined
  const { ids, sizes, places, due } = (payload.right ?? {}) as {
    readonly [K in keyof Named]?: unknown
  }
  return areTexts(ids) &&
    areCounts(sizes) &&
    areCounts(places) &&
    areCounts(due) &&
    ids.length === sizes.length &&
    ids.length === places.length
    ? { ids, sizes, places, due }
    : undefined
}

const blockIn = (
  bytes: Buffer,
  { segment, checkpoint }: RollStatement,
): E.Either<string, Block> => {
  const start = bytes.indexOf('\n') + 1
  const named = namedIn(bytes.subarray(0, start))
  if (named === undefined) return E.left('block: it says nothing that can be used')
  const heads = bytes.subarray(start)
  const starts = new Uint32Array(named.sizes.length)
  let [end, free] = [0, 0]
  for (let at = 0; at < starts.length; at++) {
    const [size = 0, place = 0] = [named.sizes[at], named.places[at]]
    if (place < free) return E.left('block: a place before the one before it')
    starts[at] = end
    end += size
    free = place + size
  }
  if (end !== heads.length) return E.left('block: heads are missing')
  if (free > checkpoint.offset) return E.left('block: a place behind the checkpoint')
  return E.right(new Block(segment, named, heads, starts))
}
