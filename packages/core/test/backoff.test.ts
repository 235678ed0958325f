/** Laws of the wait before an attempt. */
import { type BackoffPolicy, backoffDelayMs, defaultPolicy, Policy } from '@session-recovery/core'
import { anyText, arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const key = { sessionId: 's', incident: 1 }
const anyKey = fc.record({ sessionId: anyText, incident: fc.nat() })
const anyPolicy: fc.Arbitrary<BackoffPolicy> = fc
  .tuple(arbitraryOf(Policy), fc.constantFrom(undefined, 1, 1e308, Number.MAX_VALUE))
  .map(([policy, multiplier]) => ({
    ...policy,
    backoffMultiplier: multiplier ?? policy.backoffMultiplier,
  }))
const anyAttempt = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2 ** 31 }))

test('the default schedule is the seed’s', () => {
  const delays = [1, 2, 3, 4, 5, 6, 7].map((attempt) => backoffDelayMs(defaultPolicy, attempt, key))
  expect(delays).toEqual([0, 5_000, 10_000, 20_000, 40_000, 60_000, 60_000])
})

test('whatever the policy, a wait is finite, not negative and not over the cap', () => {
  holds(
    fc.property(anyPolicy, anyAttempt, anyKey, (policy, attempt, of) => {
      const delayMs = backoffDelayMs(policy, attempt, of)
      expect(Number.isFinite(delayMs)).toBe(true)
      expect(delayMs).toBeGreaterThanOrEqual(0)
      expect(delayMs).toBeLessThanOrEqual(policy.maxBackoffDelay)
    }),
    2_000,
  )
})

test('without jitter waits only grow, and stay at the cap once they reach it', () => {
  holds(
    fc.property(anyPolicy, anyAttempt, (policy, attempt) => {
      const plain = { ...policy, jitter: 0 }
      const [now, next] = [attempt, attempt + 1].map((n) => backoffDelayMs(plain, n, key))
      expect(next).toBeGreaterThanOrEqual(now ?? Number.NaN)
      if (attempt > 1 && now === plain.maxBackoffDelay) expect(next).toBe(now)
    }),
    2_000,
  )
})

test('without jitter and cap the wait is the delay times the multiplier to the power', () => {
  holds(
    fc.property(
      fc.nat(10_000),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 2, max: 12 }),
      (recoveryDelay, backoffMultiplier, attempt) => {
        const policy = { ...defaultPolicy, recoveryDelay, backoffMultiplier, maxBackoffDelay: 1e15 }
        let expected = recoveryDelay
        for (let i = 2; i < attempt; i++) expected *= backoffMultiplier
        expect(backoffDelayMs(policy, attempt, key)).toBe(expected)
      },
    ),
  )
})

test.each(['recoveryDelay', 'maxBackoffDelay'] as const)('%s 0 means no wait', (field) => {
  holds(
    fc.property(anyPolicy, anyAttempt, anyKey, (policy, attempt, of) => {
      expect(backoffDelayMs({ ...policy, [field]: 0 }, attempt, of)).toBe(0)
    }),
  )
})

test('jitter takes off at most its share', () => {
  holds(
    fc.property(anyPolicy, anyAttempt, anyKey, (policy, attempt, of) => {
      const whole = backoffDelayMs({ ...policy, jitter: 0 }, attempt, of)
      const delayMs = backoffDelayMs(policy, attempt, of)
      expect(delayMs).toBeLessThanOrEqual(whole)
      expect(delayMs).toBeGreaterThanOrEqual(whole * (1 - policy.jitter))
    }),
  )
})

test('jitter is a function of seed, session, incident and attempt, and of each of them', () => {
  const policy = { ...defaultPolicy, jitter: 1, recoveryDelay: 1e9, maxBackoffDelay: 1e9 }
  const at = (jitterSeed: string, sessionId: string, incident: number, attempt: number) =>
    backoffDelayMs({ ...policy, jitterSeed }, attempt, { sessionId, incident })
  expect(at('', 's', 1, 2)).toBe(at('', 's', 1, 2))
  // Written down once: another value on another machine would break every replay.
  expect(at('', 's', 1, 2)).toBe(96_218_102.678_539_59)
  const all = [
    at('', 's', 1, 2),
    at('x', 's', 1, 2),
    at('', 't', 1, 2),
    at('', 's', 2, 2),
    at('', 's', 1, 3),
  ]
  expect(new Set(all).size).toBe(all.length)
})

test('jitter spreads over its whole share', () => {
  const policy = { ...defaultPolicy, jitter: 0.5 }
  const delays = Array.from({ length: 1_000 }, (_, incident) =>
    backoffDelayMs(policy, 2, { sessionId: 's', incident }),
  )
  expect(Math.min(...delays)).toBeLessThan(2_550)
  expect(Math.max(...delays)).toBeGreaterThan(4_950)
  expect(delays.reduce((a, b) => a + b) / delays.length).toBeGreaterThan(3_600)
  expect(delays.reduce((a, b) => a + b) / delays.length).toBeLessThan(3_900)
})
