/** Durations as people say them. */
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { duration } from '../src/plan-text.js'

test.each([
  [0, '0 s'],
  [250, '250 ms'],
  [999.6, '1 s'],
  [5_000, '5 s'],
  [5_250, '5 s 250 ms'],
  [125_000, '2 min 5 s'],
  [3_600_000, '1 h'],
  [12_000_000, '3 h 20 min'],
  [176_400_000, '2 d 1 h'],
])('%d ms is %s', (ms, said) => {
  expect(duration(ms)).toBe(said)
})

const unitMs: Readonly<Record<string, number>> = { d: 864e5, h: 36e5, min: 6e4, s: 1e3, ms: 1 }

test('what is said is what it was, but for what is smaller than the second unit', () => {
  holds(
    fc.property(fc.nat(1e10), (ms) => {
      const parts = [...duration(ms).matchAll(/(\d+) (d|h|min|s|ms)/g)]
      const said = parts.reduce((sum, [, n, unit = '']) => sum + Number(n) * (unitMs[unit] ?? 0), 0)
      expect(said).toBeLessThanOrEqual(ms)
      expect(ms - said).toBeLessThan(Math.max(1, ms / 20))
      expect(parts.length).toBeLessThanOrEqual(2)
    }),
    1_000,
  )
})
