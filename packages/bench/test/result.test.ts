/** Results are kept from run to run of one machine, row by row. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  inPairs,
  type Outcome,
  readResults,
  tablePathOf,
  thisMachine,
  withOutcomes,
  writeResults,
} from '../src/index.js'

const leftOut = (name: string, because: string): Outcome => ({
  _tag: 'left-out',
  name,
  what: 'something',
  because,
})
const names = ['a', 'b']
const machine = thisMachine()

test('what was not run now stays as it was, in the order of the rows', () => {
  const first = withOutcomes(undefined, machine, [leftOut('b', 'x')], names, '2026-01-01')
  const second = withOutcomes(first, machine, [leftOut('a', 'y')], names, '2026-01-02')
  expect(second.rows.map(({ name, measuredAt }) => [name, measuredAt])).toEqual([
    ['a', '2026-01-02'],
    ['b', '2026-01-01'],
  ])
})

test('what was measured on another machine, and rows that are no more, are let go', () => {
  const first = withOutcomes(undefined, machine, [leftOut('b', 'x')], names, '2026-01-01')
  const elsewhere = { ...machine, cores: machine.cores + 1 }
  expect(withOutcomes(first, elsewhere, [], names, '2026-01-02').rows).toEqual([])
  expect(withOutcomes(first, machine, [], ['a'], '2026-01-02').rows).toEqual([])
})

test('results are read as they were written, with their table beside them', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bench-result-'))
  try {
    const path = join(directory, 'results.json')
    expect(await readResults(path)).toBeUndefined()
    const results = withOutcomes(undefined, machine, [leftOut('a', 'z')], names, '2026-01-01')
    await writeResults(path, results)
    expect(await readResults(path)).toEqual(results)
    expect(await readFile(tablePathOf(path), 'utf8')).toContain('left out: z')
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('pairs are taken in turn, each side first as often as the other, warm-ups uncounted', async () => {
  const taken: string[] = []
  const sample = (name: string) => () => taken.push(name)
  const pairs = await inPairs({
    rounds: 2,
    measured: sample('m'),
    reference: sample('r'),
    progress: () => {},
  })
  expect(taken.join('')).toBe('rmmrrm')
  expect(pairs).toEqual([
    { measured: 3, reference: 4 },
    { measured: 6, reference: 5 },
  ])
})
