/**
 * Every session fails in one tick: how late the app's own timer comes beside a loop that only writes as many
 * bytes, what it takes of memory, and how many were held back.
 */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileStore } from '@session-recovery/adapter-fs'
import type { Failure } from '@session-recovery/core'
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

const stampede = async (engine: Engine, sessions: number): Promise<Stampede> => {
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
  const lateMs = await lateness(async () => {
    const recovered = Array.from({ length: sessions }, (_, i) => engine.recover(idOf(i), failure))
    for (const result of await Promise.all(recovered)) {
      if (result._tag !== 'recovered') throw new Error(`a session ended ${result._tag}`)
    }
  })
  clearInterval(look)
  end()
  const tookMs = performance.now() - beganMs
  return { lateMs, tookMs, heapBytes: most - before, mostAtOnce, mostHeldBack }
}

const measured = async ({ rounds, directory, progress }: Trial): Promise<Measured> => {
  const sessions = manySessions()
  const place = join(directory, 'store')
  const filled = fileStore({ directory: place })
  await done(filled.open)
  await populate(filled, sessions, false, progress)
  await filled.close()
  const policy = { ...policyOf('restart'), resumeOnStart: false }
  const store = fileStore({ directory: place })
  const engine = createEngine({ policy, driver: instantDriver(false), store })
  await engine.start()
  const all: { readonly ours: Stampede; readonly bareMs: number }[] = []
  for (let round = 1; round <= rounds; round++) {
    progress(`stampede ${round} of ${rounds}`)
    const ours = await stampede(engine, sessions)
    const bare = () => written(join(directory, 'bare'), sessions * bytesPerIncident)
    all.push({ ours, bareMs: Math.max(1, await lateness(bare)) })
  }
  await engine.stop()
  const own = (of: keyof Stampede) => all.map(({ ours }) => ({ measured: ours[of] }))
  return {
    figures: [
      {
        what: `the app's 10 ms timer is late by, while ${sessions} sessions fail in one tick`,
        unit: 'ms',
        reference: 'a loop that only writes as many bytes',
        pairs: all.map(({ ours, bareMs }) => ({ measured: ours.lateMs, reference: bareMs })),
        bound: atMost(3),
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
