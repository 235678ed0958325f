/**
 * The laws as they are watched during a simulation: everything an engine tells is checked when it is
 * told, and the journal is replayed at the end.
 */
import {
  type Control,
  digest,
  factsOf,
  isRecovering,
  type JournalEntry,
  type Notice,
  type Policy,
  SessionRecord,
  type SessionStateName,
  terminalFacts,
} from '@session-recovery/core'
import { type Engine, replay } from '@session-recovery/engine'
import type { FakeWorld } from './fake-driver.js'
import type { FakeDisk } from './faulty-store.js'

/** What a simulated run came to. */
export interface Outcome {
  /** What must not happen and did; empty in a sound run. */
  readonly breaches: readonly string[]
  readonly states: ReadonlySet<SessionStateName>
  /** `state × event → state` of every decision. */
  readonly transitions: ReadonlySet<string>
  readonly decisions: number
}

type Decided = Extract<Notice, { readonly _tag: 'decided' }>

export class Invariant {
  readonly #policy: Policy
  readonly #world: FakeWorld
  readonly #disk: FakeDisk
  /** Incidents whose end this life of the engine has told. */
  readonly #told = new Set<string>()
  readonly #everTold = new Set<string>()
  readonly #states = new Set<SessionStateName>()
  readonly #transitions = new Set<string>()
  #decisions = 0
  #listening = true

  constructor(policy: Policy, world: FakeWorld, disk: FakeDisk) {
    this.#policy = policy
    this.#world = world
    this.#disk = disk
  }

  /** A life of the engine begins. */
  begin(): void {
    this.#listening = true
    this.#told.clear()
  }

  /** It ended: law 10, nothing may be told after that. */
  end(): void {
    this.#listening = false
  }

  readonly sink = (notice: Notice): void => {
    if (notice._tag === 'stopped') return
    if (!this.#listening) {
      this.#breach(`${notice._tag} was told after the engine had stopped`)
      return
    }
    if (notice._tag === 'decided') this.#decided(notice)
  }

  /** Law 5: with faults off every session comes to rest. */
  checkSettled(engine: Engine | undefined): void {
    const sessions = engine?.sessions() ?? []
    for (const { sessionId, record } of sessions) {
      if (isRecovering(record)) this.#breach(`${sessionId} did not settle: ${record.state}`)
    }
    this.#checkEnds()
  }

  /** Law 1: folding what was committed gives what was committed. */
  checkReplay(): void {
    const lives = new Map<string, Decided['entry'][]>()
    for (const { entry } of this.#disk.entries) {
      const born = entry.event.type === 'registered' ? entry.event.atMs : undefined
      const key = `${entry.sessionId}/${entry.incarnation}`
      const life = lives.get(key)
      if (life === undefined || born !== undefined) {
        if (life !== undefined) this.#replay(key, life)
        lives.set(key, [entry])
      } else life.push(entry)
    }
    for (const [key, life] of lives) this.#replay(key, life)
  }

  outcome(): Outcome {
    return {
      breaches: this.#world.breaches,
      states: this.#states,
      transitions: this.#transitions,
      decisions: this.#decisions,
    }
  }

  #decided({ entry, record, durable }: Decided): void {
    this.#decisions += 1
    this.#states.add(record.state)
    this.#transitions.add(`${entry.from ?? 'nothing'} × ${entry.event.type} → ${record.state}`)
    if (!durable) {
      this.#world.degraded = true
      // The disk refused it, and the engine says so: it may act.
      for (const effect of entry.effects)
        if ('token' in effect) this.#disk.decided.add(effect.token)
    }
    this.#checkBudget(record)
    for (const { incident, fact } of incidentFacts(entry, record)) {
      if (terminalFacts.has(fact._tag)) this.#tellEnd(incident)
      if (fact._tag === 'incident-recovered') this.#checkProof(entry)
    }
  }

  /** Law 4: an incident's end is told once. */
  #tellEnd(incident: string): void {
    if (this.#told.has(incident)) this.#breach(`the end of incident ${incident} was told twice`)
    this.#told.add(incident)
    this.#everTold.add(incident)
  }

  /** Law 4: exactly one terminal event per incident, in what is durable as in what was told. */
  #checkEnds(): void {
    const ends = new Map<string, number>()
    const opened = new Set<string>()
    for (const { entry, record } of this.#disk.entries) {
      for (const { incident, fact } of incidentFacts(entry, record)) {
        if (fact._tag === 'incident-opened') opened.add(incident)
        if (terminalFacts.has(fact._tag)) ends.set(incident, (ends.get(incident) ?? 0) + 1)
      }
    }
    for (const [incident, times] of ends) {
      if (times > 1) this.#breach(`incident ${incident} ended ${times} times`)
      if (!opened.has(incident) && !this.#world.degraded)
        this.#breach(`${incident} was never opened`)
    }
    for (const incident of opened) {
      const isEnded = ends.has(incident) || this.#everTold.has(incident)
      if (!isEnded) this.#breach(`incident ${incident} has no end`)
    }
  }

  /** Law 4: the budget is never exceeded. */
  #checkBudget({ control }: SessionRecord): void {
    if (control.used > this.#policy.maxRecoveryAttempts) {
      this.#breach(`${control.sessionId} used ${control.used} attempts`)
    }
  }

  /** Law 3: no success without evidence. */
  #checkProof({ event, sessionId }: Decided['entry']): void {
    const grade = event.type === 'verified' ? this.#world.proofs.get(event.token) : undefined
    const isProof = grade === 'observed' || (grade === 'claimed' && this.#policy.acceptClaims)
    if (!isProof) this.#breach(`${sessionId} was called recovered on ${grade ?? 'no'} evidence`)
  }

  #replay(key: string, life: readonly Decided['entry'][]): void {
    const replayed = replay(life, this.#policy)
    if (replayed._tag === 'same') {
      const last = this.#disk.entries.findLast(({ entry }) => entry.seq === life.at(-1)?.seq)
      const isLast = last?.entry.recordDigest === digest(SessionRecord.encode(replayed.record))
      if (!isLast) this.#breach(`${key}: the fold ends elsewhere than what was committed`)
      return
    }
    // While a disk refused, decisions went unjournalled: then, and only then, nothing can be said.
    if (replayed._tag === 'different') this.#breach(`${key}: replay differs at ${replayed.rev}`)
    else if (!this.#world.degraded) this.#breach(`${key}: ${replayed.because}`)
  }

  #breach(what: string): void {
    this.#world.breaches.push(what)
  }
}

/** The facts of an entry that belong to an incident, under a name no other incident has. */
const incidentFacts = (entry: JournalEntry, { control }: SessionRecord) =>
  factsOf(entry).flatMap((fact) =>
    'incident' in fact ? [{ fact, incident: nameOf(control, fact.incident) }] : [],
  )

// Two lives of one id are told apart by their number or by when they began: a replacement may come in the
// same millisecond, and a forgotten id counts anew.
const nameOf = ({ sessionId, incarnation, registeredAtMs }: Control, incident: number): string =>
  `${sessionId}/${incarnation}@${registeredAtMs}#${incident}`
