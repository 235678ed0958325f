/**
 * Reads all that counts and checks every line again: what was whole when it was written may have rotted
 * since, where nobody has looked.
 */
import * as E from 'fp-ts/lib/Either.js'
import { archiveHeadAt, archiveLocations } from './archive.js'
import type { Disk } from './disk.js'
import { readLine } from './line.js'
import { lineReader } from './line-reader.js'
import { mostLimitBytes } from './option.js'
import type { Span } from './segment.js'
import type { Damage } from './segment-load.js'
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
  /** Archives that cannot be read, and why. */
  readonly archives: readonly { readonly location: string; readonly problem: string }[]
  /** How many archives were read. */
  readonly archivesRead: number
  /** It was called off before it had seen everything. */
  readonly calledOff: boolean
}

/** Asked between pieces of work, so that others get their turn; false: enough. */
export type GoOn = () => Promise<boolean>

const longestLineBytes = 2 * mostLimitBytes + (8 << 20)

/** After how many bytes others get a turn. */
const turnBytes = 1 << 20

// ----------------------------------------------------------------------------------- constructors

/** Checks what counts of `spans`, segments in `directory`/log, and every archive. */
export const scrub = async (
  disk: Disk,
  directory: string,
  spans: readonly Span[],
  goOn: GoOn,
): Promise<Scrubbed> => {
  const rot: Rot[] = []
  const archives: { location: string; problem: string }[] = []
  let [lines, bytes, archivesRead, calledOff] = [0, 0, 0, false]
  for (const span of spans) {
    const read = await scrubSegment(disk, `${directory}/log`, span, goOn)
    rot.push(...read.rot)
    lines += read.lines
    bytes += read.bytes
    calledOff ||= read.calledOff
    if (calledOff) break
  }
  for (const location of await archiveLocations(disk, directory)) {
    calledOff ||= !(await goOn())
    if (calledOff) break
    const read = await archiveHeadAt(disk, directory, location)
    // One that was dropped meanwhile is no loss.
    if (E.isLeft(read) && read.left._tag === 'NotFound') continue
    archivesRead += 1
    if (E.isLeft(read)) archives.push({ location, problem: read.left.message })
  }
  return { lines, bytes, rot, archives, archivesRead, calledOff }
}

const scrubSegment = async (disk: Disk, log: string, { name, bytes: end }: Span, goOn: GoOn) => {
  const rot: Rot[] = []
  let [lines, bytes, turn] = [0, 0, 0]
  const done = (calledOff: boolean) => ({ lines, bytes, rot, calledOff })
  const file = await disk.open(`${log}/${name}`).catch((error: unknown) => {
    // A checkpoint has replaced it; what it held was checked by that.
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (file === undefined) return done(false)
  try {
    const reader = lineReader(file, end, longestLineBytes)
    for (let line = await reader.next(); line !== undefined; line = await reader.next()) {
      const { offset, content, number } = line
      lines += 1
      bytes += line.bytes
      turn += line.bytes
      const read = content === undefined ? E.left('the line is too long') : readLine(content)
      if (E.isLeft(read)) {
        rot.push({
          ...{ segment: name, offset, bytes: line.bytes, line: number, problem: read.left },
          content: content === undefined ? undefined : Buffer.from(content),
        })
      }
      if (turn < turnBytes) continue
      turn = 0
      if (!(await goOn())) return done(true)
    }
    if (bytes < end) {
      const problem = `${end - bytes} bytes are missing`
      const content = Buffer.alloc(0)
      rot.push({ segment: name, offset: bytes, bytes: 0, line: lines + 1, problem, content })
    }
    return done(false)
  } finally {
    await file.close()
  }
}
