/**
 * When the engine behind the drop-in class runs. The seed's hosts register before `start()`: the first use
 * starts the engine, `start()` says so. Once stopped it stays so until `start()`: a late call must not
 * bring timers back.
 */
import type { RecoveryAttempt } from '@session-recovery/core'
import type { Engine, EngineStatistics } from '@session-recovery/engine'
import { notRunning, storeFailed } from './session-recovery-error.js'

export class EngineLife {
  readonly #engine: Engine
  /** Done once the engine has started, before anybody who waits for it goes on. */
  readonly #onUp: () => Promise<void>
  #up: Promise<void> | undefined
  #down: Promise<void> = Promise.resolve()
  #isUp = false
  #isStopped = false
  #last: { stats: EngineStatistics; histories: ReadonlyMap<string, readonly RecoveryAttempt[]> }

  constructor(engine: Engine, onUp: () => Promise<void>) {
    this.#engine = engine
    this.#onUp = onUp
    this.#last = { stats: engine.stats(), histories: new Map() }
  }

  /** The running engine; rejects once it was stopped, or when its store cannot be opened. */
  async use(): Promise<Engine> {
    if (this.#isStopped) throw notRunning()
    await this.#begin()
    return this.#engine
  }

  /** Starts it, also after a stop. */
  async start(): Promise<void> {
    this.#isStopped = false
    await this.#begin()
  }

  /** Stops it if it runs; what is counted stays readable. */
  stop(): Promise<void> {
    const up = this.#up
    if (up !== undefined) {
      this.#up = undefined
      this.#isStopped = true
      this.#down = this.#end(up)
    }
    return this.#down
  }

  stats(): EngineStatistics {
    return this.#isUp ? this.#engine.stats() : { ...this.#last.stats, activeRecoveries: 0 }
  }

  history(sessionId: string): readonly RecoveryAttempt[] {
    return this.#isUp
      ? this.#engine.history(sessionId)
      : (this.#last.histories.get(sessionId) ?? [])
  }

  #begin(): Promise<void> {
    if (this.#up !== undefined) return this.#up
    const up = this.#down.then(() => this.#startEngine())
    this.#up = up
    // Whoever waits is told; the next use tries again.
    up.catch(() => {
      if (this.#up === up) this.#up = undefined
    })
    return up
  }

  async #startEngine(): Promise<void> {
    const started = await this.#engine.start()
    if (started._tag === 'store-failed') throw storeFailed(started.error)
    this.#isUp = true
    await this.#onUp()
  }

  /** A start that waits for its store is stopped, too, and one too early to be stopped is waited for. */
  async #end(up: Promise<void>): Promise<void> {
    if (this.#isUp) this.#last = { stats: this.#engine.stats(), histories: this.#histories() }
    this.#isUp = false
    const stopped = await this.#engine.stop()
    await up.catch(() => undefined)
    if (stopped._tag === 'not-running') await this.#engine.stop()
    this.#isUp = false
  }

  #histories(): ReadonlyMap<string, readonly RecoveryAttempt[]> {
    const ids = this.#engine.sessions().map(({ sessionId }) => sessionId)
    return new Map(ids.map((id) => [id, this.#engine.history(id)]))
  }
}
