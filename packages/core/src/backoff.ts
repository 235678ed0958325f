/**
 * The wait before an attempt: exponential, capped, with jitter that is a function and no dice.
 */
import { lastInstantMs } from './codec.js'
import { idOf } from './id.js'
import type { Policy } from './policy.js'

/** The part of a policy that shapes the waits. */
export type BackoffPolicy = Pick<
  Policy,
  'recoveryDelay' | 'backoffMultiplier' | 'maxBackoffDelay' | 'jitter' | 'jitterSeed'
>

/** For whom and for which incident the wait is; what jitter is a function of. */
export interface BackoffKey {
  readonly sessionId: string
  readonly incident: number
}

/**
 * The wait before attempt `attempt`, in milliseconds.
 *
 * Attempt 1 follows the failure at once. Attempt n waits `recoveryDelay × backoffMultiplier^(n−2)`, at
 * most `maxBackoffDelay`; jitter takes off up to its share of that.
 *
 * @param attempt from 1.
 * @returns a finite number from 0 to `maxBackoffDelay`, and no longer than there is time.
 *
 * @example
 * backoffDelayMs(defaultPolicy, 1, { sessionId: 's', incident: 1 }) // => 0
 * backoffDelayMs(defaultPolicy, 3, { sessionId: 's', incident: 1 }) // => 10_000
 */
export const backoffDelayMs = (policy: BackoffPolicy, attempt: number, key: BackoffKey): number => {
  if (attempt <= 1 || policy.recoveryDelay === 0) return 0
  const raw = policy.recoveryDelay * policy.backoffMultiplier ** (attempt - 2)
  const capped = Math.min(raw, policy.maxBackoffDelay, lastInstantMs)
  if (policy.jitter === 0) return capped
  return capped * (1 - policy.jitter * fraction(policy.jitterSeed, key, attempt))
}

// 52 bits of the id: every double in [0, 1) it can give is exact on every machine.
const fraction = (seed: string, key: BackoffKey, attempt: number): number => {
  const id = idOf('jitter', seed, key.sessionId, key.incident, attempt)
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13) + id.slice(24, 25), 16) / 2 ** 52
}
