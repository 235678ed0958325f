/**
 * Reactions and guards by themselves: what is asked of a session in a state it cannot be in is refused at
 * once, and bounds are shared out among the strategies that may be used.
 */
import {
  type Control,
  guards,
  type Incident,
  type RecoveryStrategy,
  reactions,
  receiptOf,
  register,
  type SessionEvent,
  type Traits,
  type Verdict,
} from '@session-recovery/core'
import { describe, expect, test } from 'vitest'
import { policyOf } from './scripted-world.js'

const policy = policyOf({ recoveryTimeout: 9_000, strategyTimeoutMs: 0, captureTimeoutMs: 0 })
const traits: Traits = {
  kind: 'local',
  attended: false,
  shell: true,
  rerunnable: false,
  failureExitCodes: [],
  idempotentCommands: [],
}
const registered = { type: 'registered', atMs: 1_000, traits } as const
const control = register('s', 1, registered, policy)[0].control
const failed: SessionEvent = {
  type: 'failed',
  atMs: 2_000,
  failure: { kind: 'other', reason: '', interactivity: 'none', permanent: false, evidence: [] },
  view: { generation: 1, capturedAtMs: 0 },
}
const due: SessionEvent = { type: 'due', atMs: 3_000 }
const react = reactions(policy)
const [opened] = react.openIncident(control, failed)
const incident = opened.incident as Incident

const within = (
  strategies: readonly RecoveryStrategy[],
  more: Partial<Incident> = {},
  change: Partial<Control> = {},
): Control => ({
  ...opened,
  incident: { ...incident, plan: { ...incident.plan, strategies: [...strategies] }, ...more },
  ...change,
})
const incidentOf = (of: Control): Incident => of.incident as Incident

describe('what cannot be is refused', () => {
  test('a reaction of an incident where there is none', () => {
    for (const name of ['beginAttempt', 'noteMissed', 'nextStrategy', 'repeatRun'] as const)
      expect(() => react[name](control, due)).toThrow('s has no open incident')
  })

  test('an attempt that has nothing to try', () => {
    expect(() => react.beginAttempt(within(['fallback']), due)).toThrow()
    expect(() => react.beginAttempt(within([]), due)).toThrow()
    expect(() => react.nextStrategy(within(['restart', 'fallback']), due)).toThrow()
  })

  test('a success without a proof of life', () => {
    const verified = (verdict: Verdict): SessionEvent => ({
      type: 'verified',
      atMs: 1,
      token: '',
      verdict,
    })
    const unproved = verified({ _tag: 'unproved', detail: '', evidence: [] })
    expect(() => react.closeRecovered(opened, unproved)).toThrow()
    const alive = verified({ _tag: 'alive', receipt: receiptOf('observed', {}) })
    expect(react.closeRecovered(opened, alive)[0].incident).toBeUndefined()
  })

  test('an event that the reaction is not for', () => {
    for (const name of ['openIncident', 'beginVerification', 'doubtRun', 'closeCancelled'] as const)
      expect(() => react[name](opened, due)).toThrow(/asked to react to due/)
  })
})

