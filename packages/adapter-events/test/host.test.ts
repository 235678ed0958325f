/** Hosts of every sort: one written like the seed's, and those that do less than it, or more. */
import { describe, expect, test } from 'vitest'
import type { HostEvidence } from '../src/index.js'
import { SeedHost } from './seed-host.js'
import { payloadOf, planOf, stage } from './stage.js'

const bash = { command: 'bash', cwd: '/srv', env: { EDITOR: 'vi' } }
const remote = { command: 'bash', sshOptions: { host: 'far', password: 'open-sesame' } }

describe('a host written like the seed’s', () => {
  test('gets its sessions back, its word taken by an explicit option', async () => {
    const { recovery } = stage({}, { acceptClaims: true })
    const host = new SeedHost(recovery)
    await recovery.start()
    await host.open('a', bash)
    host.kill('a')
    expect(await recovery.recoverSession('a', 'process crashed')).toBe(true)
    expect(host.did).toEqual(['restart a'])
    expect(host.sessions.get('a')).toMatchObject({ alive: true, restarts: 1, cwd: '/srv' })
    expect(host.recovered).toEqual(['a'])
    await recovery.stop()
  })

  test('is given the real credentials of a remote session', async () => {
    const { recovery } = stage({}, { acceptClaims: true })
    const host = new SeedHost(recovery)
    await host.open('far', remote)
    host.kill('far')
    expect(await recovery.recoverSession('far', 'network lost')).toBe(true)
    expect(host.did).toEqual(['reconnect far to far with open-sesame'])
    await recovery.destroy()
  })

  test('is asked for snapshots, and its answers are kept with their dates', async () => {
    const { recovery, time } = stage({ snapshotInterval: 30_000 })
    const host = new SeedHost(recovery)
    await recovery.start()
    await host.open('a', bash)
    const session = host.sessions.get('a')
    if (session !== undefined) session.cwd = '/var'
    await time.advance(30_000)
    const kept = recovery.getAllSnapshots().a
    expect(kept).toMatchObject({ workingDirectory: '/var', environment: { EDITOR: 'vi' } })
    expect(kept?.sessionState.startedAt).toEqual(new Date('2027-01-15T08:00:00Z'))
    await recovery.stop()
  })

  test('does without the option not recover by its word alone', async () => {
    const { recovery, time } = stage({ maxRecoveryAttempts: 2 })
    const host = new SeedHost(recovery)
    await host.open('a', bash)
    expect(await recovery.recoverSession('a', 'process crashed')).toBe(false)
    expect(host.did.map((did) => did.replace(/ as .*/, ''))).toEqual([
      'restart a',
      'restore a in /srv',
      'replicate a',
    ])
    await time.advance(1_000)
    expect(host.did).toHaveLength(6)
    expect([host.recovered, host.lost]).toEqual([[], ['a']])
    await recovery.destroy()
  })
})

test('a host that listens to nothing: unsupported, at once', async () => {
  const seen = stage()
  const { recovery, time } = seen
  await recovery.registerSession('a', {}, bash)
  const beganMs = time.nowMs
  expect(await recovery.recoverSession('a', 'process crashed')).toBe(false)
  expect(time.nowMs).toBe(beganMs)
  const [attempt] = recovery.getSessionRecoveryHistory('a')
  expect(attempt).toMatchObject({ success: false, strategy: 'replicate' })
  expect(attempt?.error).toContain('unsupported: nobody listens to session-replicate-request')
  expect(payloadOf(seen, 'recovery-fallback')).toMatchObject({ sessionId: 'a' })
})

describe('a host that throws', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('no pty left')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no pty left'))],
  ] as const)('%s: failed, with its message', async (_, refuse) => {
    const { recovery, answer } = stage({ maxRecoveryAttempts: 1 }, planOf('restart'))
    answer('session-restart-request', refuse)
    await recovery.registerSession('a', {}, bash)
    expect(await recovery.recoverSession('a')).toBe(false)
    expect(recovery.getSessionRecoveryHistory('a')[0]?.error).toBe('restart: failed: no pty left')
  })

  test('one that throws beside one that does not: failed, and both were asked', async () => {
    const { recovery, answer, heard } = stage({ maxRecoveryAttempts: 1 }, planOf('restart'))
    answer('session-restart-request', () => {
      throw new Error('no')
    })
    answer('session-restart-request', () => 'yes')
    await recovery.registerSession('a', {}, bash)
    expect(await recovery.recoverSession('a')).toBe(false)
    expect(heard().filter((name) => name === 'session-restart-request')).toHaveLength(2)
  })

  test('a listener of tidings that throws stops nothing', async () => {
    const { recovery, answer, logged } = stage({}, { ...planOf('restart'), acceptClaims: true })
    for (const event of ['recovery-started', 'recovery-strategy-attempt'] as const) {
      recovery.prependListener(event, () => {
        throw new Error('dashboard is down')
      })
    }
    answer('session-restart-request', () => undefined)
    await recovery.registerSession('a', {}, bash)
    expect(await recovery.recoverSession('a')).toBe(true)
    expect(logged.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      'a listener of recovery-started threw',
      'a listener of recovery-strategy-attempt threw',
    ])
  })
})

