/** The conformance suite over the memory store: a place is a medium, which the store says nothing outlives. */
import { storeCases } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import { memoryMedium, memoryStore } from '../src/index.js'

const cases = await storeCases({
  name: 'memory',
  make: async () => {
    const medium = memoryMedium()
    return { store: () => memoryStore(medium), crash: async () => {}, remove: async () => {} }
  },
})

for (const { name, run, skipped } of cases) test.skipIf(skipped)(name, run)

test('only what a store in memory declares not to promise is left out', () => {
  expect(cases.filter(({ skipped }) => skipped === undefined).length).toBeGreaterThanOrEqual(24)
})
