/** The corpus: every situation is taken for what it is, and none that is well would be interrupted. */
import { expect, it } from 'vitest'
import { confusion } from '../src/confusion.js'
import { matrixText } from '../src/confusion-report.js'
import { corpus } from '../src/corpus.js'

it('is of at least 40 situations, each with a name of its own', () => {
  expect(corpus.length).toBeGreaterThanOrEqual(40)
  expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length)
})

it('is told apart without a miss', async () => {
  const report = await confusion()
  process.stdout.write(`${matrixText(report)}\n`)
  expect(report.misses.map(({ name, detail }) => `${name}: ${detail}`)).toEqual([])
  // Elsewhere what needs a missing program is left out, and named above.
  if (process.env.CI === 'true') expect(report.leftOut).toEqual([])
  expect(report.played.length).toBeGreaterThanOrEqual(40)
}, 180_000)
