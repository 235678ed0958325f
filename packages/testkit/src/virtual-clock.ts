/**
 * Virtual time: a clock that moves only when a test moves it. Timers fire in the order of their due
 * times, ties in the order they were made; while one fires, `now` is its due time, unless the machine was
 * suspended meanwhile: then it is late.
 */
import type { Clock } from '@session-recovery/core'
import TinyQueue from 'tinyqueue'

interface Timer {
  readonly dueMs: number
  readonly order: number
  readonly owner: Owner
  readonly task: () => void
  isOver: boolean
}

/** Whose timers they are; dropped, all of them are over. */
interface Owner {
  pending: number
  isDropped: boolean
}

/** One owner's view of a virtual clock. */
export interface ForkedClock {
  readonly clock: Clock
  /** How many timers are to fire yet. */
  readonly pending: () => number
  /** No timer fires any more, nor any that is made later: what a crash does. */
  readonly drop: () => void
}

/** Lets every promise that can go on do so, and what the system has answered be heard. */
export const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Lets every promise that can go on do so. Cheap, but nothing the system answers is heard meanwhile. */
export const promisesSettled = (): Promise<void> =>
  // Of a tick itself the next one would come before any promise: whoever asks then would be told too early.
  new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)))

const isEarlier = (a: Timer, b: Timer): number => a.dueMs - b.dueMs || a.order - b.order

export class VirtualClock {
  readonly #settled: () => Promise<void>
  readonly #timers = new TinyQueue<Timer>([], isEarlier)
  #nowMs = 0
  #wallZeroMs: number
  #order = 0

  /** @param settled lets everything go on that need not wait for time. */
  constructor(wallStartMs = Date.UTC(2027, 0, 15), settled: () => Promise<void> = quiet) {
    this.#wallZeroMs = wallStartMs
    this.#settled = settled
  }

  /** Virtual milliseconds since the clock was made. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Makes the wall clock jump, forwards or backwards. */
  jumpWall(byMs: number): void {
    this.#wallZeroMs += byMs
  }

  /** Time goes on, and nobody is there: what falls due meanwhile fires late, when time is moved next. */
  suspend(byMs: number): void {
    this.#nowMs += byMs
  }

  /** A clock for one owner, whose timers can be counted and dropped (as a crash does). */
  fork(): ForkedClock {
    const owner: Owner = { pending: 0, isDropped: false }
    return {
      clock: {
        wallMs: () => this.#wallZeroMs + this.#nowMs,
        monotonicMs: () => this.#nowMs,
        schedule: (delayMs, task) => this.#schedule(owner, delayMs, task),
      },
      pending: () => owner.pending,
      drop: () => {
        owner.isDropped = true
        owner.pending = 0
      },
    }
  }

  /** Moves on by `byMs`, firing what falls due, and letting promises go on after each. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs
    await this.#settled()
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      this.#end(next)
      next.task()
      await this.#settled()
    }
    // A task may have suspended the machine beyond that.
    this.#nowMs = Math.max(this.#nowMs, untilMs)
  }

  #next(untilMs: number): Timer | undefined {
    for (;;) {
      const first = this.#timers.peek()
      if (first === undefined) return undefined
      const isOver = first.isOver || first.owner.isDropped
      if (!isOver && first.dueMs > untilMs) return undefined
      this.#timers.pop()
      if (!isOver) return first
    }
  }

  #end(timer: Timer): void {
    if (!timer.isOver && !timer.owner.isDropped) timer.owner.pending -= 1
    timer.isOver = true
  }

  #schedule(owner: Owner, delayMs: number, task: () => void): () => void {
    if (owner.isDropped) return () => {}
    this.#order += 1
    owner.pending += 1
    const dueMs = this.#nowMs + Math.max(0, delayMs)
    const timer: Timer = { dueMs, order: this.#order, owner, task, isOver: false }
    this.#timers.push(timer)
    return () => this.#end(timer)
  }
}
