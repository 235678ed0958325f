/** What is hostile, in the size of a test: ids, places and configurations. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seedOf } from '@session-recovery/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { configTrial, idTrial, placeTrial, wordTrial } from '../src/index.js'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'session-recovery-hostile-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const seed = seedOf()

it('whatever a session is called, nothing outside is touched', { timeout: 600_000 }, async () => {
  const ids = Number(process.env.IDS ?? 3_000)
  expect(await idTrial(ids, seed, join(directory, 'ids'))).toEqual({ tried: ids, lost: [] })
})

it('what stands in the store in place of its files is not followed', {
  timeout: 600_000,
}, async () => {
  const lost: (string | undefined)[] = []
  for (let i = 0; i < 40; i++) lost.push(await placeTrial(seed + i, join(directory, String(i))))
  expect(lost.filter((problem) => problem !== undefined)).toEqual([])
})

it('a configuration is refused with its field, or works', { timeout: 600_000 }, async () => {
  const configs = Number(process.env.CONFIGS ?? 2_000)
  const broken: string[] = []
  let used = 0
  for (let i = 0; i < configs; i++) {
    const trial = await configTrial(seed + i)
    if (!trial.refused) used += 1
    if (trial.broken !== undefined) broken.push(`SEED=${seed + i}: ${trial.of}: ${trial.broken}`)
  }
  expect(broken).toEqual([])
  // Some are left that can be tried out.
  expect(used).toBeGreaterThan(configs / 100)
})

it('what is said in the wrong form is refused, typed', { timeout: 600_000 }, async () => {
  const broken: string[] = []
  for (let i = 0; i < 300; i++) {
    const problem = await wordTrial(seed + i)
    if (problem !== undefined) broken.push(problem)
  }
  expect(broken).toEqual([])
})
