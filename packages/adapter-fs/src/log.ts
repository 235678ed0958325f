/**
 * The log that is written: one queue, one write and one flush for all that waits in it.
 *
 * Nothing is acknowledged before its flush. When a write or a flush fails, everything that waits fails
 * with it (later commits may build on the failed one), and that file is never written again: its bytes
 * count up to the last good flush, and the next group goes to a new segment whose header says so.
 */
import type { StoreError } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { type Disk, type DiskFile, writeAll } from './disk.js'
import { headerLine, type Span, segmentName, segmentNumbers } from './segment.js'
import type { Extent } from './session-index.js'
import { codeOf, notOpen, owned, unavailable } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

export type Result = E.Either<StoreError, void>

/** Bytes to be appended, whole lines. */
export interface Write {
  readonly operation: string
  readonly bytes: Buffer
  /** Told where they stand once they are on the medium, in the order of the log. */
  readonly written: (at: Omit<Extent, 'bytes'>) => void
  /** Of the writes of one key that wait together only the one of the highest rank is made. */
  readonly latest?: { readonly key: string; readonly rank: Rank }
}

/** Compared number by number. */
export type Rank = readonly [number, number]

/** The segment that is being written. */
export interface ActiveSegment {
  readonly name: string
  readonly file: DiskFile
  /** Where the next group goes: all before it is on the medium. */
  readonly bytes: number
  readonly headerBytes: number
}

export interface Log {
  readonly append: (write: Write) => Promise<Result>
  /** Runs `work` while nothing is written; when it throws, the active segment is given up. */
  readonly alone: (operation: string, work: () => Promise<Result>) => Promise<Result>
  readonly active: () => ActiveSegment | undefined
  /** The segments that count but for the active one. */
  readonly closed: () => readonly Span[]
  /** Opens a segment if none is; only while nothing else is written. */
  readonly ensureActive: () => Promise<ActiveSegment>
  /** A name no segment has had, later than all. */
  readonly nextSequence: () => number
  /** From now on the log is this one segment. */
  readonly restart: (segment: ActiveSegment) => void
  /** Waits for the queue and closes; what comes later fails. */
  readonly close: () => Promise<void>
  /** The limit every segment's header declares. */
  readonly limitBytes: number
}

export interface LogOptions {
  readonly disk: Disk
  readonly directory: string
  readonly term: number
  readonly limitBytes: number
  readonly live: readonly Span[]
  /** Told before those who wait are, when what they wait for has failed. */
  readonly failed: () => void
}

interface Waiting {
  readonly operation: string
  readonly settle: ((result: Result) => void)[]
  work: Write | (() => Promise<Result>)
}

const groupBytes = 8 << 20

// ----------------------------------------------------------------------------------- constructors

/** A later owner has been here. */
class Fenced extends Error {}

/** Whether a segment of a later term stands in `directory`. */
export const isFenced = async (disk: Disk, directory: string, term: number): Promise<boolean> =>
  (await disk.list(directory)).some((name) => (segmentNumbers(name)?.term ?? 0) > term)

