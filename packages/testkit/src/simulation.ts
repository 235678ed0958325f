/**
 * Simulation: the real engine over a faulty store and a fake driver, on virtual time. One schedule is a
 * policy, a seed and a list of things that happen; the same schedule gives the same run.
 */
import { defaultPolicy, type Policy } from '@session-recovery/core'
import { createEngine, type Engine, memoryMedium } from '@session-recovery/engine'
import { type Chance, chance } from './chance.js'
import { type FakeDriver, type FakeWorld, fakeDriver, fakeWorld } from './fake-driver.js'
import { type FakeDisk, type FaultyStore, faultyStore } from './faulty-store.js'
import { Invariant, type Outcome } from './invariant.js'
import { quiet, VirtualClock } from './virtual-clock.js'

// ------------------------------------------------------------------------------------------ model

export const actionNames = [
  'pass a moment',
  'pass a while',
  'report a failure',
  'recover',
  'die by a signal',
  'exit with a failure code',
  'exit well',
  'lose the transport',
  'change',
  'update',
  'cancel',
  'reset',
  'unregister',
  'register',
  'replace',
  'jump the wall clock',
  'crash',
  'stop and start',
  'disk down',
  'disk up',
] as const

export interface Action {
  readonly name: (typeof actionNames)[number]
  readonly session: number
  /** From 0 to 1: how much, how long, which. */
  readonly amount: number
}

export interface Schedule {
  readonly policy: Partial<Policy>
  readonly seed: number
  readonly actions: readonly Action[]
}

/** Faults off, every session must settle within this much virtual time. */
export const settleWithinMs = 1_200_000

const reasons = [
  '',
  'connection reset',
  'prompt timeout',
  'timeout',
  'memory',
  'auth',
  'odd',
] as const

// ------------------------------------------------------------------------------------- simulation

/** One life of the engine: what a crash throws away. */
interface Life {
  readonly engine: Engine
  readonly store: FaultyStore
  readonly driver: FakeDriver
  readonly pending: () => number
  readonly drop: () => void
}