test('a host that never answers: given up at the strategy’s deadline, and the next one runs', async () => {
  const plan = planOf('restart', 'restore')
  const seen = stage({}, { ...plan, strategyTimeoutMs: 5_000, acceptClaims: true })
  const { recovery, answer, time } = seen
  answer('session-restart-request', () => new Promise(() => {}))
  answer('session-restore-request', () => undefined)
  await recovery.registerSession('a', {}, bash)
  const recovered = recovery.recoverSession('a')
  await time.advance(4_999)
  expect(seen.told.some(({ event }) => event === 'session-restore-request')).toBe(false)
  await time.advance(1)
  expect(await recovered).toBe(true)
  expect(recovery.getSessionRecoveryHistory('a')[0]).toMatchObject({ strategy: 'restore' })
})

describe('a host that verifies', () => {
  const cases: readonly [string, () => unknown, boolean][] = [
    ['alive', () => ({ alive: true }) satisfies HostEvidence, true],
    ['alive, by a promise', () => Promise.resolve({ alive: true }), true],
    ['not alive', () => ({ alive: false, detail: 'no answer' }) satisfies HostEvidence, false],
    ['nonsense', () => 'yes', false],
    ['a field of the wrong type', () => ({ alive: 'yes' }), false],
    ['an item of the wrong form', () => ({ alive: true, items: { cwd: 'back' } }), false],
    ['a promise that rejects', () => Promise.reject(new Error('cannot look')), false],
  ]
  test.each(cases)('%s', async (_, evidence, isRecovered) => {
    const { recovery, answer } = stage({ maxRecoveryAttempts: 1 }, planOf('restart'))
    answer('session-restart-request', () => undefined)
    answer('session-verify-request', evidence)
    await recovery.registerSession('a', {}, bash)
    expect(await recovery.recoverSession('a')).toBe(isRecovered)
  })

  test('its evidence is in the receipt: observed, by the host, item by item', async () => {
    const seen = stage({ maxRecoveryAttempts: 1 }, planOf('restart'))
    const { recovery, answer } = seen
    answer('session-restart-request', () => undefined)
    const cwd = { status: 'restored', detail: '/srv' } as const
    const evidence: HostEvidence = { alive: true, detail: 'it echoed', items: { cwd } }
    answer('session-verify-request', () => evidence)
    await recovery.registerSession('a', {}, bash)
    await recovery.recoverSession('a')
    expect(payloadOf(seen, 'session-verify-request')).toEqual({
      sessionId: 'a',
      strategy: 'restart',
      token: expect.stringMatching(/^[0-9a-f-]{36}-verify-1-2$/),
      restoreState: { workingDirectory: '/srv', environment: { EDITOR: 'vi' } },
    })
    const { receipt } = payloadOf(seen, 'recovery-success') as { receipt: never }
    expect(receipt).toMatchObject({
      grade: 'observed',
      items: { process: { status: 'restored' }, cwd, jobs: { status: 'unknown' } },
      evidence: [{ source: 'host', grade: 'observed', trusted: true, detail: 'it echoed' }],
    })
    expect(recovery.getRecoveryStatistics().bytesRestored).toBeGreaterThan(0)
  })

  test.each([
    [[true, false], false],
    [[false, true], false],
    [[undefined, true], true],
    [[true, undefined], true],
  ])(
    'several: all must say so, and one that only watches does not count: %j',
    async (said, isRecovered) => {
      const { recovery, answer } = stage({ maxRecoveryAttempts: 1 }, planOf('restart'))
      answer('session-restart-request', () => undefined)
      for (const alive of said) {
        answer('session-verify-request', () => (alive === undefined ? undefined : { alive }))
      }
      await recovery.registerSession('a', {}, bash)
      expect(await recovery.recoverSession('a')).toBe(isRecovered)
    },
  )

  test('its evidence counts, whatever was claimed', async () => {
    const options = { ...planOf('restart'), acceptClaims: true }
    const { recovery, answer } = stage({ maxRecoveryAttempts: 1 }, options)
    answer('session-restart-request', () => undefined)
    answer('session-verify-request', () => ({ alive: false }))
    await recovery.registerSession('a', {}, bash)
    expect(await recovery.recoverSession('a')).toBe(false)
  })
})

describe('claims', () => {
  test.each([true, false])('acceptClaims %s', async (acceptClaims) => {
    const seen = stage({ maxRecoveryAttempts: 1 }, { ...planOf('restart'), acceptClaims })
    const { recovery, answer } = seen
    answer('session-restart-request', () => undefined)
    await recovery.registerSession('a', {}, bash)
    expect(await recovery.recoverSession('a')).toBe(acceptClaims)
    if (acceptClaims) {
      expect(payloadOf(seen, 'recovery-success')).toMatchObject({
        receipt: {
          grade: 'claimed',
          items: { process: { status: 'unknown' } },
          evidence: [{ source: 'host', grade: 'claimed', trusted: false }],
        },
      })
    } else {
      expect(recovery.getSessionRecoveryHistory('a')[0]?.error).toBe(
        'restart: unproved: the proof of life is only claimed',
      )
    }
  })

  test('nothing acknowledged, nothing claimed', async () => {
    const { recovery } = stage({}, { acceptClaims: true })
    await recovery.registerSession('a', {}, bash)
    expect(await recovery.recoverSession('a', 'timeout at prompt')).toBe(false)
  })
})
