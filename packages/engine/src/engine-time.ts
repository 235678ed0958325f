/**
 * Engine time: what events carry. It starts at the wall clock, but never before anything the store has
 * seen, and from there follows the monotonic clock: a wall clock that jumps moves no deadline.
 */
import type { Clock } from '@session-recovery/core'

/** Reads engine time, in milliseconds since the epoch; never runs backwards. */
export const engineTime = (clock: Clock, latestMs: number): (() => number) => {
  const startMs = Math.max(clock.wallMs(), latestMs)
  const zeroMs = clock.monotonicMs()
  return () => startMs + Math.max(0, Math.round(clock.monotonicMs() - zeroMs))
}
