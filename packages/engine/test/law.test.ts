/**
 * Laws 1 to 5 and 10, watched in simulations: the real engine over a faulty store and a fake driver on
 * virtual time, with crashes, stops, a disk that refuses, clocks that jump and drivers that lie.
 */
import { sessionStateNames } from '@session-recovery/core'
import { campaign, schedules, simulate } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const atLeastRuns = Number(process.env.SCHEDULES ?? 2_000)

// `capturing` is passed through without a decision: the walk of the machine reaches it.
const decidedStates = sessionStateNames.filter((name) => name !== 'snapshotting.capturing')

test('laws 1 to 5 and 10 hold in every schedule', { timeout: 280_000 }, async () => {
  const states = new Set<string>()
  const transitions = new Set<string>()
  let decisions = 0
  const property = fc.asyncProperty(schedules(50), async (schedule) => {
    const outcome = await simulate(schedule)
    for (const state of outcome.states) states.add(state)
    for (const transition of outcome.transitions) transitions.add(transition)
    decisions += outcome.decisions
    expect(outcome.breaches).toEqual([])
  })
  const runs = await campaign(
    {
      name: 'schedules of 50 events',
      file: 'packages/engine/test/law.test.ts',
      atLeastRuns,
      forMs: 20_000,
    },
    property,
  )
  process.stdout.write(`${decisions} decisions, ${transitions.size} kinds of transition\n`)
  expect(runs).toBeGreaterThanOrEqual(atLeastRuns)
  expect([...states].sort()).toEqual([...decidedStates].sort())
})
