/** Projections are encoded as their codec does it, so many attempts in each turn of the loop. */
import { Projection, type RecoveryAttempt } from '@session-recovery/core'
import { holdsAsync } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { projectionJson } from '../src/projection-json.js'

const attempt: RecoveryAttempt = {
  sessionId: 's',
  attemptNumber: 1,
  startTime: new Date(5),
  success: true,
  strategy: 'restart',
  metrics: { duration: 7, resourcesUsed: 1, dataRestored: 0 },
}
const error = 'gone'
const tally = {
  ...{ successfulRecoveries: 1, failedRecoveries: 2, exhausted: 3, cancelled: 4, recoveryMs: 5 },
  ...{ sessionsSaved: 6, sessionsRestored: 7, bytesRestored: 8, lastRecovery: new Date(9) },
  ...{ strategiesUsed: { restart: 2 }, strategiesSucceeded: { restart: 1 } },
}
const projectionOf = (lengths: readonly number[]): Projection => ({
  tally,
  histories: lengths.map((length, i) => [
    `s${i}`,
    Array.from({ length }, (_, n) => (n % 2 === 0 ? attempt : { ...attempt, error })),
  ]),
})

/** How many turns of the loop it took, and what came of it. */
const encoded = async (lengths: readonly number[]) => {
  const delays: number[] = []
  const schedule = (delayMs: number, task: () => void) => {
    delays.push(delayMs)
    queueMicrotask(task)
    return () => {}
  }
  return { json: await projectionJson({ schedule }, projectionOf(lengths)), delays }
}

test('whatever is remembered is encoded as the codec does it', async () => {
  await holdsAsync(
    fc.asyncProperty(fc.array(fc.nat({ max: 400 }), { maxLength: 8 }), async (lengths) => {
      const { json } = await encoded(lengths)
      expect(json).toEqual(Projection.encode(projectionOf(lengths)))
    }),
  )
})

test.each([
  ['none', [], 0],
  ['as many as one turn takes', [499, 1], 0],
  ['one more', [499, 1, 1], 1],
  ['a long one and some', [1_200, 3, 499, 1], 2],
])('of %s', async (_what, lengths, turns) => {
  expect((await encoded(lengths)).delays).toEqual(Array.from({ length: turns }, () => 0))
})