class Simulation {
  readonly #time = new VirtualClock()
  readonly #chance: Chance
  readonly #policy: Policy
  readonly #world: FakeWorld = fakeWorld()
  readonly #disk: FakeDisk = {
    medium: memoryMedium(),
    decided: new Set(),
    entries: [],
    down: false,
    refusals: 2,
  }
  readonly #invariant: Invariant
  #life: Life | undefined

  constructor({ policy, seed }: Schedule) {
    this.#chance = chance(seed)
    this.#policy = { ...defaultPolicy, failureExitCodes: [137], ...policy }
    this.#invariant = new Invariant(this.#policy, this.#world, this.#disk)
  }

  async run(actions: readonly Action[]): Promise<Outcome> {
    await this.#start()
    for (const session of [0, 1, 2]) this.#register(session, 'refuse')
    await this.#time.advance(100)
    for (const action of actions) {
      await this.#act(action)
      await quiet()
    }
    await this.#calm()
    return this.#invariant.outcome()
  }

  async #start(): Promise<void> {
    const { clock, pending, drop } = this.#time.fork()
    // The world's own timers are no business of the engine's: they are counted apart.
    const world = this.#time.fork()
    const store = faultyStore(this.#disk, world.clock, this.#chance)
    const driver = fakeDriver(this.#world, world.clock, this.#chance, (token) =>
      this.#disk.decided.has(token),
    )
    const engine = createEngine({ policy: this.#policy, driver, store, clock })
    const dropAll = () => {
      drop()
      world.drop()
    }
    this.#life = { engine, store, driver, pending, drop: dropAll }
    engine.subscribe(this.#invariant.sink)
    this.#invariant.begin()
    const started = engine.start()
    await this.#time.advance(0)
    // A disk that is down holds the start up (or fails it); it goes on when the disk is back.
    started.catch((thrown: unknown) => this.#world.breaches.push(`start threw ${String(thrown)}`))
  }

  #crash(): void {
    const life = this.#life
    if (life === undefined) return
    this.#invariant.end()
    life.store.crash()
    life.drop()
    this.#life = undefined
  }

  async #stop(): Promise<void> {
    const life = this.#life
    if (life === undefined) return
    const beganMs = this.#time.nowMs
    let endedMs: number | undefined
    const stopped = life.engine.stop().then(() => {
      endedMs = this.#time.nowMs
    })
    await this.#time.advance(this.#policy.stopTimeoutMs + 1)
    if (endedMs === undefined) this.#world.breaches.push('stop() did not end within its deadline')
    else if (endedMs - beganMs > this.#policy.stopTimeoutMs) {
      this.#world.breaches.push(`stop() took ${endedMs - beganMs} ms`)
    }
    const left = life.pending()
    if (left > 0) this.#world.breaches.push(`${left} timers are left after stop()`)
    // From here on whatever the engine says or decides is a breach.
    this.#invariant.end()
    await this.#time.advance(settleWithinMs)
    await Promise.race([stopped, quiet()])
    life.store.crash()
    life.drop()
    this.#life = undefined
  }

  #register(session: number, whenRegistered: 'refuse' | 'replace'): void {
    const sessionId = `s${session}`
    this.#world.alive.set(sessionId, true)
    const ssh = session === 1 ? { sshOptions: { host: 'h' } } : {}
    const sessionOptions = {
      command: 'bash',
      cwd: '/',
      env: { DB_PASSWORD: 'hunter2hunter2' },
      ...ssh,
    }
    const attended = session === 2
    void this.#life?.engine.register(sessionId, { sessionOptions, attended, whenRegistered })
  }

  async #act({ name, session, amount }: Action): Promise<void> {
    const sessionId = `s${session}`
    const engine = this.#life?.engine
    const die = () => this.#world.alive.set(sessionId, false)
    const observe = this.#life?.driver.observe ?? (() => {})
    switch (name) {
      case 'pass a moment':
        return this.#time.advance(Math.round(amount * 100))
      case 'pass a while':
        return this.#time.advance(Math.round(amount ** 3 * 600_000))
      case 'report a failure':
        return void engine?.reportFailure(sessionId, this.#chance.pick(reasons))
      case 'recover':
        return void engine?.recover(sessionId, this.#chance.pick(reasons))
      case 'die by a signal':
        die()
        return observe({ _tag: 'exited', sessionId, exit: { signal: 'SIGKILL' } })
      case 'exit with a failure code':
        die()
        return observe({ _tag: 'exited', sessionId, exit: { exitCode: 137 } })
      case 'exit well':
        die()
        return observe({ _tag: 'exited', sessionId, exit: { exitCode: 0 } })
      case 'lose the transport':
        die()
        return observe({ _tag: 'transport-lost', sessionId, detail: 'gone' })
      case 'change':
        return observe({ _tag: 'changed', sessionId })
      case 'update':
        return void engine?.update(sessionId, { workingDirectory: `/${amount}` })
      case 'cancel':
        return void engine?.cancel(sessionId)
      case 'reset':
        return void engine?.reset(sessionId)
      case 'unregister':
        return void engine?.unregister(sessionId)
      case 'register':
        return this.#register(session, 'refuse')
      case 'replace':
        return this.#register(session, 'replace')
      case 'jump the wall clock':
        return this.#time.jumpWall(Math.round((amount - 0.5) * 7_200_000))
      default:
        return this.#upset(name)
    }
  }

  async #upset(name: Action['name']): Promise<void> {
    switch (name) {
      case 'crash':
        this.#crash()
        await this.#time.advance(this.#chance.pick([0, 10, 5_000, 10_000_000]))
        return this.#start()
      case 'stop and start':
        await this.#stop()
        return this.#start()
      case 'disk down':
        this.#disk.down = true
        return
      default:
        this.#disk.down = false
    }
  }

  /** Faults off: what hangs is crashed away, and everything has to settle. */
  async #calm(): Promise<void> {
    this.#disk.down = false
    this.#disk.refusals = 0
    this.#world.faults = false
    this.#crash()
    await this.#start()
    await this.#time.advance(settleWithinMs)
    this.#invariant.checkSettled(this.#life?.engine)
    await this.#stop()
    this.#invariant.checkReplay()
  }
}

/** Runs one schedule. */
export const simulate = (schedule: Schedule): Promise<Outcome> =>
  new Simulation(schedule).run(schedule.actions)
