/**
 * A cold start with many sessions, each with a 20 KB snapshot: until every one of them can be planned for.
 * Here records are checked, and bodies when they are read; the seed reads every file whole. Records of sessions
 * at rest are looked into when they are asked for: what they take then is told, too. What the seed finds is
 * written beside, as it would have written it.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileStore } from '@session-recovery/adapter-fs'
import { createEngine } from '@session-recovery/engine'
import type { SeedClass } from './baseline.js'
import {
  bulkOf,
  done,
  heapBytes,
  idleDriver,
  idOf,
  manySessions,
  populate,
  sessionOptions,
} from './population.js'
import { atMost, type Figure, type Measured, type Row, type Trial } from './row.js'

interface Start {
  readonly tookMs: number
  readonly bytes: number
  /** Once every session has been asked for. */
  readonly askedBytes: number
}

/** How long it takes, and what is held afterwards. */
const startOf = async (start: () => Promise<void>, ask = () => {}): Promise<Start> => {
  const before = heapBytes()
  const beganMs = performance.now()
  await start()
  const tookMs = performance.now() - beganMs
  const bytes = heapBytes() - before
  ask()
  return { tookMs, bytes, askedBytes: heapBytes() - before }
}

const ours = async (directory: string, sessions: number): Promise<Start> => {
  const store = fileStore({ directory })
  const engine = createEngine({ driver: idleDriver, store })
  const start = await startOf(
    async () => {
      const started = await engine.start()
      const found = started._tag === 'started' ? started.sessions : 0
      if (found !== sessions) throw new Error(`${found} of ${sessions} sessions were found`)
    },
    () => {
      const known = engine.sessions().length
      if (known !== sessions) throw new Error(`${known} of ${sessions} sessions are known`)
    },
  )
  // A checkpoint would write every body anew: none is written once the store is closed.
  await store.close()
  await engine.stop()
  return start
}

const seeds = async (Seed: SeedClass, persistencePath: string): Promise<Start> => {
  const seed = new Seed({ persistencePath, snapshotInterval: 0 })
  return startOf(() => seed.start())
}

const writeSeed = async (
  directory: string,
  sessions: number,
  progress: (doing: string) => void,
): Promise<void> => {
  await mkdir(directory, { recursive: true })
  for (let i = 0; i < sessions; i++) {
    if (i % 1_000 === 0) progress(`writing the seed's file ${i} of ${sessions}`)
    const sessionId = idOf(i)
    const snapshot = {
      sessionId,
      timestamp: new Date(),
      sessionState: {},
      sessionOptions,
      ...bulkOf(i),
    }
    await writeFile(
      join(directory, `${sessionId}.snapshot.json`),
      JSON.stringify(snapshot, undefined, 2),
    )
  }
}

const measured = async (trial: Trial): Promise<Measured> => {
  const { rounds, directory, seed, progress } = trial
  const sessions = manySessions()
  const place = join(directory, 'store')
  const store = fileStore({ directory: place })
  await done(store.open)
  await populate(store, sessions, true, progress)
  await store.close()
  const starts: Start[] = []
  for (let round = 0; round < rounds; round++) {
    progress(`starting ${round + 1} of ${rounds}`)
    starts.push(await ours(place, sessions))
  }
  const time = `cold start with ${sessions} sessions of 20 KB, ready to plan`
  const heap = `memory after it`
  const asked = `memory once every session was asked for`
  const none = (of: keyof Start) => starts.map((start) => ({ measured: start[of] }))
  if (seed === undefined) {
    const figures: Figure[] = [
      { what: time, unit: 'ms', pairs: none('tookMs') },
      { what: heap, unit: 'bytes', pairs: none('bytes') },
      { what: asked, unit: 'bytes', pairs: none('askedBytes') },
    ]
    return { figures, notes: ['the seed is left out: no --baseline was given'] }
  }
  const files = join(directory, 'seed')
  await writeSeed(files, sessions, progress)
  progress('the seed is starting')
  // Once: it takes a minute, and gigabytes that are not given back.
  const theirs = await seeds(seed, files)
  const beside = (of: keyof Start) =>
    starts.map((start) => ({ measured: start[of], reference: theirs[of] }))
  const reference = 'the seed with as many files'
  return {
    figures: [
      { what: time, unit: 'ms', reference, pairs: beside('tookMs'), bound: atMost(1 / 20) },
      { what: heap, unit: 'bytes', reference, pairs: beside('bytes'), bound: atMost(1 / 20) },
      { what: asked, unit: 'bytes', reference, pairs: beside('askedBytes') },
    ],
  }
}

export const startRow: Row = {
  name: 'cold-start',
  what: 'cold start with 100,000 sessions, ready to plan',
  rounds: 3,
  run: measured,
}
