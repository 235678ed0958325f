/**
 * What a session has under way, each under its token: to be called off by it, and told apart from what was
 * begun under the same token later.
 */
import type { Effect } from '@session-recovery/core'

/** A piece of work of a session. */
export interface Work {
  readonly kind: Effect['_tag'] | 'look'
  /** The revision of the session when it began. */
  readonly rev: number
  readonly controller: AbortController
}

// There are as many as sessions, and most have nothing under way.
export class UnderWay {
  #works: Map<string, Work> | undefined

  begin(token: string, kind: Work['kind'], rev: number): AbortController {
    const controller = new AbortController()
    this.#works ??= new Map()
    this.#works.set(token, { kind, rev, controller })
    return controller
  }

  /** It is over by itself. */
  end(token: string, controller: AbortController): void {
    if (this.#works?.get(token)?.controller === controller) this.#drop(token)
  }

  abort(token: string): void {
    this.#works?.get(token)?.controller.abort()
    this.#drop(token)
  }

  /** Calls off all of which `isOver` holds. */
  abortWhere(isOver: (work: Work) => boolean): void {
    for (const [token, work] of [...(this.#works ?? [])]) {
      if (isOver(work)) this.abort(token)
    }
  }

  #drop(token: string): void {
    if (this.#works?.delete(token) && this.#works.size === 0) this.#works = undefined
  }
}
