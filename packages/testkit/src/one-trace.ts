/**
 * One trace, carried out without an engine: the pure step, folded over what happens to a session, with a
 * queue of what is to come. What the engine does with the same trace must be the same (law 12).
 */
import {
  classify,
  type Effect,
  type EventOf,
  type Policy,
  planningView,
  type RunOutcome,
  receiptOf,
  register,
  restored,
  type SessionEvent,
  type SessionRecord,
  type Verdict,
  wakeAtMs,
  wakeEvent,
} from '@session-recovery/core'
import { firstSnapshot, stepUnder } from '@session-recovery/engine'
import TinyQueue from 'tinyqueue'
import { chance } from './chance.js'

// ------------------------------------------------------------------------------------------ model

/** Something that happens to the session, so many milliseconds after the beginning. */
export interface Stimulus {
  readonly afterMs: number
  readonly what: 'fail' | 'cancel' | 'reset' | 'unregister'
  readonly reason: string
}

export interface OneTrace {
  readonly policy: Policy
  /** What the world answers follows from it. */
  readonly seed: number
  /** In the order of their times. */
  readonly stimuli: readonly Stimulus[]
  /** The engine dies right after this commit, counted from 1, is durable, and is started at once. */
  readonly crashAfterCommit?: number
}

/** A decision as any runtime takes it. */
export interface Decision {
  readonly event: SessionEvent
  readonly record: SessionRecord
  readonly effects: readonly Effect[]
}

export const tracedSession = 'one'
export const tracedOptions = { command: 'bash' }

/** What is declared of the session, as the engine reads it from its registration. */
const traits: EventOf<'registered'>['traits'] = {
  kind: 'local',
  attended: false,
  shell: true,
  rerunnable: false,
  failureExitCodes: [],
  idempotentCommands: [],
}

// ------------------------------------------------------------------------------------------ world

/** A world whose answers are functions of what is asked, whoever asks and however often. */
export class TracedWorld {
  readonly #seed: number
  isAlive = true

  constructor(seed: number) {
    this.#seed = seed
  }

