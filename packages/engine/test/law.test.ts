/**
 * Laws 1 to 7 and 10, watched in simulations: the real engine over its stores and a fake driver on virtual
 * time, with every fault there is. This is the floor; `npm run torture` and `npm run soak` do more.
 */
import { type SimulationResult, simulate, storeKinds } from '@session-recovery/testkit'
import { expect, test } from 'vitest'

const seedOf = (given: string | undefined): number =>
  given === undefined || given === '' ? 1 + Math.trunc(Math.random() * 2 ** 30) : Number(given)

const firstSeed = seedOf(process.env.SEED)

test.each(storeKinds)(
  'the laws hold with sessions kept in: %s',
  { timeout: 240_000 },
  async (store) => {
    const runs = { memory: 30, disk: 30, fs: 1 }[store]
    let decisions = 0
    for (let i = 0; i < runs; i++) {
      const seed = firstSeed + i
      const result: SimulationResult = await simulate({ seed, store })
      decisions += result.decisions
      const replay = `npm run sim -- --seed ${seed} --runs 1 --store ${store}`
      expect(result.breaches, `replay: ${replay}`).toEqual([])
    }
    process.stdout.write(`${store}: ${runs} runs of 100 events, ${decisions} decisions\n`)
  },
)
