/** What is remembered of a session's attempts, entry by entry, and what is told of dialogues, by example. */
import {
  emptyInteractiveState,
  emptyTally,
  type Fact,
  factsOf,
  historiesLimitBytes,
  interactiveStatistics,
  type JournalEntry,
  Projection,
  projector,
  remember,
} from '@session-recovery/core'
import { arbitraryOf } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JournalEntry as AnyEntry, Fact as AnyFact } from '../src/index.js'

/** A fact of this kind, always the same. */
const factOf = (tag: Fact['_tag']): Fact => {
  const found = fc.sample(arbitraryOf(AnyFact), { seed: 5, numRuns: 2_000 })
  const fact = found.find(({ _tag }) => _tag === tag)
  if (fact === undefined) throw new Error(`no ${tag}`)
  return fact
}
const policy = { historyLimit: 2, enableRecoveryMetrics: true }

test('only the newest attempts are remembered, and what changes nothing changes nothing', () => {
  const started = factOf('attempt-started')
  const failed = { ...factOf('attempt-failed'), durationMs: 30 } as Fact
  let history = remember([], 's', started, 1, 2)
  expect(history).toMatchObject([{ success: false, startTime: new Date(1) }])
  expect(history[0]).not.toHaveProperty('endTime')
  // What is no matter of an attempt is let be.
  const irrelevant = factOf('session-registered')
  expect(remember(history, 's', irrelevant, 2, 2)).toBe(history)
  history = remember(history, 's', failed, 5, 2)
  expect(history).toMatchObject([{ endTime: new Date(5), metrics: { duration: 30 } }])
  // One that has ended is changed no more.
  expect(remember(history, 's', failed, 9, 2)).toBe(history)
  for (const atMs of [10, 20]) history = remember(history, 's', started, atMs, 2)
  expect(history.map(({ startTime }) => startTime.getTime())).toEqual([10, 20])
  expect(remember(history, 's', started, 30, 0)).toEqual([])
})

test('a projection holds each history, as a value of its own', () => {
  const entries = fc
    .sample(arbitraryOf(AnyEntry), { seed: 3, numRuns: 3_000 })
    .filter((entry) => factsOf(entry).some(({ _tag }) => _tag === 'attempt-started'))
    .filter(({ to }) => to !== 'unregistered')
  const [one, other] = entries as [JournalEntry, JournalEntry]
  const made = projector(undefined, policy)
  made.fold({ ...one, sessionId: 'a' })
  made.fold({ ...other, sessionId: 'b' })
  const { histories, tally } = made.projection()
  expect(histories.map(([id, history]) => [id, history.length > 0])).toEqual([
    ['a', true],
    ['b', true],
  ])
  expect(histories[0]?.[1]).toEqual(made.history('a'))
  expect(histories[0]?.[1]).not.toBe(made.history('a'))
  expect(tally).toBe(made.tally())
  const silent = entries.length
  expect(silent).toBeGreaterThan(1)
})

test('a session of which nothing was to be remembered has no history', () => {
  const [quiet] = fc
    .sample(arbitraryOf(AnyEntry), { seed: 3, numRuns: 3_000 })
    .filter((entry) => factsOf(entry).every(({ _tag }) => _tag === 'session-registered'))
    .filter((entry) => factsOf(entry).length > 0 && entry.to !== 'unregistered')
  if (quiet === undefined) throw new Error('no such entry')
  const made = projector(undefined, policy)
  made.fold(quiet)
  expect(made.projection().histories).toEqual([])
})

const [anyEntry] = fc.sample(arbitraryOf(AnyEntry), { seed: 3, numRuns: 1 })

/** An entry that tells of an attempt, which missed with so long a reason. */
const attemptOf = (sessionId: string, attempt: number, reasonLength: number): JournalEntry => {
  if (anyEntry === undefined) throw new Error('no entry')
  const detail = 'x'.repeat(reasonLength)
  const miss = { strategy: 'restart', why: 'failed', detail } as const
  const facts: readonly Fact[] = [
    { _tag: 'attempt-started', incident: 1, attempt },
    { _tag: 'strategy-missed', incident: 1, attempt, miss },
  ]
  const effects = facts.map((fact) => ({ _tag: 'tell' as const, fact }))
  return { ...anyEntry, sessionId, to: 'snapshotting.idle', effects }
}

const third = Math.ceil(historiesLimitBytes / 3)
const storedLength = (projection: Projection): number =>
  JSON.stringify(Projection.encode(projection).histories).length

test('of histories that are too much together the one goes to which longest nothing was added', () => {
  const made = projector(undefined, policy)
  const kept = () => made.projection().histories.map(([id, history]) => [id, history.length])
  made.fold(attemptOf('a', 1, third - 100))
  made.fold(attemptOf('b', 1, third - 100))
  made.fold(attemptOf('a', 2, 0))
  expect(kept()).toEqual([
    ['b', 1],
    ['a', 2],
  ])
  made.fold(attemptOf('c', 1, third))
  expect(kept()).toEqual([
    ['a', 2],
    ['c', 1],
  ])
  expect(made.history('b')).toEqual([])
  expect(storedLength(made.projection())).toBeLessThanOrEqual(historiesLimitBytes)
  // The same is known to whoever goes on from what was stored.
  expect(projector(made.projection(), policy).projection()).toEqual(made.projection())
})

test('of a history that is too much by itself the newest half is kept', () => {
  const made = projector(undefined, { ...policy, historyLimit: 9 })
  for (const attempt of [1, 2, 3, 4]) made.fold(attemptOf('a', attempt, third))
  expect(made.history('a').map(({ attemptNumber }) => attemptNumber)).toEqual([3, 4])
  made.fold(attemptOf('a', 5, 4 * third))
  expect(made.history('a')).toEqual([])
  expect(made.projection().histories.map(([id]) => id)).toEqual(['a'])
})

test('what histories take as they are stored is known well enough', () => {
  const made = projector(undefined, policy)
  const count = 15_000
  for (let i = 0; i < count; i++) made.fold(attemptOf(`\u0000é${i}`, i, i % 7))
  const { histories } = made.projection()
  expect(histories.length).toBeLessThan(count)
  expect(histories.length).toBeGreaterThan(historiesLimitBytes / 1_000)
  const bytes = Buffer.byteLength(JSON.stringify(Projection.encode(made.projection())))
  expect(bytes).toBeLessThanOrEqual(historiesLimitBytes)
  expect(bytes).toBeGreaterThan(historiesLimitBytes / 2)
})

test('what is told of dialogues is of those that are interactive alone', () => {
  const state = { ...emptyInteractiveState, isInteractive: true }
  const states = [
    { ...state, timeoutCount: 3 },
    { ...state, timeoutCount: 2, sessionUnresponsive: true },
    state,
    { ...emptyInteractiveState, timeoutCount: 90, sessionUnresponsive: true },
  ]
  expect(interactiveStatistics(states, emptyTally)).toMatchObject({
    ...{ totalInteractiveSessions: 3, sessionsWithTimeouts: 2, unresponsiveSessions: 1 },
    averageTimeoutCount: 5 / 3,
  })
  expect(interactiveStatistics([], emptyTally).averageTimeoutCount).toBe(0)
})
