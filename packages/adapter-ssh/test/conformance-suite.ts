/** The conformance suite of drivers over one keeper, in a file of its own for each: they run side by side. */
import { driverCases } from '@session-recovery/testkit'
import { afterAll, expect, it } from 'vitest'
import type { SshKeeper } from '../src/index.js'
import { conformanceGround, conformanceRig } from './conformance-rig.js'
import { missingOf, testWith } from './rig.js'

/** Plays every case with the driver of remote shells; none may be left out. */
export const conformanceWith = async (keeper: Exclude<SshKeeper, 'auto' | 'none'>) => {
  const ground = missingOf(keeper) === undefined ? await conformanceGround() : undefined
  afterAll(() => ground?.close())
  const cases =
    ground === undefined
      ? []
      : await driverCases({
          name: `ssh with ${keeper}`,
          make: () => conformanceRig(ground, keeper),
          patienceMs: 30_000,
        })
  testWith([keeper], 'no case of the suite is left out', async () => {
    expect(cases.flatMap(({ name, skipped }) => (skipped === undefined ? [] : [name]))).toEqual([])
    expect(cases.length).toBeGreaterThanOrEqual(48)
  })
  it.each([...cases])('$name', ({ run }) => run(), 120_000)
}
