/**
 * One trace, carried out by the engine over a store: the decisions it committed, whatever lives of the
 * engine that took.
 */
import { fileStore } from '@session-recovery/adapter-fs'
import { type Driver, recoveryStrategies, type Store } from '@session-recovery/core'
import { createEngine, type Engine, memoryMedium, memoryStore } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { chance } from './chance.js'
import { EngineLife, never } from './engine-life.js'
import { memoryDisk } from './memory-disk.js'
import {
  type Decision,
  type OneTrace,
  type Stimulus,
  TracedWorld,
  tracedOptions,
  tracedSession,
} from './one-trace.js'
import { promisesSettled, VirtualClock } from './virtual-clock.js'

// ------------------------------------------------------------------------------------------ model

/** What outlives a crash of the engine, and how it is opened; a crash may lose what was not flushed. */
export interface TracedMedium {
  readonly open: () => Store
  readonly crash: () => void
}

/** Faults off, every trace is over within this much virtual time. */
const overWithinMs = 1_200_000

/** A store in memory. */
export const memoryTraced = (): TracedMedium => {
  const medium = memoryMedium()
  return { open: () => memoryStore(medium), crash: () => {} }
}

/** The store of `adapter-fs`, on a disk that loses its power with every crash. */
export const diskTraced = (seed: number): TracedMedium => {
  const pick = chance(seed)
  let disk = memoryDisk()
  const own = async () => E.right({ release: async () => {} })
  return {
    open: () => fileStore({ directory: '/data/store' }, disk, own),
    crash: () => {
      disk = disk.cut(() => pick.whole(0, 999_999) / 1_000_000)
    },
  }
}

// ------------------------------------------------------------------------------------------ engine

/** The trace through the engine over `medium`. */
export const engineTraced = async (
  trace: OneTrace,
  medium: TracedMedium,
  startMs: number,
): Promise<readonly Decision[]> => new Traced(trace, medium, startMs).run()

class Traced {
  readonly #trace: OneTrace
  readonly #medium: TracedMedium
  readonly #world: TracedWorld
  readonly #time: VirtualClock
  /** The harness's own time: it starts the engine again. */
  readonly #harness: EngineLife
  readonly #decisions: Decision[] = []
  #life: EngineLife
  #engine: Engine | undefined

  constructor(trace: OneTrace, medium: TracedMedium, startMs: number) {
    this.#trace = trace
    this.#medium = medium
    this.#world = new TracedWorld(trace.seed)
    this.#time = new VirtualClock(startMs, promisesSettled)
    this.#harness = new EngineLife(this.#time)
    this.#life = this.#harness
  }

  async run(): Promise<readonly Decision[]> {
    await this.#start()
    const registration = { sessionOptions: tracedOptions, attended: false }
    void this.#engine?.register(tracedSession, registration)
    await this.#time.advance(0)
    for (const stimulus of this.#trace.stimuli) {
      await this.#time.advance(stimulus.afterMs - this.#time.nowMs)
      this.#happens(stimulus)
      await this.#time.advance(0)
    }
    await this.#time.advance(overWithinMs)
    this.#life.die()
    return this.#decisions
  }

  #happens({ what, reason }: Stimulus): void {
    const engine = this.#engine
    if (what === 'fail') {
      this.#world.isAlive = false
      void engine?.reportFailure(tracedSession, reason)
    } else if (what === 'cancel') void engine?.cancel(tracedSession, reason)
    else if (what === 'reset') void engine?.reset(tracedSession)
    else void engine?.unregister(tracedSession)
  }

  async #start(): Promise<void> {
    const life = new EngineLife(this.#time)
    this.#life = life
    const store = this.#watched(this.#medium.open(), life)
    const engine = createEngine({
      policy: this.#trace.policy,
      driver: this.#driver(life),
      store,
      clock: life.time.clock,
    })
    this.#engine = engine
    void engine.start()
    await promisesSettled()
  }

  #watched(store: Store, life: EngineLife): Store {
    return {
      ...store,
      commit: (commit) => async () => {
        if (life.isDead) return never()
        const { record, entry } = commit
        const result = await store.commit(commit)()
        if (E.isLeft(result)) throw new Error(`a commit was refused: ${result.left.message}`)
        const { event, effects } = entry
        this.#decisions.push({ event, record, effects })
        if (this.#decisions.length !== this.#trace.crashAfterCommit) return result
        life.die()
        this.#medium.crash()
        this.#harness.time.clock.schedule(0, () => void this.#start())
        return never()
      },
    }
  }

  #driver(life: EngineLife): Driver {
    return {
      name: 'traced',
      supports: {
        strategies: new Set(recoveryStrategies.filter((strategy) => strategy !== 'fallback')),
        capture: false,
        proof: 'observed',
      },
      watch: () => () => {},
      capture: () => () => never(),
      run:
        ({ attempt, strategy, signal }) =>
        async () => {
          const { delayMs, end } = this.#world.run(attempt, strategy)
          await life.wait(delayMs)
          // What was given up does nothing any more.
          return signal.aborted ? never() : E.right(end())
        },
      verify: () => async () => {
        await life.wait(this.#world.verifyMs)
        return E.right(this.#world.verdict())
      },
      detach: async () => {},
    }
  }
}
