/**
 * Reads all that counts and checks every line again: what was whole when it was written may have rotted
 * since, where nobody has looked.
 */
import * as E from 'fp-ts/lib/Either.js'
import { archiveHeadAt, archiveLocations } from './archive.js'
import type { Damage } from './damage.js'
import type { Disk, DiskFile } from './disk.js'
import { readLine } from './line.js'
import { lineReader } from './line-reader.js'
import { mostLimitBytes } from './option.js'
import type { GoOn } from './pace.js'
import type { Span } from './segment.js'
import { codeOf } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

/** A line that has rotted. */
export interface Rot extends Damage {
  /** The line as it stands there; `undefined`: too long to be one. */
  readonly content: Buffer | undefined
}

export interface Scrubbed {
  readonly lines: number
  readonly bytes: number
  readonly rot: readonly Rot[]
  /** Segments and archives that cannot be read, and why. */
  readonly unreadable: readonly Unreadable[]
  /** How many archives were read. */
  readonly archivesRead: number
  /** It was called off before it had seen everything. */
  readonly calledOff: boolean
}

export interface Unreadable {
  readonly location: string
  readonly problem: string
}

const longestLineBytes = 2 * mostLimitBytes + (8 << 20)

/** After how many bytes, or a longer line, others get a turn. */
export const turnBytes: number = 1 << 20

// ----------------------------------------------------------------------------------- constructors

/**
 * Checks what counts of `spans`, segments in `directory`/log, and every archive.
 *
 * @param counts whether a segment counts still; of one that does not nothing more is read.
 */
export const scrub = async (
  disk: Disk,
  directory: string,
  spans: readonly Span[],
  goOn: GoOn,
  counts: (segment: string) => boolean = () => true,
): Promise<Scrubbed> => {
  const found: Found = { rot: [], unreadable: [], lines: 0, bytes: 0 }
  const done = (archivesRead: number, calledOff: boolean) => ({ ...found, archivesRead, calledOff })
  for (const span of spans) {
    if (!(await scrubSegment(disk, `${directory}/log`, span, goOn, counts, found))) {
      return done(0, true)
    }
  }
  let archivesRead = 0
  for (const location of await archiveLocations(disk, directory)) {
    if (!(await goOn())) return done(archivesRead, true)
    const problem = await archiveProblem(disk, directory, location)
    // One that was dropped meanwhile is no loss.
    if (problem === 'dropped') continue
    archivesRead += 1
    if (problem !== undefined) found.unreadable.push({ location, problem })
  }
  return done(archivesRead, false)
}

interface Found {
  readonly rot: Rot[]
  readonly unreadable: Unreadable[]
  lines: number
  bytes: number
}

const archiveProblem = async (
  disk: Disk,
  directory: string,
  location: string,
): Promise<string | 'dropped' | undefined> => {
  try {
    const read = await archiveHeadAt(disk, directory, location)
    if (E.isRight(read)) return undefined
    return read.left._tag === 'NotFound' ? 'dropped' : read.left.message
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'dropped' : refusalOf(error)
  }
}

/** Why the disk did not give it; what is no error of the disk's is thrown on. */
const refusalOf = (error: unknown): string => {
  const code = codeOf(error)
  if (code === undefined) throw error
  return `it cannot be read: ${code}`
}

/** Whether to go on after it. */
const scrubSegment = async (
  disk: Disk,
  log: string,
  span: Span,
  goOn: GoOn,
  counts: (segment: string) => boolean,
  found: Found,
): Promise<boolean> => {
  try {
    const file = await disk.open(`${log}/${span.name}`)
    try {
      return await scrubLines(file, span, goOn, counts, found)
    } finally {
      await file.close()
    }
  } catch (error) {
    // A checkpoint has replaced it; what it held was checked by that.
    if (codeOf(error) === 'ENOENT' || !counts(span.name)) return true
    found.unreadable.push({ location: `log/${span.name}`, problem: refusalOf(error) })
    return true
  }
}

const scrubLines = async (
  file: DiskFile,
  { name, bytes: end }: Span,
  goOn: GoOn,
  counts: (segment: string) => boolean,
  found: Found,
): Promise<boolean> => {
  const reader = lineReader(file, end, longestLineBytes)
  let [read, lines, turn] = [0, 0, 0]
  for (let line = await reader.next(); line !== undefined; line = await reader.next()) {
    const { offset, content, number, bytes } = line
    lines += 1
    read += bytes
    turn += bytes
    found.lines += 1
    found.bytes += bytes
    const checked = content === undefined ? E.left('the line is too long') : readLine(content)
    if (E.isLeft(checked)) {
      const kept = content === undefined ? undefined : Buffer.from(content)
      const problem = checked.left
      found.rot.push({ segment: name, offset, bytes, line: number, problem, content: kept })
    }
    if (turn < turnBytes) continue
    turn = 0
    if (!(await goOn())) return false
    if (!counts(name)) return true
  }
  if (read < end) {
    const problem = `${end - read} bytes are missing`
    const content = Buffer.alloc(0)
    found.rot.push({ segment: name, offset: read, bytes: 0, line: lines + 1, problem, content })
  }
  return true
}
