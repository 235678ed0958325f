/** The confusion matrix as a person reads it. */
import { expect, it } from 'vitest'
import { matrixText, type Played } from '../src/confusion-report.js'

const played = (more: Partial<Played>): Played => ({
  name: 'one',
  expected: 'running',
  seen: 'running',
  reasons: [],
  healthy: true,
  fired: false,
  verdict: 'hit',
  ...more,
})

it('counts what is against what was seen, and names what was missed and what was left out', () => {
  const miss = played({ name: 'odd', seen: 'unknown', verdict: 'miss', detail: 'is unknown' })
  const never = played({ name: 'late', expected: 'pager', verdict: 'miss', detail: 'never came' })
  const { seen: _, ...unseen } = never
  const text = matrixText({
    played: [played({}), played({ name: 'two', fired: true, healthy: true }), miss, unseen],
    leftOut: [{ name: 'nano', missing: ['nano', 'stty'] }],
    misses: [miss, unseen],
  })
  const lines = text.split('\n')
  expect(lines.find((line) => line.startsWith('│ running'))?.match(/[\d·]/g)).toEqual([
    '2',
    '·',
    '1',
    '·',
  ])
  expect(lines.find((line) => line.startsWith('│ pager'))?.match(/[\d·]/g)).toEqual([
    '·',
    '·',
    '·',
    '1',
  ])
  expect(lines.slice(-4)).toEqual([
    '4 situations, 2 missed; 4 healthy ones, 1 of them would be interrupted',
    'missed: odd: is unknown',
    'missed: late: never came',
    'left out: nano: no nano, no stty',
  ])
})
