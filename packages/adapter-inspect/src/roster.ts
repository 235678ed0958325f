/**
 * The sessions that are there to be looked at, for those who join late: at most so many, the least
 * recently active forgotten first. What is kept are the engine's own values, no copies.
 */
import type { Actor } from './message.js'

export interface Roster {
  /** Keeps the latest of a session; true: it is new here, or registered anew. */
  readonly keep: (actor: Actor) => boolean
  readonly find: (sessionId: string) => Actor | undefined
  readonly forget: (sessionId: string) => void
  readonly sessionIds: () => readonly string[]
}

export const roster = (limit: number): Roster => {
  // A map remembers the order of insertion: the first is the one that was quiet the longest.
  const actors = new Map<string, Actor>()
  return {
    keep: (actor) => {
      const { sessionId, incarnation } = actor.record.control
      const before = actors.get(sessionId)
      actors.delete(sessionId)
      actors.set(sessionId, actor)
      const [quietest] = actors.keys()
      if (actors.size > limit && quietest !== undefined) actors.delete(quietest)
      return before?.record.control.incarnation !== incarnation
    },
    find: (sessionId) => actors.get(sessionId),
    forget: (sessionId) => {
      actors.delete(sessionId)
    },
    sessionIds: () => [...actors.keys()],
  }
}
