/**
 * The horizon: the exact schedule of the attempts that an incident can have, and the longest it can take
 * until the engine gives up. What an operator wants to know before it happens.
 */
import { type BackoffKey, backoffDelayMs } from './backoff.js'
import type { Policy } from './policy.js'

// ------------------------------------------------------------------------------------------ model

export interface PlannedAttempt {
  /** Its number within the budget, from 1. */
  readonly attempt: number
  /** The wait before it. */
  readonly delayMs: number
  /** Counted from the failure: when it starts if every attempt before it fails at once. */
  readonly earliestMs: number
  /** When it starts if everything before it takes as long as it may; absent: no bound. */
  readonly latestMs?: number
}

export interface Horizon {
  /** The first {@link listedAttempts} attempts. */
  readonly attempts: readonly PlannedAttempt[]
  readonly totalAttempts: number
  /** From the failure to the end of the last resort, at worst; absent: no bound. */
  readonly worstCaseMs?: number
}

/** How many attempts a horizon lists one by one; for those beyond, each wait counts as the last. */
export const listedAttempts = 1_000

// ------------------------------------------------------------------------------------ combinators

/** The longest one attempt with `strategies` strategies (without the last resort) can take. */
const attemptBoundMs = (policy: Policy, strategies: number): number => {
  const each = policy.strategyTimeoutMs > 0 ? policy.strategyTimeoutMs : Number.POSITIVE_INFINITY
  const whole = policy.recoveryTimeout > 0 ? policy.recoveryTimeout : Number.POSITIVE_INFINITY
  return Math.min(whole, strategies * each)
}

/**
 * The schedule for an incident whose plan has `strategies` strategies before the last resort.
 *
 * @param used attempts of the budget used already.
 *
 * @example
 * horizonOf(defaultPolicy, 3, { sessionId: 's', incident: 1 }).attempts.map((a) => a.earliestMs) // => [0, 5_000, 15_000]
 * horizonOf(defaultPolicy, 3, { sessionId: 's', incident: 1 }).worstCaseMs // => 315_000
 */
export const horizonOf = (
  policy: Policy,
  strategies: number,
  key: BackoffKey,
  used = 0,
): Horizon => {
  const totalAttempts = strategies === 0 ? 0 : Math.max(0, policy.maxRecoveryAttempts - used)
  const boundMs = attemptBoundMs(policy, strategies)
  const attempts: PlannedAttempt[] = []
  let earliestMs = 0
  let latestMs = 0
  for (let i = 0; i < Math.min(totalAttempts, listedAttempts); i++) {
    const attempt = used + i + 1
    // The first attempt of an incident follows the failure at once, whatever was used before.
    const delayMs = i === 0 ? 0 : backoffDelayMs(policy, attempt, key)
    earliestMs += delayMs
    latestMs += delayMs
    const latest = Number.isFinite(latestMs) ? { latestMs } : {}
    attempts.push({ attempt, delayMs, earliestMs, ...latest })
    latestMs += boundMs
  }
  const unlisted = totalAttempts - attempts.length
  if (unlisted > 0) {
    const longestMs = backoffDelayMs({ ...policy, jitter: 0 }, used + totalAttempts, key)
    latestMs += unlisted * (longestMs + boundMs)
  }
  const lastResortMs =
    policy.strategyTimeoutMs || policy.recoveryTimeout || Number.POSITIVE_INFINITY
  const worstCaseMs = latestMs + lastResortMs
  return { attempts, totalAttempts, ...(Number.isFinite(worstCaseMs) ? { worstCaseMs } : {}) }
}
