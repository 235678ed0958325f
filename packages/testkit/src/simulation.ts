/**
 * Simulation: the real engine over a real store on a faulty disk, and a driver that fails in every way, on
 * virtual time. One trace is a seed, a policy and a list of things that happen; the same trace gives the
 * same run, to the digest.
 */
import { createHash } from 'node:crypto'
import type { Exit, Notice, Policy } from '@session-recovery/core'
import { defaultPolicy, isRecovering } from '@session-recovery/core'
import { createEngine, type Engine } from '@session-recovery/engine'
import { type Action, anyAction, anyPolicy, failureReasons, sessionActions } from './action.js'
import { chance, type RestartedChance } from './chance.js'
import { Reached } from './coverage.js'
import { EngineLife } from './engine-life.js'
import { type FakeDriver, fakeDriver } from './fake-driver.js'
import { FaultBook, faultsOf } from './fault.js'
import { Invariant } from './invariant.js'
import { Medium } from './medium.js'
import { Pledge } from './pledge.js'
import { SharedHost } from './shared-host.js'
import type { SimulationOptions, SimulationResult } from './simulation-option.js'
import { VirtualClock } from './virtual-clock.js'

// ------------------------------------------------------------------------------------------ model

/** Faults off, every session must settle within this much virtual time. */
export const settleWithinMs = 1_200_000

const settleStepMs = 60_000

const dayMs = 24 * 3_600_000

const quietMs = dayMs / 4

interface Lived {
  readonly life: EngineLife
  readonly engine: Engine
  readonly driver: FakeDriver
  hasStarted: boolean
}

// ------------------------------------------------------------------------------------- simulation

class Simulation {
  readonly #options: SimulationOptions
  readonly #sessions: number
  readonly #policy: Policy
  readonly #chance: RestartedChance
  readonly #faults: FaultBook
  readonly #host: SharedHost
  readonly #medium: Medium
  readonly #time: VirtualClock
  readonly #reached: Reached
  readonly #invariant: Invariant
  readonly #pledge: Pledge
  readonly #alive = new Map<string, boolean>()
  readonly #hash = createHash('sha256')
  readonly #actions: Action[] = []
  #lived: Lived | undefined

