/**
 * What exists while an engine runs: the shared runtime and one seat (lane, keeper, interpreter) per
 * session. Made by `start`, thrown away by `stop`; nothing of it survives but what the store holds.
 */
import type {
  Loaded,
  Notice,
  Observation,
  PlanningView,
  Policy,
  SessionRecord,
} from '@session-recovery/core'
import { digest, failureOfExit, isRecovering, transportLost } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { engineTime } from './engine-time.js'
import type { EngineOptions } from './face.js'
import { cleaned } from './free-text.js'
import { Interpreter } from './interpreter.js'
import { Keeper } from './keeper.js'
import { Lane } from './lane.js'
import { ledgerFrom } from './ledger.js'
import type { Runtime } from './runtime.js'
import { stepUnder } from './step.js'

// ------------------------------------------------------------------------------------------ model

/** One session of a running engine. */
export interface Seat {
  readonly lane: Lane
  readonly keeper: Keeper
  readonly interpreter: Interpreter
}

export type Ports = Required<Omit<EngineOptions, 'policy'>>

// ---------------------------------------------------------------------------------------- running

export class Running {
  readonly runtime: Runtime
  readonly seats = new Map<string, Seat>()
  /** Incarnations whose remains are still being removed: an id taken again must count on. */
  readonly #remains = new Map<string, number>()
  readonly #work = new Set<Promise<void>>()
  #stopped = false
  #checkpointing = false
  #writesSinceCheckpoint = 0

