/**
 * A seat: all that a running engine has of one session, its lane, its keeper and its interpreter, and how
 * they know of each other.
 */
import type { Effect, PlanningView, SessionEvent, SessionRecord } from '@session-recovery/core'
import type { DomainGate } from './domain-gate.js'
import { cleaned } from './free-text.js'
import { type Home, Interpreter } from './interpreter.js'
import { Keeper } from './keeper.js'
import { type Attendant, Lane } from './lane.js'
import type { Runtime } from './runtime.js'

/** Who gives seats away. */
export interface House {
  readonly runtime: Runtime
  /** Told once a session is let go, and when nothing of it is left. */
  readonly released: (seat: Seat, released: 'begun' | 'done') => void
  /** Where those wait who share a domain. */
  readonly gate: DomainGate
}

/** One session of a running engine. A class: of a hundred thousand, none brings functions of its own. */
export class Seat implements Attendant, Home {
  readonly lane: Lane
  readonly keeper: Keeper
  readonly interpreter: Interpreter
  /** Of those that were registered since the engine began, the how manieth; 0 for one that was there. */
  readonly number: number
  readonly #house: House

  /** @param durableRev 0 for a record the store has not seen. */
  constructor(
    house: House,
    record: SessionRecord,
    durableRev: number,
    view: PlanningView | undefined,
    number: number,
  ) {
    this.number = number
    const { runtime } = house
    const { sessionId, incarnation } = record.control
    this.#house = house
    this.keeper = new Keeper(runtime, sessionId, incarnation, view)
    this.lane = new Lane(runtime, record, durableRev, this)
    this.interpreter = new Interpreter(runtime, sessionId, this.keeper, this)
  }

  /** A session that was found is asked for its secrets only when somebody says something of it. */
  clean(event: SessionEvent): SessionEvent | Promise<SessionEvent> {
    const learning = wordless.has(event.type) ? undefined : this.keeper.learnt()
    return learning === undefined
      ? cleaned(event, this.keeper.known)
      : learning.then(() => cleaned(event, this.keeper.known))
  }

  interpret(effects: readonly Effect[], record: SessionRecord, durable: boolean): void {
    this.interpreter.interpret(effects, record, durable)
    this.#house.gate.see(this, record, effects)
  }

  released(released: 'begun' | 'done'): void {
    this.#house.released(this, released)
  }
}

const wordless: ReadonlySet<string> = new Set([
  'captureDue',
  'captured',
  'due',
  'resumed',
  'released',
])
