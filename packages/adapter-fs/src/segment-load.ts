/**
 * Reads one segment into the index.
 *
 * The lines that follow a head (a body, a session's retained journal) are leapt over where they are known
 * to be on the medium, and read and checked where a crash may have torn them, or where a leap did not
 * land on a line: damage to one session's bulk must not hide the next session.
 */
import type { JournalEntry } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Damage } from './damage.js'
import { type Line, readLine } from './line.js'
import type { FoundLine, LineReader } from './line-reader.js'
import type { Extent, Held, SessionIndex } from './session-index.js'
import { type Misunderstood, type Statement, statementOf } from './statement.js'

// ------------------------------------------------------------------------------------------ model

/** What is gathered while segments are read. */
export interface Gathered {
  readonly index: SessionIndex
  projection: unknown
  readonly damages: Damage[]
  /** A later version wrote this: nothing may be changed. */
  newer: string | undefined
}

/** A segment that was read. */
export interface SegmentRead {
  /** Where its last good line ends. */
  readonly end: number
  /** It holds more than its header. */
  readonly says: boolean
}

type Head = Extract<Statement, { readonly kind: 'snapshot' | 'session' }>

/** A head whose bulk is being read, and what of it was found so far. */
interface OpenHead {
  readonly head: Head
  readonly line: FoundLine
  readonly entries: Extent[]
  /** Where good lines ended, and what was held of the session, before the head. */
  readonly endBefore: number
  readonly heldBefore: Held | undefined
}

interface Region {
  readonly offset: number
  readonly line: number
  readonly problem: string
  readonly sessionId: string | undefined
  readonly torn: boolean
  end: number
  statements: number
}

// ----------------------------------------------------------------------------------- constructors

/**
 * @param end how many bytes of the segment count.
 * @param nature `durable`: all of it is known to be on the medium. `whole`: it starts with a checkpoint,
 *   which is on the medium, since it got its name only then. `last`: it is the newest, so that a last
 *   statement that is torn is a crash's doing.
 * @param from where to begin, when what stands before is known: at the segment's checkpoint.
 */
export const readSegment = async (
  name: string,
  reader: LineReader,
  end: number,
  nature: { readonly durable: boolean; readonly whole: boolean; readonly last: boolean },
  into: Gathered,
  from?: { readonly offset: number; readonly line: number },
): Promise<SegmentRead> => {
  const reading = new SegmentReading(name, reader, nature.durable || nature.whole, into)
  if (from !== undefined) reader.seek(from.offset, from.line)
  while (into.newer === undefined) {
    const line = await reader.next()
    if (line !== undefined) reading.take(line, nature.durable)
    else if (reading.end <= end || !reading.goBack()) break
  }
  reading.finish(nature.last)
  return { end: reading.end, says: reading.says }
}

class SegmentReading {
  /** Where the last good line ends. */
  end = 0
  says = false
  readonly #name: string
  readonly #reader: LineReader
  readonly #into: Gathered
  #leaping: boolean
  #open: OpenHead | undefined
  #leapt: OpenHead | undefined
  #region: Region | undefined

  constructor(name: string, reader: LineReader, leaping: boolean, into: Gathered) {
    this.#name = name
    this.#reader = reader
    this.#leaping = leaping
    this.#into = into
  }

  take(found: FoundLine, durable: boolean): void {
    const line: E.Either<string, Line> =
      found.content === undefined
        ? E.left('the line is longer than any that was written')
        : readLine(found.content)
    if (E.isLeft(line)) {
      if (!this.goBack()) this.#bad(found, { problem: line.left })
      return
    }
    this.#leapt = undefined
    this.says ||= line.right.kind !== 'segment'
    if (line.right.kind === 'body' || line.right.kind === 'sealed') {
      this.#takeBody(found, line.right)
      return
    }
    const statement = statementOf(line.right)
    if (E.isLeft(statement)) {
      if (statement.left.newer) this.#into.newer = this.#where(found, statement.left.problem)
      else this.#bad(found, statement.left)
    } else if (statement.right.kind === 'entry') {
      this.#takeEntry(found, statement.right.said)
    } else {
      this.#closeHead()
      if (statement.right.kind === 'checkpoint') this.#leaping = durable
      this.#takeStatement(found, statement.right)
    }
  }

  /** The end was reached. */
  finish(last: boolean): void {
    this.#closeHead()
    const region = this.#region
    if (region === undefined) return
    // What is still leapt over was on the medium once: no crash has torn it.
    if (!last || this.#leaping || region.statements > 1) this.#note(region)
  }

  // A leap that did not land on a line: what was leapt over is read instead.
  goBack(): boolean {
    const leapt = this.#leapt
    if (leapt === undefined) return false
    this.#leapt = undefined
    this.#open = leapt
    const { head, line } = leapt
    const { index } = this.#into
    this.end = leapt.endBefore
    if (head.kind === 'session') this.#stand(head, leapt.entries, line)
    else if (leapt.heldBefore === undefined) index.drop(head.said.sessionId)
    else index.hold(head.said.sessionId, leapt.heldBefore)
    this.#reader.seek(line.offset + line.bytes, line.number + 1)
    return true
  }

  #takeStatement(found: FoundLine, statement: Statement): void {
    const { index } = this.#into
    if (statement.kind === 'snapshot' || statement.kind === 'session') {
      this.#takeHead(found, statement)
      return
    }
    if (statement.kind === 'commit') {
      const { record, entry } = statement.said
      index.share(record)
      index.commit(record, this.#extent(found.offset, found.bytes), entry)
    } else if (statement.kind === 'forget') {
      index.forget(statement.said.sessionId, statement.said.incarnation)
    } else if (statement.kind === 'dropped') {
      index.dropped = statement.said
    } else if (statement.kind === 'checkpoint') {
      const { projection, unfolded, latestMs, latestSeq, dropped } = statement.said
      this.#into.projection = projection
      index.dropped = dropped ?? index.dropped
      index.setUnfolded(unfolded.map((entry) => ({ seq: entry.seq, place: undefined, entry })))
      index.note(latestMs, latestSeq)
    }
    this.#good(found)
  }

  #takeHead(found: FoundLine, head: Head): void {
    const { index } = this.#into
    const heldBefore = index.get(head.said.sessionId)
    const opened: OpenHead = { head, line: found, entries: [], endBefore: this.end, heldBefore }
    if (head.kind === 'session') this.#stand(head, opened.entries, found)
    if (this.#leaping) this.#leap(opened)
    else this.#open = opened
  }

  // As a session a head says something by itself; as a snapshot only with its body.
  #stand(head: Head, entries: readonly Extent[], found: FoundLine): void {
    this.#hold(head, entries, undefined)
    this.#good(found)
  }

