/**
 * Format 0: the snapshot files of the program this one grew out of, one pretty-printed JSON file a
 * session, written in place and without a checksum. Read here, with everything that can be wrong about one.
 */
import {
  applicationJson,
  decode,
  fieldAtFault,
  type Json,
  RecoverySnapshot,
  redact,
  unstorable,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { isNestedDeeper } from './nesting.js'

// ------------------------------------------------------------------------------------------ model

export const seedEnding = '.snapshot.json'

/** How deep such a file may nest: as deep as the application's own data may in a snapshot. */
export const seedNestingLimit = 64

export interface SeedRules {
  readonly secretNames: readonly string[]
  readonly storeOutput: boolean
}

/** What is wrong with a file, and whose it says it is, where that can be told. */
export interface SeedProblem {
  readonly problem: string
  readonly sessionId?: string
}

const subject = 'recovery snapshot'

// ----------------------------------------------------------------------------------- constructors

/** Reads the snapshot in a file called `name`, without its secrets and, unless asked for, its output. */
export const seedSnapshot = (
  name: string,
  bytes: Buffer,
  rules: SeedRules,
): E.Either<SeedProblem, RecoverySnapshot> => {
  if (bytes.length === 0) return E.left({ problem: `${subject}: the file is empty` })
  if (isNestedDeeper(bytes, seedNestingLimit)) {
    return E.left({ problem: `${subject}: nested deeper than ${seedNestingLimit}` })
  }
  const parsed = parse(bytes)
  if (E.isLeft(parsed)) return parsed
  const sessionId = named(parsed.right)
  const owner = sessionId === undefined ? {} : { sessionId }
  const decoded = decode(RecoverySnapshot, subject)(withApplicationData(parsed.right))
  if (E.isLeft(decoded)) return E.left({ problem: fieldAtFault(decoded.left), ...owner })
  const snapshot = decoded.right
  if (`${snapshot.sessionId}${seedEnding}` !== name || snapshot.sessionId === '') {
    return E.left({ problem: `${subject}: sessionId: expected the one in the file's name` })
  }
  const kept = rules.storeOutput ? snapshot : { ...snapshot, commandHistory: [], outputBuffer: [] }
  return E.right(redact(kept, rules.secretNames).snapshot)
}

// ------------------------------------------------------------------------------------ combinators

const parse = (bytes: Buffer): E.Either<SeedProblem, unknown> => {
  try {
    return E.right(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  } catch (error) {
    const why = error instanceof SyntaxError ? 'not JSON, or torn' : 'not UTF-8'
    return E.left({ problem: `${subject}: ${why}` })
  }
}

const named = (parsed: unknown): string | undefined => {
  const found = isObject(parsed) ? parsed.sessionId : undefined
  return typeof found === 'string' ? found : undefined
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

// The file holds plain JSON where a stored snapshot holds JSON in which dates are marked: a key of the
// app's own that looks like such a mark is escaped, as it is on storing.
const withApplicationData = (parsed: unknown): unknown => {
  if (!isObject(parsed)) return parsed
  const packed = Object.entries(parsed).map(([key, value]): [string, unknown] =>
    (key === 'sessionState' || key === 'sessionOptions') && unstorable(value) === undefined
      ? [key, applicationJson.encode(value) satisfies Json]
      : [key, value],
  )
  return Object.fromEntries(packed)
}
