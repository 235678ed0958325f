/**
 * The laws as they are watched during a simulation: everything an engine decides, tells and asks for is
 * checked when it does, against what is durable; and the journal is replayed in the end.
 */
import { isDeepStrictEqual } from 'node:util'
import {
  type Control,
  factsOf,
  isRecovering,
  type JournalEntry,
  type Notice,
  type Policy,
  type ProbeRequest,
  type RunRequest,
  register,
  type SessionRecord,
  terminalFacts,
} from '@session-recovery/core'
import { type Engine, replay, type Step, stepUnder } from '@session-recovery/engine'
import type { Reached } from './coverage.js'
import type { EngineLife } from './engine-life.js'
import type { DriverWitness } from './fake-driver.js'

// ------------------------------------------------------------------------------------------ model

/** The laws of `docs/laws.md` that are watched. */
export const watchedLaws = [1, 2, 3, 4, 5, 6, 7, 10] as const
export type Law = (typeof watchedLaws)[number]

type Decided = Extract<Notice, { readonly _tag: 'decided' }>
type DomainDecided = Extract<Notice, { readonly _tag: 'domain-decided' }>

/** What is known of one session; of past incidents only what later ones are checked against. */
interface Known {
  /** The last durable record. */
  record: SessionRecord | undefined
  lastDigest: string
  /** What this life of the engine believes it to be in. */
  believed: SessionRecord | undefined
  /** The incident that is open in what is durable. */
  open: string | undefined
  /** The one that ended last in this life of the id. */
  ended: string
  told: string
  /** Tokens of effects whose decision is durable, or was refused and marked so. */
  readonly decided: Set<string>
  /** How often the run of each token was begun. */
  readonly begun: Map<string, number>
  readonly proofs: Map<string, 'observed' | 'claimed'>
}

const unsafe: ReadonlySet<string> = new Set(['command-retry', 'replicate'])

// -------------------------------------------------------------------------------------- invariant

export class Invariant {
  readonly #policy: Policy
  readonly #step: Step
  readonly #reached: Reached
  readonly #known = new Map<string, Known>()
  readonly #checks = new Map<Law, number>()
  /** The probe that is out, of each domain. */
  readonly #canaries = new Map<string, string>()
  readonly breaches: string[] = []
  decisions = 0
  /** The engine went on although the disk refused. */
  #isDegraded = false
  #isListening = true

  constructor(policy: Policy, reached: Reached) {
    this.#policy = policy
    this.#step = stepUnder(policy)
    this.#reached = reached
  }

  /** How often each law was checked. */
  get checks(): ReadonlyMap<Law, number> {
    return this.#checks
  }

  readonly check = (law: Law, holds: boolean, breach: () => string): void => {
    this.#checks.set(law, (this.#checks.get(law) ?? 0) + 1)
    if (!holds) this.breaches.push(`law ${law}: ${breach()}`)
  }