  #leap(over: OpenHead): void {
    const { head, line } = over
    const start = line.offset + line.bytes
    const lengths = head.kind === 'session' ? head.said.entries : []
    const promised = head.kind === 'session' ? head.said.snapshot?.body : head.said.body
    let offset = start
    const entries = lengths.map((bytes) => {
      offset += bytes
      return this.#extent(offset - bytes, bytes)
    })
    const body = promised === undefined ? undefined : this.#extent(offset, promised.bytes)
    const end = offset + (body?.bytes ?? 0)
    this.#good(line)
    this.#hold(head, entries, body)
    if (end === start) return
    this.end = end
    this.#leapt = over
    this.#reader.seek(end, line.number + 1 + entries.length + (body === undefined ? 0 : 1))
  }

  #takeEntry(found: FoundLine, entry: JournalEntry): void {
    const open = this.#open
    if (open?.head.kind !== 'session' || open.head.said.sessionId !== entry.sessionId) {
      this.#bad(found, {
        problem: 'entry: the session it belongs to is missing',
        sessionId: entry.sessionId,
      })
      return
    }
    open.entries.push(this.#extent(found.offset, found.bytes))
    this.#hold(open.head, open.entries, undefined)
    this.#good(found)
  }

  #takeBody(found: FoundLine, line: Line): void {
    const open = this.#open
    const head = open?.head
    const promised = head?.kind === 'session' ? head.said.snapshot?.body : head?.said.body
    if (open === undefined || promised?.crc !== line.crc || promised.bytes !== found.bytes) {
      this.#bad(found, { problem: 'body: the snapshot it belongs to is missing' })
      return
    }
    this.#hold(open.head, open.entries, this.#extent(found.offset, found.bytes))
    this.#open = undefined
    this.#good(found)
  }

  #hold(head: Head, entries: readonly Extent[], body: Extent | undefined): void {
    const { index } = this.#into
    if (head.kind === 'snapshot') {
      const { sessionId, incarnation, view, body: promised } = head.said
      if (body === undefined) return
      index.snapshot(sessionId, {
        incarnation,
        view,
        body,
        bodyCrc: promised.crc,
        key: promised.key,
      })
      return
    }
    const { record, forgotten, snapshot } = head.said
    if (record !== undefined) index.share(record)
    const isNamedAlike = record?.control.sessionId === head.said.sessionId
    // One text instead of two that are equal.
    index.hold(isNamedAlike ? record.control.sessionId : head.said.sessionId, {
      record,
      forgotten,
      entries,
      snapshot:
        snapshot === undefined || body === undefined
          ? undefined
          : {
              incarnation: snapshot.incarnation,
              view: snapshot.view,
              body,
              bodyCrc: snapshot.body.crc,
              key: snapshot.body.key,
            },
    })
  }

  // A head that waits for its body in vain: as a snapshot it says nothing, as a session it stands.
  #closeHead(): void {
    const open = this.#open
    this.#open = undefined
    if (open === undefined) return
    const { head, line } = open
    const incomplete = head.kind === 'snapshot' || head.said.snapshot !== undefined
    if (!incomplete) return
    const said = { problem: 'body: missing', sessionId: head.said.sessionId }
    if (this.#region === undefined) this.#bad(line, said)
  }

  #good(found: FoundLine): void {
    if (this.#region !== undefined) this.#note(this.#region)
    this.#region = undefined
    this.end = found.offset + found.bytes
  }

  #bad(found: FoundLine, why: Omit<Misunderstood, 'newer'>): void {
    const open = this.#open
    const of = open?.head.kind === 'snapshot' ? open : undefined
    // Of a session what follows counts all the same: each line says whose it is, or the head its checksum.
    if (of !== undefined) this.#open = undefined
    const from = of?.line ?? found
    const end = found.offset + found.bytes
    if (this.#region !== undefined) {
      this.#region.end = end
      this.#region.statements += 1
      return
    }
    const sessionId = open?.head.said.sessionId ?? why.sessionId
    this.#region = {
      offset: from.offset,
      line: from.number,
      problem: of === undefined ? why.problem : `body: ${why.problem}`,
      sessionId,
      torn: !this.#leaping,
      end,
      statements: 1,
    }
  }

  #note({ offset, end, line, problem, sessionId, torn }: Region): void {
    this.#into.damages.push({
      segment: this.#name,
      offset,
      bytes: end - offset,
      line,
      problem,
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(torn ? { torn } : {}),
    })
  }

  #extent(offset: number, bytes: number): Extent {
    return { segment: this.#name, offset, bytes }
  }

  #where(found: FoundLine, problem: string): string {
    return `${this.#name}: line ${found.number}: ${problem}`
  }
}
