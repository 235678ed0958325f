/**
 * Waiting for the end of one attempt: the seed's `recoverSession` answers per attempt, the engine per
 * incident.
 */
import type { Fact } from '@session-recovery/core'

/** How an attempt ends: with a wait for the next, or with its incident. */
const outcome: Partial<Record<Fact['_tag'], boolean>> = {
  'backoff-began': false,
  'incident-recovered': true,
  'incident-exhausted': false,
  'incident-cancelled': false,
}

/** Somebody who waits; `ended` resolves to whether the attempt recovered the session. */
export interface AttemptWait {
  readonly ended: Promise<boolean>
  /** Ends the wait: the attempt never began. */
  readonly forget: () => void
}

export class AttemptWaits {
  readonly #waiting = new Map<string, Set<(recovered: boolean) => void>>()

  /** Waits for the next end of an attempt on `sessionId`. */
  next(sessionId: string): AttemptWait {
    const waiting = this.#waiting.get(sessionId) ?? new Set()
    this.#waiting.set(sessionId, waiting)
    let forget = () => {}
    const ended = new Promise<boolean>((resolve) => {
      waiting.add(resolve)
      forget = () => {
        waiting.delete(resolve)
        if (waiting.size === 0) this.#drop(sessionId, waiting)
      }
    })
    return { ended, forget }
  }

  /** An attempt on `sessionId` may have ended with one of `facts`. */
  settle(sessionId: string, facts: readonly Fact[]): void {
    for (const fact of facts) {
      const recovered = outcome[fact._tag]
      if (recovered !== undefined) this.#resolve(sessionId, recovered)
    }
  }

  /** Nothing ends any more: the engine was stopped. */
  settleAll(): void {
    for (const sessionId of [...this.#waiting.keys()]) this.#resolve(sessionId, false)
  }

  #resolve(sessionId: string, recovered: boolean): void {
    const waiting = this.#waiting.get(sessionId)
    if (waiting === undefined) return
    this.#waiting.delete(sessionId)
    for (const resolve of waiting) resolve(recovered)
  }

  #drop(sessionId: string, waiting: ReadonlySet<unknown>): void {
    if (this.#waiting.get(sessionId) === waiting) this.#waiting.delete(sessionId)
  }
}
