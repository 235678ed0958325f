/**
 * Every session fails in one tick: how late the app's own timer comes beside a loop that only writes as many
 * bytes, what it takes of memory, and how many were held back.
 */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileStore } from '@session-recovery/adapter-fs'
import type { Driver, Failure, Observation } from '@session-recovery/core'
import { createEngine, type Engine } from '@session-recovery/engine'
import { instantDriver } from './instant-driver.js'
import { done, heapBytes, idOf, manySessions, populate } from './population.js'
import { policyOf } from './recovery.js'
import { atMost, type Measured, type Row, type Trial } from './row.js'

const timerMs = 10
/** What a recovered incident writes: three decisions. */
const bytesPerIncident = 3_600
const batchBytes = 1 << 20

const failure: Failure = {
  kind: 'process-died',
  reason: 'process killed by SIGKILL',
  interactivity: 'none',
  permanent: false,
  evidence: [],
}

/** How late a timer of 10 ms comes while `work` goes on: the latest, in milliseconds. */
const lateness = async (work: () => Promise<void>): Promise<number> => {
  let lateMs = 0
  let dueMs = performance.now() + timerMs
  const timer = setInterval(() => {
    const nowMs = performance.now()
    lateMs = Math.max(lateMs, nowMs - dueMs)
    dueMs = nowMs + timerMs
  }, timerMs)
  await work()
  clearInterval(timer)
  // One that could not come at all was late by as much.
  return Math.max(lateMs, performance.now() - dueMs)
}

const written = async (path: string, bytes: number): Promise<void> => {
  const file = await open(path, 'w')
  const batch = Buffer.alloc(batchBytes, 0x61)
  for (let position = 0; position < bytes; position += batchBytes) {
    await file.write(batch, 0, batchBytes, position)
    await file.datasync()
  }
  await file.close()
}

interface Stampede {
  readonly lateMs: number
  readonly tookMs: number
  readonly heapBytes: number
  readonly mostAtOnce: number
  readonly mostHeldBack: number
}

type Observe = (observation: Observation) => void

/** How the sessions fail, all in one tick. */
const ways = {
  /** As the driver tells it. */
  noticed: async (engine: Engine, observe: Observe, ids: readonly string[]): Promise<void> => {
    const well = wellAgain(engine, ids.length)
    const exit = { signal: 'SIGKILL' }
    for (const sessionId of ids) observe({ _tag: 'exited', sessionId, exit })
    await well
  },
  /** As the app asks for it, and waits for each. */
  called: async (engine: Engine, _observe: Observe, ids: readonly string[]): Promise<void> => {
    const recovered = ids.map((sessionId) => engine.recover(sessionId, failure))
    for (const result of await Promise.all(recovered)) {
      if (result._tag !== 'recovered') throw new Error(`a session ended ${result._tag}`)
    }
  },
}
type Way = (typeof ways)['noticed']

/** Resolves when so many sessions were called well. */
const wellAgain = (engine: Engine, sessions: number): Promise<void> =>
  new Promise((resolve, reject) => {
    let well = 0
    const end = engine.subscribe((notice) => {
      if (notice._tag !== 'decided') return
      if (notice.record.state === 'exhausted') reject(new Error('a session was not brought back'))
      if (notice.entry.event.type !== 'verified') return
      well += 1
      if (well < sessions) return
      end()
      resolve()
    })
  })

const stampede = async (engine: Engine, work: () => Promise<void>): Promise<Stampede> => {
  const before = heapBytes()
  let open = 0
  let mostAtOnce = 0
  let most = 0
  let mostHeldBack = 0
  const end = engine.subscribe((notice) => {
    if (notice._tag !== 'decided') return
    const { type } = notice.entry.event
    if (type === 'failed') open += 1
    if (type === 'verified') open -= 1
    mostAtOnce = Math.max(mostAtOnce, open)
  })
  const look = setInterval(() => {
    most = Math.max(most, process.memoryUsage().heapUsed)
    mostHeldBack = Math.max(mostHeldBack, engine.stats().heldBack)
  }, 1_000)
  const beganMs = performance.now()
  const lateMs = await lateness(work)
  clearInterval(look)
  end()
  const tookMs = performance.now() - beganMs
  return { lateMs, tookMs, heapBytes: most - before, mostAtOnce, mostHeldBack }
}

interface Round {
  readonly noticed: Stampede
  readonly called: Stampede
  readonly bareMs: number
}

const rounds = async (trial: Trial, sessions: number): Promise<readonly Round[]> => {
  const { directory, progress } = trial
  const place = join(directory, 'store')
  const filled = fileStore({ directory: place })
  await done(filled.open)
  await populate(filled, sessions, false, progress)
  await filled.close()
  // Before there is an engine, whose checkpoints would be written beside it.
  const bare = () => written(join(directory, 'bare'), sessions * bytesPerIncident)
  const bareMs: number[] = []
  for (let round = 1; round <= trial.rounds; round++) {
    bareMs.push(Math.max(1, await lateness(bare)))
  }
  let observe: Observe = () => {}
  const driver: Driver = {
    ...instantDriver(false),
    watch: (listen) => {
      observe = listen
      return () => {}
    },
  }
  const policy = { ...policyOf('restart'), resumeOnStart: false }
  const engine = createEngine({ policy, driver, store: fileStore({ directory: place }) })
  await engine.start()
  // An app knows its sessions' ids.
  const ids = Array.from({ length: sessions }, (_, i) => idOf(i))
  const by = (way: Way) => stampede(engine, () => way(engine, observe, ids))
  const all: Round[] = []
  for (const [index, ofRound] of bareMs.entries()) {
    progress(`stampede ${index + 1} of ${trial.rounds}`)
    const noticed = await by(ways.noticed)
    const called = await by(ways.called)
    all.push({ noticed, called, bareMs: ofRound })
  }
  await engine.stop()
  return all
}

const measured = async (trial: Trial): Promise<Measured> => {
  const sessions = manySessions()
  const all = await rounds(trial, sessions)
  const own = (of: keyof Stampede) => all.map(({ noticed }) => ({ measured: noticed[of] }))
  const late = (way: 'noticed' | 'called') =>
    all.map((round) => ({ measured: round[way].lateMs, reference: round.bareMs }))
  const reference = 'a loop that only writes as many bytes'
  const timer = "the app's 10 ms timer is late by, while"
  return {
    figures: [
      {
        what: `${timer} the driver tells that ${sessions} sessions died, in one tick`,
        unit: 'ms',
        reference,
        pairs: late('noticed'),
        bound: atMost(3),
      },
      {
        what: `${timer} the app asks for ${sessions} recoveries in one tick, each with a promise`,
        unit: 'ms',
        reference,
        pairs: late('called'),
      },
      { what: 'until all are well again', unit: 'ms', pairs: own('tookMs') },
      { what: 'heap it takes at most', unit: 'bytes', pairs: own('heapBytes') },
      { what: 'incidents open at once at most', unit: '', pairs: own('mostAtOnce') },
      { what: 'held back at once at most, counted', unit: '', pairs: own('mostHeldBack') },
    ],
  }
}

export const stampedeRow: Row = {
  name: 'stampede',
  what: '100,000 sessions fail in one tick: the app stays responsive',
  rounds: 3,
  run: measured,
}
