/**
 * The log that is written: one queue, one write and one flush for all that waits in it.
 *
 * Nothing is acknowledged before its flush. When a write or a flush fails, everything that waits fails
 * with it (later commits may build on the failed one), and that file is never written again: its bytes
 * count up to the last good flush, and the next group goes to a new segment whose header says so.
 */
import type { StoreError } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { Room, writeAhead } from './ahead.js'
import type { Disk, DiskFile } from './disk.js'
import type { LineText } from './line.js'
import { headerLine, type Span, segmentName, segmentNumbers } from './segment.js'
import type { Extent } from './session-index.js'
import { Shelf, type Shelved } from './shelf.js'
import { codeOf, notOpen, owned, unavailable } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

export type Result = E.Either<StoreError, void>

/** Lines to be appended. */
export interface Write {
  readonly operation: string
  readonly lines: readonly LineText[]
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
  /** Up to where the file is written: behind `bytes` with blanks. */
  readonly writtenBytes: number
  readonly headerBytes: number
}

export interface LogOptions {
  readonly disk: Disk
  readonly directory: string
  readonly term: number
  readonly limitBytes: number
  readonly live: readonly Span[]
  /** Told before those who wait are, when what they wait for has failed. */
  readonly failed: () => void
  /** Milliseconds that never run backwards. Absent: a later owner is seen with the next segment alone. */
  readonly monotonicMs?: () => number
}

/** A write that waits. */
interface Queued extends Pick<Write, 'written' | 'latest'> {
  readonly lines: Shelved
}

interface Waiting {
  readonly operation: string
  readonly settle: ((result: Result) => void)[]
  work: Queued | (() => Promise<Result>)
}

const groupBytes = 8 << 20

/**
 * How long a former owner may go on before it looks whether there is a later one. The kernel keeps two from
 * owning a store at once, but not where each has a network of its own, as containers do.
 */
const fenceLookMs = 250

// -------------------------------------------------------------------------------------------- log

/** A later owner has been here. */
class Fenced extends Error {}

/** Whether a segment of a later term stands in `directory`. */
export const isFenced = async (disk: Disk, directory: string, term: number): Promise<boolean> =>
  (await disk.list(directory)).some((name) => (segmentNumbers(name)?.term ?? 0) > term)

export class Log {
  readonly #options: LogOptions
  readonly #queue: Waiting[] = []
  readonly #latest = new Map<string, Waiting>()
  readonly #room = new Room()
  readonly #shelf = new Shelf()
  #closed: readonly Span[]
  #active: ActiveSegment | undefined
  #sequence = 0
  #flushing: Promise<void> | undefined
  #ended = false
  #lookedMs: number

  constructor(options: LogOptions) {
    this.#options = options
    this.#lookedMs = options.monotonicMs?.() ?? 0
    this.#closed = options.live
  }

  /** The limit every segment's header declares. */
  get limitBytes(): number {
    return this.#options.limitBytes
  }

  get active(): ActiveSegment | undefined {
    return this.#active
  }

  /** The segments that count but for the active one. */
  get closed(): readonly Span[] {
    return this.#closed
  }

  /** Answers once `write` is on the medium. */
  append(write: Write): Promise<Result> {
    return this.#waitFor(write.operation, write)
  }

  /** Runs `work` while nothing is written; when it throws, the active segment is given up. */
  alone(operation: string, work: () => Promise<Result>): Promise<Result> {
    return this.#waitFor(operation, work)
  }

  /** A number no segment of this term has had, higher than all. */
  nextSequence(): number {
    this.#sequence += 1
    return this.#sequence
  }

