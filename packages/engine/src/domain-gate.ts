/**
 * The gate: where sessions that share a domain wait, and are let go. It carries out what domains decide,
 * as the interpreter does for sessions; which session goes when is decided by the domains' records and the
 * order of their lines alone. What it knows is found again in the sessions' records after a crash.
 */
import {
  type DomainEffect,
  type DomainEvent,
  type DomainRecord,
  domainRoom,
  domainWakeAtMs,
  type Effect,
  type Fact,
  factsOf,
  freshDomain,
  isCredentialDomain,
  isForgettable,
  isSuspected,
  type KeptProbe,
  type ProbeVerdict,
  type SessionRecord,
} from '@session-recovery/core'
import { sendCanary } from './canary.js'
import { type DomainStep, domainStepUnder } from './domain-step.js'
import type { Runtime } from './runtime.js'
import { type Guest, type Waiting, WaitingLine, waitingOf } from './waiting-line.js'

// ------------------------------------------------------------------------------------------ model

interface Held {
  record: DomainRecord
  readonly line: WaitingLine
  canary: AbortController | undefined
  /** When its timer fires; `undefined`: there is none. */
  wakeAtMs: number | undefined
  cancelWake: () => void
}

/** An event whose time is not known yet. */
type Untimed = DomainEvent extends infer Event
  ? Event extends DomainEvent
    ? Omit<Event, 'atMs'>
    : never
  : never

type Settlement = Extract<DomainEvent, { readonly type: 'settled' }>['how']

const trying: ReadonlySet<string> = new Set(['recovering.attempting', 'recovering.verifying'])

// ------------------------------------------------------------------------------------------- gate