export const createLog = (options: LogOptions): Log => {
  const { disk, directory, term, limitBytes } = options
  const queue: Waiting[] = []
  const latest = new Map<string, Waiting>()
  let closed: readonly Span[] = options.live
  let active: ActiveSegment | undefined
  let sequence = 0
  let flushing: Promise<void> | undefined
  let ended = false

  const nextSequence = () => {
    sequence += 1
    return sequence
  }

  const ensureActive = async (): Promise<ActiveSegment> => {
    if (active !== undefined) return active
    if (await isFenced(disk, directory, term)) throw new Fenced()
    const number = nextSequence()
    const name = segmentName(term, number)
    const header = headerLine({
      term,
      sequence: number,
      limitBytes,
      whole: false,
      before: [...closed],
    })
    const file = await disk.create(`${directory}/${name}`).catch((error: unknown) => {
      throw codeOf(error) === 'EEXIST' ? new Fenced() : error
    })
    try {
      await writeAll(file, header, 0)
      await file.sync()
      await disk.syncDirectory(directory)
    } catch (error) {
      await file.close().catch(() => undefined)
      await disk.remove(`${directory}/${name}`).catch(() => undefined)
      throw error
    }
    active = { name, file, bytes: header.length, headerBytes: header.length }
    return active
  }

  // The file is written never again; what was flushed of it still counts.
  const giveUpActive = async () => {
    const given = active
    active = undefined
    if (given === undefined) return
    if (given.bytes > given.headerBytes) {
      closed = [...closed, { name: given.name, bytes: given.bytes }]
    }
    await given.file.close().catch(() => undefined)
  }

  const flushGroup = async (group: readonly Write[]) => {
    const segment = await ensureActive()
    const bytes = Buffer.concat(group.map((write) => write.bytes))
    await writeAll(segment.file, bytes, segment.bytes)
    await segment.file.sync()
    let offset = segment.bytes
    for (const write of group) {
      write.written({ segment: segment.name, offset })
      offset += write.bytes.length
    }
    active = { ...segment, bytes: offset }
  }

  const fail = async (group: readonly Waiting[], error: unknown) => {
    const failed = [...group, ...queue.splice(0)]
    latest.clear()
    options.failed()
    for (const { operation, settle } of failed) {
      const result: Result = E.left(
        error instanceof Fenced
          ? owned('another engine has taken the store over')
          : unavailable(operation, error),
      )
      for (const done of settle) done(result)
    }
    await giveUpActive()
  }

  const flush = async () => {
    await Promise.resolve()
    while (queue.length > 0) {
      const group = nextGroup(queue)
      for (const { work } of group) {
        if (typeof work !== 'function' && work.latest !== undefined) latest.delete(work.latest.key)
      }
      try {
        const [{ work } = { work: undefined }] = group
        const result = typeof work === 'function' ? await work() : E.right(undefined)
        if (typeof work !== 'function') await flushGroup(group.map(writeOf))
        for (const { settle } of group) for (const done of settle) done(result)
      } catch (error) {
        await fail(group, error)
      }
    }
    flushing = undefined
  }

  const enqueue = (waiting: Waiting) => {
    queue.push(waiting)
    flushing ??= flush()
  }

  const waitFor = (operation: string, work: Waiting['work']): Promise<Result> =>
    new Promise((settle) => {
      if (ended) {
        settle(E.left(notOpen(operation)))
        return
      }
      const only = typeof work === 'function' ? undefined : work.latest
      const before = only === undefined ? undefined : latest.get(only.key)
      if (only !== undefined && before !== undefined) {
        if (!isHigher(rankOf(before), only.rank)) before.work = work
        before.settle.push(settle)
        return
      }
      const waiting = { operation, settle: [settle], work }
      if (only !== undefined) latest.set(only.key, waiting)
      enqueue(waiting)
    })

  return {
    append: (write) => waitFor(write.operation, write),
    alone: (operation, work) => waitFor(operation, work),
    active: () => active,
    closed: () => closed,
    ensureActive,
    nextSequence,
    limitBytes,
    restart: (segment) => {
      closed = []
      active = segment
    },
    close: async () => {
      ended = true
      await flushing
      await giveUpActive()
    },
  }
}

const isHigher = (a: Rank, b: Rank): boolean => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1])

const rankOf = (waiting: Waiting): Rank => writeOf(waiting).latest?.rank ?? [0, 0]

const writeOf = ({ work }: Waiting): Write => {
  if (typeof work === 'function') throw new Error('work that runs alone is no write')
  return work
}

/** Takes from the queue what goes into one write and flush: one piece of lone work, or many writes. */
const nextGroup = (queue: Waiting[]): readonly Waiting[] => {
  let bytes = 0
  let taken = 0
  for (const { work } of queue) {
    if (typeof work === 'function') break
    bytes += work.bytes.length
    if (taken > 0 && bytes > groupBytes) break
    taken += 1
  }
  return queue.splice(0, Math.max(taken, 1))
}
