/**
 * Reads the whole log when a store is opened. Nothing is changed here: what has to be done about what was
 * found (set aside, remove, flush) is an answer, since a log of a later version must be left as it is.
 */
import * as E from 'fp-ts/lib/Either.js'
import { endBeforeBlanks } from './ahead.js'
import type { Disk } from './disk.js'
import { lineReader } from './line-reader.js'
import {
  declaredLimitBytes,
  findSegments,
  layoutOf,
  lineLimitBytes,
  type Span,
  segmentNumbers,
} from './segment.js'
import { type Damage, type Gathered, readSegment } from './segment-load.js'
import { SessionIndex } from './session-index.js'

// ------------------------------------------------------------------------------------------ model

export interface LoadedLog {
  readonly index: SessionIndex
  readonly projection: unknown
  readonly damages: readonly Damage[]
  /** The segments that count, in order. */
  readonly live: readonly Span[]
  /** Segments that may hold what is not yet on the medium. */
  readonly unsure: readonly string[]
  /** Segments that do not count. */
  readonly superseded: readonly string[]
  /** Names of segments that stand for something else than a file of our own. */
  readonly foreign: readonly string[]
  /** The highest term that has written here. */
  readonly term: number
  /** The highest limit that lines were written under. */
  readonly limitBytes: number
}

// ----------------------------------------------------------------------------------- constructors

/** Reads the log in `directory`; left: a later version wrote it. */
export const loadLog = async (
  disk: Disk,
  directory: string,
  limitBytes: number,
  journalEntriesPerSession: number,
): Promise<E.Either<string, LoadedLog>> => {
  const { own, foreign } = await segmentsIn(disk, directory)
  const { segments, newer } = await findSegments(disk, directory, own)
  if (newer !== undefined) return E.left(newer)

  const layout = layoutOf(segments)
  const into: Gathered = {
    index: new SessionIndex(journalEntriesPerSession),
    projection: undefined,
    damages: layout.missing.map(({ name, bytes }) => lost(name, 0, bytes)),
    newer: undefined,
  }
  const live: Span[] = []
  const superseded = [...layout.superseded]
  for (const { segment, bytes, durable } of layout.live) {
    const { name, sizeBytes, header } = segment
    if (sizeBytes < bytes) into.damages.push(lost(name, sizeBytes, bytes - sizeBytes))
    const file = await disk.open(`${directory}/${name}`)
    try {
      const counted = Math.min(bytes, sizeBytes)
      const end = durable ? counted : await endBeforeBlanks(file, counted)
      const reader = lineReader(file, end, lineLimitBytes(segment, limitBytes))
      const whole = E.isRight(header) && header.right.whole
      const last = segment === layout.live.at(-1)?.segment
      const read = await readSegment(name, reader, end, { durable, whole, last }, into)
      if (into.newer !== undefined) return E.left(into.newer)
      if (read.says) live.push({ name, bytes: read.end })
      else superseded.push(name)
    } finally {
      await file.close()
    }
  }
  const sure = new Set(layout.live.flatMap((found) => (found.durable ? [found.segment.name] : [])))
  return E.right({
    index: into.index,
    projection: into.projection,
    damages: into.damages,
    live,
    unsure: live.map(({ name }) => name).filter((name) => !sure.has(name)),
    superseded,
    foreign,
    term: segments.at(-1)?.term ?? 0,
    limitBytes: segments.reduce((most, found) => Math.max(most, declaredLimitBytes(found)), 0),
  })
}

const lost = (segment: string, offset: number, bytes: number): Damage => ({
  segment,
  offset,
  bytes: 0,
  line: 0,
  problem: `${bytes} bytes are missing`,
})

/** The names of segments in `directory`: files of our own, and what merely bears such a name. */
const segmentsIn = async (disk: Disk, directory: string) => {
  const own: string[] = []
  const foreign: string[] = []
  for (const name of await disk.list(directory)) {
    if (segmentNumbers(name) === undefined) continue
    const found = await disk.status(`${directory}/${name}`)
    if (found === undefined) continue
    if (found.kind === 'file' && found.links === 1) own.push(name)
    else foreign.push(name)
  }
  return { own, foreign }
}
