/**
 * Which simulation a seed stands for: what is not fixed on the command line follows from the seed, so that
 * one number is enough to see a run again.
 */
import {
  type FaultKind,
  faultsOf,
  type SimulationOptions,
  type StoreKind,
} from '@session-recovery/testkit'

// ------------------------------------------------------------------------------------------ model

/** What of every simulation is fixed. */
export interface SimGiven {
  /** How many things happen in each; by default 100. */
  readonly events?: number
  readonly sessions?: number
  readonly store?: StoreKind
}

export const usualEvents = 100

// A run on this machine's own disk takes as long as a hundred others.
const realEvery = 200

// ------------------------------------------------------------------------------------ combinators

const storeOf = (seed: number): StoreKind =>
  seed % realEvery === 0 ? 'fs' : seed % 2 === 0 ? 'memory' : 'disk'

/** The simulation that `seed` stands for. */
export const simulationOf = (seed: number, given: SimGiven): SimulationOptions => {
  const store = given.store ?? storeOf(seed)
  const faults: readonly FaultKind[] = faultsOf(store)
  const sessions = given.sessions ?? 1 + (seed % 5)
  // There are sessions enough for a roll in most runs, in some only at times, in some never.
  const rollFrom = 1 + (seed % 7)
  return { seed, sessions, store, faults, rollFrom, events: given.events ?? usualEvents }
}

/** The stores that `runs` seeds from `seed` on keep sessions in. */
export const storesOf = (seed: number, runs: number, given: SimGiven): readonly StoreKind[] => {
  const last = seed + Math.min(runs, realEvery)
  const seeds = Array.from({ length: last - seed }, (_, i) => seed + i)
  return [...new Set(seeds.map((one) => given.store ?? storeOf(one)))]
}

/** How many of the `runs` seeds from `seed` on keep sessions in what, for people. */
export const sharesOf = (seed: number, runs: number, given: SimGiven): string => {
  const counts = new Map<StoreKind, number>()
  for (let one = seed; one < seed + runs; one++) {
    const store = given.store ?? storeOf(one)
    counts.set(store, (counts.get(store) ?? 0) + 1)
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([store, count]) => `${count.toLocaleString('en')} with ${store}`)
    .join(', ')
}

/** The command that runs it again. */
export const commandOf = ({ seed, sessions, store, events }: SimulationOptions): string => {
  const number = typeof events === 'number' && events !== usualEvents ? ` --events ${events}` : ''
  return `npm run sim -- --seed ${seed} --runs 1 --store ${store} --sessions ${sessions}${number}`
}
