/**
 * Where the seed is wrong, and what is right: a row of the design for each test, in memory and on fake time.
 * Each was seen to fail on the seed itself (`SEED_CLASS`).
 */
import { createEngine, memoryStore } from '@session-recovery/engine'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { eventDriver, SessionRecovery } from '../src/index.js'
import { failing, heard, subject } from './seed-subject.js'
import { planOf } from './stage.js'

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  })
})
afterEach(() => {
  vi.useRealTimers()
})

const bash = { command: 'bash', cwd: '/srv', env: { LANG: 'C' } }
const alive = () => ({ alive: true, detail: 'looked', restoredBytes: 7 })

/** Recovers a session while time goes on. */
const recovered = async (recovery: ReturnType<typeof subject>, reason: string) => {
  const answer = recovery.recoverSession('a', reason)
  await vi.advanceTimersByTimeAsync(1)
  return answer
}

describe('strategies', () => {
  test('without a listener one has failed', async () => {
    const recovery = subject()
    await recovery.registerSession('a', {}, bash)
    expect(await recovered(recovery, 'network down')).toBe(false)
  })

  test('the last resort is no success', async () => {
    const recovery = subject({ maxRecoveryAttempts: 1 })
    const all = heard(recovery, 'recovery-success', 'recovery-fallback')
    await recovery.registerSession('a', {}, bash)
    expect(await recovered(recovery, 'network down')).toBe(false)
    expect(all.map(({ event }) => event)).toEqual(['recovery-fallback'])
  })

  test('nothing to retry is no success, and a policy reaches command-retry', async () => {
    const recovery = subject({}, planOf('command-retry'))
    const asked = heard(recovery, 'session-command-retry-request')
    recovery.on('session-verify-request', alive)
    await recovery.registerSession('a', {}, bash)
    expect(await recovered(recovery, 'gone')).toBe(false)
    const other = subject({}, planOf('command-retry'))
    const askedToo = heard(other, 'session-command-retry-request')
    other.on('session-verify-request', alive)
    await other.registerSession('a', {}, bash)
    await other.updateInteractiveState('a', { pendingCommands: ['make'] })
    expect(await recovered(other, 'gone')).toBe(true)
    expect([asked.length, askedToo.length]).toEqual([0, 1])
  })

  test.each([
    'Session unresponsive for extended period',
    'Multiple consecutive timeouts detected',
    'Interactive prompt appears stuck',
    'Pending commands not processing',
  ])('a trigger leads to the prompt strategies: %s', async (reason) => {
    const recovery = subject()
    const all = heard(recovery, 'recovery-started')
    await recovery.registerSession('a', {}, bash)
    await recovered(recovery, reason)
    expect(all[0]?.payload.plan).toMatchObject({
      strategies: ['prompt-interrupt', 'prompt-reset', 'session-refresh', 'restart', 'fallback'],
    })
  })

  test('the time an attempt may take is bounded', async () => {
    const recovery = subject({ recoveryTimeout: 50 })
    let isAsked = false
    for (const event of ['session-restart-request', 'session-restore-request'] as const) {
      recovery.on(event, () => {
        isAsked = true
        return new Promise<never>(() => {})
      })
    }
    await recovery.registerSession('a', {}, bash)
    const answer = recovery.recoverSession('a', 'network down')
    await vi.advanceTimersByTimeAsync(200)
    expect(isAsked).toBe(true)
    expect(await answer).toBe(false)
  })
})

describe('sessions', () => {
  test('what is unknown of a remote one stays unknown, and `environment` is read', async () => {
    const recovery = subject()
    const options = { environment: { EDITOR: 'vi' }, sshOptions: { host: 'h' } }
    await recovery.registerSession('a', {}, options)
    expect(recovery.getAllSnapshots().a).toMatchObject({
      workingDirectory: '',
      environment: { EDITOR: 'vi' },
    })
  })

  test('an id registered again inherits no exhaustion', async () => {
    const recovery = failing(subject({ maxRecoveryAttempts: 1 }))
    const all = heard(recovery, 'recovery-started', 'recovery-max-attempts')
    for (let life = 0; life < 2; life++) {
      await recovery.registerSession('a', {}, bash)
      await recovered(recovery, 'gone')
    }
    expect(all.map(({ event }) => event)).toEqual(['recovery-started', 'recovery-started'])
  })

  test('one registered twice and unregistered is asked for nothing more', async () => {
    const recovery = subject({ snapshotInterval: 1_000 })
    await recovery.start()
    await recovery.registerSession('a', {}, bash)
    await recovery.registerSession('a', {}, bash)
    await recovery.unregisterSession('a')
    const asked = heard(recovery, 'snapshot-request')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked).toEqual([])
  })

  test('no update overwrites the id, and `undefined` overwrites nothing', async () => {
    const recovery = subject()
    await recovery.registerSession('a', {}, bash)
    const hostile = { sessionId: 'b', workingDirectory: undefined, environment: undefined }
    await recovery.updateSessionSnapshot('a', hostile as never).catch(() => undefined)
    await recovery.updateSessionSnapshot('a', { workingDirectory: undefined } as never)
    expect(recovery.getAllSnapshots().a).toMatchObject({
      sessionId: 'a',
      workingDirectory: '/srv',
      environment: { LANG: 'C' },
    })
  })

  test('what is kept of output and history is bounded, and what was dropped is counted', async () => {
    const recovery = subject()
    await recovery.registerSession('a', {}, bash)
    await recovery.updateSessionSnapshot('a', {
      outputBuffer: ['x'.repeat(2_000_000)],
      commandHistory: Array.from({ length: 50_000 }, (_, i) => `echo ${i}`),
    })
    const kept = recovery.getAllSnapshots().a
    expect(kept?.outputBuffer.join('').length).toBe(262_144)
    expect(kept?.commandHistory.length).toBe(1_000)
    expect(kept).toMatchObject({
      droppedOutputBytes: 2_000_000 - 262_144,
      droppedHistoryLines: 49_000,
    })
  })

  test('snapshots and statistics are values', async () => {
    const recovery = subject()
    await recovery.registerSession('a', { list: [1] }, bash)
    const shown = recovery.getAllSnapshots().a
    Object.assign(shown?.environment ?? {}, { LANG: 'changed' })
    Object.assign(recovery.getRecoveryStatistics().config, { maxRecoveryAttempts: 99 })
    expect(recovery.getAllSnapshots().a?.environment.LANG).toBe('C')
    expect(recovery.getRecoveryStatistics().config.maxRecoveryAttempts).toBe(3)
  })

  test('no secret is in an event', async () => {
    const recovery = subject()
    const all = heard(recovery, 'session-registered', 'snapshot-updated')
    const env = { DB_PASSWORD: 'correct-horse' }
    await recovery.registerSession('a', {}, { env, sshOptions: { password: 'battery-staple' } })
    await recovery.updateSessionSnapshot('a', { commandHistory: ['echo correct-horse'] })
    expect(all.length).toBe(2)
    expect(JSON.stringify(all)).not.toMatch(/correct-horse|battery-staple/)
  })
})

