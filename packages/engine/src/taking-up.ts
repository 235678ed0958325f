/**
 * What goes on behind a start with the sessions that were found: each is taken up, and those that seem well are
 * looked at.
 */
import { isRecovering } from '@session-recovery/core'
import type { Hall } from './hall.js'
import type { Runtime } from './runtime.js'
import type { Seat } from './seat.js'

/** How many sessions at rest are taken up together: one flush is theirs, and one turn of the loop. */
const takenUpAtOnce = 64

const settledStates: ReadonlySet<string> = new Set(['exhausted', 'unregistered'])

export class TakingUp {
  readonly #runtime: Runtime
  readonly #seats: Hall
  readonly #found: (Seat | string | undefined)[]

  /** @param found the seats that were made, and the ids of those at rest. */
  constructor(runtime: Runtime, seats: Hall, found: readonly (Seat | string)[]) {
    this.#runtime = runtime
    this.#seats = seats
    this.#found = [...found]
  }

  /** Those at rest can wait: each is taken up before anything else is decided of it. */
  async takeUp(): Promise<void> {
    for (let next = 0; next < this.#found.length && !this.#isStopped; next += takenUpAtOnce) {
      const count = Math.min(takenUpAtOnce, this.#found.length - next)
      const some = Array.from({ length: count }, (_, i) => this.#seatAt(next + i) ?? []).flat()
      await Promise.all(some.map(({ lane }) => lane.takeUp()))
      for (const { lane } of some) lane.arm()
    }
  }

  async lookAt(): Promise<void> {
    const waiting = this.#found.keys()
    const look = async (): Promise<void> => {
      for (const place of waiting) {
        const seat = this.#seatAt(place)
        if (seat === undefined) continue
        await seat.lane.takeUp()
        if (this.#isStopped) return
        // Asked when its turn has come: meanwhile it may have failed, or be gone.
        if (!this.#seemsWell(seat)) continue
        await seat.interpreter.lookAfterStart()
        await this.#untilWell(seat)
      }
    }
    const width = Math.min(this.#runtime.policy.resumeConcurrency, this.#found.length)
    await Promise.all(Array.from({ length: width }, look))
  }

  get #isStopped(): boolean {
    return this.#runtime.isStopped()
  }

  #seatAt(place: number): Seat | undefined {
    const found = this.#found[place]
    if (typeof found !== 'string') return found
    const seat = this.#seats.get(found)
    this.#found[place] = seat
    return seat
  }

  #seemsWell(seat: Seat): boolean {
    const { record } = seat.lane
    const isSeated = this.#seats.get(record.control.sessionId) === seat
    return isSeated && !isRecovering(record) && !settledStates.has(record.state)
  }

  /** The cap is on recoveries, not on looks: the next session's turn comes when this one's is over. */
  async #untilWell(seat: Seat): Promise<void> {
    const { incident, traits } = seat.lane.record.control
    // Where sessions share a domain, it sees to it that not too many are brought back at once.
    if (traits.domains !== undefined) return
    if (incident !== undefined) await seat.lane.incidentEnd(incident.number)
  }
}
