/**
 * Registrations in memory, one after the other, beside the seed's: here a record, a first step, a commit and
 * a first snapshot; there an entry of a map. Both arm a timer for periodic snapshots.
 */
import { createEngine, memoryStore } from '@session-recovery/engine'
import type { SeedClass } from './baseline.js'
import { instantDriver } from './instant-driver.js'
import { inPairs, rateOf } from './pairing.js'
import { atLeast, type Measured, type Row, type Trial } from './row.js'

// As many as make both map and heap work: the first thousand cost the seed next to nothing.
const sessionsPerSample = 5_000

const sessionOptions = {
  command: 'bash',
  cwd: '/home/user',
  env: { PATH: '/usr/bin', TERM: 'xterm' },
}
const sessionState = { status: 'running' }

/** Each sample has an engine of its own: with each session more there is more to collect. */
const ourRate = async (): Promise<number> => {
  const engine = createEngine({ driver: instantDriver(true), store: memoryStore() })
  await engine.start()
  const rate = await rateOf(sessionsPerSample, async () => {
    for (let i = 0; i < sessionsPerSample; i++) {
      const registered = await engine.register(`session-${i}`, { sessionState, sessionOptions })
      if (registered._tag !== 'registered') throw new Error(`refused: ${registered._tag}`)
    }
  })
  await engine.destroy()
  return rate
}

const seedRate = async (Seed: SeedClass): Promise<number> => {
  const seed = new Seed({ persistenceEnabled: false })
  await seed.start()
  const rate = await rateOf(sessionsPerSample, async () => {
    for (let i = 0; i < sessionsPerSample; i++) {
      await seed.registerSession(`session-${i}`, sessionState, sessionOptions)
    }
  })
  await seed.destroy()
  return rate
}

const measured = async ({ rounds, seed: Seed, progress }: Trial): Promise<Measured> => {
  if (Seed === undefined) throw new Error('registrations are measured beside the seed')
  const pairs = await inPairs({
    rounds,
    measured: ourRate,
    reference: () => seedRate(Seed),
    progress,
    warmUps: 2,
  })
  const what = 'registrations, memory store'
  const reference = "the seed's registerSession"
  return { figures: [{ what, unit: '/s', reference, pairs, bound: atLeast(0.5) }] }
}

export const registrationRow: Row = {
  name: 'register',
  what: 'registrations, memory store: a record, a first step, a commit',
  rounds: 15,
  needsSeed: true,
  run: measured,
}
