/**
 * The projections of the journal as they are kept while an engine runs: folded entry by entry, and bounded
 * however many sessions there are, as a checkpoint carries all of them at once.
 */
import { factsOf, type JournalEntry } from './journal.js'
import type { Policy } from './policy.js'
import { storedBytes } from './snapshot.js'
import {
  emptyTally,
  type History,
  type Projection,
  remember,
  type Tally,
  tally,
} from './statistic.js'

// ------------------------------------------------------------------------------------------ model

/**
 * What the histories of all sessions together may take as they are stored, in bytes: some fifteen thousand
 * attempts. A checkpoint says them in one line, in one turn of the loop, and a store refuses one of 16 MB.
 */
export const historiesLimitBytes = 4 << 20

/** What is left when it is more. To find the oldest takes a while, and each time many of them go. */
const leftBytes = historiesLimitBytes - (historiesLimitBytes >> 3)

interface Held {
  readonly history: History
  readonly bytes: number
}

// ----------------------------------------------------------------------------------- constructors

/** What one takes besides its texts, with the brackets around a history. */
const attemptBytes = 240

const textBytes = (text: string): number => storedBytes(JSON.stringify(text))

const heldOf = (sessionId: string, history: History): Held => {
  const idBytes = textBytes(sessionId)
  let bytes = idBytes
  for (const { error } of history) {
    bytes += attemptBytes + idBytes + (error === undefined ? 0 : textBytes(error))
  }
  if (bytes <= leftBytes || history.length === 0) return { history, bytes }
  return heldOf(sessionId, history.slice(Math.ceil(history.length / 2)))
}

/** Histories by session; where all together are too much, the one goes to which longest nothing was added. */
class Histories {
  readonly #held = new Map<string, Held>()
  #bytes = 0

  of(sessionId: string): History {
    return this.#held.get(sessionId)?.history ?? []
  }

  set(sessionId: string, history: History): void {
    this.delete(sessionId)
    const held = heldOf(sessionId, history)
    this.#held.set(sessionId, held)
    this.#bytes += held.bytes
    if (this.#bytes <= historiesLimitBytes) return
    for (const oldest of this.#held.keys()) {
      if (this.#bytes <= leftBytes) break
      this.delete(oldest)
    }
  }

  delete(sessionId: string): void {
    this.#bytes -= this.#held.get(sessionId)?.bytes ?? 0
    this.#held.delete(sessionId)
  }

  all(): Projection['histories'] {
    return [...this.#held].map(([sessionId, { history }]) => [sessionId, [...history]])
  }
}

/**
 * The projections as they are kept while the engine runs: the one mutable thing in this package, owned
 * by whoever made it. `fold` takes entries in the order they were committed; a session's history goes
 * when the session does, or when others that failed later need the room.
 */
export const projector = (
  from: Projection | undefined,
  policy: Pick<Policy, 'historyLimit' | 'enableRecoveryMetrics'>,
) => {
  let sums = from?.tally ?? emptyTally
  const histories = new Histories()
  for (const [sessionId, history] of from?.histories ?? []) histories.set(sessionId, history)
  return {
    fold: ({ sessionId, event, to, effects }: JournalEntry): void => {
      const before = histories.of(sessionId)
      let after = before
      for (const fact of factsOf({ effects })) {
        if (policy.enableRecoveryMetrics) sums = tally(sums, fact, event.atMs)
        after = remember(after, sessionId, fact, event.atMs, policy.historyLimit)
      }
      if (to === 'unregistered') histories.delete(sessionId)
      else if (after !== before) histories.set(sessionId, after)
    },
    tally: (): Tally => sums,
    history: (sessionId: string): History => histories.of(sessionId),
    projection: (): Projection => ({ tally: sums, histories: histories.all() }),
  }
}
export type Projector = ReturnType<typeof projector>
