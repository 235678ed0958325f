/**
 * What a process that writes into a store was told to be durable, and what must therefore be found after
 * it, its filesystem or its power is gone.
 *
 * The life of a session is a line of numbered places, the same in every run: so many commits, then it is
 * forgotten, then the next incarnation. Whoever finds a store can tell by the place alone what must stand
 * in it, to the byte.
 */

// ------------------------------------------------------------------------------------------ model

/** The sessions that are written. */
export const sessionIds = ['a', 'b', 'c', 'd'] as const

/** How many places an incarnation has: commits, and in the end it is forgotten. */
export const cycle = 6

/** A call that was acknowledged: when it was made and when it came back, on the machine's steady clock. */
interface Acknowledged {
  readonly calledMs: number
  readonly backMs: number
}

/** What the writer says, one line of JSON each. */
export type Telling =
  | { readonly _tag: 'opened' }
  /** What leads to `place` is durable; a commit has a `seq`. */
  | (Acknowledged & {
      readonly _tag: 'reached'
      readonly id: string
      readonly place: number
      readonly seq?: number
    })
  /** The snapshot taken at `place` is. */
  | (Acknowledged & { readonly _tag: 'saved'; readonly id: string; readonly place: number })
  /** The archive made at `place` is. */
  | (Acknowledged & {
      readonly _tag: 'archived'
      readonly id: string
      readonly place: number
      readonly location: string
    })
  /** A checkpoint is about to be written; it may be there from now on. */
  | { readonly _tag: 'folding'; readonly number: number; readonly throughSeq: number }
  | (Acknowledged & { readonly _tag: 'folded'; readonly number: number })
  | { readonly _tag: 'refused'; readonly operation: string; readonly problem: string }
  /** Everything was done or refused, and the store is closed. */
  | { readonly _tag: 'ended'; readonly leftOpen: readonly string[] }

/** All that is known to be durable, and what else may be. */
export interface History {
  /** How far each session got. */
  readonly places: Map<string, number>
  readonly saved: Map<string, number>
  readonly archives: Map<string, { readonly id: string; readonly place: number }>
  /** The `seq` of each place that no checkpoint is known to have folded. */
  readonly seqs: Map<string, Map<number, number>>
  /** Through which `seq` each checkpoint that may be there has folded. */
  readonly folds: Map<number, number>
  /** The places that may have been reached after those that were, with their `seq` where they have one. */
  readonly unsure: Map<string, Map<number, number | undefined>>
  folded: number
  latestSeq: number
  refused: number
}

/** What retention leaves of journals. */
export interface Retention {
  readonly journalEntriesPerSession: number
  readonly forgottenSessions: number
}

// ----------------------------------------------------------------------------------- constructors

export const newHistory = (): History => ({
  places: new Map(),
  saved: new Map(),
  archives: new Map(),
  seqs: new Map(),
  folds: new Map([[0, 0]]),
  unsure: new Map(),
  folded: 0,
  latestSeq: 0,
  refused: 0,
})

// ------------------------------------------------------------------------------------ combinators

/** Whether the session is forgotten by what leads to `place`. */
export const isForgotten = (place: number): boolean => place % cycle === 0

/** The incarnation that what leads to `place` belongs to. */
export const incarnationAt = (place: number): number => Math.floor((place - 1) / cycle) + 1

/** The revision at `place`, which is that of a commit. */
export const revAt = (place: number): number => place % cycle

/** Where a session with this head is. */
export const placeOf = (head: { readonly incarnation: number; readonly rev: number }): number =>
  (head.incarnation - 1) * cycle + head.rev

/** Adds what was told. */
export const note = (history: History, telling: Telling): void => {
  switch (telling._tag) {
    case 'reached': {
      history.places.set(telling.id, telling.place)
      if (telling.seq !== undefined) noteSeq(history, telling.id, telling.place, telling.seq)
      return
    }
    case 'saved':
      history.saved.set(telling.id, telling.place)
      return
    case 'archived':
      history.archives.set(telling.location, { id: telling.id, place: telling.place })
      return
    case 'folding':
      history.folds.set(telling.number, telling.throughSeq)
      return
    case 'folded':
      history.folded = telling.number
      return
    case 'refused':
      history.refused += 1
      return
    case 'opened':
    case 'ended':
      return
  }
}

/** Adds what was told of a call that may or may not have been durable: a place may have been reached. */
export const noteUnsure = (history: History, telling: Telling): void => {
  if (telling._tag === 'folding' || telling._tag === 'refused') note(history, telling)
  if (telling._tag !== 'reached') return
  const unsure = history.unsure.get(telling.id) ?? new Map<number, number | undefined>()
  history.unsure.set(telling.id, unsure.set(telling.place, telling.seq))
}

/** The places at which the session may be found: what is known, what may be, and what was under way. */
export const placesToBeFound = (history: History, id: string): readonly number[] => {
  const known = history.places.get(id) ?? 0
  const last = Math.max(known, ...(history.unsure.get(id)?.keys() ?? []))
  return Array.from({ length: last - known + 2 }, (_, i) => known + i)
}

/** Adds the `seq` that the commit of `place` has. */
export const noteSeq = (history: History, id: string, place: number, seq: number): void => {
  const seqs = history.seqs.get(id) ?? new Map<number, number>()
  history.seqs.set(id, seqs.set(place, seq))
  history.latestSeq = Math.max(history.latestSeq, seq)
}

/** The places of the commits up to `place`, oldest first, of which `most` are retained. */
export const retainedPlaces = (place: number, most: number): readonly number[] => {
  const places: number[] = []
  for (let at = place; at > 0 && places.length < most; at--) if (!isForgotten(at)) places.push(at)
  return places.toReversed()
}
