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
  Quarantined,
  Redacted,
  Replaced,
  RestingSessions,
  SessionRecord,
  Traits,
} from '@session-recovery/core'
import {
  failureOfExit,
  isRecovering,
  policyDigest,
  redact,
  register,
  traitPool,
  transportLost,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { Alarm } from './alarm.js'
import { DomainGate } from './domain-gate.js'
import { engineTime } from './engine-time.js'
import type { EngineOptions, RegisterResult } from './face.js'
import { Hall } from './hall.js'
import type { MakeEvent } from './lane.js'
import { ledgerFrom } from './ledger.js'
import { projectionJson } from './projection-json.js'
import type { Runtime } from './runtime.js'
import { type House, Seat } from './seat.js'
import type { Step } from './step.js'
import { TakingUp } from './taking-up.js'
import { Turnstile } from './turnstile.js'

// ------------------------------------------------------------------------------------------ model

/** What the driver noticed that something is decided on. */
type Learnt = Exclude<Observation, { readonly _tag: 'changed' }>

/** It waits as it was told, and is looked into when its turn has come: there may be very many in one tick. */
interface Noticed {
  readonly observation: Learnt
  /** So many sessions had been registered then. */
  readonly registered: number
}

/** What a session begins with. */
export interface Beginning {
  readonly sessionId: string
  readonly incarnation: number
  readonly traits: Traits
  /** What is known of it, its secrets taken out. */
  readonly first: Redacted
  /** The session whose place it takes. */
  readonly replaces?: Replaced
}

/** What is left of the former lives of an id. */
interface Remains {
  /** The number of the last one, and when it began. */
  readonly incarnation: number
  readonly registeredAtMs: number
  /** Those that are not forgotten yet. */
  readonly kept: Set<number>
}

export interface Ports extends Required<Omit<EngineOptions, 'policy'>> {
  /** What decides under a policy. */
  readonly stepOf: (policy: Policy) => Step
}

// ---------------------------------------------------------------------------------------- running

export class Running {
  readonly runtime: Runtime
  readonly seats = new Hall()
  /** Where failures that are reported are let in. */
  readonly turnstile: Turnstile<() => Promise<void>>
  /** Where what the driver noticed is: it may have to wait for the store, and nobody who reports for it. */
  readonly #noticing: Turnstile<Noticed>
  readonly gate: DomainGate
  /** Ids with remains that are still being removed: one taken again must count on. */
  readonly #remains = new Map<string, Remains>()
  readonly #work = new Set<Promise<void>>()
  readonly #alarm: Alarm
  readonly #house: House
  readonly #alike = traitPool()
  #stopped = false
  #checkpointing = false
  #writesSinceCheckpoint = 0

  constructor(ports: Ports, policy: Policy, loaded: Loaded, notify: (notice: Notice) => void) {
    const nowMs = engineTime(ports.clock, loaded.latestMs)
    this.turnstile = new Turnstile(ports.clock, (work) => work())
    this.#noticing = new Turnstile(ports.clock, (noticed) => this.#takeIn(noticed))
    this.#alarm = new Alarm({
      clock: ports.clock,
      nowMs,
      intervalMs: policy.snapshotInterval,
      sessions: () => this.seats.size,
    })
    this.runtime = {
      ...ports,
      alarm: this.#alarm,
      policy,
      policyDigest: policyDigest(policy),
      step: ports.stepOf(policy),
      ledger: ledgerFrom(loaded, policy),
      nowMs,
      notify: (notice) => {
        if (this.#stopped) return
        notify(notice)
        if (notice._tag === 'decided' || notice._tag === 'captured') this.#checkpointWhenDue()
      },
      isStopped: () => this.#stopped,
      replicated: (record, replicaId) => this.#replicated(record, replicaId),
      background: (what, work) => void this.#background(what, work),
    }
    this.gate = new DomainGate(this.runtime)
    this.#house = {
      runtime: this.runtime,
      gate: this.gate,
      released: (seat, released) => this.#release(seat, released),
    }
  }

  /** Gives a session its seat. `durableRev` is 0 for a record the store has not seen. */
  seat(record: SessionRecord, durableRev: number, view: PlanningView | undefined): Seat {
    const number = durableRev > 0 ? 0 : this.seats.next()
    const seat = new Seat(this.#house, record, durableRev, view, number)
    this.seats.set(record.control.sessionId, seat)
    return seat
  }

  /** Registers a session: gives it its seat, commits its first record, keeps its first snapshot. */
  async begin(beginning: Beginning): Promise<RegisterResult> {
    const { sessionId, incarnation, traits, first, replaces } = beginning
    const atMs = this.runtime.nowMs()
    const taken = replaces === undefined ? {} : { replaces }
    const event = { type: 'registered', atMs, traits: this.#alike(traits), ...taken } as const
    const [record, effects] = register(sessionId, incarnation, event, this.runtime.policy)
    const seat = this.seat(record, 0, undefined)
    const committing = seat.lane.begin(event, effects)
    const keeping = seat.keeper.begin(
      { ...first, snapshot: { ...first.snapshot, timestamp: new Date(atMs) } },
      committing.then(
        ({ _tag }) => _tag === 'changed',
        () => false,
      ),
    )
    const begun = await committing
    if (begun._tag !== 'changed') {
      seat.lane.close()
      void seat.keeper.close()
      this.seats.delete(sessionId)
      if (begun._tag === 'refused') return { _tag: 'store-failed', error: begun.error }
      return { _tag: 'not-running' }
    }
    // The driver was told to let a former one go: asked for this one, it watches it again.
    if (incarnation > 1) seat.interpreter.captureSoon()
    const kept = await keeping
    const durable = begun.durable && kept._tag === 'kept' && kept.durable
    return { _tag: 'registered', incarnation, durable }
  }

  /** The number of the next incarnation of an id. */
  nextIncarnation(sessionId: string): number {
    const held = this.seats.get(sessionId)?.lane.record.control.incarnation
    return (held ?? this.#remains.get(sessionId)?.incarnation ?? 0) + 1
  }

  /** Takes up what the store held: open work is in doubt, and what seems well is looked at. */
  async resume(loaded: Loaded): Promise<void> {
    for (const { record, view } of loaded.sessions) {
      const seat = this.seat(record, record.rev, view)
      if (record.state === 'unregistered') {
        seat.interpreter.interpret([{ _tag: 'release' }], record, true)
      }
    }
    const { resting = noneRest } = loaded
    if (!this.runtime.policy.enabled) return this.#letRest(resting, () => undefined)
    const lastSeenMs = loaded.latestMs
    const resumed = (atMs: number) =>
      ({ type: 'resumed', atMs, lastSeenMs: Math.min(atMs, lastSeenMs) }) as const
    this.#letRest(resting, resumed)
    await this.#letReplacedGo()
    const seats = [...this.seats.made()]
    this.gate.find(seats)
    for (const { lane } of seats) lane.found(resumed)
    const recovering = seats.filter(({ lane }) => isRecovering(lane.record))
    await Promise.all(recovering.map(({ lane }) => lane.takeUp()))
    this.gate.takeUp(seats)
    const behind = new TakingUp(this.runtime, this.seats, [...seats, ...resting.ids])
    this.runtime.background('taking up the sessions found', () => behind.takeUp())
    if (this.runtime.policy.resumeOnStart && this.runtime.driver.supports.proof !== 'none') {
      this.runtime.background('looking at the sessions found', () => behind.lookAt())
    }
  }

  #letRest(resting: RestingSessions, resumed: MakeEvent): void {
    this.seats.rest(resting, ({ record, view }) => {
      const seat = this.seat(record, record.rev, view)
      seat.lane.found(resumed)
      return seat
    })
  }

  /** What the driver noticed. */
  observe(observation: Observation): void {
    if (this.#stopped || !this.runtime.policy.enabled) return
    if (observation._tag === 'changed') {
      this.seats.get(observation.sessionId)?.interpreter.captureSoon()
    } else this.#noticing.admit({ observation, registered: this.seats.registered })
  }

  /** Failures that wait to be taken in. */
  get heldBack(): number {
    return this.turnstile.heldBack + this.#noticing.heldBack
  }

  /** What the store came upon: what it still knows of it is written anew, before it is needed. */
  damaged(found: Quarantined): void {
    const { sessionId } = found
    if (sessionId !== undefined) this.seats.get(sessionId)?.keeper.doubt()
    this.runtime.notify({ _tag: 'damaged', found })
    this.#checkpointSoon()
  }

  /** No timer fires any more, nothing is decided, whatever runs is told to cease. */
  halt(): void {
    this.#stopped = true
    this.#alarm.close()
    this.turnstile.close()
    this.#noticing.close()
    this.gate.halt()
    this.seats.close()
    for (const { lane, keeper, interpreter } of this.seats.made()) {
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
    const { ledger, store, logger, clock } = this.runtime
    const { projection, throughSeq } = ledger.checkpoint()
    const encoded = await projectionJson(clock, projection)
    const written = await store.checkpoint(encoded, throughSeq)()
    if (E.isLeft(written)) logger('warn', 'no checkpoint was written', written.left)
  }

  #takeIn({ observation, registered }: Noticed): Promise<void> {
    return this.#background('an observation', async () => {
      const seat = this.seats.seatOf(observation.sessionId, registered)
      if (seat !== undefined) await this.#learn(seat, observation)
    })
  }

  async #learn(seat: Seat, observation: Learnt): Promise<void> {
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

  /** One whose place another had taken when the app ended is owned no more. */
  async #letReplacedGo(): Promise<void> {
    for (const { lane } of [...this.seats.made()]) {
      const { replaces } = lane.record.control
      const former = replaces === undefined ? undefined : this.seats.get(replaces.sessionId)
      if (former?.lane.record.control.incarnation !== replaces?.incarnation) continue
      await former?.lane.insist((atMs) => ({ type: 'unregistered', atMs }))
    }
  }

  async #replicated({ control }: SessionRecord, replicaId: string): Promise<string | undefined> {
    const { sessionId, incarnation, traits } = control
    const kept = await this.seats.get(sessionId)?.keeper.retrieve()
    if (kept === undefined) return 'nothing was kept that the replica could be registered with'
    const begun = await this.begin({
      sessionId: replicaId,
      incarnation: this.nextIncarnation(replicaId),
      traits,
      first: redact({ ...kept.snapshot, sessionId: replicaId }, this.runtime.policy.secretNames),
      replaces: { sessionId, incarnation },
    })
    if (begun._tag !== 'registered') return `the replica cannot be registered: ${begun._tag}`
    // What it told before it had a seat was heard by nobody.
    this.seats.get(replicaId)?.interpreter.captureSoon()
    return undefined
  }

  #release(seat: Seat, released: 'begun' | 'done'): void {
    const { sessionId, incarnation, registeredAtMs } = seat.lane.record.control
    const kept = this.#remains.get(sessionId)?.kept ?? new Set<number>()
    if (released === 'done') {
      kept.delete(incarnation)
      // A life that is still to be forgotten would take one of its number with it; and two lives are told
      // apart by their number or by when they began, never by neither.
      const last = this.#remains.get(sessionId)?.registeredAtMs ?? 0
      if (kept.size === 0 && this.runtime.nowMs() > last) this.#remains.delete(sessionId)
      return
    }
    seat.lane.close()
    this.#remains.set(sessionId, { incarnation, registeredAtMs, kept: kept.add(incarnation) })
    if (this.seats.get(sessionId) === seat) this.seats.delete(sessionId)
  }

  #background(what: string, work: () => Promise<void>): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    const done: Promise<void> = work()
      .catch((thrown: unknown) => this.runtime.logger('error', `${what} failed`, thrown))
      .finally(() => this.#work.delete(done))
    this.#work.add(done)
    return done
  }

  /** Snapshots fill a store as decisions do; what is live is written again by each checkpoint. */
  #checkpointWhenDue(): void {
    const { policy } = this.runtime
    this.#writesSinceCheckpoint += 1
    // A checkpoint costs a write for each session: it is due when as many were made.
    const due = Math.max(policy.checkpointEvery, this.seats.size)
    if (this.#writesSinceCheckpoint >= due) this.#checkpointSoon()
  }

  #checkpointSoon(): void {
    if (this.#checkpointing || this.#stopped) return
    this.#checkpointing = true
    this.#writesSinceCheckpoint = 0
    void this.#background('a checkpoint', async () => {
      try {
        await this.checkpoint()
      } finally {
        this.#checkpointing = false
      }
    })
  }
}

const noneRest: RestingSessions = { ids: [], read: () => undefined }
