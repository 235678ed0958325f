/**
 * Engine time: what events carry. It starts at the wall clock, but always later than anything the store has
 * seen, so that no life of an id begins when a former one did that is forgotten; and from there it follows
 * the monotonic clock: a wall clock that jumps moves no deadline.
 */
import type { Clock } from '@session-recovery/core'

/** Reads engine time, in milliseconds since the epoch; never runs backwards. */
export const engineTime = (clock: Clock, latestMs: number): (() => number) => {
  const startMs = Math.max(clock.wallMs(), latestMs > 0 ? latestMs + 1 : 0)
  const zeroMs = clock.monotonicMs()
  return () => startMs + Math.max(0, Math.round(clock.monotonicMs() - zeroMs))
}
