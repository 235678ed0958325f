/** What an entry tells. */
import { factsOf, JournalEntry } from '@session-recovery/core'
import { arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'

test('the facts of an entry are those it tells, in order', () => {
  holds(
    fc.property(arbitraryOf(JournalEntry), (entry) => {
      const told = entry.effects.filter((effect) => effect._tag === 'tell')
      expect(factsOf(entry)).toEqual(told.map((effect) => effect.fact))
    }),
  )
})
