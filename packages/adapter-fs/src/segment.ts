/**
 * Segments: the files the log is made of, and the rule that says which of them count.
 *
 * The newest segment's header is the manifest: it lists the segments before it and how many bytes of each
 * count. Whatever is not listed, or was appended to a listed one later, does not count: the remains of a
 * checkpoint, bytes whose flush failed, and what a former owner wrote after it had lost the store.
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Disk } from './disk.js'
import { lineOf, readLine } from './line.js'
import { lineReader } from './line-reader.js'
import { formatVersion, type SegmentHeader, statementOf } from './statement.js'

// ------------------------------------------------------------------------------------------ model

/** A segment that counts, and how much of it. */
export interface Span {
  readonly name: string
  readonly bytes: number
}

/** A segment as it was found. */
export interface FoundSegment {
  readonly name: string
  readonly term: number
  readonly sequence: number
  readonly sizeBytes: number
  /** The header, or what is wrong with it. */
  readonly header: E.Either<string, SegmentHeader>
}

/** Which of the segments found make up the log. */
export interface Layout {
  /** In the order in which they are to be read. */
  readonly live: readonly {
    readonly segment: FoundSegment
    /** Bytes that count; what is beyond them is ignored. */
    readonly bytes: number
    /** All of these bytes are known to be on the medium. */
    readonly durable: boolean
  }[]
  /** Listed by the manifest, but not there. */
  readonly missing: readonly Span[]
  readonly superseded: readonly string[]
}

// ----------------------------------------------------------------------------------- constructors

const digits = 8
const namePattern = /^(\d{8,15})-(\d{8,15})\.jsonl$/

export const segmentName = (term: number, sequence: number): string =>
  `${String(term).padStart(digits, '0')}-${String(sequence).padStart(digits, '0')}.jsonl`

/** The term and the sequence in a segment's name; `undefined` for any other name. */
export const segmentNumbers = (
  name: string,
): { readonly term: number; readonly sequence: number } | undefined => {
  const found = namePattern.exec(name)
  if (found === null) return undefined
  const numbers = { term: Number(found[1]), sequence: Number(found[2]) }
  return segmentName(numbers.term, numbers.sequence) === name ? numbers : undefined
}

/** The first line of a segment. */
export const headerLine = (header: Omit<SegmentHeader, 'format'>): Buffer =>
  lineOf('segment', { format: formatVersion, ...header })

// ------------------------------------------------------------------------------------ combinators

const headerLimitBytes = 4 << 20

/** Looks at the header of each segment; `newer` says which was written by a later version. */
export const findSegments = async (
  disk: Disk,
  directory: string,
  names: readonly string[],
): Promise<{ readonly segments: readonly FoundSegment[]; readonly newer: string | undefined }> => {
  const segments: FoundSegment[] = []
  let newer: string | undefined
  for (const name of names) {
    const numbers = segmentNumbers(name)
    if (numbers === undefined) continue
    const path = `${directory}/${name}`
    const sizeBytes = (await disk.status(path))?.sizeBytes ?? 0
    const file = await disk.open(path)
    try {
      const line = await lineReader(file, sizeBytes, headerLimitBytes).next()
      const header = headerIn(line?.content ?? Buffer.alloc(0), numbers)
      if (E.isLeft(header) && header.left.newer) newer ??= `${name}: ${header.left.problem}`
      segments.push({
        name,
        ...numbers,
        sizeBytes,
        header: E.isLeft(header) ? E.left(header.left.problem) : header,
      })
    } finally {
      await file.close()
    }
  }
  segments.sort((a, b) => a.term - b.term || a.sequence - b.sequence)
  return { segments, newer }
}

const headerIn = (
  content: Buffer,
  numbers: { readonly term: number; readonly sequence: number },
): E.Either<{ readonly problem: string; readonly newer: boolean }, SegmentHeader> => {
  const line = readLine(content)
  if (E.isLeft(line)) return E.left({ problem: line.left, newer: false })
  const statement = statementOf(line.right)
  if (E.isLeft(statement)) return statement
  if (statement.right.kind !== 'segment') {
    return E.left({ problem: 'segment: no header', newer: false })
  }
  const header = statement.right.said
  return header.term === numbers.term && header.sequence === numbers.sequence
    ? E.right(header)
    : E.left({ problem: 'segment: its name says another term or sequence', newer: false })
}

/**
 * Which segments count. Where the newest header is damaged, the one before it is the manifest, and the
 * damaged segments count after it: that may bring back what had not been acknowledged, and loses nothing.
 */
export const layoutOf = (segments: readonly FoundSegment[]): Layout => {
  const newest = segments.findLastIndex(({ header }) => E.isRight(header))
  const header = segments[newest]?.header
  const before = header !== undefined && E.isRight(header) ? header.right.before : []
  const byName = new Map(segments.map((segment) => [segment.name, segment]))
  const listed = before.flatMap(({ name, bytes }) => {
    const segment = byName.get(name)
    return segment === undefined ? [] : [{ segment, bytes, durable: true }]
  })
  const last = segments
    .slice(Math.max(newest, 0))
    .map((segment) => ({ segment, bytes: segment.sizeBytes, durable: false }))
  const live = [...listed, ...last]
  const counted = new Set(live.map(({ segment }) => segment.name))
  return {
    live,
    missing: before.filter(({ name }) => !byName.has(name)),
    superseded: segments.flatMap(({ name }) => (counted.has(name) ? [] : [name])),
  }
}

/** What a checkpoint's head may hold besides a record and a snapshot's view: the sizes of its journal. */
const headBytes = 4 << 20

/**
 * The longest line that is read of a segment: twice what was accepted (a checkpoint has a record and a view
 * in one line), by the limit in force then or now, whichever is higher.
 */
export const lineLimitBytes = (segment: FoundSegment, limitBytes: number): number =>
  2 * Math.max(declaredLimitBytes(segment), limitBytes) + headBytes

/** The limit in force when the segment was written. */
export const declaredLimitBytes = ({ header }: FoundSegment): number =>
  E.isRight(header) ? header.right.limitBytes : 0
