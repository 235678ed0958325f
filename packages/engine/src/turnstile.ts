/**
 * The turnstile: how many failures are taken in at once, however many are reported. When all sessions fail in
 * one tick, those that came through are decided and committed while the others wait as they were told, and
 * the app's own turns of the loop come in between.
 */
import type { Clock } from '@session-recovery/core'

/** One flush is theirs together, and one turn of the loop. */
const width = 32

/** So long the next are let in before other turns of the loop are. */
const sliceMs = 8

type Time = Pick<Clock, 'monotonicMs' | 'schedule'>

export class Turnstile<Visitor> {
  readonly #clock: Time
  readonly #visit: (visitor: Visitor) => Promise<void>
  #inside = 0
  #isClosed = false
  #waiting: Visitor[] = []
  /** How many of those have been let in. */
  #gone = 0
  /** Places that are given away when the next slice begins. */
  #free = 0
  #sliceEndMs = Number.NEGATIVE_INFINITY
  #cancel: (() => void) | undefined

  /** @param visit what a visitor does inside; it does not reject. */
  constructor(clock: Time, visit: (visitor: Visitor) => Promise<void>) {
    this.#clock = clock
    this.#visit = visit
  }

  /** How many wait. */
  get heldBack(): number {
    return this.#waiting.length - this.#gone
  }

  /** Lets `visitor` in when there is a place: at once, or when those before it have left. */
  admit(visitor: Visitor): void {
    if (this.#isClosed || this.#inside < width) {
      this.#inside += 1
      this.#begin(visitor)
    } else this.#waiting.push(visitor)
  }

  /** Nobody waits any more: all are let in, whoever comes later too, to see for themselves that it is over. */
  close(): void {
    this.#isClosed = true
    this.#cancel?.()
    while (this.heldBack > 0) this.#letIn()
  }

  #begin(visitor: Visitor): void {
    void this.#visit(visitor).then(this.#leave)
  }

  readonly #leave = (): void => {
    if (this.heldBack <= this.#free) this.#inside -= 1
    else if (this.#clock.monotonicMs() < this.#sliceEndMs) this.#letIn()
    else {
      this.#free += 1
      this.#cancel ??= this.#clock.schedule(0, () => this.#slice())
    }
  }

  #slice(): void {
    this.#cancel = undefined
    this.#sliceEndMs = this.#clock.monotonicMs() + sliceMs
    for (; this.#free > 0; this.#free--) this.#letIn()
  }

  /** Gives a place on to who waits longest. */
  #letIn(): void {
    const next = this.#waiting[this.#gone]
    this.#gone += 1
    if (this.#gone >= this.#waiting.length) {
      this.#waiting = []
      this.#gone = 0
    }
    if (next !== undefined) this.#begin(next)
  }
}