  /** A life of the engine begins. */
  begin(): void {
    this.#isListening = true
    this.#canaries.clear()
    for (const known of this.#known.values()) known.told = ''
  }

  /** What it found in its store. */
  found(record: SessionRecord): void {
    this.#of(record.control.sessionId).believed = record
  }

  /** It ended: law 10, nothing may be told after that. */
  end(): void {
    this.#isListening = false
  }

  /** What the engine tells. */
  told(notice: Notice): void {
    if (notice._tag === 'stopped') return
    this.check(10, this.#isListening, () => `${notice._tag} was told after the engine had stopped`)
    if (notice._tag === 'decided') this.#decided(notice)
    if (notice._tag === 'domain-decided') this.#domainDecided(notice)
  }

  /** Of a domain one transport is tried at a time. */
  #probes({ domain, token, signal }: ProbeRequest): void {
    const out = this.#canaries.get(domain)
    this.check(4, out === undefined || out === token, () => `two canaries of ${domain} are out`)
    this.#canaries.set(domain, token)
    signal.addEventListener('abort', () => this.#canaries.delete(domain), { once: true })
  }

  /** A decision that is durable now, in the order of its session. */
  durable(entry: JournalEntry, record: SessionRecord): void {
    const known = this.#of(entry.sessionId)
    this.#checkFold(entry, record, known)
    this.#checkBudget(entry, record, known.record)
    if (entry.event.type === 'registered') this.#begins(known)
    for (const { incident, tag } of incidentFacts(entry, record)) {
      if (tag === 'incident-opened') this.#opened(incident, known)
      else this.#ended(incident, known)
    }
    this.#decide(entry, known)
    known.record = record
    known.lastDigest = entry.recordDigest
  }

  /** Watches the driver of one life of the engine. */
  witness(life: EngineLife): DriverWitness {
    return {
      runs: (request) => this.runs(request),
      proved: ({ sessionId, token }, grade) => void this.#of(sessionId).proofs.set(token, grade),
      probes: (request) => this.#probes(request),
      captures: ({ sessionId, token, signal }) => {
        this.#reached.captureBegan(sessionId, token)
        const givenUp = () => this.#reached.captureEnded(sessionId, 'captureDue', token)
        signal.addEventListener('abort', () => void (life.isDead || givenUp()), { once: true })
      },
      breach: (what) => this.check(4, false, () => what),
    }
  }

  /** What was asked of the driver: laws 2 and 7. */
  runs({ sessionId, token, strategy, repeated }: RunRequest): void {
    const known = this.#of(sessionId)
    this.check(2, known.decided.has(token), () => `${strategy} ran before its decision was durable`)
    const times = (known.begun.get(token) ?? 0) + 1
    known.begun.set(token, times)
    // Where the disk refused decisions a crash may have them taken again; a command still runs once.
    const mayRecur = repeated || (this.#isDegraded && strategy !== 'command-retry')
    this.check(7, times === 1 || mayRecur, () => `${strategy} of ${sessionId} ran ${times} times`)
    this.check(7, !(repeated && unsafe.has(strategy)), () => `${strategy} was repeated in doubt`)
  }

  /** Law 5: with faults off every session comes to rest, and law 4: every incident has its end. */
  settled(engine: Engine | undefined): void {
    for (const { sessionId, record } of engine?.sessions() ?? []) {
      const durable = this.#of(sessionId).record?.rev
      const isSame = durable === record.rev
      this.check(1, isSame, () => `${sessionId} is at ${record.rev}, what is durable at ${durable}`)
      this.check(5, !isRecovering(record), () => `${sessionId} did not settle: ${record.state}`)
    }
    for (const known of this.#known.values()) this.#checkOpen(known, 'has no end')
  }

  /** Law 1: folding what is stored gives what was committed. */
  replays(sessionId: string, journal: readonly JournalEntry[]): void {
    const born = journal.findLastIndex(({ event }) => event.type === 'registered')
    const life = journal.slice(Math.max(0, born))
    const replayed = replay(life, this.#policy)
    // While a disk refused, decisions went unjournalled: then, and only then, nothing can be said.
    const mayBeSilent = this.#isDegraded || born < 0
    this.check(
      1,
      replayed._tag === 'same' || (replayed._tag === 'not-comparable' && mayBeSilent),
      () => `${sessionId}: replayed, the journal is ${JSON.stringify(replayed)}`,
    )
    const { record } = this.#of(sessionId)
    if (replayed._tag !== 'same' || record === undefined) return
    const isSame = isDeepStrictEqual(replayed.record, record)
    this.check(1, isSame, () => `${sessionId}: the fold ends elsewhere than what was committed`)
  }

  #decided({ entry, record, durable }: Decided): void {
    const known = this.#of(entry.sessionId)
    this.decisions += 1
    this.#reached.decided(entry, record, known.believed)
    known.believed = record
    if (!durable) {
      this.#isDegraded = true
      // What follows may be journalled, where the disk is back, though this never is.
      if (entry.event.type === 'registered') this.#begins(known)
      this.#decide(entry, known)
    }
    for (const { incident, tag } of incidentFacts(entry, record)) {
      if (tag === 'incident-recovered') this.#checkProof(entry, known)
      if (tag === 'incident-opened') continue
      this.check(4, known.told !== incident, () => `the end of ${incident} was told twice`)
      known.told = incident
      // What is over is not asked for again.
      known.begun.clear()
      known.proofs.clear()
      known.decided.clear()
    }
  }

  /** A life of an id: of one whose registration the disk refused another may bear the names. */
  #begins(known: Known): void {
    known.ended = ''
    known.begun.clear()
  }

  /** Nobody is let go while a domain is not believed well, nor beyond its cap. */
  #domainDecided({ event, from, record }: DomainDecided): void {
    this.#reached.domainDecided(event, from, record)
    const { domain, inFlight } = record.control
    if (event.type === 'probed') this.#canaries.delete(domain)
    if (event.type !== 'admitted') return
    const mayGo = from === 'closed' || from === 'releasing'
    this.check(4, mayGo, () => `${domain} let a session go while it was ${from}`)
    const most = Math.floor(this.#policy.domain.concurrency)
    this.check(4, inFlight <= most, () => `${domain} has ${inFlight} of ${most} in flight`)
  }

  #decide({ effects }: JournalEntry, { decided }: Known): void {
    for (const effect of effects) if (effect._tag === 'run') decided.add(effect.token)
  }

  #checkFold(
    entry: JournalEntry,
    record: SessionRecord,
    { record: before, lastDigest }: Known,
  ): void {
    const { event, sessionId, incarnation } = entry
    if (event.type === 'registered') {
      const [first] = register(sessionId, incarnation, event, this.#policy)
      this.check(1, isDeepStrictEqual(first, record), () => `${sessionId} began otherwise`)
      return
    }
    if (before === undefined || entry.follows !== lastDigest) {
      this.check(1, this.#isDegraded, () => `${sessionId}: ${entry.rev} follows what is not there`)
      return
    }
    const [next] = this.#step(before, event)
    // Captures may have moved the state meanwhile; every decision replaces what they changed.
    this.check(
      1,
      isDeepStrictEqual(next, record),
      () => `${sessionId}: ${entry.rev} folds otherwise`,
    )
  }

  /** Law 4: the budget is never exceeded, and an attempt takes one of it. */
  #checkBudget(entry: JournalEntry, { control }: SessionRecord, before?: SessionRecord): void {
    const { sessionId, used } = control
    const most = this.#policy.maxRecoveryAttempts
    this.check(4, used <= most, () => `${sessionId} used ${used} of ${most} attempts`)
    const begun = factsOf(entry).filter(({ _tag }) => _tag === 'attempt-started').length
    const had = before?.control.registeredAtMs === control.registeredAtMs ? before.control.used : 0
    const isCounted = used === had + begun || used === begun || this.#isDegraded
    this.check(4, isCounted, () => `${sessionId} had used ${had}, began ${begun} and used ${used}`)
  }

  #opened(incident: string, known: Known): void {
    this.#checkOpen(known, 'had no end when the next was opened')
    known.open = incident
  }

  #ended(incident: string, known: Known): void {
    this.check(4, known.ended !== incident, () => `${incident} ended twice`)
    const isOpen = known.open === incident || this.#isDegraded
    this.check(4, isOpen, () => `${incident} was never opened`)
    known.ended = incident
    known.open = undefined
  }

