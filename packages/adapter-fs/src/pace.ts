/**
 * How what goes on in the background is spread in time: it pauses between its pieces, and can be told to
 * hurry or to cease.
 */
import type { Clock } from '@session-recovery/core'

export class Pace {
  readonly #schedule: Clock['schedule']
  #pauseMs: number
  #isOver = false
  #wake: () => void = () => undefined

  /** @param pauseMs between two pieces; 0: others get their turn, and on it goes. */
  constructor(schedule: Clock['schedule'], pauseMs: number) {
    this.#schedule = schedule
    this.#pauseMs = pauseMs
  }

  /** Resolves when the next piece may begin; false: none shall. Waits by the clock it was given alone. */
  readonly goOn = async (): Promise<boolean> => {
    if (!this.#isOver) await this.#pause()
    return !this.#isOver
  }

  /** Somebody waits for the end: no pauses any more. */
  hurry(): void {
    this.#pauseMs = 0
    this.#wake()
  }

  cease(): void {
    this.#isOver = true
    this.#wake()
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#schedule(this.#pauseMs, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }
}

/** Does `work` after `firstMs`, and again `everyMs` after each time it has ended; returns what ends that. */
export const repeated = (
  schedule: Clock['schedule'],
  firstMs: number,
  everyMs: number,
  work: () => Promise<void>,
): (() => void) => {
  let isOver = false
  let cancel = () => {}
  const wait = (delayMs: number): void => {
    cancel = schedule(delayMs, async () => {
      await work()
      if (!isOver) wait(everyMs)
    })
  }
  wait(firstMs)
  return () => {
    isOver = true
    cancel()
  }
}