  /** Opens a segment if none is; only while nothing else is written. */
  async ensureActive(): Promise<ActiveSegment> {
    if (this.#active !== undefined) return this.#active
    const { disk, directory, term, limitBytes } = this.#options
    if (await isFenced(disk, directory, term)) throw new Fenced()
    const sequence = this.nextSequence()
    const name = segmentName(term, sequence)
    const path = `${directory}/${name}`
    const before = [...this.#closed]
    const header = headerLine({ term, sequence, limitBytes, whole: false, before })
    const file = await disk.create(path).catch((error: unknown) => {
      throw codeOf(error) === 'EEXIST' ? new Fenced() : error
    })
    try {
      const writtenBytes = await writeAhead(disk, file, [header], 0, 0, this.#room)
      await file.sync()
      await disk.syncDirectory(directory)
      const bytes = header.length
      this.#active = { name, file, bytes, writtenBytes, headerBytes: bytes }
      return this.#active
    } catch (error) {
      await file.close().catch(() => undefined)
      await disk.remove(path).catch(() => undefined)
      throw error
    }
  }

  /** From now on the log is this one segment. */
  restart(segment: ActiveSegment): void {
    this.#closed = []
    this.#active = segment
  }

  /** Waits for the queue and closes; what comes later fails. */
  async close(): Promise<void> {
    this.#ended = true
    await this.#flushing
    await this.#giveUpActive()
  }

  #waitFor(operation: string, work: Write | (() => Promise<Result>)): Promise<Result> {
    return new Promise((settle) => {
      if (this.#ended) {
        settle(E.left(notOpen(operation)))
        return
      }
      const only = typeof work === 'function' ? undefined : work.latest
      const before = only === undefined ? undefined : this.#latest.get(only.key)
      if (only !== undefined && before !== undefined) {
        if (!isHigher(rankOf(before), only.rank)) {
          writeOf(before).lines.drop()
          before.work = this.#queued(work)
        }
        before.settle.push(settle)
        return
      }
      const waiting = { operation, settle: [settle], work: this.#queued(work) }
      if (only !== undefined) this.#latest.set(only.key, waiting)
      this.#queue.push(waiting)
      this.#flushing ??= this.#flush()
    })
  }

  #queued(work: Write | (() => Promise<Result>)): Waiting['work'] {
    return typeof work === 'function' ? work : { ...work, lines: this.#shelf.hold(work.lines) }
  }

  async #flush(): Promise<void> {
    // What is asked for in the same turn goes into one group.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const group = nextGroup(this.#queue)
      try {
        const result = await this.#carryOut(group)
        for (const { settle } of group) for (const done of settle) done(result)
      } catch (error) {
        await this.#fail(group, error)
      }
    }
    this.#flushing = undefined
  }

  async #carryOut(group: readonly Waiting[]): Promise<Result> {
    const [first] = group
    if (typeof first?.work === 'function') return first.work()
    const writes = group.map(writeOf)
    for (const { latest } of writes) if (latest !== undefined) this.#latest.delete(latest.key)
    const segment = await this.ensureActive()
    const { file, bytes, writtenBytes } = segment
    const lines = writes.map((write) => write.lines)
    const written = await writeAhead(
      this.#options.disk,
      file,
      lines,
      bytes,
      writtenBytes,
      this.#room,
    )
    await file.sync()
    if (await this.#isSuperseded()) throw new Fenced()
    let offset = bytes
    for (const write of writes) {
      write.written({ segment: segment.name, offset })
      offset += write.lines.length
    }
    this.#active = { ...segment, bytes: offset, writtenBytes: written }
    return E.right(undefined)
  }

  // Looked at before it is acknowledged: whoever took the store over by then has not read this.
  async #isSuperseded(): Promise<boolean> {
    const { disk, directory, term, monotonicMs } = this.#options
    const nowMs = monotonicMs?.() ?? 0
    if (nowMs - this.#lookedMs < fenceLookMs) return false
    this.#lookedMs = nowMs
    return isFenced(disk, directory, term).catch(() => false)
  }

  async #fail(group: readonly Waiting[], error: unknown): Promise<void> {
    const failed = [...group, ...this.#queue.splice(0)]
    this.#latest.clear()
    this.#options.failed()
    for (const { operation, settle } of failed) {
      const result: Result = E.left(
        error instanceof Fenced
          ? owned('another engine has taken the store over')
          : unavailable(operation, error),
      )
      for (const done of settle) done(result)
    }
    await this.#giveUpActive()
  }

  // The file is written never again; what was flushed of it still counts.
  async #giveUpActive(): Promise<void> {
    const given = this.#active
    this.#active = undefined
    if (given === undefined) return
    if (given.bytes > given.headerBytes) {
      this.#closed = [...this.#closed, { name: given.name, bytes: given.bytes }]
    }
    await given.file.close().catch(() => undefined)
  }
}

// ------------------------------------------------------------------------------------ combinators

const isHigher = (a: Rank, b: Rank): boolean => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1])

const rankOf = (waiting: Waiting): Rank => writeOf(waiting).latest?.rank ?? [0, 0]

const writeOf = ({ work }: Waiting): Queued => {
  if (typeof work === 'function') throw new Error('work that runs alone is no write')
  return work
}

/** Takes from the queue what goes into one write and flush: one piece of lone work, or many writes. */
const nextGroup = (queue: Waiting[]): readonly Waiting[] => {
  let bytes = 0
  let taken = 0
  for (const { work } of queue) {
    if (typeof work === 'function') break
    bytes += work.lines.length
    if (taken > 0 && bytes > groupBytes) break
    taken += 1
  }
  return queue.splice(0, Math.max(taken, 1))
}
