/** Counts what comes of the tries of a row, and runs some of them side by side. */
import { availableParallelism } from 'node:os'
import type { Tally, Trial } from './row.js'

// ------------------------------------------------------------------------------------------ model

/** What a row counts while it goes on. */
export interface Score {
  /** A try came to its end; what was found broken, if anything was. */
  readonly tried: (broken: readonly string[]) => void
  readonly tally: (notes: readonly string[]) => Tally
  /** How many tries there were. */
  readonly count: () => number
}

// A row that is broken is broken each time: more than this nobody reads.
const mostLosses = 50

// ----------------------------------------------------------------------------------- constructors

export const newScore = ({ progress }: Pick<Trial, 'progress'>): Score => {
  const lost: string[] = []
  let tried = 0
  let survived = 0
  return {
    tried: (broken) => {
      tried += 1
      if (broken.length === 0) survived += 1
      if (lost.length < mostLosses) lost.push(...broken.slice(0, mostLosses - lost.length))
      progress(tried)
    },
    tally: (notes) => ({ tried, survived, lost, notes }),
    count: () => tried,
  }
}

// ------------------------------------------------------------------------------------ combinators

/** How many tries run side by side. */
export const lanes = Math.max(1, Math.min(4, availableParallelism()))

/** Runs `work` once in each lane, all at a time. */
export const inLanes = async (work: (lane: number) => Promise<void>): Promise<void> => {
  await Promise.all(Array.from({ length: lanes }, (_, lane) => work(lane)))
}

/** Runs `work` for each of `items`, a lane's worth at a time. */
export const eachInLanes = async <A>(
  items: readonly A[],
  work: (item: A, lane: number) => Promise<void>,
): Promise<void> => {
  const left = [...items]
  await inLanes(async (lane) => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item, lane)
  })
}
