/**
 * How what goes on in the background is spread in time: it pauses between its pieces, and can be told to
 * hurry or to cease.
 */
import type { Clock } from '@session-recovery/core'

/** Asked between pieces of work, so that others get their turn; false: enough. */
export type GoOn = () => Promise<boolean>

export interface Turns {
  /** How many sessions are many: from so many on, a checkpoint has a roll. */
  readonly rollFrom: number
  readonly goOn: GoOn
}

/** Of many sessions, so many parts each have a turn of their own. */
const turnsOfMany = 5

/** Does `work` for each of `items`, of which there is one for each session; others get their turns in between. */
export const inTurns = async <A>(
  { rollFrom, goOn }: Turns,
  items: Iterable<A>,
  work: (item: A) => void,
): Promise<void> => {
  const most = Math.ceil(rollFrom / turnsOfMany)
  let done = 0
  for (const item of items) {
    work(item)
    done += 1
    if (done % most === 0 && !(await goOn())) return
  }
}

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
