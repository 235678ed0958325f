/** The corpus in other shells: what stands in the foreground is told alike, whoever started it. */
import { expect, it } from 'vitest'
import { confusion, missingFor } from '../src/confusion.js'
import { matrixText } from '../src/confusion-report.js'
import { corpus } from '../src/corpus.js'

it.each(['zsh', 'fish'] as const)(
  '%s',
  async (shell) => {
    const [any] = corpus
    if (any !== undefined && missingFor({ ...any, needs: [shell] }).length > 0) {
      if (process.env.CI === 'true') throw new Error(`${shell} is missing`)
      process.stdout.write(`left out: there is no ${shell}\n`)
      return
    }
    const report = await confusion({ shell })
    process.stdout.write(`${shell}\n${matrixText(report)}\n`)
    expect(report.misses.map(({ name, detail }) => `${name}: ${detail}`)).toEqual([])
    expect(report.played.length).toBeGreaterThanOrEqual(40)
  },
  300_000,
)
