/**
 * Makes a failing trace shorter: as few things that happen, and as few faults, as still break the same law.
 */
import type { Action } from './action.js'
import { type FaultKind, faultsOf } from './fault.js'
import { simulate } from './simulation.js'
import type { SimulationOptions, SimulationResult } from './simulation-option.js'

// ------------------------------------------------------------------------------------------ model

/** A trace that breaks a law, in the fewest steps that were found. */
export interface Shrunk {
  readonly options: SimulationOptions
  readonly result: SimulationResult
  /** How many runs it took to find it. */
  readonly tries: number
}

const mostTries = 400

/** Which laws were broken: a shorter trace that breaks another is another failure. */
const brokenBy = ({ breaches }: SimulationResult): ReadonlySet<string> =>
  new Set(breaches.map((breach) => breach.split(':')[0] ?? ''))

// ------------------------------------------------------------------------------------ combinators

/** Shrinks the trace of `failed`, which `options` led to. */
export const shrink = async (
  options: SimulationOptions,
  failed: SimulationResult,
): Promise<Shrunk> => {
  const broken = brokenBy(failed)
  let best: Shrunk = { options: { ...options, events: failed.actions }, result: failed, tries: 0 }
  let tries = 0

  const fails = async (candidate: SimulationOptions): Promise<boolean> => {
    if (tries >= mostTries) return false
    tries += 1
    const result = await simulate(candidate)
    const isSame = [...brokenBy(result)].some((law) => broken.has(law))
    if (isSame) best = { options: candidate, result, tries }
    return isSame
  }

  const withActions = (events: readonly Action[]) => ({ ...best.options, events })
  await fewest(failed.actions, (actions) => fails(withActions(actions)))
  const faults = options.faults ?? faultsOf(options.store ?? 'disk')
  const withFaults = (kinds: readonly FaultKind[]) => ({ ...best.options, faults: kinds })
  await fewest(faults, (kinds) => fails(withFaults(kinds)))
  return { ...best, tries }
}

/** Takes away ever smaller pieces of `items`, as long as what is left still `fails`. */
const fewest = async <A>(
  items: readonly A[],
  fails: (items: readonly A[]) => Promise<boolean>,
): Promise<void> => {
  let left = items
  for (let piece = Math.ceil(left.length / 2); piece >= 1; piece = Math.floor(piece / 2)) {
    for (let from = 0; from < left.length; ) {
      const without = [...left.slice(0, from), ...left.slice(from + piece)]
      if (await fails(without)) left = without
      else from += piece
    }
  }
}
