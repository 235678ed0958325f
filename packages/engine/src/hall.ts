/**
 * The hall: every session of a running engine has its seat here. That of a session which was found at rest is
 * made when somebody asks for it, so that a start costs nothing for those of whom nothing is asked.
 */
import type { LoadedSession, RestingSessions } from '@session-recovery/core'
import type { Seat } from './seat.js'

/** Gives a session that was found its seat. */
export type Seating = (found: LoadedSession) => Seat

export class Hall {
  readonly #seats = new Map<string, Seat>()
  #registered = 0
  #resting: Set<string> | undefined
  #read: RestingSessions['read'] = () => undefined
  #seating: Seating | undefined

  /** Takes in who was found at rest. */
  rest({ ids, read }: RestingSessions, seating: Seating): void {
    this.#resting = new Set(ids)
    this.#read = read
    this.#seating = seating
  }

  /** How many sessions there are. */
  get size(): number {
    return this.#seats.size + (this.#resting?.size ?? 0)
  }

  has(sessionId: string): boolean {
    return this.#seats.has(sessionId) || this.#resting?.has(sessionId) === true
  }

  get(sessionId: string): Seat | undefined {
    return this.#seats.get(sessionId) ?? this.#wake(sessionId)
  }

  /** How many sessions were registered so far: what tells the lives of an id apart. */
  get registered(): number {
    return this.#registered
  }

  /** The number of the next session that is registered. */
  next(): number {
    this.#registered += 1
    return this.#registered
  }

  /** The seat of who had the id when so many had been registered; `undefined` if another life has it now. */
  seatOf(sessionId: string, registered: number): Seat | undefined {
    const seat = this.get(sessionId)
    return seat !== undefined && seat.number <= registered ? seat : undefined
  }

  set(sessionId: string, seat: Seat): void {
    this.#seats.set(sessionId, seat)
  }

  delete(sessionId: string): void {
    this.#seats.delete(sessionId)
  }

  /** The seats that were made. */
  made(): IterableIterator<Seat> {
    return this.#seats.values()
  }

  /** Every seat: those that were not made yet are. */
  values(): IterableIterator<Seat> {
    for (const sessionId of this.#resting ?? []) this.#wake(sessionId)
    return this.#seats.values()
  }

  /** Nobody is given a seat any more who has none. */
  close(): void {
    this.#resting = undefined
  }

  #wake(sessionId: string): Seat | undefined {
    const resting = this.#resting
    if (resting?.delete(sessionId) !== true) return undefined
    if (resting.size === 0) this.#resting = undefined
    const found = this.#read(sessionId)
    // What the store cannot make sense of it has set aside: there is no such session.
    return found && this.#seating?.(found)
  }
}