  constructor(options: SimulationOptions) {
    const { seed, sessions = 3, policy, store = 'disk', faults = faultsOf(store) } = options
    this.#options = options
    this.#sessions = sessions
    this.#chance = chance(seed)
    const any = anyPolicy(this.#chance)
    this.#policy =
      policy === undefined ? any : { ...defaultPolicy, failureExitCodes: [137], ...policy }
    this.#faults = new FaultBook(faults, this.#chance)
    this.#medium = new Medium(store, this.#faults, this.#chance, options)
    this.#time = new VirtualClock(undefined, this.#medium.settled)
    this.#host = new SharedHost(this.#faults, () => this.#time.nowMs)
    this.#reached = new Reached(this.#policy)
    this.#invariant = new Invariant(this.#policy, this.#reached)
    this.#pledge = new Pledge({
      durable: (entry, record) => this.#invariant.durable(entry, record),
      found: (record) => this.#invariant.found(record),
      check: (holds, breach) => this.#invariant.check(6, holds, breach),
    })
  }

  async run(): Promise<SimulationResult> {
    const { events = 100, durationMs } = this.#options
    try {
      await this.#start()
      for (let session = 0; session < this.#sessions; session++) this.#register(session, 'refuse')
      await this.#time.advance(100)
      if (durationMs !== undefined) await this.#last(durationMs)
      else if (typeof events === 'number') await this.#play(this.#anyActions(events))
      else await this.#play(events)
      await this.#calm()
    } finally {
      this.#lived?.life.die()
      await this.#medium.remove()
    }
    return {
      breaches: this.#invariant.breaches,
      actions: this.#actions,
      digest: this.#hash.digest('hex'),
      coverage: this.#reached.coverage(this.#faults.counts),
      checks: this.#invariant.checks,
      decisions: this.#invariant.decisions,
      passedMs: this.#time.nowMs,
    }
  }

  // ------------------------------------------------------------------------------------ what happens

  /** All at once, before chance is begun anew for each. */
  #anyActions(events: number): readonly Action[] {
    return Array.from({ length: events }, () => anyAction(this.#chance, this.#sessions))
  }

  async #play(actions: readonly Action[]): Promise<void> {
    for (const action of actions) {
      this.#actions.push(action)
      await this.#happens(action)
    }
  }

  async #last(durationMs: number): Promise<void> {
    const course = chance(this.#options.seed)
    const gapMs = quietMs / this.#sessions
    let day = 0
    while (this.#time.nowMs < durationMs) {
      const today = Math.floor(this.#time.nowMs / dayMs)
      const name = today > day ? 'crash and cut the power' : course.pick(sessionActions)
      day = today
      const action: Action = { ...anyAction(course, this.#sessions), name }
      // Whoever sees that a session is exhausted, or gone, has it back.
      void this.#lived?.engine.reset(`s${action.session}`)
      this.#register(action.session, 'refuse')
      await this.#happens(action)
      await this.#time.advance(Math.round(gapMs * 2 * (course.whole(0, 1_000) / 1_000)))
    }
  }

  async #happens(action: Action): Promise<void> {
    this.#chance.restart(action.seed)
    if (this.#lived?.life.isDead === true) await this.#revive()
    this.#hash.update(`${action.name} ${this.#time.nowMs}\n`)
    await this.#act(action)
    await this.#medium.settled()
    this.#options.watch?.({
      passedMs: this.#time.nowMs,
      isRunning: this.#lived?.hasStarted === true && !this.#lived.life.isDead,
      files: () => this.#medium.files(),
    })
  }

  async #act({ name, session, amount }: Action): Promise<void> {
    const sessionId = `s${session}`
    const engine = this.#lived?.engine
    const observe = this.#lived?.driver.observe ?? (() => {})
    const exits = (exit: Exit) => {
      this.#alive.set(sessionId, false)
      observe({ _tag: 'exited', sessionId, exit })
    }
    switch (name) {
      case 'pass a moment':
        return this.#time.advance(Math.round(amount * 100))
      case 'pass a while':
        return this.#time.advance(Math.round(amount ** 3 * 600_000))
      case 'report a failure':
        return void engine?.reportFailure(sessionId, this.#chance.pick(failureReasons))
      case 'recover':
        return void engine?.recover(sessionId, this.#chance.pick(failureReasons))
      case 'die by a signal':
        return exits({ signal: 'SIGKILL' })
      case 'exit with a failure code':
        return exits({ exitCode: 137 })
      case 'exit well':
        return exits({ exitCode: 0 })
      case 'lose the transport':
        this.#alive.set(sessionId, false)
        return observe({ _tag: 'transport-lost', sessionId, detail: 'gone' })
      case 'change':
        return observe({ _tag: 'changed', sessionId })
      case 'update':
        return void engine?.update(sessionId, { workingDirectory: `/${amount}` })
      case 'cancel':
        return void engine?.cancel(sessionId)
      case 'reset':
        return void engine?.reset(sessionId)
      case 'renew':
        return void engine?.renew(amount < 0.5 ? 'host:h' : 'credential:me@h')
      case 'unregister':
        return void engine?.unregister(sessionId)
      case 'register':
        return this.#register(session, 'refuse')
      case 'replace':
        return this.#register(session, 'replace')
      default:
        return this.#upset(name, amount)
    }
  }

  async #upset(name: Action['name'], amount: number): Promise<void> {
    const faults = this.#faults
    switch (name) {
      case 'host dies':
        if (faults.strikes('dead host', 100)) this.#loseHost(Math.round(amount ** 2 * 300_000))
        return
      case 'jump the wall clock':
        if (faults.strikes('wall clock jump', 100)) {
          this.#time.jumpWall(Math.round((amount - 0.5) * 7_200_000))
        }
        return
      case 'suspend':
        if (faults.strikes('suspend', 100)) this.#time.suspend(Math.round(amount ** 3 * 36_000_000))
        return
      case 'crash':
        return this.#doom(Math.floor(amount ** 2 * 60))
      case 'crash and cut the power':
        this.#medium.cutAtDeath()
        return this.#doom(Math.floor(amount ** 2 * 60))
      case 'stop and start':
        await this.#stop()
        return this.#start()
      default:
        return this.#medium.failFor(1 + Math.floor(amount ** 2 * 30))
    }
  }

  #loseHost(forMs: number): void {
    this.#host.die(forMs)
    for (const sessionId of this.#host.sessionsOf(this.#sessions)) {
      this.#alive.set(sessionId, false)
      this.#lived?.driver.observe({ _tag: 'transport-lost', sessionId, detail: 'its host is dead' })
    }
  }

  #register(session: number, whenRegistered: 'refuse' | 'replace'): void {
    const sessionId = `s${session}`
    this.#alive.set(sessionId, true)
    const registration = { ...this.#host.registrationOf(session), whenRegistered }
    void this.#lived?.engine.register(sessionId, registration)
  }

  // ------------------------------------------------------------------------------- lives of the engine

  async #start(): Promise<void> {
    const life = new EngineLife(this.#time)
    const { store: altered, driver: alter } = this.#options.alteration ?? {}
    const store = this.#medium.storeFor(life, this.#pledge)
    const driver = fakeDriver({
      alive: this.#alive,
      host: this.#host,
      life,
      faults: this.#faults,
      chance: this.#chance,
      witness: this.#invariant.witness(life),
    })
    const engine = createEngine({
      policy: this.#policy,
      driver: alter?.(driver) ?? driver,
      store: altered?.(store) ?? store,
      clock: life.time.clock,
    })
    const lived: Lived = { life, engine, driver, hasStarted: false }
    this.#lived = lived
    this.#invariant.begin()
    this.#reached.begin()
    engine.subscribe((notice) => {
      try {
        this.#told(life, notice)
      } catch (thrown) {
        // An engine takes no notice of those who listen and throw.
        this.#invariant.breaches.push(`the check itself failed: ${String(thrown)}`)
      }
    })
    const started = engine.start()
    started.then(
      // A disk that fails while it is opened ends this life: somebody starts the next.
      (result) => {
        lived.hasStarted = result._tag === 'started'
        if (result._tag === 'store-failed') life.die()
      },
      (thrown) => this.#invariant.check(10, false, () => `start threw ${String(thrown)}`),
    )
    await this.#time.advance(0)
  }

  #told(life: EngineLife, notice: Notice): void {
    if (life.isDead) return
    this.#invariant.told(notice)
    switch (notice._tag) {
      case 'decided':
        this.#hash.update(`${notice.entry.recordDigest} ${notice.durable} ${this.#time.nowMs}\n`)
        break
      case 'captured':
        if (notice.token !== undefined) {
          this.#reached.captureEnded(notice.sessionId, 'captured', notice.token)
        }
        break
      case 'damaged': {
        // This disk refuses, but what it gives is what was written.
        const { source, problem } = notice.found
        const isRefusal = problem.startsWith('it cannot be read')
        this.#invariant.check(6, isRefusal, () => `${source} was found damaged: ${problem}`)
        break
      }
      case 'capture-failed':
        this.#reached.captureEnded(notice.sessionId, 'captureFailed')
        break
      default:
        this.#hash.update(`${notice._tag} ${this.#time.nowMs}\n`)
    }
    // The app hears it, and dies of it.
    life.passes()
  }

  async #doom(steps: number): Promise<void> {
    if (!this.#faults.strikes('engine crash', 100)) return
    this.#lived?.life.doom(steps)
    if (this.#lived?.life.isDead === true) await this.#revive()
  }

  /** After a while somebody starts the engine again. */
  async #revive(): Promise<void> {
    await this.#bury()
    await this.#time.advance(this.#chance.pick([0, 10, 5_000, 10_000_000]))
    await this.#start()
  }

  async #bury(): Promise<void> {
    this.#lived?.life.die()
    this.#lived = undefined
    this.#invariant.end()
    await this.#medium.afterDeath()
  }

  async #stop(): Promise<void> {
    const lived = this.#lived
    if (lived === undefined || lived.life.isDead) return this.#bury()
    const { engine, life } = lived
    const { stopTimeoutMs } = this.#policy
    const beganMs = this.#time.nowMs
    let endedMs: number | undefined
    this.#reached.begin()
    void engine.stop().then(() => {
      endedMs = this.#time.nowMs
    })
    await this.#time.advance(stopTimeoutMs + 1)
    if (!life.isDead) {
      const lastedMs = endedMs === undefined ? undefined : endedMs - beganMs
      this.#invariant.check(
        10,
        lastedMs !== undefined && lastedMs <= stopTimeoutMs,
        () => `stop() took ${lastedMs ?? 'more than its'} ms`,
      )
      const left = life.time.pending()
      this.#invariant.check(10, left === 0, () => `${left} timers are left after stop()`)
      // From here on whatever the engine says or decides is a breach.
      this.#invariant.end()
      await this.#time.advance(settleWithinMs)
    }
    await this.#bury()
  }

  // ---------------------------------------------------------------------------------------- the end

  /** Faults off: what hangs is crashed away, and everything has to settle. */
  async #calm(): Promise<void> {
    this.#faults.calm()
    this.#lived?.life.die()
    await this.#bury()
    await this.#start()
    const untilMs = this.#time.nowMs + settleWithinMs
    do await this.#time.advance(settleStepMs)
    while (!this.#isSettled() && this.#time.nowMs < untilMs)
    const hasStarted = this.#lived?.hasStarted === true
    this.#invariant.check(5, hasStarted, () => 'the engine did not come to its start')
    this.#invariant.settled(this.#lived?.engine)
    await this.#readBack()
    await this.#stop()
  }

  #isSettled(): boolean {
    const sessions = this.#lived?.engine.sessions() ?? []
    return sessions.every(({ record }) => !isRecovering(record))
  }

  /** What was promised is read back, without the engine. */
  async #readBack(): Promise<void> {
    const engine = this.#lived?.engine
    for (const { sessionId } of engine?.sessions() ?? []) {
      this.#invariant.replays(sessionId, (await engine?.journal(sessionId)) ?? [])
    }
    await this.#pledge.readBack(this.#medium.store)
  }
}

/**
 * Runs one simulation.
 *
 * @returns what it came to; it never rejects but for a broken invariant of its own.
 */
export const simulate = (options: SimulationOptions): Promise<SimulationResult> =>
  new Simulation(options).run()
