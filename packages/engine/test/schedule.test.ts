/**
 * The schedule of an incident's attempts on virtual time is the horizon's, to the millisecond.
 */
import { choosePlan, classify, horizonOf, type Policy } from '@session-recovery/core'
import { holdsAsync } from '@session-recovery/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  answered,
  done,
  factsIn,
  failed,
  never,
  policyOf,
  type Script,
  started,
  type World,
} from './scripted-world.js'

const dayMs = 86_400_000
const quietPolicy = { snapshotInterval: 0 } as const
const hopeless: Partial<Script> = { run: () => failed() }

const strategiesFor = (reason: string, policy: Policy) => {
  const failure = classify(reason, policy.reasonRules)
  const subject = { sessionId: 's', kind: 'local', interactive: undefined, nowMs: 0 } as const
  return choosePlan(failure, subject, policy).plan.strategies.length - 1
}

/** When attempts began, in milliseconds since the failure. */
const beganAt = (made: World, sinceMs: number) => {
  const first = made.runs()[0]?.strategy
  return made
    .runs()
    .filter(({ strategy }) => strategy === first)
    .map(({ atMs }) => atMs - sinceMs)
}

describe('the schedule', () => {
  test('is 5, 10 and 20 s apart with the defaults and four attempts', async () => {
    const made = await started({ policy: { maxRecoveryAttempts: 4 }, script: hopeless })
    const ended = made.engine.recover('s')
    await answered(made, ended, 35_000)
    expect(beganAt(made, 0)).toEqual([0, 5_000, 15_000, 35_000])
  })

  const schedule = fc.record({
    maxRecoveryAttempts: fc.integer({ min: 1, max: 6 }),
    recoveryDelay: fc.integer({ min: 0, max: 20_000 }),
    backoffMultiplier: fc.constantFrom(1, 2, 7),
    maxBackoffDelay: fc.integer({ min: 0, max: 100_000 }),
    jitter: fc.constantFrom(0, 0.25, 1),
    // Shares of these among 2, 3 or 4 strategies are whole milliseconds.
    recoveryTimeout: fc.constantFrom(0, 12_000, 120_000),
    strategyTimeoutMs: fc.constantFrom(0, 1_000, 30_000),
  })
  const reason = fc.constantFrom('connection reset', 'timeout', 'odd', 'prompt timeout')

  test('is the horizon when every attempt fails at once', async () => {
    await holdsAsync(
      fc.asyncProperty(schedule, reason, async (input, why) => {
        const policy = policyOf({ ...quietPolicy, ...input })
        const made = await started({ policy, script: hopeless })
        await made.time.advance(1_234)
        const ended = made.engine.recover('s', why)
        const horizon = horizonOf(policy, strategiesFor(why, policy), {
          sessionId: 's',
          incident: 1,
        })
        const { attempts } = await answered(
          made,
          ended as Promise<{ attempts: number }>,
          10 * dayMs,
        )
        expect(attempts).toBe(horizon.totalAttempts)
        const earliest = horizon.attempts.map(({ earliestMs }) => earliestMs)
        if (input.jitter === 0) expect(beganAt(made, 1_234)).toEqual(earliest)
        // Jitter gives parts of milliseconds; events carry whole ones.
        for (const [i, atMs] of beganAt(made, 1_234).entries()) {
          expect(Math.abs(atMs - (earliest[i] ?? 0))).toBeLessThan(i + 1)
        }
      }),
      60,
    )
  })

  test('ends no later than the horizon when everything hangs', async () => {
    await holdsAsync(
      fc.asyncProperty(schedule, reason, async (input, why) => {
        const policy = policyOf({ ...quietPolicy, ...input, jitter: 0 })
        fc.pre(policy.recoveryTimeout > 0 || policy.strategyTimeoutMs > 0)
        const made = await started({ policy, script: { run: () => never } })
        made.control.holds = (operation) => operation === 'archive'
        const ended = made.engine.recover('s', why)
        const horizon = horizonOf(policy, strategiesFor(why, policy), {
          sessionId: 's',
          incident: 1,
        })
        await answered(made, ended, 10 * dayMs)
        const latest = horizon.attempts.map(({ latestMs }) => latestMs)
        expect(beganAt(made, 0)).toEqual(latest)
        const [end] = factsIn(made.entries(), 'incident-exhausted')
        expect(end?.incidentMs).toBe(horizon.worstCaseMs)
        expect(made.asked.every(({ request }) => request.signal?.aborted)).toBe(true)
      }),
      40,
    )
  })

  test('leaves time for the rest when one strategy hangs', async () => {
    const made = await started({
      policy: { recoveryTimeout: 45_000, strategyTimeoutMs: 30_000 },
      script: { run: ({ strategy }) => (strategy === 'restart' ? never : done) },
    })
    const ended = await answered(made, made.engine.recover('s', 'odd'), 45_000)
    expect(ended).toMatchObject({ _tag: 'recovered', strategy: 'restore', attempts: 1 })
    // Three strategies share 45 s; the one that hangs gets a third of it.
    expect(made.runs().map(({ strategy, atMs }) => [strategy, atMs])).toEqual([
      ['restart', 0],
      ['restore', 15_000],
    ])
    const [restart] = made.runs()
    expect(restart?.request.signal?.aborted).toBe(true)
  })

  test('a late answer of a strategy that was given up changes nothing', async () => {
    let answer = (_: typeof done) => {}
    const late = new Promise<typeof done>((resolve) => {
      answer = resolve
    })
    const made = await started({
      policy: { strategyTimeoutMs: 1_000 },
      script: { run: ({ strategy }) => (strategy === 'restart' ? late : never) },
    })
    await made.engine.reportFailure('s', 'connection reset')
    await made.time.advance(1_500)
    const before = made.engine.status('s')?.record
    answer(done)
    await made.time.advance(0)
    expect(made.engine.status('s')?.record).toEqual(before)
  })
})
