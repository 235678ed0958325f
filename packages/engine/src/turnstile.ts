/**
 * The turnstile: how many failures are taken in at once, however many are reported. When all sessions fail in
 * one tick, those that came through are decided and committed while the others wait as they were told, and
 * the app's own turns of the loop come in between.
 */
import type { Clock } from '@session-recovery/core'

/** One flush is theirs together, and one turn of the loop. */
const width = 32

/**
 * Where so many wait, so few are let in: what they leave behind is collected in pieces inside of those same turns,
 * and the app has its own in between.
 */
const stampede = { from: 1_000, width: 8 }

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
    if (this.#isClosed || (this.heldBack === 0 && this.#inside < width)) this.#begin(visitor)
    else this.#waiting.push(visitor)
  }

  /** Nobody waits any more: all are let in, whoever comes later too, to see for themselves that it is over. */
  close(): void {
    this.#isClosed = true
    this.#cancel?.()
    while (this.heldBack > 0) this.#letIn()
  }

  #begin(visitor: Visitor): void {
    this.#inside += 1
    void this.#visit(visitor).then(this.#leave)
  }

  readonly #leave = (): void => {
    this.#inside -= 1
    if (this.heldBack === 0) return
    if (this.#clock.monotonicMs() < this.#sliceEndMs) this.#fill()
    else this.#cancel ??= this.#clock.schedule(0, () => this.#slice())
  }

  #slice(): void {
    this.#cancel = undefined
    this.#sliceEndMs = this.#clock.monotonicMs() + sliceMs
    this.#fill()
  }

  #fill(): void {
    while (this.heldBack > 0 && this.#inside < this.#width) this.#letIn()
  }

  get #width(): number {
    return this.heldBack < stampede.from ? width : stampede.width
  }

  /** Lets in who waits longest. */
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
