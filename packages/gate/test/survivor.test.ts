/** A mutant that no test notices needs a reason, and a reason needs such a mutant. */
import { expect, test } from 'vitest'
import { compared, described, type Mutant, scoreOf } from '../mutation/survivor.mjs'

const source = ['const a = 1', 'if (a > 0) {', '  b()', '}', ''].join('\n')
const mutant = (status: string, change: Partial<Mutant> = {}): Mutant => ({
  fileName: 'packages/core/src/a.ts',
  mutatorName: 'EqualityOperator',
  replacement: 'a >= 0',
  location: { start: { line: 2, column: 5 }, end: { line: 2, column: 10 } },
  status,
  ...change,
})
const block = mutant('NoCoverage', {
  mutatorName: 'BlockStatement',
  replacement: '{}',
  location: { start: { line: 2, column: 12 }, end: { line: 4, column: 2 } },
})
const boundary = 'packages/core/src/a.ts: EqualityOperator: a > 0 => a >= 0 in if (a > 0) {'
const body = 'packages/core/src/a.ts: BlockStatement: { b() } => {} in if (a > 0) {'
const check = (mutants: readonly Mutant[], ...explained: readonly string[]) =>
  compared(mutants, () => source, [{ reason: 'because', mutants: explained }])

test('a mutant is told by its line and what is changed there, not by the number of the line', () => {
  expect(described(mutant('Survived'), source)).toBe(boundary)
  expect(described(block, source)).toBe(body)
  const lower = { start: { line: 3, column: 5 }, end: { line: 3, column: 10 } }
  expect(described(mutant('Survived', { location: lower }), `\n${source}`)).toBe(boundary)
})

test('what survives or is not run without a reason is named', () => {
  expect(check([mutant('Survived'), block])).toEqual({ unexplained: [boundary, body], stale: [] })
  expect(check([mutant('Survived'), block], body)).toEqual({ unexplained: [boundary], stale: [] })
  expect(check([mutant('Killed'), mutant('Timeout'), mutant('Ignored')])).toEqual({
    unexplained: [],
    stale: [],
  })
})

test('a reason for what does not survive is named, if its file was mutated', () => {
  const elsewhere = boundary.replace('a.ts', 'b.ts')
  expect(check([mutant('Killed')], boundary, elsewhere)).toEqual({
    unexplained: [],
    stale: [boundary],
  })
})

test('the score counts what never ran, in a sample as much of it, and leaves out what is not mutated', () => {
  const mutants = ['Killed', 'Timeout', 'Survived', 'NoCoverage', 'Ignored', 'RuntimeError']
  expect(scoreOf(mutants.map((status) => mutant(status)))).toBe(0.5)
  expect(
    scoreOf(
      mutants.map((status) => mutant(status)),
      2,
    ),
  ).toBe(2 / 3.5)
  expect(scoreOf([])).toBe(1)
})
