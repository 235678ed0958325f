/**
 * Behaviour under load: many registered sessions, a snapshot of 20 KB of each every 30 s, of which a third
 * changed. What it takes of the processor, what it writes, and how late the app's own turns come beside a
 * loop that does nothing.
 */
import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileStore } from '@session-recovery/adapter-fs'
import {
  type Driver,
  type Foreground,
  policyFrom,
  type SnapshotUpdate,
} from '@session-recovery/core'
import { createEngine } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { instantDriver } from './instant-driver.js'
import { bulkOf, done, manySessions, populate } from './population.js'
import { atMost, type Measured, type Row, type Trial } from './row.js'

const intervalMs = 30_000
/** Every so manieth capture finds something changed. */
const changing = 3

interface Delay {
  readonly p50: number
  readonly p99: number
  readonly longest: number
}

/** How late turns of the loop come while `work` goes on, in milliseconds. */
const delayDuring = async (work: () => Promise<void>): Promise<Delay> => {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await work()
  delay.disable()
  const ms = (ns: number): number => ns / 1e6
  return { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), longest: ms(delay.max) }
}

const passed = (durationMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, durationMs))

/** A driver whose sessions change at every third look. */
const changingDriver = () => {
  const bulks: readonly SnapshotUpdate[] = Array.from({ length: 64 }, (_, i) => bulkOf(i))
  const looks = new Map<string, number>()
  let captures = 0
  const driver: Driver = {
    ...instantDriver(true),
    capture: ({ sessionId }) => {
      captures += 1
      const look = (looks.get(sessionId) ?? captures % changing) + 1
      looks.set(sessionId, look)
      const update = bulks[Math.floor(look / changing) % bulks.length] ?? {}
      const foreground: Foreground = { kind: 'unknown', reasons: [] }
      return TE.right({ update, bulkIdentity: update, foreground })
    },
  }
  return { driver, captures: () => captures }
}

const writtenBytes = async (directory: string): Promise<number> => {
  const log = join(directory, 'log')
  let bytes = 0
  for (const name of await readdir(log)) {
    bytes += statSync(join(log, name), { throwIfNoEntry: false })?.size ?? 0
  }
  return bytes
}

const measured = async ({ rounds, directory, progress }: Trial): Promise<Measured> => {
  const sessions = manySessions()
  const place = join(directory, 'store')
  const filled = fileStore({ directory: place })
  await done(filled.open)
  await populate(filled, sessions, false, progress)
  await filled.close()

  const policy = policyFrom({
    snapshotInterval: intervalMs,
    resumeOnStart: false,
    storeOutput: true,
    checkpointEvery: 1_000_000_000,
  })
  if (E.isLeft(policy)) throw new Error(policy.left.message)
  const { driver, captures } = changingDriver()
  const engine = createEngine({
    policy: policy.right,
    driver,
    store: fileStore({ directory: place }),
  })
  await engine.start()
  // The first captures find everything changed; what is measured is what goes on afterwards.
  progress('the first captures')
  await passed(2 * intervalMs)
  const shares: number[] = []
  const delays: Delay[] = []
  const rates: number[] = []
  const bytes: number[] = []
  for (let round = 1; round <= rounds; round++) {
    progress(`interval ${round} of ${rounds}`)
    const before = {
      cpu: process.cpuUsage(),
      captures: captures(),
      bytes: await writtenBytes(place),
    }
    const beganMs = performance.now()
    const busy = await delayDuring(() => passed(intervalMs))
    const tookMs = performance.now() - beganMs
    const { user, system } = process.cpuUsage(before.cpu)
    shares.push((user + system) / 1_000 / tookMs)
    rates.push(((captures() - before.captures) * 1_000) / tookMs)
    bytes.push((await writtenBytes(place)) - before.bytes)
    delays.push(busy)
  }
  await engine.stop()
  const idle = await delayDuring(() => passed(intervalMs / 3))
  const values = (samples: readonly number[]) => samples.map((value) => ({ measured: value }))
  const beside = (of: keyof Delay) =>
    delays.map((busy) => ({ measured: busy[of], reference: idle[of] }))
  const reference = 'a loop that does nothing, in the same run'
  return {
    figures: [
      {
        what: `processor cores used by ${sessions} sessions captured every 30 s, a third changed`,
        unit: 'cores',
        pairs: values(shares),
        bound: atMost(0.5),
      },
      { what: 'captures', unit: '/s', pairs: values(rates) },
      { what: 'bytes written in an interval', unit: 'bytes', pairs: values(bytes) },
      { what: 'event-loop delay, p50', unit: 'ms', reference, pairs: beside('p50') },
      { what: 'event-loop delay, p99', unit: 'ms', reference, pairs: beside('p99') },
    ],
    notes: [
      `the longest turn took ${Math.max(...delays.map(({ longest }) => longest)).toFixed(0)} ms`,
    ],
  }
}

export const loadRow: Row = {
  name: 'load',
  what: '100,000 sessions, snapshots of 20 KB every 30 s of which a third changed',
  rounds: 3,
  run: measured,
}
