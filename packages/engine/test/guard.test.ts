/** The guards by themselves: what each asks, also of events and sessions it has nothing to say of. */
import {
  type Control,
  type Grade,
  guards,
  type Incident,
  type RecoveryStrategy,
  reactions,
  receiptOf,
  register,
  type SessionEvent,
  type Traits,
} from '@session-recovery/core'
import { sampleRecord } from '@session-recovery/testkit'
import { describe, expect, test } from 'vitest'
import { policyOf } from './scripted-world.js'

const policy = policyOf({ recoveryTimeout: 9_000, snapshotInterval: 1_000 })
const { traits } = sampleRecord('s', 1).control
const controlOf = (more: Partial<Traits> = {}): Control =>
  register('s', 1, { type: 'registered', atMs: 0, traits: { ...traits, ...more } }, policy)[0]
    .control
const failed: SessionEvent = {
  type: 'failed',
  atMs: 2_000,
  failure: { kind: 'other', reason: '', interactivity: 'none', permanent: false, evidence: [] },
  view: { generation: 1, capturedAtMs: 0 },
}
const due: SessionEvent = { type: 'due', atMs: 3_000 }
const acted = (token: string): SessionEvent => ({
  type: 'acted',
  atMs: 3_000,
  token,
  outcome: { _tag: 'done', detail: 'done' },
})
const verified = (token: string, grade: Grade = 'observed'): SessionEvent => ({
  type: 'verified',
  atMs: 3_000,
  token,
  verdict: { _tag: 'alive', receipt: receiptOf(grade, {}) },
})
const guard = guards(policy)
const [opened] = reactions(policy).openIncident(controlOf(), failed)

const within = (strategies: readonly RecoveryStrategy[], more: Partial<Incident> = {}): Control => {
  const incident = opened.incident as Incident
  const plan = { ...incident.plan, strategies: [...strategies] }
  return { ...opened, incident: { ...incident, token: 'awaited', plan, ...more } }
}

test('only an answer can be stale, and one that nothing waits for is', () => {
  const open = within(['restart', 'fallback'])
  expect(guard.isStale(open, failed)).toBe(false)
  expect(guard.isStale(open, due)).toBe(false)
  for (const answer of [acted, verified]) {
    expect(guard.isStale(open, answer('awaited'))).toBe(false)
    expect(guard.isStale(open, answer('another'))).toBe(true)
    expect(guard.isStale(controlOf(), answer('awaited'))).toBe(true)
  }
})

test('an attempt answers a failure, and waits where domains are shared', () => {
  const shared = controlOf({ domains: ['host:h'] })
  expect(guard.mayAttempt(controlOf(), due)).toBe(false)
  expect(guard.mayAttempt(controlOf(), failed)).toBe(true)
  const { mustWait } = guards(policy)
  expect([mustWait(controlOf(), failed), mustWait(shared, failed)]).toEqual([false, true])
  const idle = { name: 'idle', when: {}, priority: 'low', estimatedTimeMs: 0 } as const
  const hopeless = guards(policyOf({ planRules: [{ ...idle, strategies: ['fallback'] }] }))
  expect(hopeless.mayAttempt(controlOf(), failed)).toBe(false)
  const spent = { ...shared, used: policy.maxRecoveryAttempts }
  expect(guard.mustWait(spent, failed)).toBe(false)
})

test('one that is let go may begin where a strategy is left to it', () => {
  const released = (credentialRefused: boolean): SessionEvent => ({
    type: 'released',
    atMs: 3_000,
    order: 1,
    credentialRefused,
  })
  const open = within(['reconnect', 'fallback'])
  expect(guard.mayBegin(open, released(false))).toBe(true)
  expect(guard.mayBegin(open, released(true))).toBe(false)
  expect(guard.mayBegin(within(['reconnect'], { credentialRefused: true }), released(false))).toBe(
    false,
  )
})

describe('of another event', () => {
  test('nothing is said to be done, proved or in doubt', () => {
    const doubtful = within(['session-refresh', 'fallback'], { inDoubt: true })
    expect(guard.isDone(doubtful, verified('awaited'))).toBe(false)
    expect(guard.isDone(doubtful, acted('awaited'))).toBe(true)
    expect(guard.isProved(doubtful, acted('awaited'))).toBe(false)
    expect(guard.isProved(doubtful, verified('awaited'))).toBe(true)
    expect(guard.mayRepeat(doubtful, acted('awaited'))).toBe(false)
    expect(guard.mayRepeat(doubtful, verified('awaited'))).toBe(true)
  })
})

test('what is no proof proves nothing, whatever is accepted', () => {
  const proved = (acceptClaims: boolean) =>
    (['observed', 'claimed', 'none'] as const).map((grade) =>
      guards(policyOf({ acceptClaims })).isProved(opened, verified('', grade)),
    )
  expect(proved(true)).toEqual([true, true, false])
  expect(proved(false)).toEqual([true, false, false])
})

test('an attempt is over the moment its time is', () => {
  const at = (attemptDeadlineMs: number) =>
    guard.hasNext(within(['reconnect', 'restart', 'fallback'], { attemptDeadlineMs }), due)
  expect([at(3_001), at(3_000)]).toEqual([true, false])
})
