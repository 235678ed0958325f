/** Laws of the statistics: totals add up, nothing is NaN, and where a fold is cut makes no difference. */
import { deepStrictEqual } from 'node:assert/strict'
import {
  defaultPolicy,
  emptyTally,
  Fact,
  factsOf,
  InteractiveState,
  interactiveStatistics,
  JournalEntry,
  Projection,
  projector,
  RecoveryAttempt,
  type RecoveryStrategy,
  receiptOf,
  remember,
  statisticsOf,
  Tally,
  tally,
} from '@session-recovery/core'
import { arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'

const anyFacts = fc.array(arbitraryOf(Fact), { maxLength: 30 })
const sumsOf = (facts: readonly Fact[]) =>
  facts.reduce((sums, fact) => tally(sums, fact, 5), emptyTally)
const countOf = (facts: readonly Fact[], tag: Fact['_tag']) =>
  facts.filter((fact) => fact._tag === tag).length

/** Entries of few sessions, so that their facts meet. */
const anyEntries = fc.array(
  fc
    .tuple(arbitraryOf(JournalEntry), fc.constantFrom('a', 'b', '__proto__'))
    .map(([entry, sessionId]): JournalEntry => ({ ...entry, sessionId })),
  { maxLength: 12 },
)

describe('totals', () => {
  test('add up, and count what happened', () => {
    holds(
      fc.property(anyFacts, (facts) => {
        const stats = statisticsOf(sumsOf(facts))
        const won = countOf(facts, 'incident-recovered')
        const missed = countOf(facts, 'attempt-failed')
        expect(stats).toMatchObject({
          successfulRecoveries: won,
          failedRecoveries: missed,
          totalRecoveryAttempts: won + missed,
          exhausted: countOf(facts, 'incident-exhausted'),
          cancelled: countOf(facts, 'incident-cancelled'),
          sessionsSaved: countOf(facts, 'session-registered'),
        })
        const total = (counts: Readonly<Partial<Record<RecoveryStrategy, number>>>) =>
          Object.values(counts).reduce((a, b) => a + b, 0)
        expect(total(stats.strategiesUsed)).toBe(countOf(facts, 'strategy-started'))
        expect(total(stats.strategiesSucceeded)).toBe(won)
        expect(stats.sessionsRestored).toBeLessThanOrEqual(won)
        expect(stats.lastRecovery).toEqual(won === 0 ? null : new Date(5))
      }),
      500,
    )
  })

  test('of any tally: the rate is within 0 and 100, no average is NaN or infinite', () => {
    holds(
      fc.property(arbitraryOf(Tally), (sums) => {
        const { successRate, averageRecoveryTime } = statisticsOf(sums)
        expect(successRate).toBeGreaterThanOrEqual(0)
        expect(successRate).toBeLessThanOrEqual(100)
        expect(Number.isFinite(averageRecoveryTime)).toBe(true)
        expect(averageRecoveryTime).toBeGreaterThanOrEqual(0)
      }),
    )
    expect(statisticsOf(emptyTally)).toMatchObject({ successRate: 0, averageRecoveryTime: 0 })
  })

  test('stay storable, however large the parts', () => {
    holds(
      fc.property(anyFacts, arbitraryOf(Tally), (facts, start) => {
        const sums = facts.reduce((so, fact) => tally(so, fact, 5), {
          ...start,
          bytesRestored: Number.MAX_SAFE_INTEGER - 1,
          recoveryMs: Number.MAX_VALUE,
        })
        const { bytesRestored, recoveryMs } = sums
        expect(Number.isSafeInteger(bytesRestored)).toBe(true)
        expect(Number.isFinite(recoveryMs)).toBe(true)
      }),
    )
  })

  test('the average is that of the successful attempts, the rate their share', () => {
    const recovered = (durationMs: number, strategy: RecoveryStrategy): Fact => ({
      _tag: 'incident-recovered',
      incident: 1,
      attempt: 1,
      strategy,
      durationMs,
      incidentMs: 99,
      receipt: receiptOf('observed', {}, [], 10),
    })
    const failed: Fact = {
      _tag: 'attempt-failed',
      incident: 1,
      attempt: 1,
      strategy: 'restart',
      durationMs: 5_000,
    }
    const facts = [recovered(10, 'restart'), failed, recovered(20, 'prompt-interrupt'), failed]
    expect(statisticsOf(sumsOf(facts))).toMatchObject({
      averageRecoveryTime: 15,
      successRate: 50,
      sessionsRestored: 1,
      bytesRestored: 20,
      strategiesSucceeded: { restart: 1, 'prompt-interrupt': 1 },
    })
  })

  test('a value that was given out does not change', () => {
    const sums = sumsOf([])
    const stats = statisticsOf(sums)
    const used = stats.strategiesUsed as Record<string, number>
    used.restart = 9
    expect(sums).toEqual(emptyTally)
    expect(statisticsOf(sums).strategiesUsed).toEqual({})
  })
})

describe('a history', () => {
  const started = (attempt: number): Fact => ({ _tag: 'attempt-started', incident: 1, attempt })

  test('holds at most its limit, the newest, each a valid attempt', () => {
    holds(
      fc.property(anyFacts, fc.nat(3), (facts, limit) => {
        let history: readonly RecoveryAttempt[] = []
        for (const [i, fact] of facts.entries())
          history = remember(history, 's', fact, i * 10, limit)
        expect(history.length).toBe(Math.min(limit, countOf(facts, 'attempt-started')))
        for (const attempt of history) expect(RecoveryAttempt.is(attempt)).toBe(true)
        const numbers = facts.flatMap((f) => (f._tag === 'attempt-started' ? [f.attempt] : []))
        expect(history.map((attempt) => attempt.attemptNumber)).toEqual(
          limit === 0 ? [] : numbers.slice(-limit),
        )
      }),
      500,
    )
  })

  test('an attempt that has ended is not touched again', () => {
    holds(
      fc.property(anyFacts, (facts) => {
        const ended = remember(
          remember([], 's', started(1), 0, 9),
          's',
          {
            _tag: 'attempt-failed',
            incident: 1,
            attempt: 1,
            strategy: 'restart',
            durationMs: 7,
          },
          7,
          9,
        )
        const after = facts.reduce((so, fact) => remember(so, 's', fact, 9, 9_999), ended)
        deepStrictEqual(after[0], ended[0])
      }),
    )
  })

  test('tells how an attempt went', () => {
    const receipt = receiptOf('observed', {}, [], 42)
    const facts: readonly Fact[] = [
      started(2),
      { _tag: 'strategy-started', incident: 1, attempt: 2, strategy: 'reconnect', repeated: false },
      {
        _tag: 'strategy-missed',
        incident: 1,
        attempt: 2,
        miss: { strategy: 'reconnect', why: 'timed-out', detail: 'slow' },
      },
      { _tag: 'strategy-started', incident: 1, attempt: 2, strategy: 'restart', repeated: false },
      {
        _tag: 'incident-recovered',
        incident: 1,
        attempt: 2,
        strategy: 'restart',
        durationMs: 30,
        incidentMs: 90,
        receipt,
      },
    ]
    const steps = facts.map((_, i) =>
      facts
        .slice(0, i + 1)
        .reduce<readonly RecoveryAttempt[]>((so, fact, n) => remember(so, 's', fact, n * 10, 9), [])
        .at(-1),
    )
    expect(steps[2]).toMatchObject({
      success: false,
      strategy: 'reconnect',
      error: 'reconnect: timed-out: slow',
    })
    expect(steps[4]).toEqual({
      sessionId: 's',
      attemptNumber: 2,
      startTime: new Date(0),
      endTime: new Date(40),
      success: true,
      strategy: 'restart',
      metrics: { duration: 30, resourcesUsed: 2, dataRestored: 42 },
    })
  })

  test('a cancelled attempt has ended without success', () => {
    const cancelled: Fact = {
      _tag: 'incident-cancelled',
      incident: 1,
      incidentMs: 5,
      why: 'asked to',
    }
    const [attempt] = remember(remember([], 's', started(1), 10, 9), 's', cancelled, 25, 9)
    expect(attempt).toMatchObject({
      success: false,
      error: 'asked to',
      endTime: new Date(25),
      metrics: { duration: 15 },
    })
  })
})

describe('the projector', () => {
  const policy = { ...defaultPolicy, historyLimit: 3 }

  test('folding in two parts, stored in between, is folding in one', () => {
    holds(
      fc.property(anyEntries, fc.nat(12), (entries, cut) => {
        const whole = projector(undefined, policy)
        entries.forEach(whole.fold)
        const first = projector(undefined, policy)
        entries.slice(0, cut).forEach(first.fold)
        const carried = Projection.decode(
          JSON.parse(JSON.stringify(Projection.encode(first.projection()))),
        )
        if (E.isLeft(carried)) throw new Error('a projection cannot be read again')
        const second = projector(carried.right, policy)
        entries.slice(cut).forEach(second.fold)
        deepStrictEqual(second.projection(), whole.projection())
      }),
      300,
    )
  })

  test('a projection is a value; each session has its own history, and an unregistered one none', () => {
    holds(
      fc.property(anyEntries, (entries) => {
        const all = projector(undefined, policy)
        const before = all.projection()
        entries.forEach(all.fold)
        deepStrictEqual(before, projector(undefined, policy).projection())
        const expected = new Map<string, readonly RecoveryAttempt[]>()
        for (const entry of entries) {
          const { sessionId, to, event } = entry
          const after = factsOf(entry).reduce(
            (so, fact) => remember(so, sessionId, fact, event.atMs, policy.historyLimit),
            expected.get(sessionId) ?? [],
          )
          expected.set(sessionId, to === 'unregistered' ? [] : after)
        }
        for (const [sessionId, history] of expected) expect(all.history(sessionId)).toEqual(history)
      }),
    )
  })

  test('counts each fact of an entry once', () => {
    holds(
      fc.property(anyEntries, (entries) => {
        const all = projector(undefined, policy)
        entries.forEach(all.fold)
        const expected = entries.reduce(
          (sums, entry) =>
            factsOf(entry).reduce((so, fact) => tally(so, fact, entry.event.atMs), sums),
          emptyTally,
        )
        deepStrictEqual(all.tally(), expected)
      }),
    )
  })

  test('with metrics off nothing is counted', () => {
    holds(
      fc.property(anyEntries, (entries) => {
        const off = projector(undefined, { ...policy, enableRecoveryMetrics: false })
        entries.forEach(off.fold)
        deepStrictEqual(off.tally(), emptyTally)
      }),
      50,
    )
  })
})

test('interactive statistics look at interactive sessions only, and are never NaN', () => {
  holds(
    fc.property(fc.array(arbitraryOf(InteractiveState)), arbitraryOf(Tally), (states, sums) => {
      const interactive = states.filter((state) => state.isInteractive)
      const stats = interactiveStatistics(states, sums)
      expect(stats).toMatchObject({
        totalInteractiveSessions: interactive.length,
        sessionsWithTimeouts: interactive.filter((state) => state.timeoutCount > 0).length,
        unresponsiveSessions: interactive.filter((state) => state.sessionUnresponsive).length,
        successfulPromptInterrupts: sums.strategiesSucceeded['prompt-interrupt'] ?? 0,
        successfulPromptResets: sums.strategiesSucceeded['prompt-reset'] ?? 0,
      })
      expect(Number.isFinite(stats.averageTimeoutCount)).toBe(true)
    }),
  )
})
