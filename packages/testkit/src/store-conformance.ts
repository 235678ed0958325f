/**
 * The conformance suite of stores: what every store owes the engine, as cases that any test runner can run.
 * It takes a place, closes, reopens and crashes what it tests there. A case is left out only where the
 * store declares that it promises no such thing, or where the harness cannot spoil what is stored; each
 * case that is left out says why.
 */
import { archiveCases } from './conformance/archive-case.js'
import { checkpointCases } from './conformance/checkpoint-case.js'
import { commitCases } from './conformance/commit-case.js'
import { crashCases } from './conformance/crash-case.js'
import { damageCases } from './conformance/damage-case.js'
import { ownershipCases } from './conformance/ownership-case.js'
import { snapshotCases } from './conformance/snapshot-case.js'
import { type PlannedCase, storeCaseSkipped } from './conformance/store-case.js'
import type { StoreHarness } from './conformance/store-rig.js'
import { storeSceneOf } from './conformance/store-scene.js'

export type { StoreHarness, StoreLocation } from './conformance/store-rig.js'

// ------------------------------------------------------------------------------------------ model

/** One case, ready to be run; it rejects with what the store did wrong. */
export interface StoreCase {
  readonly name: string
  readonly run: () => Promise<void>
  /** Why the case does not apply to this store; absent: it does. */
  readonly skipped?: string
}

const defaultPatienceMs = 20_000

const cases: readonly PlannedCase[] = [
  ...commitCases,
  ...snapshotCases,
  ...archiveCases,
  ...checkpointCases,
  ...crashCases,
  ...ownershipCases,
  ...damageCases,
]

// ----------------------------------------------------------------------------------- constructors

/**
 * The cases for one store, for whoever writes one: a harness makes a place anew for each case. One place is
 * made, and removed, here, to see what the store declares.
 *
 * Under any runner that has tests and can skip them:
 *
 *     const cases = await storeCases({ name: 'mine', make: async () => myPlace() })
 *     for (const { name, run, skipped } of cases) test(name, { skip: skipped !== undefined }, run)
 */
export const storeCases = async (harness: StoreHarness): Promise<readonly StoreCase[]> => {
  const place = await harness.make()
  try {
    const store = place.store()
    return cases.map((each) => {
      const skipped = storeCaseSkipped(each, store, place)
      return {
        name: each.name,
        run: () => played(harness, each),
        ...(skipped === undefined ? {} : { skipped }),
      }
    })
  } finally {
    await place.remove()
  }
}

// ------------------------------------------------------------------------------------ combinators

const played = async (
  { make, patienceMs = defaultPatienceMs }: StoreHarness,
  { play }: PlannedCase,
) => {
  const place = await make()
  try {
    const scene = storeSceneOf(place, patienceMs)
    await play(scene)
    await scene.end()
  } finally {
    await place.remove()
  }
}
