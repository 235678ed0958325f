/**
 * Starts of processes, for a slice of each turn of the loop. A fork stops the whole process for milliseconds: where
 * two hundred shells start in one turn the app hears nothing for a second.
 */
import type { Clock } from '@session-recovery/core'

/** So long processes are started before other turns of the loop come. */
const sliceMs = 8

/** Resolves when the next process may be started: at once while a turn's slice lasts, or in a later turn. */
export type TurnSlice = () => Promise<void>

export const turnSlices = (clock: Pick<Clock, 'monotonicMs'>): TurnSlice => {
  let last = Promise.resolve()
  let beganMs: number | undefined
  const begin = (): void => {
    beganMs = clock.monotonicMs()
    setImmediate(() => {
      beganMs = undefined
    })
  }
  const next = async (): Promise<void> => {
    if (beganMs !== undefined && clock.monotonicMs() - beganMs < sliceMs) return
    if (beganMs !== undefined) await new Promise<void>((resolve) => setImmediate(resolve))
    begin()
  }
  return () => {
    last = last.then(next)
    return last
  }
}
