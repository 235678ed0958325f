/** The driver of remote shells owes what every driver owes. */
import { driverCases } from '@session-recovery/testkit'
import { afterAll, expect, it } from 'vitest'
import { conformanceGround, conformanceRig } from './conformance-rig.js'
import { missingOf, testWith } from './rig.js'

const programs = ['dtach']
const isPossible = missingOf(...programs) === undefined
const ground = isPossible ? await conformanceGround() : undefined
afterAll(() => ground?.close())

const cases =
  ground === undefined
    ? []
    : await driverCases({
        name: 'ssh',
        make: () => conformanceRig(ground, 'dtach'),
        patienceMs: 30_000,
      })

testWith(programs, 'no case of the suite is left out', async () => {
  expect(cases.flatMap(({ name, skipped }) => (skipped === undefined ? [] : [name]))).toEqual([])
  expect(cases.length).toBeGreaterThanOrEqual(45)
})

it.each([...cases])('$name', ({ run }) => run(), 120_000)
