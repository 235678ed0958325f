/**
 * Plans: from a typed failure, and from a reason text whose explanation nobody asked for yet, beside the
 * seed's `generateRecoveryPlan`, which is asked for the same of the same sessions.
 */
import {
  classifier,
  defaultPolicy,
  type Failure,
  type PlanSubject,
  planner,
} from '@session-recovery/core'
import type { Seed, SeedClass } from './baseline.js'
import { inPairs, rateOf } from './pairing.js'
import { atLeast, type Measured, type Row, type Trial } from './row.js'

// Short, so that most samples end before another process gets the processor.
const plansPerSample = 2_000

const reasons: readonly string[] = [
  'connection reset by peer',
  'network unreachable',
  'prompt timeout',
  'session unresponsive',
  'out of memory',
  'permission denied',
  'something else went wrong',
]

const sessions = [
  { id: 'local', options: { command: 'bash', cwd: '/tmp' } },
  { id: 'ssh', options: { sshOptions: { host: 'example.org' } } },
] as const

const seedOf = async (Seed: SeedClass): Promise<Seed> => {
  const seed = new Seed({ persistenceEnabled: false, snapshotInterval: 0 })
  for (const { id, options } of sessions) await seed.registerSession(id, {}, options)
  return seed
}

/** The seed's answer is a promise: it is waited for, as its callers do. */
const seedRate = (seed: Seed) => () =>
  rateOf(plansPerSample, async () => {
    for (let i = 0; i < plansPerSample; i++) {
      const { id } = sessions[i % 2] ?? sessions[0]
      await seed.generateRecoveryPlan(id, reasons[i % reasons.length])
    }
  })

const subjects: readonly PlanSubject[] = sessions.map(({ id }) => ({
  sessionId: id,
  kind: id,
  interactive: undefined,
  nowMs: 0,
}))

const ourRate = (failureAt: (i: number) => Failure) => {
  const plan = planner(defaultPolicy)
  return () =>
    rateOf(plansPerSample, () => {
      let strategies = 0
      for (let i = 0; i < plansPerSample; i++) {
        const subject = subjects[i % 2] as PlanSubject
        strategies += plan(failureAt(i), subject).plan.strategies.length
      }
      if (strategies < plansPerSample) throw new Error('a plan was empty')
    })
}

const measured = async (
  { rounds, seed: Seed, progress }: Trial,
  what: string,
  failureAt: (i: number) => Failure,
  bound: number,
): Promise<Measured> => {
  if (Seed === undefined) throw new Error('plans are measured beside the seed')
  const reference = seedRate(await seedOf(Seed))
  const pairs = await inPairs({
    rounds,
    measured: ourRate(failureAt),
    reference,
    progress,
    warmUps: 50,
  })
  const seeds = "the seed's generateRecoveryPlan"
  return { figures: [{ what, unit: '/s', reference: seeds, pairs, bound: atLeast(bound) }] }
}

const classified = classifier(defaultPolicy.reasonRules)
const typedFailures = reasons.map(classified)

export const planRows: readonly Row[] = [
  {
    name: 'plan-typed',
    what: 'plans from a typed failure',
    rounds: 501,
    needsSeed: true,
    run: (trial) => {
      const failureAt = (i: number) => typedFailures[i % reasons.length] as Failure
      return measured(trial, 'plans from a typed failure', failureAt, 4)
    },
  },
  {
    name: 'plan-text',
    what: 'plans from a reason text, explained lazily',
    rounds: 501,
    needsSeed: true,
    run: (trial) => {
      const failureAt = (i: number) => classified(reasons[i % reasons.length])
      return measured(trial, 'plans from a reason text, explained lazily', failureAt, 1.5)
    },
  },
]
