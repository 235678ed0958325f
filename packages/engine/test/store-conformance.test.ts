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

for (const { name, run, skipped } of cases) if (skipped === undefined) test(name, run)

// These are no tests that were skipped: what a store does not promise it does not owe.
test('only what a store in memory declares not to promise is left out', () => {
  const reasons = new Map<string, number>()
  for (const { skipped } of cases) {
    if (skipped !== undefined) reasons.set(skipped, (reasons.get(skipped) ?? 0) + 1)
  }
  expect(Object.fromEntries(reasons)).toEqual({
    'the store declares no limit': 1,
    'the store declares that no process outlives it': 8,
    'the store does not declare to be exclusive': 3,
    'the harness cannot spoil what is stored': 3,
  })
})
