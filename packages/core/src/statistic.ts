/**
 * Statistics and histories: what is folded from the facts of the journal. Nothing is counted when it is
 * attempted and called a success; averages and rates are derived from sums and never NaN.
 */
import * as t from 'io-ts'
import { count, dictionary, instant, nonNegative, struct } from './codec.js'
import type { Fact } from './fact.js'
import { without } from './omission.js'
import type { InteractiveState } from './snapshot.js'
import { RecoveryStrategy } from './strategy.js'

// ------------------------------------------------------------------------------------------ model

const Counts = dictionary('counts', count)

/** The sums that statistics are derived from. */
export const Tally = struct(
  'tally',
  {
    successfulRecoveries: count,
    failedRecoveries: count,
    /** Incidents that ended exhausted, and those that were cancelled. */
    exhausted: count,
    cancelled: count,
    /** Milliseconds of all attempts that succeeded. */
    recoveryMs: nonNegative,
    /** Sessions registered. */
    sessionsSaved: count,
    /** Recoveries that put a snapshot back. */
    sessionsRestored: count,
    bytesRestored: count,
    /** Runs by strategy, and those that ended in a proof of life. */
    strategiesUsed: Counts,
    strategiesSucceeded: Counts,
  },
  { lastRecovery: instant },
)
export type Tally = t.TypeOf<typeof Tally>

/** The seed's record of one attempt. `duration` is milliseconds, `dataRestored` bytes. */
export const RecoveryAttempt = struct(
  'recovery attempt',
  {
    sessionId: t.string,
    attemptNumber: count,
    startTime: instant,
    success: t.boolean,
    strategy: RecoveryStrategy,
    metrics: struct('attempt metrics', {
      duration: nonNegative,
      /** Strategy runs the attempt took. */
      resourcesUsed: count,
      dataRestored: count,
    }),
  },
  { endTime: instant, error: t.string },
)
export type RecoveryAttempt = t.TypeOf<typeof RecoveryAttempt>

/** What is remembered of one session: its id and its attempts, oldest first. */
export const SessionHistory = t.tuple([t.string, t.array(RecoveryAttempt)])

/** All that is folded from the journal; what a checkpoint carries. */
export const Projection = struct('projection', {
  tally: Tally,
  histories: t.array(SessionHistory),
})
export type Projection = t.TypeOf<typeof Projection>

/** The seed's statistics. Times are milliseconds, `successRate` is percent. */
export interface RecoveryStatistics {
  readonly totalRecoveryAttempts: number
  readonly successfulRecoveries: number
  readonly failedRecoveries: number
  readonly averageRecoveryTime: number
  readonly sessionsSaved: number
  readonly sessionsRestored: number
  readonly bytesRestored: number
  readonly strategiesUsed: Readonly<Partial<Record<RecoveryStrategy, number>>>
  readonly strategiesSucceeded: Readonly<Partial<Record<RecoveryStrategy, number>>>
  readonly exhausted: number
  readonly cancelled: number
  readonly lastRecovery: Date | null
  readonly successRate: number
}

/** The seed's statistics about interactive sessions. */
export interface InteractiveStatistics {
  readonly totalInteractiveSessions: number
  readonly sessionsWithTimeouts: number
  readonly unresponsiveSessions: number
  readonly averageTimeoutCount: number
  readonly successfulPromptInterrupts: number
  readonly successfulPromptResets: number
}

// ----------------------------------------------------------------------------------- constructors

export const emptyTally: Tally = {
  successfulRecoveries: 0,
  failedRecoveries: 0,
  exhausted: 0,
  cancelled: 0,
  recoveryMs: 0,
  sessionsSaved: 0,
  sessionsRestored: 0,
  bytesRestored: 0,
  strategiesUsed: {},
  strategiesSucceeded: {},
}

// Sums stop where a double stops being exact, so that what is stored can always be read again.
const sum = (a: number, b: number): number => Math.min(a + b, Number.MAX_SAFE_INTEGER)

const restoring: ReadonlySet<RecoveryStrategy> = new Set<RecoveryStrategy>([
  'restart',
  'restore',
  'replicate',
  'migrate',
])

const oneMore = (counts: Readonly<Record<string, number>>, key: string) => ({
  ...counts,
  [key]: (counts[key] ?? 0) + 1,
})

// ------------------------------------------------------------------------------------ combinators

