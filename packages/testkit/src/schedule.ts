/**
 * Generated schedules: policies in which every number of the policy varies, and lists of things that
 * happen. They shrink to the shortest list that still fails.
 */
import { defaultPolicy, type PlanRule, type Policy } from '@session-recovery/core'
import fc from 'fast-check'
import { type Action, actionNames, type Schedule } from './simulation.js'

// The strategies that must not be done twice, which no default plan for these failures begins with.
const unsafeFirst: PlanRule[] = [
  {
    name: 'unsafe-first',
    when: {},
    strategies: ['command-retry', 'replicate', 'restart', 'fallback'],
    priority: 'low',
    estimatedTimeMs: 0,
  },
]

/** Policies whose every field that bears on decisions or effects varies, down to 0 where it is legal. */
export const simulatedPolicy: fc.Arbitrary<Partial<Policy>> = fc
  .record({
    maxRecoveryAttempts: fc.integer({ min: 0, max: 4 }),
    recoveryDelay: fc.constantFrom(0, 100, 5_000),
    backoffMultiplier: fc.constantFrom(1, 2, 3.5),
    maxBackoffDelay: fc.constantFrom(0, 1_000, 60_000),
    enableSmartRecovery: fc.boolean(),
    enableRecoveryMetrics: fc.boolean(),
    snapshotInterval: fc.constantFrom(0, 30_000, 120_000),
    // One of the two bounds must stand: with neither, a driver that hangs hangs for ever, as asked.
    recoveryTimeout: fc.constantFrom(2_000, 120_000),
    strategyTimeoutMs: fc.constantFrom(0, 1_000, 30_000),
    captureTimeoutMs: fc.constantFrom(0, 1_000, 10_000),
    stableAfterMs: fc.constantFrom(0, 60_000, 300_000),
    jitter: fc.constantFrom(0, 0.5, 1),
    jitterSeed: fc.string({ maxLength: 4 }),
    resumeOnStart: fc.boolean(),
    resumeConcurrency: fc.integer({ min: 1, max: 3 }),
    onStoreFailure: fc.constantFrom('halt' as const, 'degrade' as const),
    acceptClaims: fc.boolean(),
    stopTimeoutMs: fc.constantFrom(1_000, 30_000),
    storeOutput: fc.boolean(),
    historyLimit: fc.constantFrom(0, 1, 100),
    checkpointEvery: fc.constantFrom(1, 5, 10_000),
    planRules: fc.constantFrom(defaultPolicy.planRules, unsafeFirst),
  })
  .map((policy) => ({ ...defaultPolicy, ...policy }))

const action: fc.Arbitrary<Action> = fc.record({
  name: fc.constantFrom(...actionNames),
  session: fc.integer({ min: 0, max: 2 }),
  amount: fc.integer({ min: 0, max: 1_000 }).map((thousandths) => thousandths / 1_000),
})

/** Schedules of `events` things that happen. */
export const schedules = (events: number): fc.Arbitrary<Schedule> =>
  fc.record({
    policy: simulatedPolicy,
    seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    actions: fc.array(action, { minLength: events, maxLength: events, size: 'max' }),
  })
