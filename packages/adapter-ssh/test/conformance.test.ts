/** The driver of remote shells owes what every driver owes, whatever keeps the shells there. */
import { driverCases } from '@session-recovery/testkit'
import { afterAll, describe, expect, it } from 'vitest'
import type { SshKeeper } from '../src/index.js'
import { conformanceGround, conformanceRig } from './conformance-rig.js'
import { missingOf, testWith } from './rig.js'

const programs = ['dtach', 'tmux']
const isPossible = missingOf(...programs) === undefined
const ground = isPossible ? await conformanceGround() : undefined
afterAll(() => ground?.close())

const casesWith = async (keeper: SshKeeper) =>
  ground === undefined
    ? []
    : driverCases({
        name: `ssh with ${keeper}`,
        make: () => conformanceRig(ground, keeper),
        patienceMs: 30_000,
      })
const all = await casesWith('dtach')
// What keeps a shell has a part in losing, cancelling and closing; in the rest it has none.
const withTmux = (await casesWith('tmux')).filter(({ name }) =>
  /half-open|slow-cancel|closing/.test(name),
)

testWith(programs, 'no case of the suite is left out', async () => {
  expect(all.flatMap(({ name, skipped }) => (skipped === undefined ? [] : [name]))).toEqual([])
  expect(all.length).toBeGreaterThanOrEqual(45)
  expect(withTmux.length).toBeGreaterThanOrEqual(9)
})

describe('with dtach', () => {
  it.each([...all])('$name', ({ run }) => run(), 120_000)
})

describe('with tmux', () => {
  it.each([...withTmux])('$name', ({ run }) => run(), 120_000)
})
