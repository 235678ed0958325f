/**
 * Law 8, by trying: random secrets of no recognisable shape, under declared and secret-looking names, in
 * everything an app and a driver can say, are found in nothing that is stored, told, shown or logged.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seedOf } from '@session-recovery/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { formsOf, secretsOf, secretTrial } from '../src/index.js'

const atLeast = Number(process.env.SECRETS ?? 500)
const perTrial = 100

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'session-recovery-secret-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

it('no secret is found in anything that comes out', { timeout: 3_600_000 }, async () => {
  const seed = seedOf()
  let tried = 0
  for (let i = 0; tried < atLeast; i++) {
    const trial = await secretTrial(perTrial, seed + i, join(directory, String(i)))
    expect({ seed: seed + i, found: trial.found, silent: trial.silent }).toEqual({
      seed: seed + i,
      found: [],
      silent: [],
    })
    tried += trial.secrets
  }
  process.stdout.write(`secrets: ${tried} looked for, seed ${seed}\n`)
  expect(tried).toBeGreaterThanOrEqual(atLeast)
})

it('the search knows a secret in every form it may stand in', () => {
  for (const { value } of secretsOf(200, 1)) {
    const hidden = [
      JSON.stringify({ a: value }),
      JSON.stringify(JSON.stringify([value])),
      Buffer.from(value).toString('base64'),
      Buffer.from(value).toString('hex'),
      encodeURIComponent(value),
    ]
    for (const text of hidden) expect(formsOf(value).some((form) => text.includes(form))).toBe(true)
  }
})
