/** The conformance suite passes a truthful store, sees through every lie, and uses every case it has. */
import { memoryStore } from '@session-recovery/engine'
import { describe, expect, it } from 'vitest'
import { type StoreCase, type StoreHarness, storeCases } from '../src/index.js'
import { memoryPlace } from './memory-place.js'
import { planted, type StoreLie } from './store-lie.js'
import { aboutCommits } from './store-lie-about-commit.js'
import { aboutCrashes, aboutDamage, aboutOwners } from './store-lie-about-place.js'
import { aboutSnapshots, aboutTheRest } from './store-lie-about-snapshot.js'

const storeLies: readonly StoreLie[] = [
  ...aboutCommits,
  ...aboutSnapshots,
  ...aboutTheRest,
  ...aboutCrashes,
  ...aboutOwners,
  ...aboutDamage,
]

const truthful: StoreHarness = {
  name: 'memory, as a disk',
  make: async () => memoryPlace(),
  patienceMs: 10_000,
}
const cases = await storeCases(truthful)

it('has cases, each with a name of its own, and leaves none out for a store that promises all', () => {
  expect(cases.length).toBeGreaterThanOrEqual(35)
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
  expect(cases.filter(({ skipped }) => skipped !== undefined)).toEqual([])
})

it('leaves out what a store declares not to promise, and says why', async () => {
  const poor: StoreHarness = {
    name: 'memory',
    make: async () => ({
      store: () => memoryStore(),
      crash: async () => {},
      remove: async () => {},
    }),
  }
  const why = new Set((await storeCases(poor)).map(({ skipped }) => skipped))
  expect(why).toEqual(
    new Set([
      undefined,
      'the store declares that no process outlives it',
      'the store does not declare to be exclusive',
      'the store declares no limit',
      'the harness cannot spoil what is stored',
    ]),
  )
})

describe('a truthful store passes', () => {
  it.each(cases)('$name', ({ run }) => run())
})

const lying = (tell: StoreLie['tell']): StoreHarness => ({
  name: 'lying',
  make: async () => memoryPlace(tell),
  patienceMs: 500,
})

/** The names of the cases that refuse the store. */
const refusing = async (tell: StoreLie['tell']): Promise<ReadonlySet<string>> => {
  const refused = new Set<string>()
  for (const { name, run } of await storeCases(lying(tell))) {
    await run().catch(() => refused.add(name))
  }
  return refused
}

describe('a store that lies is caught:', () => {
  it.each(planted)('the planted one that $lie', async ({ lie, tell, caughtBy }) => {
    const refused = await refusing(tell)
    expect([...refused]).toContain(caughtBy)
    // Who only closes what it tests sees nothing wrong with a cache.
    if (lie !== planted[2]?.lie) expect([...refused]).not.toContain(planted[2]?.caughtBy)
  })

  it.each(storeLies)('it $lie', async ({ tell, caughtBy }) => {
    expect([...(await refusing(tell))]).toContain(caughtBy)
  })
})

it('every case catches a lie of its own', () => {
  const named = new Set([...planted, ...storeLies].map(({ caughtBy }) => caughtBy))
  const toothless = cases.map(({ name }: StoreCase) => name).filter((name) => !named.has(name))
  expect(toothless).toEqual([])
})
