/**
 * A fleet: many sessions on hosts that can be dead, or refuse a credential, and the engine that recovers
 * them, on virtual time. What it counts is what a host would: the connections that were made to it.
 */
import {
  type Driver,
  type Notice,
  type Policy,
  type PolicyInput,
  policyFrom,
  type RunOutcome,
  receiptOf,
  recoveryStrategies,
  restored,
} from '@session-recovery/core'
import { createEngine, type Engine } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { memoryTraced, type TracedMedium } from './engine-trace.js'
import { promisesSettled, VirtualClock } from './virtual-clock.js'

// ------------------------------------------------------------------------------------------ model

/** A connection that was made to a host: by a canary, or to bring a session back. */
export interface Connection {
  readonly atMs: number
  readonly by: 'canary' | 'recovery'
  readonly sessionId: string
}

/** What befalls a host. */
export interface FleetHost {
  /** It takes no connection. */
  isDead: boolean
  /** It takes no credential. */
  refuses: boolean
  readonly connections: Connection[]
  /** Recoveries on it that are under way, and the most there ever were. */
  inFlight: number
  mostInFlight: number
}

export interface FleetOptions {
  readonly sessions: number
  /** Sessions are spread evenly over so many. Default 1. */
  readonly hosts?: number
  readonly policy?: PolicyInput
  /** How long a connection takes, and a dead host to be found so. Default 20. */
  readonly connectMs?: number
  /** Hosts cannot be probed but by bringing a session back. Default false. */
  readonly withoutProbe?: boolean
  /** What sessions are kept in. Default: a store in memory. */
  readonly medium?: TracedMedium
}

/** A world of hosts that outlives the engines that run in it. */
export class Fleet {
  readonly time = new VirtualClock(Date.UTC(2027, 0, 15), promisesSettled)
  readonly hosts: readonly FleetHost[]
  readonly notices: Notice[] = []
  readonly policy: Policy
  readonly #options: FleetOptions
  readonly #medium: TracedMedium
  readonly #alive = new Set<string>()
  #crash = () => {}
  #observe: Parameters<Driver['watch']>[0] = () => {}
  #life = 0
  engine: Engine

  constructor(options: FleetOptions) {
    this.#options = options
    this.#medium = options.medium ?? memoryTraced()
    this.hosts = Array.from({ length: options.hosts ?? 1 }, () => ({
      isDead: false,
      refuses: false,
      connections: [],
      inFlight: 0,
      mostInFlight: 0,
    }))
    const policy = policyFrom({ snapshotInterval: 0, ...options.policy })
    if (E.isLeft(policy)) throw new Error(policy.left.message)
    this.policy = policy.right
    this.engine = this.#engine()
  }

  get sessionIds(): readonly string[] {
    return Array.from({ length: this.#options.sessions }, (_, i) => `s${i}`)
  }

  /** Sessions that are alive, as the world knows them. */
  get alive(): number {
    return this.#alive.size
  }

  hostOf(sessionId: string): FleetHost {
    return this.#at(Number(sessionId.slice(1)) % this.hosts.length)
  }

  /** Starts the engine and registers every session. */
  async begin(): Promise<void> {
    void this.engine.start()
    await this.time.advance(0)
    for (const sessionId of this.sessionIds) {
      this.#alive.add(sessionId)
      const host = Number(sessionId.slice(1)) % this.hosts.length
      const domains = [`host:${host}`, `credential:me@${host}`]
      void this.engine.register(sessionId, { attended: false, domains })
    }
    await this.time.advance(1)
  }

  /** The host dies, and every session on it is lost in the same moment. */
  async kill(host = 0): Promise<void> {
    this.#at(host).isDead = true
    this.lose(host)
    await this.time.advance(0)
  }

  /** The connections to a host are lost. */
  lose(host = 0): void {
    for (const sessionId of this.sessionIds) {
      if (this.hostOf(sessionId) !== this.hosts[host]) continue
      this.#alive.delete(sessionId)
      this.#observe({ _tag: 'transport-lost', sessionId, detail: 'the connection is gone' })
    }
  }

  /** The engine dies, and another is started on what it had made durable. */
  async crash(): Promise<void> {
    this.#crash()
    this.#medium.crash()
    this.#life += 1
    for (const host of this.hosts) host.inFlight = 0
    this.engine = this.#engine()
    void this.engine.start()
    await this.time.advance(0)
  }

  #at(host: number): FleetHost {
    const found = this.hosts[host]
    if (found === undefined) throw new Error(`there is no host ${host}`)
    return found
  }

  #engine(): Engine {
    const { clock, drop } = this.time.fork()
    this.#crash = drop
    const driver = this.#driver(this.#life)
    const engine = createEngine({
      policy: this.policy,
      driver,
      store: this.#medium.open(),
      clock,
    })
    engine.subscribe((notice) => this.notices.push(notice))
    return engine
  }

  #driver(life: number): Driver {
    const { withoutProbe = false } = this.#options
    return {
      name: 'fleet',
      supports: {
        strategies: new Set(recoveryStrategies.filter((strategy) => strategy !== 'fallback')),
        capture: false,
        proof: 'observed',
      },
      watch: (observe) => {
        this.#observe = observe
        return () => {}
      },
      capture: () => () => new Promise(() => {}),
      run:
        ({ sessionId }) =>
        async () => {
          const host = this.hostOf(sessionId)
          host.inFlight += 1
          host.mostInFlight = Math.max(host.mostInFlight, host.inFlight)
          const outcome = await this.#connect(sessionId, 'recovery', life)
          host.inFlight -= 1
          if (outcome._tag === 'done') this.#alive.add(sessionId)
          return E.right(outcome)
        },
      verify:
        ({ sessionId }) =>
        async () =>
          E.right(
            this.#alive.has(sessionId)
              ? { _tag: 'alive', receipt: receiptOf('observed', { process: restored('fleet') }) }
              : { _tag: 'unproved', detail: 'it is dead', evidence: [] },
          ),
      ...(withoutProbe
        ? {}
        : {
            probe:
              ({ sessionId }) =>
              async () => {
                const outcome = await this.#connect(sessionId, 'canary', life)
                if (outcome._tag === 'done')
                  return E.right({ verdict: 'reachable', detail: 'it answers' })
                const refused = outcome._tag === 'failed' && outcome.credentialRefused === true
                return E.right({
                  verdict: refused ? 'refused' : 'unreachable',
                  detail: outcome.detail,
                })
              },
          }),
      detach: async () => {},
    }
  }

  async #connect(sessionId: string, by: Connection['by'], life: number): Promise<RunOutcome> {
    const host = this.hostOf(sessionId)
    host.connections.push({ atMs: this.time.nowMs, by, sessionId })
    await new Promise<void>((resolve) => {
      this.time.fork().clock.schedule(this.#options.connectMs ?? 20, resolve)
    })
    // Of one that crashed nothing is heard any more.
    if (life !== this.#life) return new Promise(() => {})
    if (host.isDead) return { _tag: 'failed', detail: 'no answer' }
    return host.refuses
      ? { _tag: 'failed', detail: 'permission denied', credentialRefused: true }
      : { _tag: 'done', detail: 'connected' }
  }
}
