/** What is said of the torture, and how it ends: a promise that was not tried enough is not kept. */
import { describe, expect, it } from 'vitest'
import { isKept, type Played, type Row, remarksOf, rows, statusOf, tableOf } from '../src/index.js'

const row: Row = {
  name: 'power-cut',
  promise: 'what was acknowledged is there after the power was cut',
  tries: { ci: 10, soak: 100 },
  as: 'ordinary',
  run: async ({ tries }) => ({ tried: tries, survived: tries, lost: [] }),
}

const tried = (count: number, survived: number, lost: readonly string[] = []): Played => ({
  _tag: 'tried',
  row,
  tally: { tried: count, survived, lost, notes: ['3 kinds of fault'] },
  seconds: 1.25,
})

const skipped: Played = { _tag: 'skipped', row, because: 'only root may mount' }

describe('a promise', () => {
  it('is kept when every try survived, and there were as many as asked for', () => {
    expect(isKept(tried(10, 10), 10, true)).toBe(true)
    expect(isKept(tried(11, 11), 10, true)).toBe(true)
  })

  it('is not kept when something was lost, a try did not survive, or there were too few', () => {
    expect(isKept(tried(10, 10, ['seed 4']), 10, true)).toBe(false)
    expect(isKept(tried(10, 9), 10, true)).toBe(false)
    expect(isKept(tried(9, 9), 10, true)).toBe(false)
  })

  it('that could not be tried is a failure in CI alone', () => {
    expect(isKept(skipped, 10, true)).toBe(false)
    expect(isKept(skipped, 10, false)).toBe(true)
  })
})

it('the exit status is 0 only when something was tried and every promise was kept', () => {
  expect(statusOf([true, true])).toBe(0)
  expect(statusOf([true, false])).toBe(1)
  expect(statusOf([])).toBe(1)
})

it('the table and the remarks say what was tried, survived and lost', () => {
  const played = [tried(1_000, 999, ['seed 4: a snapshot is gone']), skipped]
  const table = tableOf(played, 110)
  expect(table).toContain('1,000')
  expect(table).toContain('999')
  expect(table.replace(/[\s│]+/g, ' ')).toContain('only root may mount')
  expect(remarksOf(played)).toBe(
    [
      'power-cut: 3 kinds of fault',
      'power-cut: LOST: seed 4: a snapshot is gone',
      'power-cut: skipped: only root may mount',
      '',
    ].join('\n'),
  )
})

it('every row has a name of its own and tries more in the soak than in CI', () => {
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length)
  for (const { tries } of rows) expect(tries.soak).toBeGreaterThanOrEqual(tries.ci)
})