describe('time', () => {
  test('no retry after stop()', async () => {
    const recovery = failing(subject())
    const all = heard(recovery, 'recovery-started')
    await recovery.start()
    await recovery.registerSession('a', {}, bash)
    await recovered(recovery, 'gone')
    await recovery.stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(all.length).toBe(1)
  })

  test('a delay of over 24 days does not fire at once', async () => {
    const delayMs = 2 ** 31 + 1_000
    const recovery = failing(subject({ recoveryDelay: delayMs, maxBackoffDelay: delayMs }))
    const all = heard(recovery, 'recovery-started')
    await recovery.registerSession('a', {}, bash)
    await recovered(recovery, 'gone')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(all.length).toBe(1)
  })

  test('0 is 0, and what is no number is refused with its field', () => {
    const zero = { maxRecoveryAttempts: 0, recoveryDelay: 0, snapshotInterval: 0 }
    expect(subject(zero).getRecoveryStatistics().config).toMatchObject(zero)
    expect(() => subject({ recoveryDelay: Number.NaN })).toThrow('recoveryDelay')
  })

  test('an unresponsive session that never succeeded triggers, after its time', async () => {
    const recovery = subject()
    await recovery.registerSession('a', {}, bash)
    await recovery.updateInteractiveState('a', { isInteractive: true, sessionUnresponsive: true })
    expect(recovery.shouldTriggerInteractiveRecovery('a').shouldTrigger).toBe(false)
    await vi.advanceTimersByTimeAsync(31_000)
    expect(recovery.shouldTriggerInteractiveRecovery('a').shouldTrigger).toBe(true)
  })

  test('commands that are pending since now do not trigger at once', async () => {
    const recovery = subject()
    await recovery.registerSession('a', {}, bash)
    await recovery.updateInteractiveState('a', { isInteractive: true, pendingCommands: ['make'] })
    expect(recovery.shouldTriggerInteractiveRecovery('a').shouldTrigger).toBe(false)
  })

  test('thresholds are policy', async () => {
    const recovery = subject({}, { triggers: { timeoutCount: 5 } })
    await recovery.registerSession('a', {}, bash)
    await recovery.updateInteractiveState('a', { isInteractive: true, timeoutCount: 4 })
    expect(recovery.shouldTriggerInteractiveRecovery('a').shouldTrigger).toBe(false)
  })
})

describe('what is told', () => {
  test('what a recovery restored is measured, and the average time is a number', async () => {
    const recovery = subject()
    recovery.on('session-restart-request', () => undefined)
    recovery.on('session-verify-request', alive)
    await recovery.registerSession('a', {}, bash)
    expect(await recovered(recovery, 'network down')).toBe(true)
    const [attempt] = recovery.getSessionRecoveryHistory('a')
    expect(attempt?.metrics).toMatchObject({ dataRestored: 7, resourcesUsed: 1 })
    const { averageRecoveryTime, bytesRestored } = recovery.getRecoveryStatistics()
    expect(Number.isFinite(averageRecoveryTime)).toBe(true)
    expect(bytesRestored).toBe(7)
  })

  test('an interrupt that was only tried is no success', async () => {
    const recovery = failing(subject())
    await recovery.registerSession('a', {}, bash)
    await recovered(recovery, 'prompt timeout')
    expect(recovery.getInteractiveRecoveryStats().successfulPromptInterrupts).toBe(0)
  })

  test('unknown, busy, stopped and recovered are told apart', async () => {
    const engine = createEngine({
      driver: eventDriver(new SessionRecovery()),
      store: memoryStore(),
    })
    expect(await engine.recover('a')).toEqual({ _tag: 'not-running' })
    await engine.start()
    expect(await engine.recover('a')).toEqual({ _tag: 'not-registered' })
    await engine.register('a')
    expect(await engine.reportFailure('a')).toMatchObject({ _tag: 'opened' })
    expect(await engine.recover('a')).toMatchObject({ _tag: 'already-recovering' })
    await engine.destroy()
  })
})
