/**
 * Recovered incidents with a memory store and an instant driver, each verified and journalled: how many a
 * second, whether that stays so from 1,000 to 100,000 sessions, where the time goes, and what the table
 * compiled from the machine saves over XState in its place.
 */
import type { Failure } from '@session-recovery/core'
import { createEngine, type Engine, memoryStore, stepUnder } from '@session-recovery/engine'
import type { Seed, SeedClass } from './baseline.js'
import { instantDriver } from './instant-driver.js'
import { durationMs, inPairs, rateOf } from './pairing.js'
import { manySessions } from './population.js'
import { profileOf } from './profile.js'
import { policyOf } from './recovery.js'
import { atLeast, atMost, type Measured, type Row, type Trial } from './row.js'
import { xstateStep } from './xstate-step.js'

const callers = 1_000
const few = 1_000

const failure: Failure = {
  kind: 'process-died',
  reason: 'process killed by SIGKILL',
  interactivity: 'none',
  permanent: false,
  evidence: [],
}
const sessionOptions = { command: 'bash', cwd: '/home/user', env: { PATH: '/usr/bin' } }
const idOf = (i: number): string => `session-${i}`

// ----------------------------------------------------------------------------------- constructors

/**
 * An engine with so many sessions, of which a thousand that lie spread among them are recovered in turn, so
 * many at once: however many there are, those that are measured have had as many incidents.
 */
interface Subject {
  readonly engine: Engine
  readonly recoverEach: () => Promise<void>
}

const subjectOf = async (
  sessions: number,
  stepOf = stepUnder,
  progress: (doing: string) => void = () => {},
): Promise<Subject> => {
  const options = {
    driver: instantDriver(false),
    store: memoryStore(),
    policy: policyOf('restart'),
  }
  const engine = createEngine(options, stepOf)
  await engine.start()
  for (let i = 0; i < sessions; i++) {
    if (i % 1_000 === 0) progress(`registering ${i} of ${sessions}`)
    await engine.register(idOf(i), { sessionOptions, attended: false })
  }
  const apart = Math.floor(sessions / few)
  let next = 0
  const recover = async (): Promise<void> => {
    const ended = await engine.recover(idOf((next++ % few) * apart), failure)
    if (ended._tag !== 'recovered') throw new Error(`a session ended ${ended._tag}`)
  }
  return {
    engine,
    recoverEach: async () => {
      await Promise.all(Array.from({ length: callers }, recover))
    },
  }
}

const seedOf = async (Class: SeedClass): Promise<Seed> => {
  const seed = new Class({
    persistenceEnabled: false,
    snapshotInterval: 0,
    maxRecoveryAttempts: Number.MAX_SAFE_INTEGER,
  })
  for (let i = 0; i < few; i++) await seed.registerSession(idOf(i), {}, sessionOptions)
  return seed
}

const seedEach = (seed: Seed) => async (): Promise<void> => {
  const recover = (_: unknown, i: number) => seed.recoverSession(idOf(i), failure.reason)
  await Promise.all(Array.from({ length: callers }, recover))
}

const incidents = 'recovered incidents, verified and journalled, memory store, 1,000 callers'

// ------------------------------------------------------------------------------------------- rows

const throughput = async ({ rounds, seed, progress }: Trial): Promise<Measured> => {
  const { engine, recoverEach } = await subjectOf(few)
  const rate = () => rateOf(callers, recoverEach)
  const reference = seed === undefined ? undefined : seedEach(await seedOf(seed))
  const pairs = await inPairs({
    rounds,
    measured: rate,
    reference: reference === undefined ? () => Number.NaN : () => rateOf(callers, reference),
    progress,
    warmUps: 5,
  })
  const notes = await profileOf(async () => {
    for (let i = 0; i < 20; i++) await recoverEach()
  })
  await engine.destroy()
  const figure = { what: incidents, unit: '/s' }
  return reference === undefined
    ? {
        figures: [{ ...figure, pairs: pairs.map(({ measured }) => ({ measured })) }],
        notes: [...notes, "the seed's empty recovery is left out: no --baseline was given"],
      }
    : {
        figures: [{ ...figure, reference: "the seed's empty recovery", pairs }],
        notes,
      }
}

const flatness = async ({ rounds, progress }: Trial): Promise<Measured> => {
  const small = await subjectOf(few)
  const many = manySessions()
  const large = await subjectOf(many, stepUnder, progress)
  const perIncidentUs = (subject: Subject) => async () =>
    ((await durationMs(subject.recoverEach)) * 1_000) / callers
  const pairs = await inPairs({
    rounds,
    measured: perIncidentUs(large),
    reference: perIncidentUs(small),
    progress,
    warmUps: 5,
  })
  await small.engine.destroy()
  await large.engine.destroy()
  const what = `one recovered incident among ${many} sessions`
  const reference = 'the same among 1,000'
  return { figures: [{ what, unit: 'µs', reference, pairs, bound: atMost(1.3) }] }
}

const besideXState = async ({ rounds, progress }: Trial): Promise<Measured> => {
  const table = await subjectOf(few)
  const xstate = await subjectOf(few, xstateStep)
  const pairs = await inPairs({
    rounds,
    measured: () => rateOf(callers, table.recoverEach),
    reference: () => rateOf(callers, xstate.recoverEach),
    progress,
    warmUps: 5,
  })
  await table.engine.destroy()
  await xstate.engine.destroy()
  const reference = "the same engine with XState's transition in the place of the table"
  return { figures: [{ what: incidents, unit: '/s', reference, pairs, bound: atLeast(2) }] }
}

export const incidentRows: readonly Row[] = [
  { name: 'incident', what: incidents, rounds: 21, run: throughput },
  {
    name: 'incident-flat',
    what: 'recovered incidents, flat from 1,000 to 100,000 sessions',
    rounds: 31,
    run: flatness,
  },
  {
    name: 'incident-xstate',
    what: 'recoveries, beside the same with XState in the place of the table',
    rounds: 21,
    run: besideXState,
  },
]
