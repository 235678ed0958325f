/**
 * Reads single lines back from where they stand. Files are opened for each use and closed after it, so
 * that a checkpoint may remove them at any time: who comes too late looks the place up again.
 */
import type { JournalEntry } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Disk, DiskFile } from './disk.js'
import { type Line, readLine } from './line.js'
import type { Extent, HeldSnapshot } from './session-index.js'
import { statementOf } from './statement.js'

// ------------------------------------------------------------------------------------------ model

/** Open segments, for one piece of work. */
export interface SegmentFiles {
  readonly bytes: (extent: Extent) => Promise<Buffer>
  readonly close: () => Promise<void>
}

// ----------------------------------------------------------------------------------- constructors

export const segmentFiles = (disk: Disk, directory: string): SegmentFiles => {
  const open = new Map<string, Promise<DiskFile>>()
  const fileOf = (name: string): Promise<DiskFile> => {
    const file = open.get(name) ?? disk.open(`${directory}/${name}`)
    open.set(name, file)
    return file
  }
  return {
    bytes: async ({ segment, offset, bytes }) => {
      const file = await fileOf(segment)
      return readAgain(() => file.read(offset, bytes))
    },
    close: async () => {
      for (const file of open.values()) {
        await file.then((opened) => opened.close()).catch(() => undefined)
      }
    },
  }
}

// ------------------------------------------------------------------------------------ combinators

// A checkpoint reads a line for each entry and each body: of so many reads one may fail for the moment.
const readTries = 3

const readAgain = async (read: () => Promise<Buffer>): Promise<Buffer> => {
  for (let left = readTries; ; left--) {
    try {
      return await read()
    } catch (error) {
      if (left <= 1) throw error
    }
  }
}

/** Names a place for a person. */
export const placeName = ({ segment, offset }: Extent): string => `${segment}: byte ${offset}`

/** What stands at `extent`: a line of one of `kinds`, or what is wrong with it. */
export const lineAt = (
  bytes: Buffer,
  extent: Extent,
  ...kinds: readonly string[]
): E.Either<string, Line> => {
  const line = readLine(bytes)
  if (E.isLeft(line)) return E.left(`${placeName(extent)}: ${line.left}`)
  return kinds.includes(line.right.kind)
    ? line
    : E.left(`${placeName(extent)}: expected ${kinds.join(' or ')}, got ${line.right.kind}`)
}

/** The line of a snapshot's own body. */
export const bodyAt = (bytes: Buffer, { body, bodyCrc }: HeldSnapshot): E.Either<string, Line> => {
  const line = lineAt(bytes, body, 'body', 'sealed')
  return E.isLeft(line) || line.right.crc === bodyCrc
    ? line
    : E.left(`${placeName(body)}: body: that of another snapshot`)
}

/**
 * The journal entry that a `commit` or an `entry` line holds; with `sessionId`, of that session alone.
 * `newer`: a later version wrote it, and nothing is wrong with it.
 */
export const entryAt = (
  bytes: Buffer,
  extent: Extent,
  sessionId?: string,
): E.Either<{ readonly problem: string; readonly newer: boolean }, JournalEntry> => {
  const line = lineAt(bytes, extent, 'commit', 'entry')
  if (E.isLeft(line)) return E.left({ problem: line.left, newer: false })
  const statement = statementOf(line.right)
  if (E.isLeft(statement)) {
    const { problem, newer } = statement.left
    return E.left({ problem: `${placeName(extent)}: ${problem}`, newer })
  }
  const { kind, said } = statement.right
  const entry = kind === 'commit' ? said.entry : kind === 'entry' ? said : undefined
  if (entry !== undefined && (sessionId === undefined || entry.sessionId === sessionId)) {
    return E.right(entry)
  }
  const problem = `${placeName(extent)}: entry: sessionId: expected that of the session`
  return E.left({ problem, newer: false })
}

/** The encoded entry of a `commit` line, without decoding it. */
export const rawEntry = (line: Line): unknown => {
  const payload = line.payload()
  if (E.isLeft(payload)) return undefined
  return (payload.right as { readonly entry?: unknown } | null | undefined)?.entry
}