  #checkOpen({ open, told }: Known, what: string): void {
    const isOver = open === undefined || open === told || this.#isDegraded
    this.check(4, isOver, () => `incident ${open} ${what}`)
  }

  /** Law 3: no success without evidence. */
  #checkProof({ event, sessionId }: JournalEntry, { proofs }: Known): void {
    const grade = event.type === 'verified' ? proofs.get(event.token) : undefined
    const isProof = grade === 'observed' || (grade === 'claimed' && this.#policy.acceptClaims)
    this.check(3, isProof, () => `${sessionId} was called recovered on ${grade ?? 'no'} evidence`)
  }

  #of(sessionId: string): Known {
    let known = this.#known.get(sessionId)
    if (known === undefined) {
      known = {
        record: undefined,
        lastDigest: '',
        believed: undefined,
        open: undefined,
        ended: '',
        told: '',
        decided: new Set(),
        begun: new Map(),
        proofs: new Map(),
      }
      this.#known.set(sessionId, known)
    }
    return known
  }
}

/** The facts of an entry that open or end an incident, which has a name no other has. */
const incidentFacts = (entry: JournalEntry, { control }: SessionRecord) =>
  factsOf(entry).flatMap((fact) =>
    'incident' in fact && (fact._tag === 'incident-opened' || terminalFacts.has(fact._tag))
      ? [{ tag: fact._tag, incident: nameOf(control, fact.incident) }]
      : [],
  )

// Two lives of one id are told apart by their number or by when they began: a replacement may come in the
// same millisecond, and an id that was forgotten counts anew.
const nameOf = ({ sessionId, incarnation, registeredAtMs }: Control, incident: number): string =>
  `${sessionId}/${incarnation}@${registeredAtMs}#${incident}`
