/**
 * The torture row of endurance: seven virtual days of many sessions on a store on a disk, with driver and
 * disk failing all the time and a power cut every day. Memory stays flat, journal and archive bounded.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { defaultPolicy } from '@session-recovery/core'
import { type Seen, simulate } from '@session-recovery/testkit'
import type { Row, Trial } from './row.js'

// ------------------------------------------------------------------------------------------ model

/** What is measured once a virtual day. */
interface Measure {
  readonly day: number
  readonly heapBytes: number
  readonly logBytes: number
  readonly archives: number
}

const dayMs = 24 * 3_600_000
const days = 7

// So few that every session's history is full by the second day: what grows after it is a leak.
const historyLimit = 4

const retention = {
  ...{ journalEntriesPerSession: 20, forgottenSessions: 100 },
  scrubEveryMs: dayMs / 4,
}

// Those that sessions name stay longest: were all of them such, the newest of the others would go.
const archivesKept = (sessions: number): number => Math.max(100, sessions)

// A session's journal, its record and its snapshot; twice, as a log grows until the next checkpoint.
const logBytesPerSession = 2 * (retention.journalEntriesPerSession * 4_096 + 16_384)
const logBytesAtLeast = 32 << 20

// Retention looks now and then, and at every checkpoint.
const archivesBetweenLooks = 100

// Opening a log of a thousand sessions takes so many calls that one of them would fail each time.
const faultShareOf = (sessions: number): number => Math.max(0.1, Math.min(1, 20 / sessions))
const diskFaults = ['EIO', 'ENOSPC', 'EACCES', 'short write', 'false failure', 'power cut'] as const

// Of a hundred things that happen, so many have to happen to an engine that runs.
const runningAtLeast = 60

// What a heap may grow by between the second day and the last, beside what a sample is off by.
const growth = 1.03
const heapSlackBytes = 4 << 20

// ------------------------------------------------------------------------------------ combinators

const collector = (): (() => void) => {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

const measured = (gc: () => void, { passedMs, files }: Seen): Measure => {
  const all = [...files()]
  const bytesIn = (folder: string) =>
    all
      .filter(([path]) => path.includes(`/${folder}/`))
      .reduce((sum, [, content]) => sum + content.length, 0)
  gc()
  const { heapUsed } = process.memoryUsage()
  return {
    day: Math.floor(passedMs / dayMs),
    heapBytes: heapUsed,
    logBytes: bytesIn('log'),
    archives: all.filter(([path]) => path.includes('/archives/')).length,
  }
}

/** What was not bounded. */
const excess = (measures: readonly Measure[], sessions: number): readonly string[] => {
  const [, second] = measures
  const last = measures.at(-1)
  if (second === undefined || last === undefined) return ['less than two days were measured']
  const mostHeap = second.heapBytes * growth + heapSlackBytes
  const mostLog = Math.max(logBytesAtLeast, sessions * logBytesPerSession)
  return measures.flatMap(({ day, logBytes, archives }) => [
    ...(day === last.day && last.heapBytes > mostHeap
      ? [`the heap grew from ${second.heapBytes} to ${last.heapBytes} bytes`]
      : []),
    ...(logBytes > mostLog ? [`on day ${day} the log had ${logBytes} bytes`] : []),
    ...(archives > archivesKept(sessions) + archivesBetweenLooks
      ? [`on day ${day} there were ${archives} archives`]
      : []),
  ])
}

const mib = (bytes: number): string => (bytes / (1 << 20)).toFixed(1)

export const weekRow: Row = {
  name: 'week',
  promise:
    'Seven virtual days of many sessions: every law, memory flat, journal and archive bounded',
  tries: { ci: 40, soak: 1_000 },
  as: 'ordinary',
  run: async ({ tries: sessions, seed, progress }: Trial) => {
    const gc = collector()
    const measures: Measure[] = []
    let [happened, ran] = [0, 0]
    const result = await simulate({
      seed: 1 + (seed % 2 ** 30),
      sessions,
      store: 'disk',
      faultShare: faultShareOf(sessions),
      policy: {
        ...defaultPolicy,
        snapshotInterval: 3_600_000,
        checkpointEvery: Math.min(1_000, 5 * sessions),
        historyLimit,
      },
      retention: { ...retention, archives: archivesKept(sessions) },
      durationMs: days * dayMs,
      watch: (seen) => {
        happened += 1
        if (seen.isRunning) ran += 1
        if (Math.floor(seen.passedMs / dayMs) <= (measures.at(-1)?.day ?? 0)) return
        measures.push(measured(gc, seen))
        progress(Math.floor((sessions * seen.passedMs) / (days * dayMs)))
      },
    })
    const running = Math.round((100 * ran) / happened)
    const faults = diskFaults.map((kind) => [kind, result.coverage.faults[kind] ?? 0] as const)
    const lost = [
      ...result.breaches,
      ...excess(measures, sessions),
      ...faults.flatMap(([kind, times]) => (times === 0 ? [`${kind} never happened`] : [])),
      ...(running < runningAtLeast ? [`the engine ran ${running} % of the time alone`] : []),
    ]
    const last = measures.at(-1)
    const heaps = measures.map(({ heapBytes }) => mib(heapBytes)).join(', ')
    const logs = measures.map(({ logBytes }) => mib(logBytes)).join(', ')
    return {
      tried: sessions,
      survived: lost.length === 0 ? sessions : 0,
      lost,
      notes: [
        `${result.decisions} decisions in ${(result.passedMs / dayMs).toFixed(1)} days, running ${running} %`,
        `of the disk: ${faults.map(([kind, times]) => `${times} ${kind}`).join(', ')}`,
        `MiB of heap by day: ${heaps}; of log: ${logs}; ${last?.archives} archives at last`,
      ],
    }
  },
}
