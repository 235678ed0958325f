/** Waiting for what a shell tells. */
import type { Cancellation, Clock } from '@session-recovery/core'
import type { Shell } from './shell.js'
import { type Waited, waitFor } from './waiting.js'

/** Waits until the shell tells `look` what it wants, or ends. */
export const heard = <A>(
  shell: Shell,
  clock: Clock,
  withinMs: number,
  look: () => A | undefined,
  bounds: { readonly signal?: Cancellation; readonly everyMs?: number } = {},
): Promise<Waited<A | 'gone'>> =>
  waitFor(
    { clock, withinMs, wakeBy: shell.onChange, ...bounds },
    () => look() ?? (shell.gone() === undefined ? undefined : ('gone' as const)),
  )