/** One fact more. */
export const tally = (sums: Tally, fact: Fact, atMs: number): Tally => {
  switch (fact._tag) {
    case 'session-registered':
      return { ...sums, sessionsSaved: sums.sessionsSaved + 1 }
    case 'strategy-started':
      return { ...sums, strategiesUsed: oneMore(sums.strategiesUsed, fact.strategy) }
    case 'attempt-failed':
      return { ...sums, failedRecoveries: sums.failedRecoveries + 1 }
    case 'incident-recovered':
      return {
        ...sums,
        successfulRecoveries: sums.successfulRecoveries + 1,
        recoveryMs: sum(sums.recoveryMs, fact.durationMs),
        sessionsRestored: sums.sessionsRestored + (restoring.has(fact.strategy) ? 1 : 0),
        bytesRestored: sum(sums.bytesRestored, fact.receipt.restoredBytes),
        strategiesSucceeded: oneMore(sums.strategiesSucceeded, fact.strategy),
        lastRecovery: new Date(atMs),
      }
    case 'incident-exhausted':
      return { ...sums, exhausted: sums.exhausted + 1 }
    case 'incident-cancelled':
      return { ...sums, cancelled: sums.cancelled + 1 }
    default:
      return sums
  }
}

/**
 * The statistics a tally amounts to.
 *
 * @example
 * statisticsOf(emptyTally).averageRecoveryTime // => 0
 */
export const statisticsOf = (sums: Tally): RecoveryStatistics => {
  const total = sums.successfulRecoveries + sums.failedRecoveries
  return {
    totalRecoveryAttempts: total,
    successfulRecoveries: sums.successfulRecoveries,
    failedRecoveries: sums.failedRecoveries,
    averageRecoveryTime:
      sums.successfulRecoveries === 0 ? 0 : sums.recoveryMs / sums.successfulRecoveries,
    sessionsSaved: sums.sessionsSaved,
    sessionsRestored: sums.sessionsRestored,
    bytesRestored: sums.bytesRestored,
    strategiesUsed: { ...sums.strategiesUsed },
    strategiesSucceeded: { ...sums.strategiesSucceeded },
    exhausted: sums.exhausted,
    cancelled: sums.cancelled,
    lastRecovery: sums.lastRecovery ?? null,
    successRate: total === 0 ? 0 : (sums.successfulRecoveries / total) * 100,
  }
}

export type History = readonly RecoveryAttempt[]

/** One fact more of a session's history, of which the newest `limit` attempts are kept. */
export const remember = (
  history: History,
  sessionId: string,
  fact: Fact,
  atMs: number,
  limit: number,
): History => {
  if (fact._tag === 'attempt-started') {
    const started: RecoveryAttempt = {
      sessionId,
      attemptNumber: fact.attempt,
      startTime: new Date(atMs),
      success: false,
      strategy: 'fallback',
      metrics: { duration: 0, resourcesUsed: 0, dataRestored: 0 },
    }
    const kept = history.slice(Math.max(0, history.length + 1 - limit))
    if (limit > 0) kept.push(started)
    return kept
  }
  const last = history.at(-1)
  if (last === undefined || last.endTime !== undefined) return history
  const changed = continued(last, fact, atMs)
  return changed === last ? history : history.with(-1, changed)
}

const continued = (last: RecoveryAttempt, fact: Fact, atMs: number): RecoveryAttempt => {
  switch (fact._tag) {
    case 'strategy-started': {
      const resourcesUsed = last.metrics.resourcesUsed + 1
      return { ...last, strategy: fact.strategy, metrics: { ...last.metrics, resourcesUsed } }
    }
    case 'strategy-missed':
      return { ...last, error: `${fact.miss.strategy}: ${fact.miss.why}: ${fact.miss.detail}` }
    case 'attempt-failed':
      return ended(last, atMs, fact.durationMs)
    case 'incident-cancelled':
      return { ...ended(last, atMs, atMs - last.startTime.getTime()), error: fact.why }
    case 'incident-recovered': {
      const won = without(ended(last, atMs, fact.durationMs), 'error')
      const dataRestored = fact.receipt.restoredBytes
      return { ...won, success: true, metrics: { ...won.metrics, dataRestored } }
    }
    default:
      return last
  }
}

const ended = (last: RecoveryAttempt, atMs: number, durationMs: number): RecoveryAttempt => ({
  ...last,
  endTime: new Date(atMs),
  metrics: { ...last.metrics, duration: Math.max(0, durationMs) },
})

/** Statistics about the sessions of which an interactive state is known. */
export const interactiveStatistics = (
  states: Iterable<InteractiveState>,
  sums: Tally,
): InteractiveStatistics => {
  const interactive = [...states].filter((state) => state.isInteractive)
  const timeouts = interactive.reduce((sum, state) => sum + state.timeoutCount, 0)
  return {
    totalInteractiveSessions: interactive.length,
    sessionsWithTimeouts: interactive.filter((state) => state.timeoutCount > 0).length,
    unresponsiveSessions: interactive.filter((state) => state.sessionUnresponsive).length,
    averageTimeoutCount: interactive.length === 0 ? 0 : timeouts / interactive.length,
    successfulPromptInterrupts: sums.strategiesSucceeded['prompt-interrupt'] ?? 0,
    successfulPromptResets: sums.strategiesSucceeded['prompt-reset'] ?? 0,
  }
}
