/**
 * The engine's lives, each from a `start` to its `stop`: one at a time, and the next only when the former
 * has let go of the store.
 */
import type { Notice, Policy } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { deadline } from './deadline.js'
import type { StartResult, StopResult } from './face.js'
import { type Ports, Running } from './running.js'

interface Life {
  /** Settles when the start is over, whatever came of it. */
  started: Promise<unknown>
  running: Running | undefined
  unwatch: () => void
  unwatchStore: () => void
}

export class Lifecycle {
  readonly #ports: Ports
  readonly #policy: Policy
  readonly #notify: (notice: Notice) => void
  #life: Life | undefined
  /** Before the former life has let go of the store it cannot be opened again. */
  #closed: Promise<void> = Promise.resolve()

  constructor(ports: Ports, policy: Policy, notify: (notice: Notice) => void) {
    this.#ports = ports
    this.#policy = policy
    this.#notify = notify
  }

  /** What runs now. */
  get running(): Running | undefined {
    return this.#life?.running
  }

  async start(): Promise<StartResult> {
    if (this.#life !== undefined) return { _tag: 'already-running' }
    const life: Life = {
      started: Promise.resolve(),
      running: undefined,
      unwatch: () => {},
      unwatchStore: () => {},
    }
    this.#life = life
    const starting = this.#begin(life)
    life.started = starting.catch(() => {})
    try {
      const result = await starting
      if (result._tag === 'store-failed') this.#forget(life)
      return result
    } catch (thrown) {
      this.#forget(life)
      throw thrown
    }
  }

  async stop(): Promise<StopResult> {
    const life = this.#life
    if (life === undefined) return { _tag: 'not-running' }
    this.#life = undefined
    life.unwatch()
    life.unwatchStore()
    life.running?.halt()
    const { over, end } = deadline(this.#ports.clock, this.#policy.stopTimeoutMs)
    const settled = Promise.all([life.started, life.running?.settled()])
    const ended = Promise.race([settled, over])
    this.#closed = ended.then(() => this.#close(life))
    await ended
    const unfinished = life.running?.unfinished ?? 0
    await Promise.race([this.#closed, over])
    end()
    this.#notify({ _tag: 'stopped' })
    return { _tag: 'stopped', unfinished }
  }

  async #begin(life: Life): Promise<StartResult> {
    const { store, driver } = this.#ports
    await this.#closed
    const opened = await store.open()
    if (E.isLeft(opened)) return { _tag: 'store-failed', error: opened.left }
    if (this.#life !== life) {
      await store.close()
      return { _tag: 'stopped' }
    }
    const loaded = opened.right
    const running = new Running(this.#ports, this.#policy, loaded, this.#notify)
    life.running = running
    life.unwatchStore = store.watch?.((found) => running.damaged(found)) ?? (() => {})
    life.unwatch = driver.watch((observation) => running.observe(observation))
    await running.resume(loaded)
    if (this.#life !== life) return { _tag: 'stopped' }
    this.#notify({ _tag: 'started' })
    const { quarantined } = loaded
    return { _tag: 'started', sessions: running.seats.size, quarantined }
  }

  async #close({ running, started }: Life): Promise<void> {
    const { store, logger } = this.#ports
    try {
      // One that had not opened its store yet closes it itself.
      if (running === undefined) await started
      else {
        await running.checkpoint()
        await store.close()
      }
    } catch (thrown) {
      logger('error', 'the store was not closed', thrown)
    }
  }

  #forget(life: Life): void {
    if (this.#life === life) this.#life = undefined
  }
}
