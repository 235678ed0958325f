/**
 * Incidents: the budget is what it is said to be, what cannot help is not tried, and success takes proof.
 */
import {
  type Failure,
  type PolicyInput,
  type RecoveryStrategy,
  receiptOf,
} from '@session-recovery/core'
import { describe, expect, test } from 'vitest'
import {
  answered,
  dead,
  done,
  factsIn,
  failed,
  never,
  type Script,
  started,
  type World,
  world,
} from './scripted-world.js'

const dayMs = 86_400_000
const quietPolicy = { snapshotInterval: 0 } as const
const hopeless: Partial<Script> = { run: () => failed() }

const misses = (made: World) =>
  factsIn(made.entries(), 'strategy-missed').map(({ miss }) => [miss.strategy, miss.why])

const permanent: Failure = {
  kind: 'other',
  reason: 'it is gone for good',
  interactivity: 'none',
  permanent: true,
  evidence: [],
}

describe('the budget', () => {
  const twoAttempts = (): Partial<Script> => {
    let tries = 0
    // Every other attempt works: an incident takes two.
    return {
      run: ({ strategy }) => (strategy === 'restart' && ++tries % 2 === 0 ? done : failed()),
    }
  }
  const budget = (more: PolicyInput = {}): PolicyInput => ({
    ...quietPolicy,
    maxRecoveryAttempts: 3,
    recoveryDelay: 1_000,
    stableAfterMs: 60_000,
    ...more,
  })
  const recover = (made: World) =>
    answered(made, made.engine.recover('s', 'connection reset'), 5_000)

  test('is carried over to the next incident until the session was stable', async () => {
    const made = await started({ policy: budget(), script: twoAttempts() })
    expect(await recover(made)).toMatchObject({ _tag: 'recovered', attempts: 2 })
    // Well for 4 s since it recovered at 1 s; one attempt is left.
    await made.time.advance(55_999)
    expect(await recover(made)).toMatchObject({ _tag: 'exhausted', attempts: 1 })
  })

  test('is fresh once it was', async () => {
    const made = await started({ policy: budget(), script: twoAttempts() })
    expect(await recover(made)).toMatchObject({ _tag: 'recovered', attempts: 2 })
    await made.time.advance(56_000)
    expect(await recover(made)).toMatchObject({ _tag: 'recovered', attempts: 2 })
  })

  test('is not refilled by a crash, the time the app is down, or a wall clock that jumps', async () => {
    const first = await started({ policy: budget(), script: twoAttempts() })
    await recover(first)
    first.crash()
    await first.time.advance(dayMs)
    first.time.jumpWall(10 * dayMs)
    const second = world({ policy: budget(), script: hopeless, after: first })
    await answered(second, second.engine.start())
    second.time.jumpWall(10 * dayMs)
    await second.time.advance(59_999)
    expect(await recover(second)).toMatchObject({ _tag: 'exhausted', attempts: 1 })
  })

  test('what was seen to be well before a crash counts', async () => {
    const first = await started({ policy: budget(), script: twoAttempts() })
    await recover(first)
    await first.time.advance(36_000)
    await first.engine.update('s', { workingDirectory: '/seen-at-41-s' })
    first.crash()
    await first.time.advance(dayMs)
    const second = world({ policy: budget(), script: hopeless, after: first })
    await answered(second, second.engine.start())
    await second.time.advance(20_000)
    expect(await recover(second)).toMatchObject({ _tag: 'exhausted', attempts: 3 })
  })

  test('is not burnt by a crash in the middle of an attempt', async () => {
    const policy = budget({ recoveryDelay: 0 })
    const first = await started({ policy, script: { run: () => never } })
    await first.engine.reportFailure('s', 'connection reset')
    let before = first
    for (let crash = 0; crash < 5; crash++) {
      before.crash()
      const next = world({
        policy,
        script: { run: () => never, verify: () => dead },
        after: before,
      })
      await answered(next, next.engine.start())
      before = next
    }
    expect(before.engine.status('s')?.record.control).toMatchObject({
      used: 1,
      incident: { number: 1, attempts: 1 },
    })
    const last = world({ policy, script: { ...hopeless, verify: () => dead }, after: before })
    before.crash()
    await answered(last, last.engine.start())
    await last.time.advance(0)
    expect(factsIn(last.entries(), 'incident-exhausted')).toMatchObject([{ attempts: 3 }])
  })

  test('of 0 goes straight to the last resort', async () => {
    const made = await started({ policy: { maxRecoveryAttempts: 0 } })
    const ended = await answered(made, made.engine.recover('s'))
    expect(ended).toMatchObject({ _tag: 'exhausted', attempts: 0, archive: expect.anything() })
    expect(made.asked).toEqual([])
    expect(made.engine.stats()).toMatchObject({ totalRecoveryAttempts: 0, exhausted: 1 })
  })
})

