/**
 * Virtual time: a clock that moves only when a test moves it. Timers fire in the order of their due
 * times, ties in the order they were made; while one fires, `now` is its due time.
 */
import type { Clock } from '@session-recovery/core'

interface Timer {
  readonly dueMs: number
  readonly order: number
  readonly owner: object
  readonly task: () => void
}

/** Lets every promise that can go on do so. */
export const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export class VirtualClock {
  #nowMs = 0
  #wallZeroMs: number
  #order = 0
  #timers: Timer[] = []

  constructor(wallStartMs = Date.UTC(2027, 0, 15)) {
    this.#wallZeroMs = wallStartMs
  }

  /** Virtual milliseconds since the clock was made. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Makes the wall clock jump, forwards or backwards. */
  jumpWall(byMs: number): void {
    this.#wallZeroMs += byMs
  }

  /** A clock for one owner, whose timers can be counted and dropped (as a crash does). */
  fork(): { readonly clock: Clock; readonly pending: () => number; readonly drop: () => void } {
    const owner = {}
    return {
      clock: {
        wallMs: () => this.#wallZeroMs + this.#nowMs,
        monotonicMs: () => this.#nowMs,
        schedule: (delayMs, task) => this.#schedule(owner, delayMs, task),
      },
      pending: () => this.#timers.filter((timer) => timer.owner === owner).length,
      drop: () => {
        this.#timers = this.#timers.filter((timer) => timer.owner !== owner)
      },
    }
  }

  /** Moves on by `byMs`, firing what falls due, and letting promises go on after each. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs
    await quiet()
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#timers.splice(this.#timers.indexOf(next), 1)
      this.#nowMs = next.dueMs
      next.task()
      await quiet()
    }
    this.#nowMs = untilMs
  }

  #next(untilMs: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs > untilMs) continue
      const isEarlier =
        first === undefined ||
        timer.dueMs < first.dueMs ||
        (timer.dueMs === first.dueMs && timer.order < first.order)
      if (isEarlier) first = timer
    }
    return first
  }

  #schedule(owner: object, delayMs: number, task: () => void): () => void {
    this.#order += 1
    const dueMs = this.#nowMs + Math.max(0, delayMs)
    const timer = { dueMs, order: this.#order, owner, task }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }
}
