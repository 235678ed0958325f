/** The horizon against a brute-force simulation, in which every strategy hangs until it is given up. */
import {
  type BackoffKey,
  backoffDelayMs,
  defaultPolicy,
  horizonOf,
  Policy,
} from '@session-recovery/core'
import { arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const key: BackoffKey = { sessionId: 's', incident: 1 }

interface Simulated {
  readonly starts: readonly number[]
  readonly endMs: number
}

/** Lives through an incident strategy by strategy; infinite where nothing bounds it. */
const simulated = (policy: Policy, strategies: number, used: number): Simulated => {
  const bound = (ms: number) => (ms > 0 ? ms : Number.POSITIVE_INFINITY)
  const starts: number[] = []
  let nowMs = 0
  for (let n = used + 1; strategies > 0 && n <= policy.maxRecoveryAttempts; n++) {
    if (starts.length > 0) nowMs += backoffDelayMs(policy, n, key)
    starts.push(nowMs)
    const deadlineMs = nowMs + bound(policy.recoveryTimeout)
    for (let left = strategies; left > 0 && nowMs < deadlineMs; left--) {
      nowMs += Math.min(bound(policy.strategyTimeoutMs), (deadlineMs - nowMs) / left)
    }
  }
  return { starts, endMs: nowMs + bound(policy.strategyTimeoutMs || policy.recoveryTimeout) }
}

const near = (actual: number | undefined, expected: number): void => {
  if (!Number.isFinite(expected)) expect(actual).toBeUndefined()
  else expect(Math.abs((actual ?? Number.NaN) - expected)).toBeLessThanOrEqual(expected * 1e-9)
}

const plausible = fc
  .record({
    maxRecoveryAttempts: fc.nat(8),
    recoveryDelay: fc.oneof(fc.constant(0), fc.nat(10_000)),
    backoffMultiplier: fc.double({ min: 1, max: 4, noNaN: true }),
    maxBackoffDelay: fc.oneof(fc.constant(0), fc.nat(100_000)),
    recoveryTimeout: fc.oneof(fc.constant(0), fc.nat(200_000)),
    strategyTimeoutMs: fc.oneof(fc.constant(0), fc.nat(50_000)),
    jitter: fc.constantFrom(0, 0.3, 1),
  })
  .map((part): Policy => ({ ...defaultPolicy, ...part }))

test('where there is nothing to try, the worst case is that of the last resort', () => {
  const unbounded: Policy = { ...defaultPolicy, strategyTimeoutMs: 0, recoveryTimeout: 100 }
  expect(horizonOf(unbounded, 0, key)).toEqual({
    ...{ attempts: [], totalAttempts: 0, worstCaseMs: 100 },
  })
})

test('starts and worst case are those of an incident in which everything hangs', () => {
  holds(
    fc.property(plausible, fc.nat(5), fc.nat(4), (policy, strategies, used) => {
      const horizon = horizonOf(policy, strategies, key, used)
      const { starts, endMs } = simulated(policy, strategies, used)
      expect(horizon.totalAttempts).toBe(starts.length)
      expect(horizon.attempts).toHaveLength(starts.length)
      for (const [i, startMs] of starts.entries()) near(horizon.attempts[i]?.latestMs, startMs)
      near(horizon.worstCaseMs, endMs)
    }),
    2_000,
  )
})

test('when every attempt fails at once, attempts start as early as it says', () => {
  holds(
    fc.property(
      plausible,
      fc.integer({ min: 1, max: 5 }),
      fc.nat(4),
      (policy, strategies, used) => {
        let nowMs = 0
        for (const { attempt, delayMs, earliestMs } of horizonOf(policy, strategies, key, used)
          .attempts) {
          const waitMs = attempt === used + 1 ? 0 : backoffDelayMs(policy, attempt, key)
          nowMs += waitMs
          expect(delayMs).toBe(waitMs)
          expect(earliestMs).toBe(nowMs)
        }
      },
    ),
  )
})

test('no policy yields NaN, a negative or an infinite time', () => {
  holds(
    fc.property(arbitraryOf(Policy), fc.nat(9), fc.nat(5), (policy, strategies, used) => {
      const { attempts, worstCaseMs = 0 } = horizonOf(policy, strategies, key, used)
      const times = attempts.flatMap(({ delayMs, earliestMs, latestMs = 0 }) => [
        delayMs,
        earliestMs,
        latestMs,
      ])
      // One look at all: there may be thousands of attempts.
      const odd = [...times, worstCaseMs].filter((ms) => !(Number.isFinite(ms) && ms >= 0))
      expect(odd).toEqual([])
    }),
    300,
  )
})

describe('by hand', () => {
  test('the default policy: three attempts of at most 120 s, 5 s and 10 s between, 30 s to archive', () => {
    expect(horizonOf(defaultPolicy, 4, key)).toEqual({
      totalAttempts: 3,
      worstCaseMs: 405_000,
      attempts: [
        { attempt: 1, delayMs: 0, earliestMs: 0, latestMs: 0 },
        { attempt: 2, delayMs: 5_000, earliestMs: 5_000, latestMs: 125_000 },
        { attempt: 3, delayMs: 10_000, earliestMs: 15_000, latestMs: 255_000 },
      ],
    })
  })

  test('no attempts: straight to the last resort', () => {
    const policy = { ...defaultPolicy, maxRecoveryAttempts: 0 }
    expect(horizonOf(policy, 4, key)).toEqual({
      attempts: [],
      totalAttempts: 0,
      worstCaseMs: 30_000,
    })
  })

  test('no bound anywhere: no worst case', () => {
    const policy = { ...defaultPolicy, recoveryTimeout: 0, strategyTimeoutMs: 0 }
    expect(horizonOf(policy, 2, key)).not.toHaveProperty('worstCaseMs')
  })

  test.each([
    ['a steady wait', { backoffMultiplier: 1 }, 5_000],
    ['no wait', { recoveryDelay: 0 }, 0],
    ['waits at their cap', {}, 60_000],
  ])('beyond what it lists the worst case stays exact with %s', (_, part, waitMs) => {
    const policy = { ...defaultPolicy, ...part, maxRecoveryAttempts: 5_000 }
    const { attempts, totalAttempts, worstCaseMs } = horizonOf(policy, 1, key)
    expect(attempts).toHaveLength(1_000)
    expect(totalAttempts).toBe(5_000)
    const { starts, endMs } = simulated(policy, 1, 0)
    expect(starts).toHaveLength(5_000)
    expect(worstCaseMs).toBe(endMs)
    expect(attempts.at(-1)?.delayMs ?? -1).toBe(waitMs)
  })
})
