/**
 * What the lines of the log say. A statement that stands for much (a snapshot's body, a session's old
 * journal) is a small head that names the sizes, followed by lines that are read only when asked for.
 */
import {
  count,
  type DecodeError,
  decode,
  epochMs,
  fieldAtFault,
  JournalEntry,
  PlanningView,
  recordVersion,
  SessionRecord,
  struct,
  text,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { Line } from './line.js'

// ------------------------------------------------------------------------------------------ model

/**
 * The version of the log's format; a store that says a higher one is refused and left as it is. 1, which is
 * read for ever, had no sealed bodies, no blanks behind the last line, and not what retention has dropped.
 */
export const formatVersion = 2

const formats = t.union([t.literal(1), t.literal(formatVersion)])

const entryVersion = 1

/** First line of a segment: whose it is, and which segments, up to which byte, come before it. */
export const SegmentHeader = struct('segment', {
  format: formats,
  term: count,
  sequence: count,
  /** The longest line this segment may hold, so that a store opened with a lower limit still reads it. */
  limitBytes: count,
  /** It starts with the whole of what was live, up to its `checkpoint` line. */
  whole: t.boolean,
  before: t.array(struct('earlier segment', { name: text, bytes: count })),
})
export type SegmentHeader = t.TypeOf<typeof SegmentHeader>

/** One decision: the record and its journal entry. */
export const CommitStatement = struct('commit', { record: SessionRecord, entry: JournalEntry })

/** `key`: the id of the key that sealed it. */
const bodyPlace = struct('body', { bytes: count, crc: count }, { key: text })

/** A kept snapshot; its body is the next line. */
export const SnapshotStatement = struct('snapshot', {
  sessionId: t.string,
  incarnation: count,
  view: PlanningView,
  body: bodyPlace,
})

/** What belonged to these incarnations of a session is dropped, but the journal. */
export const ForgetStatement = struct('forget', { sessionId: t.string, incarnation: count })

/** A session in a checkpoint; the lines of its retained journal follow, then that of its body. */
export const SessionStatement = struct(
  'session',
  { sessionId: t.string, entries: t.array(count) },
  {
    record: SessionRecord,
    forgotten: count,
    snapshot: struct('snapshot', { incarnation: count, view: PlanningView, body: bodyPlace }),
  },
)

/** What retention has dropped since the store was made. */
export const DroppedStatement = struct('dropped', {
  archives: count,
  archiveBytes: count,
  quarantined: count,
  quarantinedBytes: count,
})
export type Dropped = t.TypeOf<typeof DroppedStatement>

/** Last line of a checkpoint: of the entries before it, all but `unfolded` are in `projection`. */
export const CheckpointStatement = struct(
  'checkpoint',
  {
    projection: t.unknown,
    unfolded: t.array(JournalEntry),
    latestMs: epochMs,
    latestSeq: count,
  },
  { dropped: DroppedStatement },
)

const reader =
  <K extends string, A, O>(kind: K, codec: t.Type<A, O, unknown>) =>
  (payload: unknown) =>
    E.map((said: A) => ({ kind, said }))(decode(codec, kind)(payload))

const readers = {
  segment: reader('segment', SegmentHeader),
  commit: reader('commit', CommitStatement),
  snapshot: reader('snapshot', SnapshotStatement),
  forget: reader('forget', ForgetStatement),
  dropped: reader('dropped', DroppedStatement),
  session: reader('session', SessionStatement),
  checkpoint: reader('checkpoint', CheckpointStatement),
  entry: reader('entry', JournalEntry),
} as const

type StatementKind = keyof typeof readers

/** What a line says. */
export type Statement = Extract<
  ReturnType<(typeof readers)[StatementKind]>,
  { readonly _tag: 'Right' }
>['right']

/** Why a line with a right checksum says nothing this version can use. */
export interface Misunderstood {
  readonly problem: string
  /** A later version wrote it: it must be left alone. */
  readonly newer: boolean
  readonly sessionId?: string
}

// ------------------------------------------------------------------------------------ combinators

const isKind = (kind: string): kind is StatementKind => Object.hasOwn(readers, kind)

/** Reads what `line` says. */
export const statementOf = (line: Line): E.Either<Misunderstood, Statement> => {
  const { kind } = line
  if (!isKind(kind)) return E.left({ problem: `${kind}: unknown kind of line`, newer: false })
  const payload = line.payload()
  if (E.isLeft(payload)) return E.left({ problem: payload.left, newer: false })
  const newer = newerVersion(kind, payload.right)
  if (newer !== undefined) return E.left({ problem: newer, newer: true })
  const said: E.Either<DecodeError, Statement> = readers[kind](payload.right)
  if (E.isRight(said)) return said
  const sessionId = sessionIn(payload.right)
  return E.left({
    problem: fieldAtFault(said.left),
    newer: false,
    ...(sessionId === undefined ? {} : { sessionId }),
  })
}

const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<string, unknown>)[key]
        : undefined,
    value,
  )

const versions: { readonly [K in StatementKind]?: readonly (readonly [string[], number])[] } = {
  segment: [[['format'], formatVersion]],
  commit: [
    [['record', 'v'], recordVersion],
    [['entry', 'v'], entryVersion],
  ],
  session: [[['record', 'v'], recordVersion]],
  entry: [[['v'], entryVersion]],
}

const newerVersion = (kind: StatementKind, payload: unknown): string | undefined => {
  for (const [path, known] of versions[kind] ?? []) {
    const found = at(payload, ...path)
    if (typeof found === 'number' && found > known) {
      return `${kind}: ${path.join('.')}: version ${found}, this program knows up to ${known}`
    }
  }
  return undefined
}

const sessionIn = (payload: unknown): string | undefined => {
  const found = at(payload, 'sessionId') ?? at(payload, 'entry', 'sessionId')
  return typeof found === 'string' ? found : undefined
}
