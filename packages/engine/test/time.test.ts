/**
 * Time: deadlines longer than a platform timer holds, clocks that jump, and time that runs one way.
 */
import { type Clock, decode, lastInstantMs, SessionRecord } from '@session-recovery/core'
import { chainedSchedule, longestTimerMs, systemClock } from '@session-recovery/engine'
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { engineTime } from '../src/engine-time.js'
import { answered, failed, never, started, type World, world } from './scripted-world.js'

/** A platform whose timers a test fires; each holds no more than a platform's does. */
const platform = () => {
  const timers: { readonly delayMs: number; readonly task: () => void }[] = []
  const cleared: unknown[] = []
  let waitedMs = 0
  const schedule: Clock['schedule'] = chainedSchedule({
    setTimeout: (task, delayMs) => {
      const timer = { delayMs, task }
      timers.push(timer)
      return timer
    },
    clearTimeout: (handle) => void cleared.push(handle),
  })
  const fire = () => {
    const timer = timers.shift()
    waitedMs += timer?.delayMs ?? 0
    timer?.task()
  }
  return { schedule, timers, cleared, fire, waitedMs: () => waitedMs }
}

describe('the system clock', () => {
  test('chains what one timer cannot hold, and waits exactly that long', () => {
    holds(
      fc.property(
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 0, max: longestTimerMs }),
        (n, rest) => {
          const { schedule, timers, fire, waitedMs } = platform()
          let ran = 0
          schedule(n * longestTimerMs + rest, () => {
            ran += 1
          })
          while (timers.length > 0) {
            expect(ran).toBe(0)
            expect(timers).toHaveLength(1)
            expect(timers[0]?.delayMs).toBeLessThanOrEqual(longestTimerMs)
            fire()
          }
          expect(ran).toBe(1)
          expect(waitedMs()).toBe(n * longestTimerMs + rest)
        },
      ),
    )
  })

  test('can be cancelled in the middle of a chain', () => {
    const { schedule, timers, fire, cleared } = platform()
    const cancel = schedule(3 * longestTimerMs, () => {
      throw new Error('it was cancelled')
    })
    fire()
    const [second] = timers
    cancel()
    expect(cleared).toEqual([second])
  })

  test.each([
    [-5, 0],
    [0.2, 1],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 0],
  ])('never fires early, and takes no nonsense: %d ms', (delayMs, expected) => {
    const { schedule, timers } = platform()
    schedule(delayMs, () => {})
    expect(timers[0]?.delayMs).toBe(expected)
  })

  test('is the platform’s', async () => {
    const wallMs = systemClock.wallMs()
    const monotonicMs = systemClock.monotonicMs()
    let cancelled = 0
    systemClock.schedule(1, () => {
      cancelled += 1
    })()
    await new Promise<void>((resolve) => void systemClock.schedule(20, resolve))
    expect(cancelled).toBe(0)
    expect(Math.abs(Date.now() - wallMs)).toBeLessThan(60_000)
    expect(systemClock.monotonicMs()).toBeGreaterThan(monotonicMs)
  })
})

const yearMs = 365 * 86_400_000

