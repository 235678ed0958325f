/** The conformance suite passes a truthful driver, sees through every lie, and uses every case it has. */
import { describe, expect, it } from 'vitest'
import { type DriverCase, driverCases, type Harness } from '../src/index.js'
import type { Lie } from './lie.js'
import { aboutCancellation } from './lie-about-cancellation.js'
import { aboutCare } from './lie-about-care.js'
import { aboutNotices } from './lie-about-notice.js'
import { aboutProof } from './lie-about-proof.js'
import { aboutShowing } from './lie-about-showing.js'
import { memoryRig } from './memory-rig.js'

const lies: readonly Lie[] = [
  ...aboutProof,
  ...aboutNotices,
  ...aboutCancellation,
  ...aboutCare,
  ...aboutShowing,
]

const truthful: Harness = { name: 'memory', make: async () => memoryRig(), patienceMs: 10_000 }
const cases = await driverCases(truthful)

const caseOf = (all: readonly DriverCase[], name: string): DriverCase => {
  const found = all.find((each) => each.name === name)
  if (found === undefined) throw new Error(`there is no case ${name}`)
  return found
}

it('has cases, each with a name of its own, and leaves none out for a driver that can do all', () => {
  expect(cases.length).toBeGreaterThanOrEqual(45)
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
  expect(cases.filter(({ skipped }) => skipped !== undefined)).toEqual([])
})

it('says why it leaves a case out', async () => {
  const poor: Harness = {
    ...truthful,
    make: async () => {
      const rig = memoryRig()
      const supports = {
        strategies: new Set(['restore'] as const),
        capture: false,
        proof: 'observed' as const,
      }
      return { ...rig, driver: { ...rig.driver, supports }, mishaps: {} }
    },
  }
  const why = new Set((await driverCases(poor)).map(({ skipped }) => skipped))
  expect(why).toContain('the driver does not declare restart')
  expect(why).toContain('the driver does not declare captures')
  expect(why).toContain('the driver declares nothing it shows')
  expect(why).toContain('the harness has no fault killed')
})

describe('a truthful driver passes', () => {
  it.each(cases)('$name', ({ run }) => run())
})

const lying = (tell: Lie['tell']): Harness => ({
  name: 'lying',
  make: async () => memoryRig(tell),
  patienceMs: 300,
})

/** The reason for which `name` refuses the driver; undefined: it passes it. */
const refusal = async (harness: Harness, name: string): Promise<string | undefined> => {
  try {
    await caseOf(await driverCases(harness), name).run()
    return undefined
  } catch (error) {
    return String(error)
  }
}

const leaking = (leak: 'process' | 'timer'): Harness => ({
  ...truthful,
  make: async () => {
    const rig = memoryRig()
    const close = async () => {
      await rig.close()
      if (leak === 'process') rig.world.start('a', [])
      else rig.world.timers.add(setTimeout(() => {}, 1))
    }
    return { ...rig, close }
  },
})

describe('a driver that lies is caught:', () => {
  it.each(lies)('it $lie', async ({ tell, caughtBy, because }) => {
    expect(await refusal(lying(tell), caughtBy)).toMatch(because)
  })

  it.each(cases)('it leaves something behind, and $name', async ({ name }) => {
    expect(await refusal(leaking('process'), name)).toMatch(/left after closing: process/)
    expect(await refusal(leaking('timer'), name)).toMatch(/left after closing: a timer/)
  })
})

const aboutClosing = /^(slow-cancel: )?closing ends/

it('every case catches a lie of its own', async () => {
  const toothless: string[] = []
  for (const { name } of cases.filter((each) => !aboutClosing.test(each.name))) {
    const caught = lies.map(async ({ tell, because }) => {
      if (!because.test((await refusal(lying(tell), name)) ?? '')) throw new Error('not this one')
    })
    await Promise.any(caught).catch(() => toothless.push(name))
  }
  expect(toothless).toEqual([])
})
