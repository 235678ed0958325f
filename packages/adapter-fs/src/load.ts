/**
 * Reads the whole log when a store is opened. Nothing is changed here: what has to be done about what was
 * found (set aside, remove, flush) is an answer, since a log of a later version must be left as it is.
 */
import * as E from 'fp-ts/lib/Either.js'
import { endBeforeBlanks } from './ahead.js'
import type { Damage } from './damage.js'
import type { Disk, DiskFile } from './disk.js'
import { lineAt } from './extent-read.js'
import { lineReader } from './line-reader.js'
import {
  type CheckpointPlace,
  Packed,
  type Roll,
  type RollStatement,
  readRoll,
  rolledSegment,
  rollName,
} from './roll.js'
import {
  declaredLimitBytes,
  findSegments,
  layoutOf,
  lineLimitBytes,
  type Span,
  segmentNumbers,
} from './segment.js'
import { type Gathered, readSegment } from './segment-load.js'
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
  /** The rolls of segments, whatever they are worth. */
  readonly rolls: readonly string[]
  /** The roll that was read instead of the heads in the log. */
  readonly roll: RollStatement | undefined
  /** Why the log was read although it has a roll. */
  readonly rollProblem: string | undefined
  /** Names of segments that stand for something else than a file of our own. */
  readonly foreign: readonly string[]
  /** The highest term that has written here. */
  readonly term: number
  /** The highest limit that lines were written under. */
  readonly limitBytes: number
}

// ----------------------------------------------------------------------------------- constructors

/**
 * Reads the log in `directory`; left: a later version wrote it.
 *
 * @param how `fromRoll`: of a checkpoint that has a roll the heads are read there, not in the log.
 */
export const loadLog = async (
  disk: Disk,
  directory: string,
  limitBytes: number,
  journalEntriesPerSession: number,
  how: { readonly fromRoll: boolean } = { fromRoll: false },
): Promise<E.Either<string, LoadedLog>> => {
  const { own, foreign, rolls } = await segmentsIn(disk, directory)
  const { segments, newer } = await findSegments(disk, directory, own)
  if (newer !== undefined) return E.left(newer)

  const layout = layoutOf(segments)
  const into: Gathered = {
    index: new SessionIndex(journalEntriesPerSession),
    projection: undefined,
    damages: layout.missing.map(({ name, bytes }) => lost(name, 0, bytes)),
    newer: undefined,
  }
  into.index.unusable = (damage) => into.damages.push(damage)
  const live: Span[] = []
  const superseded = [...layout.superseded]
  let roll: E.Either<string, Roll | undefined> = E.right(undefined)
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
      const isRolled = how.fromRoll && whole && live.length === 0 && rolls.includes(rollName(name))
      if (isRolled) roll = await rollOf(disk, directory, name, file, end)
      const from = isRolled && E.isRight(roll) ? take(roll.right, into) : undefined
      const read = await readSegment(name, reader, end, { durable, whole, last }, into, from)
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
    rolls,
    roll: E.isRight(roll) ? roll.right?.statement : undefined,
    rollProblem: E.isLeft(roll) ? roll.left : undefined,
    foreign,
    term: segments.at(-1)?.term ?? 0,
    limitBytes: segments.reduce((most, found) => Math.max(most, declaredLimitBytes(found)), 0),
  })
}

/** The roll of a segment of which `end` bytes count, if it is that of the checkpoint which stands there. */
const rollOf = async (
  disk: Disk,
  directory: string,
  segment: string,
  file: DiskFile,
  end: number,
): Promise<E.Either<string, Roll>> => {
  const path = `${directory}/${rollName(segment)}`
  try {
    const status = await disk.status(path)
    if (status?.kind !== 'file' || status.links !== 1)
      return E.left('not a regular file of its own')
    const from = await disk.open(path)
    try {
      const roll = await readRoll(from, status.sizeBytes, segment)
      if (E.isLeft(roll)) return roll
      const isThere = await isCheckpointAt(file, segment, roll.right.statement.checkpoint, end)
      return isThere ? roll : E.left('checkpoint: another one stands in the log')
    } finally {
      await from.close()
    }
  } catch (error) {
    return E.left(error instanceof Error ? error.message : String(error))
  }
}

const isCheckpointAt = async (
  file: DiskFile,
  segment: string,
  { offset, bytes, crc }: CheckpointPlace,
  end: number,
): Promise<boolean> => {
  if (offset + bytes > end) return false
  const content = await file.read(offset, bytes)
  const line = lineAt(content, { segment, offset, bytes }, 'checkpoint')
  return E.isRight(line) && line.right.crc === crc
}

/** Takes the sessions of a roll over; answers where the log is to be read from. */
const take = (roll: Roll | undefined, { index }: Gathered) => {
  if (roll === undefined) return undefined
  for (const block of roll.blocks) {
    const { ids } = block
    for (let at = 0; at < ids.length; at++) index.fold(ids[at] ?? '', new Packed(block, at))
  }
  for (const { due } of roll.blocks) for (const sessionId of due) index.get(sessionId)
  return roll.statement.checkpoint
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
  const rolls: string[] = []
  for (const name of await disk.list(directory)) {
    const rolled = rolledSegment(name)
    if (rolled !== undefined && segmentNumbers(rolled) !== undefined) rolls.push(name)
    if (segmentNumbers(name) === undefined) continue
    const found = await disk.status(`${directory}/${name}`)
    if (found === undefined) continue
    if (found.kind === 'file' && found.links === 1) own.push(name)
    else foreign.push(name)
  }
  return { own, foreign, rolls }
}
