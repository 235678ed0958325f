/**
 * The edge where a host says what changed in a session: by `updateSessionSnapshot`, or by the callback of
 * a `snapshot-request`. Nothing gets past it that cannot be kept, and nothing is overwritten by
 * `undefined` or by a field that is not the host's to change.
 */
import {
  applicationJson,
  type DecodeError,
  decode,
  SnapshotUpdate,
  unstorable,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'

// ------------------------------------------------------------------------------------------ model

/** What may be kept of what a host said, and the fields that were refused. */
export interface ReadUpdate {
  readonly update: SnapshotUpdate
  readonly refused: readonly DecodeError[]
}

const changeable: ReadonlySet<string> = new Set([
  'sessionState',
  'environment',
  'workingDirectory',
  'commandHistory',
  'outputBuffer',
  'droppedOutputBytes',
  'droppedHistoryLines',
  'errorContext',
  'interactiveState',
])

/** A host may hand a whole snapshot back: its name and time are no news. */
const known: ReadonlySet<string> = new Set(['sessionId', 'timestamp'])

const subject = 'snapshot update'

const error = (path: string, expected: string, actual: string): DecodeError => ({
  _tag: 'DecodeError',
  subject,
  path,
  expected,
  actual,
  message: `${subject}${path === '' ? '' : `: ${path}`}: expected ${expected}, got ${actual}`,
})

/** The error of an update that has the wrong form at `path`. */
export const refusedUpdate = (path: string, expected: string): DecodeError =>
  error(path, expected, 'something else')

// ------------------------------------------------------------------------------------ combinators

/**
 * Reads what a host said about `sessionId`. A field with a value of the wrong form refuses the whole, as
 * does another session's id; a field that cannot be changed, or is unknown, is refused alone.
 */
export const readUpdate = (
  sessionId: string,
  input: unknown,
): E.Either<DecodeError, ReadUpdate> => {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return E.left(error('', 'an object', Array.isArray(input) ? 'an array' : typeof input))
  }
  const given = Object.entries(input).filter(([, value]) => value !== undefined)
  const fields: Readonly<Record<string, unknown>> = Object.fromEntries(given)
  if ('sessionId' in fields && fields.sessionId !== sessionId) {
    return E.left(error('sessionId', JSON.stringify(sessionId), 'another'))
  }
  const refused = given
    .filter(([name]) => !changeable.has(name) && !known.has(name))
    .map(([name]) => error(name, 'a field that may be changed', JSON.stringify(name)))
  const update = Object.fromEntries(given.filter(([name]) => changeable.has(name)))
  const unkept = unstorable(update.sessionState)
  if (unkept !== undefined) {
    return E.left(error(['sessionState', ...unkept].join('.'), 'something JSON can hold', 'other'))
  }
  if ('sessionState' in update) {
    update.sessionState = applicationJson.encode(update.sessionState)
  }
  return E.map((decoded: SnapshotUpdate): ReadUpdate => ({ update: decoded, refused }))(
    decode(SnapshotUpdate, subject)(update),
  )
}
