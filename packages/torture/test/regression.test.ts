/** Traces of simulations that broke a law once: each is played again, and breaks none any more. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { replayOf, simulate, traceIn } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('../regression', import.meta.url))
const files = readdirSync(folder).filter((name) => name.endsWith('.json'))

test.each(files)('%s breaks no law any more', async (name) => {
  const trace = traceIn(JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')))
  if (E.isLeft(trace)) throw new Error(trace.left.message)
  expect((await simulate(replayOf(trace.right))).breaches).toEqual([])
})

test('there are traces to be played', () => {
  expect(files.length).toBeGreaterThan(0)
})
