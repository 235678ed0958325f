/**
 * Asking a host by an event and waiting for its listeners. `emit` drops what listeners return and throws
 * what one of them throws; here every listener is called, every answer awaited, and none can be lost.
 */
import type { EventEmitter } from 'node:events'
import type { Cancellation } from '@session-recovery/core'
import type { PayloadOf, RecoveryEventMap, RecoveryEventName } from './event.js'

// ------------------------------------------------------------------------------------------ model

/** What of a host's emitter is needed. */
export type HostEmitter = Pick<
  EventEmitter<RecoveryEventMap>,
  'emit' | 'listenerCount' | 'rawListeners'
>

/** What came of asking. */
export type Answer =
  /** Nobody listens. */
  | { readonly _tag: 'unheard' }
  /** Every listener returned or resolved; what they returned, in the order they were added. */
  | { readonly _tag: 'answered'; readonly values: readonly unknown[] }
  /** At least one listener threw or rejected. */
  | { readonly _tag: 'refused'; readonly message: string }
  /** The answer was awaited no longer. */
  | { readonly _tag: 'given-up' }

// ------------------------------------------------------------------------------------ combinators

/** Calls every listener of `event` and waits for all of them, or until `signal` aborts. */
export const ask = async <K extends RecoveryEventName>(
  emitter: HostEmitter,
  event: K,
  payload: PayloadOf<K>,
  signal: Cancellation,
): Promise<Answer> => {
  const listeners = emitter.rawListeners(event)
  if (listeners.length === 0) return { _tag: 'unheard' }
  if (signal.aborted) return { _tag: 'given-up' }
  // An async function makes a rejection of what a listener throws before its first await.
  const calls = listeners.map(
    async (listener): Promise<unknown> => Reflect.apply(listener, emitter, [payload]),
  )
  return untilAborted(Promise.allSettled(calls).then(answerOf), signal)
}

const answerOf = (settled: readonly PromiseSettledResult<unknown>[]): Answer => {
  const refusals = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  return refusals.length > 0
    ? { _tag: 'refused', message: refusals.map(messageOf).join('; ') }
    : {
        _tag: 'answered',
        values: settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
      }
}

/** `answer`, or `given-up` once `signal` aborts. */
export const untilAborted = async <A>(
  answer: Promise<A>,
  signal: Cancellation,
): Promise<A | { readonly _tag: 'given-up' }> => {
  let onAbort = () => {}
  const aborted = new Promise<{ readonly _tag: 'given-up' }>((resolve) => {
    onAbort = () => resolve({ _tag: 'given-up' })
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
  })
  try {
    return await Promise.race([answer, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** What a thrown value says. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
