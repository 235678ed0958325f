/**
 * The platform's clock. A platform timer holds at most 2³¹−1 ms and fires at once beyond; here longer
 * waits are chained.
 */
import type { Clock } from '@session-recovery/core'

/**
 * The longest wait one platform timer holds.
 *
 * @example
 * longestTimerMs // => 2_147_483_647
 */
export const longestTimerMs = 2 ** 31 - 1

/** What of the platform's timers the clock uses; a test gives its own. */
export interface TimerPlatform {
  readonly setTimeout: (task: () => void, delayMs: number) => unknown
  readonly clearTimeout: (handle: unknown) => void
}

const platform: TimerPlatform = {
  setTimeout: (task, delayMs) => setTimeout(task, delayMs),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
}

/** A `schedule` over platform timers that waits however long. Not finite or negative: at once. */
export const chainedSchedule =
  (timers: TimerPlatform): Clock['schedule'] =>
  (delayMs, task) => {
    let handle: unknown
    const wait = (leftMs: number): void => {
      const nowMs = Math.min(leftMs, longestTimerMs)
      handle = timers.setTimeout(() => (leftMs > nowMs ? wait(leftMs - nowMs) : task()), nowMs)
    }
    wait(Number.isFinite(delayMs) ? Math.max(0, Math.ceil(delayMs)) : 0)
    return () => timers.clearTimeout(handle)
  }

/** Wall clock, monotonic clock and timers of this process. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule: chainedSchedule(platform),
}
