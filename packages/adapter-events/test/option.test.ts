/** What the drop-in class is made with: the seed's defaults, 0 that is 0, refusals that name the field. */
import { memoryStore } from '@session-recovery/engine'
import { describe, expect, test } from 'vitest'
import { SessionRecovery, SessionRecoveryError } from '../src/index.js'
import { payloadOf, planOf, stage } from './stage.js'

const bash = { command: 'bash', cwd: '/srv', env: { EDITOR: 'vi' } }
const answering = { ...planOf('restart'), acceptClaims: true }
const acknowledge = () => undefined

const thrownBy = (make: () => unknown): unknown => {
  try {
    make()
  } catch (thrown) {
    return thrown
  }
  throw new Error('nothing was thrown')
}

describe('the constructor', () => {
  test('needs nothing: the seed’s defaults', () => {
    const { config } = new SessionRecovery().getRecoveryStatistics()
    expect(config).toEqual({
      enabled: true,
      maxRecoveryAttempts: 3,
      recoveryDelay: 5_000,
      backoffMultiplier: 2,
      maxBackoffDelay: 60_000,
      persistenceEnabled: true,
      persistencePath: './data/session-snapshots',
      enableSmartRecovery: true,
      enablePersistentSession: true,
      snapshotInterval: 30_000,
      recoveryTimeout: 120_000,
      enableRecoveryMetrics: true,
    })
  })

  test('takes 0 for 0', () => {
    const zero = {
      maxRecoveryAttempts: 0,
      recoveryDelay: 0,
      maxBackoffDelay: 0,
      snapshotInterval: 0,
      recoveryTimeout: 0,
    }
    expect(new SessionRecovery(zero).getRecoveryStatistics().config).toMatchObject(zero)
  })

  test.each([
    [{ maxRecoveryAttempts: -1 }, {}, 'maxRecoveryAttempts'],
    [null as never, {}, 'config'],
    [{}, null as never, 'options'],
    [{}, { logger: 1 as never }, 'logger'],
    [{}, { clock: { wallMs: () => 0 } as never }, 'clock.monotonicMs'],
    [{}, { store: {} as never }, 'store.open'],
    [{}, { secrets: null as never }, 'secrets'],
    [{}, { store: memoryStore(), sealing: { current: 'k', keys: {} } }, 'sealing'],
    [{ recoveryDelay: Number.NaN }, {}, 'recoveryDelay'],
    [{ snapshotInterval: 1 }, {}, 'snapshotInterval'],
    [{ maxBackoffDelay: Number.POSITIVE_INFINITY }, {}, 'maxBackoffDelay'],
    [{ backoffMultiplier: 0 }, {}, 'backoffMultiplier'],
    [{ enabled: 'yes' as never }, {}, 'enabled'],
    [{ maxAttempts: 1 } as never, {}, 'maxAttempts'],
    [{}, { jitter: 2 }, 'jitter'],
    [{}, { planRules: [] }, 'planRules'],
  ])('throws a typed error that names the field: %j %j', (config, options, field) => {
    const thrown = thrownBy(() => new SessionRecovery(config, options))
    expect(thrown).toBeInstanceOf(SessionRecoveryError)
    expect(thrown).toMatchObject({ _tag: 'InvalidConfig', field })
    expect(String(thrown)).toContain(field)
  })
})

describe('0 in the config', () => {
  test('attempts 0: straight to the last resort', async () => {
    const { recovery, heard } = stage({ maxRecoveryAttempts: 0 })
    await recovery.registerSession('a', {}, bash)
    heard()
    expect(await recovery.recoverSession('a')).toBe(false)
    expect(heard()).toEqual([
      'recovery-max-attempts',
      'recovery-strategy-attempt',
      'recovery-fallback',
    ])
  })

  test('delay 0: the next attempt follows at once', async () => {
    const seen = stage({ recoveryDelay: 0 }, answering)
    seen.recovery.once('session-restart-request', () => {
      throw new Error('not yet')
    })
    seen.answer('session-restart-request', acknowledge)
    await seen.recovery.registerSession('a', {}, bash)
    expect(await seen.recovery.recoverSession('a')).toBe(false)
    await seen.time.advance(0)
    expect(payloadOf(seen, 'recovery-success')).toMatchObject({ attemptNumber: 2 })
  })

  test('interval 0: no snapshot is asked for, and no timer waits', async () => {
    const { recovery, pendingTimers } = stage({ snapshotInterval: 0 })
    await recovery.registerSession('a', {}, bash)
    expect(pendingTimers()).toBe(0)
  })
})
