/**
 * Work on one session in the order it was asked for: an app need not await a registration before it
 * updates what it registered.
 */
export class Queue {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs `work` after all that was added for `sessionId` before, however that ended. */
  add<A>(sessionId: string, work: () => Promise<A>): Promise<A> {
    const before = this.#last.get(sessionId) ?? Promise.resolve()
    const done = before.then(work)
    const over = done
      .catch(() => undefined)
      .then(() => {
        if (this.#last.get(sessionId) === over) this.#last.delete(sessionId)
      })
    this.#last.set(sessionId, over)
    return done
  }
}