export class DomainGate {
  readonly #runtime: Runtime
  readonly #step: DomainStep
  readonly #domains = new Map<string, Held>()
  readonly #waiting = new Map<Guest, Waiting>()
  /** The domains of each session that was let go and whose attempt is not over. */
  readonly #inFlight = new Map<Guest, readonly string[]>()
  /** Domains with room of their own, while all together have none. */
  readonly #starved = new Set<string>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
    this.#step = domainStepUnder(runtime.policy)
  }

  /** Every domain of which there is something to know, by name. */
  get records(): readonly DomainRecord[] {
    return [...this.#domains.keys()].sort().flatMap((name) => this.#domains.get(name)?.record ?? [])
  }

  /** How many sessions wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** What the sessions found in the store tell of their domains; before anything is decided on them. */
  find(guests: readonly Guest[]): void {
    const found = new Map<string, { inFlight: number; probe?: KeptProbe }>()
    const of = (domain: string) => {
      const one = found.get(domain) ?? { inFlight: 0 }
      found.set(domain, one)
      return one
    }
    for (const guest of guests) {
      const { state, control } = guest.lane.record
      const { domains } = control.traits
      if (domains === undefined) continue
      if (trying.has(state)) {
        this.#inFlight.set(guest, domains)
        for (const domain of domains) of(domain).inFlight += 1
      }
      const probe = control.incident?.probe
      if (probe === undefined) continue
      const one = of(probe.domain)
      if ((one.probe?.atMs ?? Number.NEGATIVE_INFINITY) <= probe.atMs) one.probe = probe
    }
    for (const domain of [...found.keys()].sort()) {
      this.#dispatch(domain, { type: 'found', inFlight: 0, ...found.get(domain) })
    }
  }

  /** Those that were found waiting wait on. */
  takeUp(guests: readonly Guest[]): void {
    const waiting = guests.flatMap((guest) => {
      const { record } = guest.lane
      return record.state === 'recovering.held' && !this.#waiting.has(guest) ? [guest] : []
    })
    for (const guest of waiting) this.#hold(guest, guest.lane.record)
  }

  /** A session was decided on. */
  see(guest: Guest, record: SessionRecord, effects: readonly Effect[]): void {
    const { domains } = record.control.traits
    if (domains === undefined) return
    if (record.state === 'recovering.held') this.#hold(guest, record)
    else this.#goesOn(guest, record, effects)
    // Whoever wants an exhausted session back has seen to what was wrong.
    if (tells(effects, 'session-reset')) for (const domain of domains) this.renew(domain)
  }

  #goesOn(guest: Guest, record: SessionRecord, effects: readonly Effect[]): void {
    this.#leave(guest)
    const domains = this.#inFlight.get(guest)
    if (domains === undefined) return
    if (record.control.incident?.credentialRefused === true) this.#refused(domains)
    if (tells(effects, 'incident-recovered')) this.#settle(guest, domains, 'well')
    else if (!trying.has(record.state)) this.#settle(guest, domains, settlementOf(record))
  }

  /** The app says that a domain is worth trying again. Returns whether anything is known of it. */
  renew(domain: string): boolean {
    if (!this.#domains.has(domain)) return false
    this.#dispatch(domain, { type: 'renewed' })
    return true
  }

  /** No canary goes any more, and no timer fires. */
  halt(): void {
    for (const { canary, cancelWake } of this.#domains.values()) {
      cancelWake()
      canary?.abort()
    }
    this.#domains.clear()
    this.#waiting.clear()
    this.#inFlight.clear()
  }

  // ---------------------------------------------------------------------------------------- sessions

  #hold(guest: Guest, record: SessionRecord): void {
    // What its transport's probe found was written down: it waits, or is about to be let go, as before.
    if (this.#waiting.has(guest) || this.#inFlight.has(guest)) return
    const waiting = waitingOf(guest, record)
    if (waiting === undefined) return
    this.#waiting.set(guest, waiting)
    this.#next(waiting, undefined)
  }

  /** Lets it go, or has it stand in the line of the first domain that keeps it. */
  #next(waiting: Waiting, from: string | undefined): void {
    const { domains } = waiting
    if (from !== undefined) waiting.passed = [...waiting.passed, from]
    const suspected = domains.find((domain) => this.#suspects(domain, waiting))
    const full = domains.find((domain) => domain !== from && this.#isFull(domain))
    const keeps = suspected ?? full ?? (this.#roomOverall > 0 ? undefined : (from ?? domains[0]))
    if (keeps === undefined) {
      this.#go(waiting, from)
      return
    }
    if (from !== undefined) this.#dispatch(from, { type: 'left' })
    this.#domain(keeps).line.push(waiting)
    this.#dispatch(keeps, { type: 'waited', suspected: suspected !== undefined })
  }

  #go(waiting: Waiting, from: string | undefined): void {
    const { guest, domains } = waiting
    const order = this.#record(from ?? domains[0] ?? '').control.released
    this.#waiting.delete(guest)
    this.#inFlight.set(guest, domains)
    for (const domain of domains) {
      this.#dispatch(domain, { type: 'admitted', waited: domain === from })
    }
    this.#release(guest, false, order)
  }

  #release(guest: Guest, credentialRefused: boolean, order: number): void {
    this.#runtime.background('letting a session go', async () => {
      await guest.lane.insist((atMs, record) =>
        record.state === 'recovering.held'
          ? { type: 'released', atMs, credentialRefused, order }
          : undefined,
      )
    })
  }

  #leave(guest: Guest): void {
    const waiting = this.#waiting.get(guest)
    if (waiting === undefined) return
    this.#waiting.delete(guest)
    const { standsIn } = waiting
    waiting.standsIn = undefined
    if (standsIn !== undefined) this.#dispatch(standsIn, { type: 'left' })
  }

  #settle(guest: Guest, domains: readonly string[], how: Settlement): void {
    this.#inFlight.delete(guest)
    for (const domain of domains) this.#dispatch(domain, { type: 'settled', how })
    const starved = [...this.#starved]
    this.#starved.clear()
    for (const domain of starved) this.#pump(domain)
  }

  #refused(domains: readonly string[]): void {
    for (const domain of domains.filter(isCredentialDomain)) {
      this.#dispatch(domain, { type: 'refused' })
    }
  }

  // ----------------------------------------------------------------------------------------- domains

  #dispatch(domain: string, untimed: Untimed): void {
    if (this.#runtime.isStopped()) return
    const held = this.#domain(domain)
    const event = { ...untimed, atMs: this.#runtime.nowMs() } as DomainEvent
    const from = held.record.state
    const [record, effects] = this.#step(held.record, event)
    if (record !== held.record) {
      held.record = record
      this.#runtime.notify({ _tag: 'domain-decided', event, from, record, effects })
      for (const effect of effects) this.#carryOut(domain, held, effect)
    }
    this.#arm(domain, held)
  }

  #carryOut(domain: string, held: Held, effect: DomainEffect): void {
    switch (effect._tag) {
      case 'probe':
        this.#probe(domain, held, effect.token, effect.deadlineMs)
        break
      case 'abort':
        held.canary?.abort()
        break
      case 'admit':
        this.#pump(domain)
        break
      case 'refuse':
        this.#turnAway(domain, held)
        break
      case 'tell':
        // Those who listen were told the whole decision.
        break
    }
  }

  /** Lets go whoever there is room for, in their order. */
  #pump(domain: string): void {
    const held = this.#domains.get(domain)
    while (held !== undefined && this.#roomIn(held.record) > 0) {
      if (this.#roomOverall <= 0) {
        this.#starved.add(domain)
        return
      }
      const first = held.line.pop()
      if (first === undefined) return
      this.#next(first, domain)
    }
  }

  #turnAway(domain: string, held: Held): void {
    for (let one = held.line.pop(); one !== undefined; one = held.line.pop()) {
      this.#waiting.delete(one.guest)
      this.#dispatch(domain, { type: 'left' })
      this.#release(one.guest, true, 0)
    }
  }

  #probe(domain: string, held: Held, token: string, deadlineMs: number | undefined): void {
    const canary = new AbortController()
    held.canary = canary
    const request = { domain, token, signal: canary.signal, deadlineMs }
    const triesBefore = held.record.control.tries
    const tries = (verdict: ProbeVerdict) => (verdict === 'unreachable' ? triesBefore + 1 : 0)
    this.#runtime.background('a canary', async () => {
      const waiting = held.line.peek()
      if (waiting === undefined) throw new Error(`nobody waits for ${domain}`)
      const { verdict, detail } = await sendCanary(this.#runtime, waiting, request, tries)
      if (canary.signal.aborted) return
      // Where the credential is refused, its domain is: the others were answered.
      if (verdict === 'refused') this.#refused(waiting.domains)
      const reachable = verdict !== 'unreachable'
      this.#dispatch(domain, { type: 'probed', token, reachable, detail })
    })
  }

  #domain(domain: string): Held {
    const known = this.#domains.get(domain)
    if (known !== undefined) return known
    const held: Held = {
      record: freshDomain(domain),
      line: new WaitingLine(domain),
      canary: undefined,
      wakeAtMs: undefined,
      cancelWake: () => {},
    }
    this.#domains.set(domain, held)
    return held
  }

  #arm(domain: string, held: Held): void {
    const atMs = domainWakeAtMs(held.record)
    const isKnown = this.#domains.get(domain) === held
    if (isKnown && isForgettable(held.record)) this.#domains.delete(domain)
    if (atMs === held.wakeAtMs) return
    held.cancelWake()
    held.wakeAtMs = atMs
    held.cancelWake = () => {}
    // Whoever was told of it may have stopped the engine.
    if (atMs === undefined || this.#runtime.isStopped()) return
    const delayMs = Math.max(0, atMs - this.#runtime.nowMs())
    held.cancelWake = this.#runtime.clock.schedule(delayMs, () => {
      held.wakeAtMs = undefined
      this.#dispatch(domain, { type: 'due' })
    })
  }

  #suspects(domain: string, { kind, heldAtMs, passed }: Waiting): boolean {
    const record = this.#record(domain)
    if (record.state !== 'closed') return false
    const { misses } = record.control
    if (misses >= this.#runtime.policy.domain.suspectAfter) return true
    return !passed.includes(domain) && isSuspected(record, kind, heldAtMs)
  }

  /** There is no room for one that comes new: or others came before it. */
  #isFull(domain: string): boolean {
    const record = this.#record(domain)
    return record.control.waiting > 0 || this.#roomIn(record) <= 0
  }

  #record(domain: string): DomainRecord {
    return this.#domains.get(domain)?.record ?? freshDomain(domain)
  }

  #roomIn(record: DomainRecord): number {
    return domainRoom(record, this.#runtime.policy)
  }

  get #roomOverall(): number {
    return Math.floor(this.#runtime.policy.domain.overallConcurrency) - this.#inFlight.size
  }
}

const tells = (effects: readonly Effect[], tag: Fact['_tag']): boolean =>
  factsOf({ effects }).some((fact) => fact._tag === tag)

/** How an attempt was over that did not recover its session: in a cancelled one nothing is told by it. */
const settlementOf = ({ state }: SessionRecord): Settlement =>
  state === 'recovering.backingOff' || state === 'exhausted' ? 'missed' : 'neither'