  constructor(ports: Ports, policy: Policy, loaded: Loaded, notify: (notice: Notice) => void) {
    this.runtime = {
      ...ports,
      policy,
      policyDigest: digest(policy),
      step: stepUnder(policy),
      ledger: ledgerFrom(loaded, policy),
      nowMs: engineTime(ports.clock, loaded.latestMs),
      notify: (notice) => {
        if (this.#stopped) return
        notify(notice)
        if (notice._tag === 'decided' || notice._tag === 'captured') this.#checkpointWhenDue()
      },
      isStopped: () => this.#stopped,
      background: (what, work) => this.#background(what, work),
    }
  }

  /** Gives a session its seat. `durableRev` is 0 for a record the store has not seen. */
  seat(record: SessionRecord, durableRev: number, view: PlanningView | undefined): Seat {
    const { sessionId, incarnation } = record.control
    const keeper = new Keeper(this.runtime, sessionId, incarnation, view)
    const seat: Seat = {
      keeper,
      lane: new Lane(
        this.runtime,
        record,
        durableRev,
        (event) => cleaned(event, keeper.secrets),
        (effects, decided, durable) => seat.interpreter.interpret(effects, decided, durable),
      ),
      interpreter: new Interpreter(
        this.runtime,
        sessionId,
        keeper,
        () => seat.lane,
        (released) => this.#release(seat, released),
      ),
    }
    this.seats.set(sessionId, seat)
    return seat
  }

  /** The number of the next incarnation of an id. */
  nextIncarnation(sessionId: string): number {
    const held = this.seats.get(sessionId)?.lane.record.control.incarnation
    return (held ?? this.#remains.get(sessionId) ?? 0) + 1
  }

  /** Takes up what the store held: open work is in doubt, and what seems well is looked at. */
  async resume(loaded: Loaded): Promise<void> {
    for (const { record, view } of loaded.sessions) {
      const seat = this.seat(record, record.rev, view)
      if (record.state === 'unregistered') {
        seat.interpreter.interpret([{ _tag: 'release' }], record, true)
      }
    }
    if (!this.runtime.policy.enabled) return
    const lastSeenMs = loaded.latestMs
    const resumed = (atMs: number) =>
      ({ type: 'resumed', atMs, lastSeenMs: Math.min(atMs, lastSeenMs) }) as const
    const seats = [...this.seats.values()]
    await Promise.all(seats.map((seat) => seat.lane.insist(resumed)))
    for (const seat of seats) seat.lane.arm()
    if (this.runtime.policy.resumeOnStart && this.runtime.driver.supports.proof !== 'none') {
      this.runtime.background('looking at the sessions found', () => this.#lookAt(seats))
    }
  }

  /** What the driver noticed. */
  observe(observation: Observation): void {
    const seat = this.seats.get(observation.sessionId)
    if (seat === undefined || this.#stopped || !this.runtime.policy.enabled) return
    if (observation._tag === 'changed') seat.interpreter.captureSoon()
    else this.runtime.background('an observation', () => this.#learn(seat, observation))
  }

  /** No timer fires any more, nothing is decided, whatever runs is told to cease. */
  halt(): void {
    this.#stopped = true
    for (const { lane, keeper, interpreter } of this.seats.values()) {
      lane.close()
      void keeper.close()
      interpreter.abort()
    }
  }

  /** Work that has not ended yet. */
  get unfinished(): number {
    return this.#work.size
  }

  /** Resolves when no work is left. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work)
  }

  /** Writes what was folded from the journal, so that the store may drop the entries. */
  async checkpoint(): Promise<void> {
    const { ledger, store, logger } = this.runtime
    const { projection, throughSeq } = ledger.checkpoint()
    const written = await store.checkpoint(projection, throughSeq)()
    if (E.isLeft(written)) logger('warn', 'no checkpoint was written', written.left)
  }

  async #learn(
    seat: Seat,
    observation: Exclude<Observation, { readonly _tag: 'changed' }>,
  ): Promise<void> {
    const atMs = this.runtime.nowMs()
    if (observation._tag === 'transport-lost') {
      const { detail } = observation
      const evidence = { source: 'probe', grade: 'observed', trusted: true, detail, atMs } as const
      return seat.interpreter.fail(transportLost(detail, [evidence]))
    }
    const { exit } = observation
    const detail =
      exit.signal === undefined ? `exit code ${exit.exitCode ?? '?'}` : `signal ${exit.signal}`
    const evidence = { source: 'exit', grade: 'observed', trusted: true, detail, atMs } as const
    const failure = failureOfExit(exit, seat.lane.record.control.traits, [evidence])
    if (failure !== undefined) return seat.interpreter.fail(failure)
    const code = exit.exitCode === undefined ? {} : { exitCode: exit.exitCode }
    await seat.lane.insist((now) => ({ type: 'ended', atMs: now, ...code }))
  }

  async #lookAt(seats: readonly Seat[]): Promise<void> {
    const waiting = [...seats]
    const look = async (): Promise<void> => {
      for (let seat = waiting.shift(); seat && !this.#stopped; seat = waiting.shift()) {
        // Asked when its turn has come: meanwhile it may have failed, or be gone.
        if (!this.#seemsWell(seat)) continue
        await seat.interpreter.lookAfterStart()
        await this.#untilWell(seat)
      }
    }
    await Promise.all(Array.from({ length: this.runtime.policy.resumeConcurrency }, look))
  }

  #seemsWell(seat: Seat): boolean {
    const { record } = seat.lane
    const isSeated = this.seats.get(record.control.sessionId) === seat
    return isSeated && !isRecovering(record) && !settledStates.has(record.state)
  }

  /** The cap is on recoveries, not on looks: the next session's turn comes when this one's is over. */
  async #untilWell(seat: Seat): Promise<void> {
    const { incident } = seat.lane.record.control
    if (incident !== undefined) await seat.lane.incidentEnd(incident.number)
  }

  #release(seat: Seat, released: 'begun' | 'done'): void {
    const { sessionId, incarnation, registeredAtMs } = seat.lane.record.control
    if (released === 'done') {
      const isLast = this.#remains.get(sessionId) === incarnation
      // Two lives are told apart by their number or by when they began: never by neither.
      if (isLast && this.runtime.nowMs() > registeredAtMs) this.#remains.delete(sessionId)
      return
    }
    seat.lane.close()
    this.#remains.set(sessionId, incarnation)
    if (this.seats.get(sessionId) === seat) this.seats.delete(sessionId)
  }

  #background(what: string, work: () => Promise<void>): void {
    if (this.#stopped) return
    const done: Promise<void> = work()
      .catch((thrown: unknown) => this.runtime.logger('error', `${what} failed`, thrown))
      .finally(() => this.#work.delete(done))
    this.#work.add(done)
  }

  /** Snapshots fill a store as decisions do; what is live is written again by each checkpoint. */
  #checkpointWhenDue(): void {
    const { policy } = this.runtime
    this.#writesSinceCheckpoint += 1
    // A checkpoint costs a write for each session: it is due when as many were made.
    const due = Math.max(policy.checkpointEvery, this.seats.size)
    if (this.#checkpointing || this.#writesSinceCheckpoint < due) return
    this.#checkpointing = true
    this.#writesSinceCheckpoint = 0
    this.#background('a checkpoint', async () => {
      try {
        await this.checkpoint()
      } finally {
        this.#checkpointing = false
      }
    })
  }
}

const settledStates: ReadonlySet<string> = new Set(['exhausted', 'unregistered'])
