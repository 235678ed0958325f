/**
 * One failure reported, one attempt waited for: the seed's `recoverSession` answers per attempt, the
 * engine per incident.
 */
import { type Fact, factsOf, type JournalEntry, type Logger } from '@session-recovery/core'
import type { Engine } from '@session-recovery/engine'
import { messageOf } from './acknowledgement.js'
import type { Tell } from './announcer.js'
import type { EngineLife } from './engine-life.js'
import type { Queue } from './queue.js'
import { isNotRunning } from './session-recovery-error.js'

// ------------------------------------------------------------------------------------------ model

/** How an attempt ends: with a wait for the next, or with its incident. */
const outcome: Partial<Record<Fact['_tag'], boolean>> = {
  'backoff-began': false,
  'incident-recovered': true,
  'incident-exhausted': false,
  'incident-cancelled': false,
}

/** The wait for an attempt; in an object, so that a promise of it is not one of its end. */
interface Wait {
  readonly ended: Promise<boolean>
  /** The attempt never began. */
  readonly forget: () => void
}

// --------------------------------------------------------------------------------------- attempts

export class Attempts {
  readonly #engine: Engine
  readonly #life: EngineLife
  readonly #queue: Queue
  readonly #tell: Tell
  readonly #logger: Logger
  readonly #waiting = new Map<string, Set<(recovered: boolean) => void>>()

  constructor(engine: Engine, life: EngineLife, queue: Queue, tell: Tell, logger: Logger) {
    this.#engine = engine
    this.#life = life
    this.#queue = queue
    this.#tell = tell
    this.#logger = logger
  }

  /** Reports a failure; whether the attempt that answers it recovered the session. */
  async answer(sessionId: string, reason: string | undefined): Promise<boolean> {
    try {
      const wait = await this.#queue.add(sessionId, () => this.#report(sessionId, reason))
      return wait === undefined ? false : await wait.ended
    } catch (refused) {
      if (isNotRunning(refused)) this.#logger('warn', refused.message)
      else this.#erred(sessionId, messageOf(refused))
      return false
    }
  }

  /** An attempt may have ended with `entry`. */
  settle(entry: JournalEntry): void {
    for (const fact of factsOf(entry)) {
      const recovered = outcome[fact._tag]
      if (recovered !== undefined) this.#end(entry.sessionId, recovered)
    }
  }

  /** Nothing ends any more: the engine was stopped. */
  settleAll(): void {
    for (const sessionId of [...this.#waiting.keys()]) this.#end(sessionId, false)
  }

  /** Reports a failure; what to wait for, or `undefined` when no attempt answers it. */
  async #report(sessionId: string, reason: string | undefined): Promise<Wait | undefined> {
    const engine = await this.#life.use()
    const state = engine.status(sessionId)?.record.state
    // Before the report: the attempt may have ended before it is answered.
    const wait = this.#next(sessionId)
    const reported = await engine.reportFailure(sessionId, reason)
    // To ask again while an attempt is under way changes nothing; between two, it is to ask for the next.
    const isWaiting = state === 'recovering.backingOff' && reported._tag === 'already-recovering'
    if (reported._tag === 'opened' || isWaiting) return wait
    wait.forget()
    if (reported._tag === 'exhausted') {
      const attempts = engine.status(sessionId)?.record.control.used ?? 0
      this.#tell('recovery-max-attempts', () => [{ sessionId, attempts }])
    }
    if (reported._tag === 'invalid' || reported._tag === 'store-failed') {
      this.#erred(sessionId, reported.error.message)
    }
    return undefined
  }

  #next(sessionId: string): Wait {
    const waiting = this.#waiting.get(sessionId) ?? new Set()
    this.#waiting.set(sessionId, waiting)
    let forget = () => {}
    const ended = new Promise<boolean>((resolve) => {
      waiting.add(resolve)
      forget = () => {
        waiting.delete(resolve)
        if (waiting.size === 0) this.#waiting.delete(sessionId)
      }
    })
    return { ended, forget }
  }

  #end(sessionId: string, recovered: boolean): void {
    const waiting = this.#waiting.get(sessionId)
    this.#waiting.delete(sessionId)
    for (const resolve of waiting ?? []) resolve(recovered)
  }

  #erred(sessionId: string, error: string): void {
    const used = this.#engine.status(sessionId)?.record.control.used ?? 0
    this.#logger('error', `${sessionId} is not recovered: ${error}`)
    this.#tell('recovery-error', () => [{ sessionId, attemptNumber: used + 1, error }])
  }
}
