/**
 * The ledger: gives every journal entry its place, folds durable entries into the projections in exactly
 * that order, and says when and with what a checkpoint may be written.
 *
 * Commits of many sessions are in flight at once and may be answered in any order. A checkpoint carries
 * the projections and the place up to which they are folded; were entries folded out of order, some would
 * be counted twice or never after the next start.
 */
import {
  type JournalEntry,
  type Loaded,
  type Policy,
  Projection,
  type Projector,
  projector,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'

// ------------------------------------------------------------------------------------------ model

interface Slot {
  readonly seq: number
  entry: JournalEntry | undefined
  /** `undefined` until it is settled. */
  durable: boolean | undefined
}

export interface Ledger {
  /** The next entry's place; every place must be settled. */
  readonly take: () => number
  /**
   * What became of the entry at `seq`: committed, acted on although the store refused it
   * (`durable: false`), or refused (`undefined`).
   */
  readonly settle: (seq: number, entry: JournalEntry | undefined, durable: boolean) => void
  readonly projections: Pick<Projector, 'tally' | 'history'>
  /** The projections as they are now, with the place up to which they are folded. */
  readonly checkpoint: () => { readonly projection: Projection; readonly throughSeq: number }
}

// ----------------------------------------------------------------------------------- constructors

/** A ledger that goes on where the store's contents end. */
export const ledgerFrom = (loaded: Loaded, policy: Policy): Ledger => {
  const decoded = Projection.decode(loaded.projection)
  const projections = projector(E.isRight(decoded) ? decoded.right : undefined, policy)
  for (const entry of loaded.entries) projections.fold(entry)
  let lastSeq = loaded.latestSeq
  let throughSeq = loaded.latestSeq
  const slots: Slot[] = []

  return {
    take: () => {
      lastSeq += 1
      slots.push({ seq: lastSeq, entry: undefined, durable: undefined })
      return lastSeq
    },
    settle: (seq, entry, durable) => {
      const slot = slots[seq - (slots[0]?.seq ?? 0)]
      if (slot?.seq !== seq || slot.durable !== undefined)
        throw new Error(`entry ${seq} was never begun, or settled twice`)
      slot.entry = entry
      slot.durable = durable
      let head = slots[0]
      while (head?.durable !== undefined) {
        if (head.entry !== undefined) projections.fold(head.entry)
        // A place the store does not know is given again after the next start.
        if (head.durable) throughSeq = head.seq
        slots.shift()
        head = slots[0]
      }
    },
    projections,
    checkpoint: () => ({ projection: projections.projection(), throughSeq }),
  }
}
