/**
 * The line of those who wait for a domain: whose incident is the oldest comes first, of several as old
 * the one whose id does, so that the order is a function of the sessions' records alone.
 */
import type { FailureKind, SessionRecord } from '@session-recovery/core'
import TinyQueue from 'tinyqueue'
import type { Keeper } from './keeper.js'
import type { Lane } from './lane.js'

// ------------------------------------------------------------------------------------------ model

/** What is seen of a session here. */
export interface Guest {
  readonly lane: Lane
  readonly keeper: Keeper
}

/** A session that waits. */
export interface Waiting {
  readonly guest: Guest
  readonly sessionId: string
  readonly domains: readonly string[]
  readonly kind: FailureKind
  readonly openedAtMs: number
  readonly heldAtMs: number
  /** The domain in whose line it stands; `undefined`: in none any more. */
  standsIn: string | undefined
  /** Those that have let it pass: a domain at rest is forgotten, and with it that it was found well. */
  passed: readonly string[]
}

const isEarlier = (a: Waiting, b: Waiting): number =>
  a.openedAtMs - b.openedAtMs || (a.sessionId < b.sessionId ? -1 : 1)

// ------------------------------------------------------------------------------------------- line

/** One that left is passed over when its turn comes. */
export class WaitingLine {
  readonly #domain: string
  readonly #queue = new TinyQueue<Waiting>([], isEarlier)

  constructor(domain: string) {
    this.#domain = domain
  }

  push(waiting: Waiting): void {
    waiting.standsIn = this.#domain
    this.#queue.push(waiting)
  }

  /** Who comes first. */
  peek(): Waiting | undefined {
    for (;;) {
      const first = this.#queue.peek()
      if (first === undefined || first.standsIn === this.#domain) return first
      this.#queue.pop()
    }
  }

  /** Who comes first, and stands in the line no more. */
  pop(): Waiting | undefined {
    const first = this.peek()
    if (first === undefined) return undefined
    this.#queue.pop()
    first.standsIn = undefined
    return first
  }
}

/** The session that `record` is of, as one that waits. */
export const waitingOf = (guest: Guest, { control }: SessionRecord): Waiting | undefined => {
  const { sessionId, incident, traits } = control
  if (incident === undefined) return undefined
  const { openedAtMs, heldAtMs = openedAtMs, failure } = incident
  return {
    guest,
    sessionId,
    domains: traits.domains ?? [],
    kind: failure.kind,
    openedAtMs,
    heldAtMs,
    standsIn: undefined,
    passed: [],
  }
}
