/** What is said of figures: ratios of pairs, bounds on either side, and what a row that did not run is. */
import { describe, expect, it } from 'vitest'
import {
  atLeast,
  atMost,
  type Figure,
  isKept,
  markdownOf,
  type Outcome,
  type Row,
  ran,
  remarksOf,
  summaryOf,
  tableOf,
} from '../src/index.js'

const row: Row = { name: 'restart', what: 'a restart', rounds: 3, run: async () => never }
const never = { figures: [] }

const figure = (
  bound: Figure['bound'],
  ...pairs: readonly (readonly [number, number])[]
): Figure => ({
  what: 'a restart',
  unit: 'ms',
  reference: 'a bare respawn',
  pairs: pairs.map(([measured, reference]) => ({ measured, reference })),
  ...(bound === undefined ? {} : { bound }),
})

describe('a ratio', () => {
  it('is that of each pair, not of the medians', () => {
    const { ratio, measured } = summaryOf(figure(undefined, [1, 1], [2, 8], [3, 1]))
    expect(measured.median).toBe(2)
    expect(ratio?.median).toBe(1)
  })

  it('meets a bound from either side, and at the bound itself', () => {
    expect(summaryOf(figure(atMost(1.3), [1.3, 1])).verdict).toBe('met')
    expect(summaryOf(figure(atMost(1.3), [1.31, 1])).verdict).toBe('missed')
    expect(summaryOf(figure(atLeast(4), [4, 1])).verdict).toBe('met')
    expect(summaryOf(figure(atLeast(4), [3.9, 1])).verdict).toBe('missed')
    expect(summaryOf(figure(undefined, [9, 1])).verdict).toBe('printed')
  })

  it('that is no number meets no bound', () => {
    const lacking: Figure = { ...figure(atMost(2)), pairs: [{ measured: 1 }] }
    expect(summaryOf(lacking).verdict).toBe('missed')
  })

  it('is not needed where a figure stands for itself', () => {
    const heap: Figure = {
      what: 'heap',
      unit: 'bytes',
      pairs: [{ measured: 1_400 }],
      bound: atMost(1_500),
    }
    expect(summaryOf(heap)).toMatchObject({ verdict: 'met' })
    expect(summaryOf({ ...heap, bound: atMost(1_399) }).verdict).toBe('missed')
  })
})

const outcomes: readonly Outcome[] = [
  ran(row, 1.2, [figure(atMost(1.3), [2, 1])], ['the time is spent elsewhere']),
  { _tag: 'left-out', name: 'plan', what: 'plans', because: 'no --baseline was given' },
  { _tag: 'broken', name: 'burst', what: 'a burst', why: 'it threw\nat once' },
]

describe('a row', () => {
  it('keeps its promise unless a bound is missed or it broke', () => {
    expect(outcomes.map(isKept)).toEqual([false, true, false])
    expect(isKept(ran(row, 1, [figure(atMost(1.3), [1, 1])]))).toBe(true)
  })

  it('stands in the table with its verdict, and in the remarks with its notes', () => {
    expect(tableOf(outcomes)).toMatch(/restart.*≤ 1\.3.*MISSED/s)
    expect(tableOf(outcomes)).toMatch(/plan.*left out/s)
    expect(remarksOf(outcomes)).toContain('restart: the time is spent elsewhere\n')
    expect(remarksOf(outcomes)).toContain('burst: BROKEN: it threw')
  })

  it('is a line of the Markdown, whatever stands in it', () => {
    const [, , ...lines] = markdownOf(outcomes, 'A machine.').split('\n')
    expect(lines.filter((line) => line.startsWith('| '))).toHaveLength(5)
    expect(lines.find((line) => line.startsWith('| restart'))?.split('|')).toHaveLength(9)
  })
})
