/** What a seed stands for: every store, and checkpoints with rolls as well as without. */
import { expect, test } from 'vitest'
import { simulationOf, storesOf } from '../src/sim-plan.js'

test('among some hundred seeds there is every store, with enough sessions for a roll and without', () => {
  const planned = Array.from({ length: 210 }, (_, i) => simulationOf(1 + i, {}))
  expect(new Set(planned.map(({ store }) => store))).toEqual(new Set(storesOf(1, 210, {})))
  const onDisk = planned.filter(({ store }) => store === 'disk')
  const rolled = onDisk.filter(({ sessions = 0, rollFrom = 1_000 }) => sessions >= rollFrom)
  const share = rolled.length / onDisk.length
  expect(share).toBeGreaterThan(0.3)
  expect(share).toBeLessThan(0.7)
  expect(simulationOf(7, {})).toEqual(simulationOf(7, {}))
})
