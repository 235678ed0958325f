/**
 * A deadline to race something against.
 */
import type { Clock } from '@session-recovery/core'

/** `over` resolves after `delayMs`, 0: never; `end` takes the timer away. */
export const deadline = (
  clock: Clock,
  delayMs: number,
): { readonly over: Promise<'over'>; readonly end: () => void } => {
  let end = () => {}
  const over = new Promise<'over'>((resolve) => {
    if (delayMs > 0) end = clock.schedule(delayMs, () => resolve('over'))
  })
  return { over, end: () => end() }
}
