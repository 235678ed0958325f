/**
 * What happens in a simulation from outside, as data: a list of actions is a trace, which gives the same
 * run whenever it is played, and can be made shorter.
 */
import { defaultPolicy, type PlanRule, type Policy } from '@session-recovery/core'
import { type Chance, seeds } from './chance.js'

// ------------------------------------------------------------------------------------------ model

/** What may happen, and how often it does beside the others. */
const weights = {
  'pass a moment': 16,
  'pass a while': 14,
  'report a failure': 8,
  recover: 6,
  'die by a signal': 5,
  'exit with a failure code': 3,
  'exit well': 1,
  'lose the transport': 4,
  change: 4,
  update: 3,
  cancel: 3,
  reset: 5,
  unregister: 2,
  register: 5,
  replace: 2,
  'host dies': 4,
  renew: 2,
  'jump the wall clock': 2,
  suspend: 2,
  crash: 4,
  'crash and cut the power': 3,
  'stop and start': 2,
  'disk down': 2,
} as const

export type ActionName = keyof typeof weights
export const actionNames = Object.keys(weights) as readonly ActionName[]

const hat = actionNames.flatMap((name) =>
  Array.from({ length: weights[name] }, () => name),
) as unknown as readonly [ActionName, ...ActionName[]]

/** Those that befall a session, and not the engine or its machine. */
export const sessionActions = [
  'report a failure',
  'report a failure',
  'recover',
  'recover',
  'die by a signal',
  'exit with a failure code',
  'exit well',
  'lose the transport',
  'change',
  'update',
  'cancel',
  'reset',
  'reset',
  'unregister',
  'register',
  'register',
  'register',
  'replace',
] as const satisfies readonly ActionName[]

export interface Action {
  readonly name: ActionName
  readonly session: number
  /** From 0 to 1: how much, how long, which. */
  readonly amount: number
  /** All chance from here to the next action follows from it: others can be left out meanwhile. */
  readonly seed: number
}

/** Texts of failures: each is classified, and planned for, otherwise. */
export const failureReasons = [
  '',
  'connection reset',
  'prompt timeout',
  'timeout',
  'memory',
  'auth',
  'odd',
] as const

// ------------------------------------------------------------------------------------ combinators

/** Any action on one of `sessions` sessions. */
export const anyAction = (chance: Chance, sessions: number): Action => ({
  name: chance.pick(hat),
  session: chance.whole(0, sessions - 1),
  amount: chance.whole(0, 1_000) / 1_000,
  seed: chance.whole(seeds.least, seeds.most),
})

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

/** A policy of which every field that bears on decisions or effects may be anything, 0 where that is legal. */
export const anyPolicy = ({ whole, pick, percent }: Chance): Policy => ({
  ...defaultPolicy,
  maxRecoveryAttempts: whole(0, 4),
  recoveryDelay: pick([0, 100, 60_000]),
  backoffMultiplier: pick([1, 2, 3.5]),
  maxBackoffDelay: pick([0, 1_000, 60_000]),
  enableSmartRecovery: percent(70),
  enableRecoveryMetrics: percent(50),
  snapshotInterval: pick([0, 60_000, 600_000]),
  // One of the two bounds must stand: with neither, a driver that hangs hangs for ever, as asked.
  recoveryTimeout: pick([2_000, 120_000]),
  strategyTimeoutMs: pick([0, 1_000, 30_000]),
  captureTimeoutMs: pick([0, 1_000, 10_000]),
  stableAfterMs: pick([0, 60_000, 300_000]),
  jitter: pick([0, 0.5, 1]),
  jitterSeed: pick(['', 'a', 'any']),
  resumeOnStart: percent(70),
  resumeConcurrency: whole(1, 3),
  onStoreFailure: pick(['halt', 'degrade']),
  acceptClaims: percent(50),
  stopTimeoutMs: pick([1_000, 30_000]),
  storeOutput: percent(50),
  historyLimit: pick([0, 1, 100]),
  checkpointEvery: pick([1, 5, 10_000]),
  failureExitCodes: [137],
  domain: {
    concurrency: pick([1, 2, 32]),
    overallConcurrency: pick([1, 128]),
    firstStage: pick([1, 2]),
    suspectAfter: pick([1, 3]),
    // Without a bound a driver that hangs has everybody wait for ever, as asked.
    probeTimeoutMs: pick([1_000, 15_000]),
  },
  planRules: percent(80) ? defaultPolicy.planRules : unsafeFirst,
})
