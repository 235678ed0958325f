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
  expect(lines.find((line) => line.startsWith('│running'))?.match(/[\d·]/g)).toEqual([
    '2',
    '·',
    '1',
    '·',
  ])
  expect(lines.find((line) => line.startsWith('│pager'))?.match(/[\d·]/g)).toEqual([
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

it('fits a terminal of 80 columns whatever was seen', () => {
  const kinds = [
    'at-prompt',
    'running',
    'waiting-for-line',
    'waiting-for-password',
    'full-screen',
    'pager',
    'stopped',
    'dead',
    'unknown',
  ] as const
  const all = kinds.map((kind) => played({ name: kind, expected: kind, seen: kind }))
  const { seen: _, ...unseen } = played({ name: 'late' })
  for (const some of [all, [...all, unseen]]) {
    const text = matrixText({ played: some, leftOut: [], misses: [] })
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  }
})
