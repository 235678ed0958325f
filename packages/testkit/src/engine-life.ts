/**
 * One life of a simulated engine: it may end between any two things the engine does, and from then on
 * nothing it asked for is done or answered. What survives it is on the ground it stands on.
 */
import type { Clock } from '@session-recovery/core'
import type { ForkedClock, VirtualClock } from './virtual-clock.js'

/** What a dead process is answered. */
export const never = <A>(): Promise<A> => new Promise<A>(() => {})

export class EngineLife {
  /** The engine's own time and timers. */
  readonly time: ForkedClock
  /** The world's: those of its timers are no business of the engine's. */
  readonly #world: ForkedClock
  readonly #dying = new Set<() => void>()
  #fuse: number | undefined
  #isDead = false

  constructor(time: VirtualClock) {
    this.time = time.fork()
    this.#world = time.fork()
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** Whether it will die of what it does next. */
  get isDoomed(): boolean {
    return this.#fuse !== undefined && !this.#isDead
  }

  /** It dies when it has done `steps` more things. */
  doom(steps: number): void {
    this.#fuse = steps
    if (steps === 0) this.die()
  }

  /** It does something: false, if it did not live to. */
  passes(): boolean {
    if (this.#fuse !== undefined && !this.#isDead) {
      this.#fuse -= 1
      if (this.#fuse <= 0) this.die()
    }
    return !this.#isDead
  }

  /** Runs `atDeath` when it dies, until what is returned is called. */
  whenDying(atDeath: () => void): () => void {
    this.#dying.add(atDeath)
    return () => this.#dying.delete(atDeath)
  }

  /** Waits, as the world does: a death ends it, and nothing follows. */
  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#world.clock.schedule(delayMs, resolve))
  }

  get worldClock(): Clock {
    return this.#world.clock
  }

  die(): void {
    if (this.#isDead) return
    this.#isDead = true
    this.time.drop()
    this.#world.drop()
    for (const atDeath of [...this.#dying]) atDeath()
    this.#dying.clear()
  }
}
