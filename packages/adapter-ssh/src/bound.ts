/**
 * Waiting for what somebody else does, who may never do it: until a moment, and not after it was called
 * off. What comes of it later is nobody's.
 */
import type { Cancellation, Clock } from '@session-recovery/core'
import { type Waited, waitFor } from '@session-recovery/shell'

// ------------------------------------------------------------------------------------------ model

export interface Bound {
  readonly clock: Clock
  /** On the clock that never goes back. */
  readonly untilMs: number
  readonly signal?: Cancellation | undefined
}

// ------------------------------------------------------------------------------------ combinators

/** What is left of a bound; never less than nothing. */
export const remainingMs = ({ clock, untilMs }: Bound): number =>
  Math.max(0, untilMs - clock.monotonicMs())

/** Waits for a promise within a bound; throws what the promise is rejected with. */
export const settledWithin = async <A>(bound: Bound, promise: Promise<A>): Promise<Waited<A>> => {
  const { clock, signal } = bound
  let settled: { readonly value: Promise<A> } | undefined
  const outcome = await waitFor(
    {
      clock,
      withinMs: remainingMs(bound),
      wakeBy: (wake) => {
        const done = () => {
          settled = { value: promise }
          wake()
        }
        promise.then(done, done)
        return () => {}
      },
      ...(signal === undefined ? {} : { signal }),
    },
    () => settled,
  )
  return outcome._tag === 'seen' ? { _tag: 'seen', value: await outcome.value.value } : outcome
}
