/** Medians and quartiles are what they say. */
import { shown, spreadOf } from '@session-recovery/bench'
import { expect, test } from 'vitest'

test('quartiles lie between the values they divide', () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ lower: 1.75, median: 2.5, upper: 3.25 })
  expect(spreadOf([7])).toEqual({ lower: 7, median: 7, upper: 7 })
  expect(shown(spreadOf([1, 2, 3]), 1)).toBe('2.0 (1.5 to 2.5)')
})

test('nothing measured is an error, not a figure', () => {
  expect(() => spreadOf([])).toThrow('nothing was measured')
})
