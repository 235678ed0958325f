/**
 * The calls of the port that change something, as lines of the log and what they mean to the index.
 */
import {
  type Commit,
  decode,
  fieldAtFault,
  JournalEntry,
  jsonOf,
  PlanningView,
  recordJson,
  SessionRecord,
  type StoredSnapshot,
  type TooLarge,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { bodyLineOf, snapshotPlace } from './body.js'
import { type HeadIndex, noHead } from './head.js'
import { type LineText, lineText } from './line.js'
import type { Write } from './log.js'
import { isDeeper, nestingLimit } from './nesting.js'
import type { Settings } from './option.js'
import type { SessionIndex } from './session-index.js'
import type { Dropped } from './statement.js'
import { tooDeep, tooLarge } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

/** What a write needs to know and to tell. */
export interface WriteContext {
  readonly settings: Pick<Settings, 'limitBytes' | 'sealer'>
  readonly index: SessionIndex
  readonly heads: HeadIndex
}

// ----------------------------------------------------------------------------------- constructors

const entryJson = jsonOf(JournalEntry)

/** What a `CommitStatement` says; `undefined`: its codec refuses it. */
const commitJson = ({ record, entry }: Commit): string | undefined => {
  const [recordText, entryText] = [recordJson(record), entryJson(entry)]
  return recordText === undefined || entryText === undefined
    ? undefined
    : `{"entry":${entryText},"record":${recordText}}`
}

/**
 * A commit, expected from now on. Its revision must have been checked.
 *
 * A record or entry that its own codec refuses is a broken invariant and throws: to acknowledge what can
 * never be read back would be to lose it.
 */
export const commitWrite = (
  { settings, index, heads }: WriteContext,
  commit: Commit,
): E.Either<TooLarge, Write> => {
  const { record, entry } = commit
  const json = commitJson(commit)
  if (json === undefined) throw new Error(`commit: ${fieldOf(record, entry)}`)
  const line = lineText('commit', json)
  // No text is held on to until it is written: it waits in bytes.
  const { length: bytes } = line
  const { sessionId, incarnation } = record.control
  const large = refused('commit', sessionId, bytes, settings)
  if (large !== undefined) return E.left(large)
  const head = { incarnation, rev: record.rev }
  heads.expect(sessionId, head)
  return E.right({
    operation: 'commit',
    lines: [line],
    written: ({ segment, offset }) => {
      index.commit(record, { segment, offset, bytes }, entry)
      heads.reached(sessionId, head)
    },
  })
}

/** A snapshot: a head, and its body in the line after it. */
export const snapshotWrite = (
  { settings, index }: WriteContext,
  { sessionId, incarnation, view, body }: StoredSnapshot,
): E.Either<TooLarge, Write> => {
  if (!PlanningView.is(view) || body === undefined) throw new Error('snapshot: no view or no body')
  if (isDeeper(body, nestingLimit)) return E.left(tooDeep(named('snapshot', sessionId)))
  const { sealer } = settings
  const clear = bodyLineOf(sealer, body, snapshotPlace(sessionId, incarnation, view.generation))
  const { line: bodyLine, key } = clear
  const { length: bodyBytes, crc: bodyCrc } = bodyLine
  const head = lineSaying('snapshot', {
    sessionId,
    incarnation,
    view: PlanningView.encode(view),
    body: { bytes: bodyBytes, crc: bodyCrc, ...(key === undefined ? {} : { key }) },
  })
  const { length: headBytes } = head
  const large =
    refused('snapshot', sessionId, clear.clearBytes, settings) ??
    refused('snapshot', sessionId, headBytes, settings)
  if (large !== undefined) return E.left(large)
  return E.right({
    operation: 'saveSnapshot',
    lines: [head, bodyLine],
    latest: { key: sessionId, rank: [incarnation, view.generation] },
    written: ({ segment, offset }) => {
      const place = { segment, offset: offset + headBytes, bytes: bodyBytes }
      index.snapshot(sessionId, { incarnation, view, body: place, bodyCrc, key })
    },
  })
}

/** Drops what belongs to a session up to `incarnation`, but its journal. */
export const forgetWrite = (
  { settings, index, heads }: WriteContext,
  sessionId: string,
  incarnation: number,
): E.Either<TooLarge, Write> => {
  const line = lineSaying('forget', { sessionId, incarnation })
  const large = refused('forget', sessionId, line.length, settings)
  if (large !== undefined) return E.left(large)
  const head = { ...noHead }
  if (heads.current(sessionId).incarnation <= incarnation) heads.expect(sessionId, head)
  return E.right({
    operation: 'forget',
    lines: [line],
    written: () => {
      index.forget(sessionId, incarnation)
      heads.reached(sessionId, head)
    },
  })
}

/** What retention has dropped in all. */
export const droppedWrite = (sum: Dropped): Write => ({
  operation: 'retain',
  lines: [lineSaying('dropped', sum)],
  written: () => undefined,
})

// ------------------------------------------------------------------------------------ combinators

const lineSaying = (kind: string, payload: unknown): LineText =>
  lineText(kind, JSON.stringify(payload))

const fieldOf = (record: unknown, entry: unknown): string => {
  const found = E.isLeft(SessionRecord.decode(record))
    ? decode(SessionRecord, 'session record')(record)
    : decode(JournalEntry, 'journal entry')(entry)
  return E.isLeft(found) ? fieldAtFault(found.left) : 'a value that cannot be stored'
}

const shownCharacters = 64

const named = (what: string, sessionId: string): string =>
  `${what} of session ${sessionId.slice(0, shownCharacters)}`

const refused = (
  what: string,
  sessionId: string,
  bytes: number,
  { limitBytes }: Pick<Settings, 'limitBytes'>,
): TooLarge | undefined =>
  bytes > limitBytes ? tooLarge(named(what, sessionId), bytes, limitBytes) : undefined
