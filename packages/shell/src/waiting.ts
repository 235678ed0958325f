/**
 * Waiting for something to become true: the one way the driver waits. It looks again whenever it is
 * woken and every so often, ends by its bound or when it is called off, and leaves no timer behind.
 */
import type { Cancellation, Clock } from '@session-recovery/core'

export type Waited<A> =
  | { readonly _tag: 'seen'; readonly value: A }
  | { readonly _tag: 'too-late' }
  | { readonly _tag: 'cancelled' }

export interface Wait {
  readonly clock: Clock
  readonly withinMs: number
  /** How often to look without being woken; absent: only when woken. */
  readonly everyMs?: number
  readonly signal?: Cancellation
  /** Registers what wakes; returns what removes it. */
  readonly wakeBy: (wake: () => void) => () => void
}

/** Looks until `look` gives something that is not `undefined`. */
export const waitFor = <A>(wait: Wait, look: () => A | undefined): Promise<Waited<A>> =>
  new Promise((resolve) => {
    const { clock, signal } = wait
    const cleanUp: (() => void)[] = []
    let cancelTick = (): void => {}
    const end = (result: Waited<A>): void => {
      cancelTick()
      for (const clean of cleanUp.splice(0)) clean()
      resolve(result)
    }
    const check = (): void => {
      const value = look()
      if (value !== undefined) end({ _tag: 'seen', value })
      else if (signal?.aborted === true) end({ _tag: 'cancelled' })
    }
    const tick = (everyMs: number): void => {
      cancelTick = clock.schedule(everyMs, () => {
        tick(everyMs)
        check()
      })
    }
    cleanUp.push(wait.wakeBy(check))
    cleanUp.push(clock.schedule(wait.withinMs, () => end({ _tag: 'too-late' })))
    if (wait.everyMs !== undefined) tick(wait.everyMs)
    signal?.addEventListener('abort', check, { once: true })
    cleanUp.push(() => signal?.removeEventListener('abort', check))
    check()
  })

/** Lets `delayMs` pass, or less when it is called off. */
export const pause = async (
  clock: Clock,
  delayMs: number,
  signal: Cancellation | undefined,
): Promise<void> => {
  await waitFor(
    {
      clock,
      withinMs: delayMs,
      wakeBy: () => () => {},
      ...(signal === undefined ? {} : { signal }),
    },
    () => undefined,
  )
}
