/**
 * The sessions and domains that are there to be looked at, for those who join late: at most so many, the least
 * recently active forgotten first. What is kept are the engine's own values, no copies.
 */
import { type Actor, actorKey, nameOf } from './message.js'

export interface Roster {
  /** Keeps the latest of an actor; true: it is new here, or registered anew. */
  readonly keep: (actor: Actor) => boolean
  readonly find: (key: string) => Actor | undefined
  readonly forget: (key: string) => void
  readonly keys: () => readonly string[]
}

export const roster = (limit: number): Roster => {
  // A map remembers the order of insertion: the first is the one that was quiet the longest.
  const actors = new Map<string, Actor>()
  return {
    keep: (actor) => {
      const key = actorKey(actor.machine, nameOf(actor))
      const before = actors.get(key)
      actors.delete(key)
      actors.set(key, actor)
      const [quietest] = actors.keys()
      if (actors.size > limit && quietest !== undefined) actors.delete(quietest)
      return before === undefined || lifeOf(before) !== lifeOf(actor)
    },
    find: (key) => actors.get(key),
    forget: (key) => {
      actors.delete(key)
    },
    keys: () => [...actors.keys()],
  }
}

const lifeOf = (actor: Actor): number | undefined =>
  actor.machine === 'session' ? actor.control.incarnation : undefined