describe('engine time', () => {
  test.each([
    [0, 0, 0],
    [5, 0, 5],
    [5, 4, 5],
    [5, 5, 6],
    [5, 9, 10],
  ])('at a wall clock of %d, and %d the latest stored, it begins at %d', (wall, latest, first) => {
    const clock = { wallMs: () => wall, monotonicMs: () => 7, schedule: () => () => {} }
    expect(engineTime(clock, latest)()).toBe(first)
  })

  test('a wait of a year is waited, over restarts, too', async () => {
    const policy = {
      snapshotInterval: 0,
      maxRecoveryAttempts: 2,
      recoveryDelay: yearMs,
      maxBackoffDelay: yearMs,
    }
    const script = { run: () => failed() }
    const first = await started({ policy, script })
    await first.engine.reportFailure('s', 'connection reset')
    await first.time.advance(yearMs / 2)
    first.crash()
    const second = world({ policy, script, after: first })
    await answered(second, second.engine.start())
    await second.time.advance(yearMs / 2 - 1)
    expect(second.runs()).toHaveLength(0)
    await second.time.advance(1)
    expect(second.runs().map(({ strategy }) => strategy)).toEqual(['restart', 'restore'])
  })

  test.each([0, -yearMs])(
    'no life of an id begins when a forgotten one did, the wall clock at %d ms of then',
    async (jumpMs) => {
      const policy = { snapshotInterval: 0 }
      const incidentOf = ({ medium }: World) =>
        medium.sessions.get('s')?.record.control.incident?.id ?? 'none'
      const first = await started({ policy, script: { run: () => never } })
      await first.engine.reportFailure('s')
      const before = incidentOf(first)
      await answered(first, first.engine.unregister('s'))
      await first.time.advance(0)
      expect(first.medium.sessions.has('s')).toBe(false)
      first.crash()
      first.time.jumpWall(jumpMs)
      const second = await started({ policy, script: { run: () => never }, after: first })
      await second.engine.reportFailure('s')
      expect(incidentOf(second)).toMatch(/^[0-9a-f-]{36}$/)
      expect(incidentOf(second)).not.toBe(before)
    },
  )

  test('a deadline beyond the end of time is stored and read again', async () => {
    const forever = Number.MAX_SAFE_INTEGER
    const policy = { snapshotInterval: forever, recoveryTimeout: forever, strategyTimeoutMs: 0 }
    const first = await started({ policy, script: { run: () => never } })
    await first.engine.reportFailure('s')
    const { record } = first.medium.sessions.get('s') ?? {}
    expect(record?.control.incident?.attemptDeadlineMs).toBe(lastInstantMs)
    const stored = JSON.parse(JSON.stringify(record && SessionRecord.encode(record)))
    expect(decode(SessionRecord, 'record')(stored)).toEqual(E.right(record))
    first.crash()
    const second = world({ policy, after: first })
    expect(await answered(second, second.engine.start())).toMatchObject({ sessions: 1 })
    await second.time.advance(0)
    expect(second.engine.status('s')?.record.state).toBe('snapshotting.idle')
  })

  test.each([-2 * yearMs, 2 * yearMs])(
    'no deadline moves when the wall clock jumps by %d ms',
    async (jumpMs) => {
      const policy = { snapshotInterval: 0, maxRecoveryAttempts: 2, recoveryDelay: 5_000 }
      const made = await started({ policy, script: { run: () => failed() } })
      await made.engine.reportFailure('s', 'connection reset')
      await made.time.advance(1_000)
      made.time.jumpWall(jumpMs)
      await made.time.advance(3_999)
      expect(made.runs()).toHaveLength(2)
      await made.time.advance(1)
      expect(made.runs()).toHaveLength(4)
    },
  )

  test('never runs backwards over lives, whatever the wall clock does', async () => {
    const first = await started({ policy: { snapshotInterval: 0 } })
    await first.time.advance(1_000)
    await answered(first, first.engine.recover('s'))
    let before = first
    for (const jumpMs of [-yearMs, 3 * yearMs, -9 * yearMs]) {
      before.crash()
      before.time.jumpWall(jumpMs)
      const next = world({ policy: { snapshotInterval: 0 }, after: before })
      await answered(next, next.engine.start())
      await answered(next, next.engine.recover('s'))
      before = next
    }
    const times = (await before.engine.journal('s')).map(({ event }) => event.atMs)
    expect(times.length).toBeGreaterThan(12)
    expect([...times].sort((a, b) => a - b)).toEqual(times)
    const durations = before.engine.history('s').map(({ metrics }) => metrics.duration)
    expect(durations.every((durationMs) => durationMs === 0)).toBe(true)
  })
})
