/** The ten strategies, and what is said of some of them. */
import {
  needsCredential,
  RecoveryStrategy,
  recoveryStrategies,
  repeatable,
  touchesLiving,
} from '@session-recovery/core'
import { expect, test } from 'vitest'

test('strategies: ten, of the seed’s names; what is said of them is said of strategies', () => {
  expect(RecoveryStrategy.members).toEqual(recoveryStrategies)
  expect(recoveryStrategies).toHaveLength(10)
  for (const set of [touchesLiving, repeatable, needsCredential]) {
    for (const strategy of set) expect(recoveryStrategies).toContain(strategy)
    expect(set.has('fallback')).toBe(false)
  }
  expect(repeatable.has('command-retry')).toBe(false)
})
