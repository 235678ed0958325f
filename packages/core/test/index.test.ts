/** The package loads, from its sources and by its name. */
import * as core from '@session-recovery/core'
import { expect, test } from 'vitest'

test('the package loads', () => {
  expect(core).toBeDefined()
})