describe('what cannot help is not tried', () => {
  test('a failure that is permanent goes straight to the last resort', async () => {
    const made = await started()
    expect(await answered(made, made.engine.recover('s', permanent))).toMatchObject({
      _tag: 'exhausted',
      attempts: 0,
    })
    expect(made.asked).toEqual([])
  })

  test('nor after a strategy that says that nothing helps', async () => {
    const made = await started({ script: { run: () => failed({ permanent: true }) } })
    const ended = await answered(made, made.engine.recover('s', 'odd'))
    expect(ended).toMatchObject({ _tag: 'exhausted', attempts: 1 })
    expect(made.said()).toEqual(['run restart'])
  })

  test('a credential that was refused is not used again', async () => {
    const made = await started(
      { script: { run: () => failed({ credentialRefused: true }) } },
      { sessionOptions: { sshOptions: { host: 'h' } } },
    )
    const ended = await answered(made, made.engine.recover('s', 'auth failed'))
    expect(ended).toMatchObject({ _tag: 'exhausted', attempts: 1 })
    expect(made.said()).toEqual(['run reconnect'])
  })

  test('what needs it is passed over, what does not is tried', async () => {
    const made = await started({
      policy: {
        maxRecoveryAttempts: 1,
        planRules: [
          {
            name: 'mixed',
            when: {},
            strategies: ['reconnect', 'restart', 'session-refresh', 'fallback'],
            priority: 'low',
            estimatedTimeMs: 0,
          },
        ],
      },
      script: { run: () => failed({ credentialRefused: true }) },
    })
    await answered(made, made.engine.recover('s'))
    expect(made.said()).toEqual(['run reconnect', 'run session-refresh'])
    expect(misses(made)).toEqual([
      ['reconnect', 'failed'],
      ['restart', 'not-applicable'],
      ['session-refresh', 'failed'],
    ])
  })

  test('what nobody handles is unsupported at once, and not tried again', async () => {
    const made = await started({ supports: { strategies: new Set() } })
    const ended = await answered(made, made.engine.recover('s', 'odd'))
    expect(ended).toMatchObject({ _tag: 'exhausted', attempts: 1 })
    expect(made.asked).toEqual([])
    expect(misses(made)).toEqual([
      ['restart', 'unsupported'],
      ['restore', 'unsupported'],
      ['replicate', 'unsupported'],
    ])
  })

  test('an attended session is never typed at', async () => {
    const made = await started(
      { policy: { maxRecoveryAttempts: 1 }, script: hopeless },
      { attended: true },
    )
    await answered(made, made.engine.recover('s', 'prompt timeout'))
    expect(made.said()).toEqual(['run restart'])
    expect(misses(made)).toEqual([
      ['prompt-interrupt', 'not-applicable'],
      ['prompt-reset', 'not-applicable'],
      ['session-refresh', 'not-applicable'],
      ['restart', 'failed'],
    ])
  })
})

describe('success', () => {
  test('takes a proof: a strategy that only says that it worked has missed', async () => {
    const made = await started({
      policy: { maxRecoveryAttempts: 1 },
      script: { verify: () => dead },
    })
    expect(await answered(made, made.engine.recover('s', 'connection reset'))).toMatchObject({
      _tag: 'exhausted',
    })
    expect(misses(made)).toEqual([
      ['restart', 'unproved'],
      ['restore', 'unproved'],
    ])
  })

  test.each([
    [false, 'exhausted'],
    [true, 'recovered'],
  ])('on a claim alone only where claims are accepted: %s', async (acceptClaims, _tag) => {
    const claimed = { _tag: 'alive', receipt: receiptOf('claimed', {}) } as const
    const policy = { maxRecoveryAttempts: 1, acceptClaims }
    const made = await started({ policy, script: { verify: () => claimed } })
    expect(await answered(made, made.engine.recover('s'))).toMatchObject({ _tag })
  })

  test('the last resort archives, and never counts as one', async () => {
    const made = await started({ policy: { maxRecoveryAttempts: 1 }, script: hopeless })
    await made.engine.update('s', { workingDirectory: '/kept' })
    const ended = await answered(made, made.engine.recover('s'))
    const location = ended._tag === 'exhausted' ? (ended.archive ?? '') : ''
    expect(await made.store.readArchive(location)()).toMatchObject({
      right: {
        sessionId: 's',
        incident: 1,
        record: { state: 'recovering.attempting' },
        snapshot: { body: { workingDirectory: '/kept' } },
      },
    })
    expect(made.engine.stats()).toMatchObject({
      successfulRecoveries: 0,
      failedRecoveries: 1,
      exhausted: 1,
      successRate: 0,
      sessionsRestored: 0,
    })
    const used = made.engine.stats().strategiesUsed
    expect(used).toEqual<Partial<Record<RecoveryStrategy, number>>>({
      restart: 1,
      restore: 1,
      fallback: 1,
    })
  })

  test('an archive that hangs ends the incident all the same', async () => {
    const policy = { maxRecoveryAttempts: 0, strategyTimeoutMs: 4_000 }
    const made = await started({ policy })
    made.control.holds = (operation) => operation === 'archive'
    expect(await answered(made, made.engine.recover('s'), 4_000)).toEqual({
      _tag: 'exhausted',
      attempts: 0,
      archiveError: 'archiving did not end in time',
      durable: true,
    })
  })
})