describe('the time of an attempt', () => {
  const begun = (of: Control) => incidentOf(react.beginAttempt(of, { type: 'due', atMs: 0 })[0])

  test('is shared out among the strategies that are left, the last resort not counted', () => {
    const all = within(['session-refresh', 'restore', 'restart', 'fallback'])
    expect(begun(all).dueAtMs).toBe(3_000)
    const missed = react.nextStrategy(
      { ...all, incident: begun(all) },
      { type: 'due', atMs: 3_000 },
    )
    expect(incidentOf(missed[0]).dueAtMs).toBe(6_000)
  })

  test('and of those only that may be used', () => {
    const attended = { traits: { ...traits, attended: true } }
    const all: RecoveryStrategy[] = [
      'prompt-reset',
      'restore',
      'session-refresh',
      'restart',
      'fallback',
    ]
    expect(begun(within(all)).dueAtMs).toBe(9_000 / 4)
    const used = begun(within(all, {}, attended))
    expect(used.dueAtMs).toBe(9_000 / 2)
    const why = 'not-applicable'
    expect(used.misses).toMatchObject([{ strategy: 'prompt-reset', why }])
    const refused = begun(within(all, { credentialRefused: true }))
    expect(refused.dueAtMs).toBe(9_000 / 2)
    expect(refused.misses).toEqual([])
  })

  test('begins anew with each attempt', () => {
    const again = begun(within(['restart', 'fallback'], { attemptDeadlineMs: 1, dueAtMs: 1 }))
    expect(again).toMatchObject({ attemptDeadlineMs: 9_000, dueAtMs: 9_000 })
  })

  test('is followed by a wait that differs from session to session', () => {
    const jittered = reactions(policyOf({ jitter: 1, recoveryDelay: 10_000 }))
    const waits = (sessionId: string) =>
      incidentOf(jittered.beginBackoff({ ...opened, sessionId, used: 1 }, due)[0]).dueAtMs
    const untils = ['a', 'b', 'c', 'd'].map(waits)
    expect(new Set(untils).size).toBe(4)
    expect(waits('a')).toBe(untils[0])
  })

  test('has no end where none is set', () => {
    const endless = reactions(policyOf({ recoveryTimeout: 0, strategyTimeoutMs: 0 }))
    const [started] = endless.beginAttempt(within(['restart', 'fallback']), due)
    expect(Object.hasOwn(incidentOf(started), 'dueAtMs')).toBe(false)
    expect(guards(policy).isNotDue(started, due)).toBe(true)
    expect(Object.hasOwn(incidentOf(started), 'attemptDeadlineMs')).toBe(false)
    const [, effects] = endless.repeatRun(started, due)
    const runs = effects.filter(({ _tag }) => _tag === 'run')
    expect(runs.map((run) => Object.hasOwn(run, 'deadlineMs'))).toEqual([false])
    const [archiving] = endless.beginLastResort(started, due)
    expect(Object.hasOwn(incidentOf(archiving), 'dueAtMs')).toBe(false)
  })
})

test('an incident that is opened awaits nothing yet, whatever was open before', () => {
  const before = { ...control, lastEnd: { incident: 7, attempts: 3 } }
  const [first] = react.openIncident(before, failed)
  const nothing = { token: '', runToken: '', misses: [], inDoubt: false }
  expect(incidentOf(first)).toMatchObject({ number: 1, ...nothing })
  expect(Object.hasOwn(first, 'lastEnd')).toBe(false)
  expect(incidentOf(react.openIncident(opened, failed)[0]).number).toBe(2)
})

test('a capture that is given no time is not due for its end', () => {
  expect(control.captureAtMs).toBeDefined()
  const [capturing] = react.beginCapture(control, { type: 'captureDue', atMs: 5_000 })
  expect(Object.hasOwn(capturing, 'captureAtMs')).toBe(false)
})

test('an end without an exit code is told without one', () => {
  const told = react.closeEnded(control, { type: 'ended', atMs: 1_500 })[1]
  const facts = told.flatMap((effect) => (effect._tag === 'tell' ? [effect.fact] : []))
  expect(facts).toStrictEqual([{ _tag: 'session-ended' }])
})

test('the last resort after a crash of the app is told as a repetition', () => {
  const [archiving] = react.beginLastResort(opened, due)
  const [, effects] = react.repeatLastResort(archiving, {
    type: 'resumed',
    atMs: 4_000,
    lastSeenMs: 1,
  })
  const facts = effects.flatMap((effect) => (effect._tag === 'tell' ? [effect.fact] : []))
  expect(facts).toMatchObject([
    { _tag: 'session-resumed' },
    { _tag: 'strategy-started', strategy: 'fallback', repeated: true },
  ])
})

test('an archive that does not end in time is called off, one that answers is not', () => {
  const [archiving] = react.beginLastResort(opened, due)
  const { token } = incidentOf(archiving)
  const abort = { _tag: 'abort', token }
  expect(react.closeExhausted(archiving, due)[1]).toContainEqual(abort)
  const outcome = { _tag: 'not-archived', detail: 'full' } as const
  const answered = { type: 'archived', atMs: 3_000, token, outcome } as const
  const [closed, effects] = react.closeExhausted(archiving, answered)
  expect(effects).not.toContainEqual(abort)
  expect(closed.lastEnd).toMatchObject({ archiveError: 'full' })
})

test('a registration that replaces nothing says nothing of it', () => {
  const [{ control: alone }] = register('s', 1, registered, policy)
  expect(Object.hasOwn(alone, 'replaces')).toBe(false)
  const replaces = { sessionId: 'before', incarnation: 3 }
  expect(register('s', 1, { ...registered, replaces }, policy)[0].control.replaces).toEqual(
    replaces,
  )
})