  /** How a run ends and after how long; ask once it is over, as it changes the world. */
  run(
    attempt: number,
    strategy: string,
  ): { readonly delayMs: number; readonly end: () => RunOutcome } {
    const pick = chance(1 + ((this.#seed + attempt * 7_919 + hashOf(strategy)) % (2 ** 31 - 2)))
    const delayMs = pick.whole(1, 40)
    const how = pick.whole(0, 9)
    const end = (): RunOutcome => {
      if (how < 4) return { _tag: 'failed', detail: 'no' }
      if (how === 4) return { _tag: 'failed', detail: 'never', permanent: true }
      if (how === 5) return { _tag: 'failed', detail: 'who are you', credentialRefused: true }
      if (how === 6) return { _tag: 'unsupported', detail: 'not here' }
      this.isAlive ||= how !== 7
      return { _tag: 'done', detail: how === 7 ? 'it says so' : 'it works' }
    }
    return { delayMs, end }
  }

  readonly verifyMs = 3

  verdict(): Verdict {
    return this.isAlive
      ? { _tag: 'alive', receipt: receiptOf('observed', { process: restored('traced') }) }
      : { _tag: 'unproved', detail: 'it is dead', evidence: [] }
  }
}

const hashOf = (name: string): number =>
  [...name].reduce((hash, letter) => (hash * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003, 7)

// ------------------------------------------------------------------------------------------- fold

interface Coming {
  /** What it will be told by. */
  readonly type: SessionEvent['type']
  readonly token: string | undefined
  readonly dueMs: number
  readonly order: number
  readonly happen: () => SessionEvent | undefined
  isOver: boolean
}

/**
 * The trace through the pure step. `startMs` is the time of the beginning, since the epoch.
 *
 * Of what falls due in the same millisecond either may come first, and both are right: the fold takes what
 * `found`, an execution it is to be compared with, took.
 */
export const folded = (
  trace: OneTrace,
  startMs: number,
  locationOf: (token: string) => string,
  found: readonly Decision[] = [],
): readonly Decision[] => new Fold(trace, startMs, locationOf, found).run()

class Fold {
  readonly #trace: OneTrace
  readonly #world: TracedWorld
  readonly #locationOf: (token: string) => string
  readonly #step: ReturnType<typeof stepUnder>
  /** What is kept of the session; a crash right after its registration comes before that. */
  #view: EventOf<'failed'>['view'] | undefined
  /** When the trace began, in engine time, which is ahead of the world's after a crash. */
  #startMs: number
  readonly #found: readonly Decision[]
  readonly #decisions: Decision[] = []
  #coming = new TinyQueue<Coming>([], (a, b) => a.dueMs - b.dueMs || a.order - b.order)
  #answers = new Map<string, Coming>()
  #wake: Coming | undefined
  #order = 0
  #nowMs: number
  #record: SessionRecord

  constructor(
    trace: OneTrace,
    startMs: number,
    locationOf: (token: string) => string,
    found: readonly Decision[],
  ) {
    this.#trace = trace
    this.#found = found
    this.#world = new TracedWorld(trace.seed)
    this.#locationOf = locationOf
    this.#step = stepUnder(trace.policy)
    this.#startMs = startMs
    this.#nowMs = startMs
    const snapshot = firstSnapshot(
      tracedSession,
      { sessionOptions: tracedOptions },
      new Date(startMs),
    )
    const event = { type: 'registered', atMs: startMs, traits } as const
    const [record, effects] = register(tracedSession, 1, event, trace.policy)
    this.#record = record
    this.#view = planningView(snapshot, 1)
    this.#adopt(event, record, effects)
  }

  run(): readonly Decision[] {
    for (const { afterMs, what, reason } of this.#trace.stimuli) {
      // What is due by then comes first.
      this.#pass(afterMs)
      this.#happens(what, reason)
    }
    this.#pass(Number.POSITIVE_INFINITY)
    return this.#decisions
  }

  #happens(what: Stimulus['what'], reason: string): void {
    const atMs = this.#nowMs
    if (what === 'fail') {
      this.#world.isAlive = false
      const failure = classify(reason, this.#trace.policy.reasonRules)
      const view = this.#view ?? { generation: 0, capturedAtMs: atMs }
      this.#decide({ type: 'failed', atMs, failure, view })
    } else if (what === 'cancel') this.#decide({ type: 'cancelled', atMs, why: reason })
    else if (what === 'reset') this.#decide({ type: 'reset', atMs })
    else this.#decide({ type: 'unregistered', atMs })
  }

  /** So much since the beginning. */
  #pass(afterMs: number): void {
    for (let next = this.#next(afterMs); next !== undefined; next = this.#next(afterMs)) {
      next.isOver = true
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      const event = next.happen()
      if (event !== undefined) this.#decide(event)
    }
    if (Number.isFinite(afterMs)) this.#nowMs = this.#startMs + afterMs
  }

  /** What comes next until then, and of several the one that was found to have come. */
  #next(afterMs: number): Coming | undefined {
    const untilMs = this.#startMs + afterMs
    const tied: Coming[] = []
    for (let first = this.#coming.peek(); first !== undefined; first = this.#coming.peek()) {
      if (!first.isOver && first.dueMs > (tied[0]?.dueMs ?? untilMs)) break
      this.#coming.pop()
      if (!first.isOver) tied.push(first)
    }
    const came = this.#found[this.#decisions.length]?.event
    const next = tied.find(({ type, token }) => type === came?.type && token === tokenOf(came))
    const chosen = next ?? tied[0]
    for (const other of tied) if (other !== chosen) this.#coming.push(other)
    return chosen
  }

  #decide(event: SessionEvent): void {
    if (this.#record.state === 'unregistered') return
    const [next, effects] = this.#step(this.#record, event)
    if (next === this.#record) {
      if (event.type === 'due') this.#arm()
      return
    }
    this.#adopt(event, next, effects)
  }

  #adopt(event: SessionEvent, record: SessionRecord, effects: readonly Effect[]): void {
    this.#record = record
    this.#decisions.push({ event, record, effects })
    if (this.#decisions.length === this.#trace.crashAfterCommit) {
      this.#crash(event.atMs)
      return
    }
    this.#arm()
    for (const effect of effects) this.#act(effect)
  }

  /** Everything that was to come is gone; the engine that is started finds the record. */
  #crash(lastSeenMs: number): void {
    this.#coming = new TinyQueue<Coming>([], (a, b) => a.dueMs - b.dueMs || a.order - b.order)
    this.#answers = new Map()
    this.#wake = undefined
    if (this.#decisions.length === 1) this.#view = undefined
    // A life of the engine begins later than anything that it finds.
    this.#nowMs += 1
    this.#startMs += 1
    // Before what it asks for again: of a deadline and an answer in the same millisecond the deadline is first.
    this.#arm()
    this.#decide({ type: 'resumed', atMs: this.#nowMs, lastSeenMs })
  }

  #arm(): void {
    if (this.#wake !== undefined) this.#wake.isOver = true
    const atMs = wakeAtMs(this.#record)
    if (atMs === undefined || this.#record.state === 'unregistered') return
    // A deadline may be a fraction; the time that events carry is whole, and the first at which it is due.
    const delayMs = Math.max(0, Math.ceil(atMs - this.#nowMs))
    const wake = () => wakeEvent(this.#record, this.#nowMs)
    this.#wake = this.#later('due', undefined, delayMs, wake)
  }

  #act(effect: Effect): void {
    switch (effect._tag) {
      case 'run':
        this.#run(effect.token, effect.attempt, effect.strategy)
        break
      case 'verify':
        this.#answer('verified', effect.token, this.#world.verifyMs, (token, atMs) => {
          return { type: 'verified', atMs, token, verdict: this.#world.verdict() }
        })
        break
      case 'archive':
        this.#answer('archived', effect.token, 0, (token, atMs) => {
          const outcome = { _tag: 'archived', location: this.#locationOf(token) } as const
          return { type: 'archived', atMs, token, outcome }
        })
        break
      case 'abort':
        this.#giveUp(effect.token)
        break
      default:
    }
  }

  #run(token: string, attempt: number, strategy: string): void {
    const { delayMs, end } = this.#world.run(attempt, strategy)
    this.#answer('acted', token, delayMs, (_, atMs) => {
      return { type: 'acted', atMs, token, outcome: end() }
    })
  }

  #giveUp(token: string): void {
    const answer = this.#answers.get(token)
    if (answer !== undefined) answer.isOver = true
  }

  #answer(
    type: SessionEvent['type'],
    token: string,
    delayMs: number,
    say: (token: string, atMs: number) => SessionEvent,
  ): void {
    const happen = () => say(token, this.#nowMs)
    this.#answers.set(token, this.#later(type, token, delayMs, happen))
  }

  #later(
    type: SessionEvent['type'],
    token: string | undefined,
    delayMs: number,
    happen: () => SessionEvent | undefined,
  ): Coming {
    this.#order += 1
    const dueMs = this.#nowMs + delayMs
    const coming = { type, token, dueMs, order: this.#order, happen, isOver: false }
    this.#coming.push(coming)
    return coming
  }
}

const tokenOf = (event: SessionEvent): string | undefined =>
  'token' in event ? event.token : undefined
