/**
 * The head of each session: the revision the next commit must name. What waits to be written already
 * counts, so that of two commits that name the same revision the second is refused before either is
 * durable.
 */
import type { Commit, RevisionConflict } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { SessionIndex } from './session-index.js'

// ------------------------------------------------------------------------------------------ model

/** Incarnation 0: nothing is stored. */
export interface Head {
  readonly incarnation: number
  readonly rev: number
}

export interface HeadIndex {
  readonly check: (commit: Commit) => E.Either<RevisionConflict, void>
  /** A write that leads to `head` waits. */
  readonly expect: (sessionId: string, head: Head) => void
  /** It is durable, and the index knows. */
  readonly reached: (sessionId: string, head: Head) => void
  /** Nothing waits any more: what did has failed. */
  readonly reset: () => void
  readonly current: (sessionId: string) => Head
}

/** The head of a session of which nothing is stored. */
export const noHead: Head = { incarnation: 0, rev: 0 }

// ----------------------------------------------------------------------------------- constructors

export const headIndex = (index: SessionIndex): HeadIndex => {
  const waiting = new Map<string, Head>()
  const current = (sessionId: string): Head => {
    const expected = waiting.get(sessionId)
    if (expected !== undefined) return expected
    const record = index.now(sessionId)?.record
    return record === undefined
      ? noHead
      : { incarnation: record.control.incarnation, rev: record.rev }
  }
  return {
    check: (commit) => checked(commit, current(commit.record.control.sessionId)),
    expect: (sessionId, head) => {
      waiting.set(sessionId, head)
    },
    reached: (sessionId, head) => {
      if (waiting.get(sessionId) === head) waiting.delete(sessionId)
    },
    reset: () => waiting.clear(),
    current,
  }
}

// ------------------------------------------------------------------------------------ combinators

const checked = (
  { record, expectedRev }: Commit,
  stored: Head,
): E.Either<RevisionConflict, void> => {
  const { sessionId, incarnation } = record.control
  const later = incarnation > stored.incarnation
  const actualRev = later ? 0 : stored.rev
  if (incarnation >= stored.incarnation && expectedRev === actualRev) return E.right(undefined)
  return E.left({
    _tag: 'RevisionConflict',
    sessionId,
    expectedRev,
    actualRev,
    message:
      incarnation < stored.incarnation
        ? `incarnation ${incarnation} is over, the store has ${stored.incarnation}`
        : `expected revision ${expectedRev}, the store has ${actualRev}`,
  })
}
