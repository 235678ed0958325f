/**
 * Taking samples in pairs: what is measured and its reference in turn, so that what else the machine does
 * meets both; which of the two is first changes from pair to pair.
 */
import type { Pair } from './row.js'

// ------------------------------------------------------------------------------------------ model

/** Takes one sample and gives its value: milliseconds, or so many a second. */
export type Sample = () => number | Promise<number>

export interface Pairing {
  readonly rounds: number
  readonly measured: Sample
  readonly reference: Sample
  readonly progress: (doing: string) => void
  /** Pairs that warm both up, and are not counted. Default 1. */
  readonly warmUps?: number
  /** Before each sample: to let pass what belongs to neither. */
  readonly before?: () => Promise<void>
}

// ------------------------------------------------------------------------------------ combinators

/** Takes `rounds` pairs, after those that warm up. */
export const inPairs = async (pairing: Pairing): Promise<readonly Pair[]> => {
  const { rounds, progress, warmUps = 1, before = async () => {} } = pairing
  const pairs: Pair[] = []
  const take = async (sample: Sample): Promise<number> => {
    await before()
    return sample()
  }
  for (let round = 1 - warmUps; round <= rounds; round++) {
    progress(round < 1 ? 'warming up' : `pair ${round} of ${rounds}`)
    if (round % 2 === 0) {
      const reference = await take(pairing.reference)
      const measured = await take(pairing.measured)
      if (round >= 1) pairs.push({ measured, reference })
    } else {
      const measured = await take(pairing.measured)
      const reference = await take(pairing.reference)
      if (round >= 1) pairs.push({ measured, reference })
    }
  }
  return pairs
}

/** How many a second `work` does, of which each call does `count`. */
export const rateOf = async (
  count: number,
  work: () => unknown | Promise<unknown>,
): Promise<number> => {
  const beganMs = performance.now()
  await work()
  return (count * 1_000) / (performance.now() - beganMs)
}

/** How many milliseconds `work` takes. */
export const durationMs = async (work: () => unknown | Promise<unknown>): Promise<number> => {
  const beganMs = performance.now()
  await work()
  return performance.now() - beganMs
}
