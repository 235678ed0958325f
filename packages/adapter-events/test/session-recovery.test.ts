/** The drop-in class: its methods and what they answer, before, while and after it runs. */
import type { Store, StoreError } from '@session-recovery/core'
import { memoryMedium, memoryStore } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { planOf, stage } from './stage.js'

const bash = { command: 'bash', cwd: '/srv', env: { EDITOR: 'vi' } }
const answering = { ...planOf('restart'), acceptClaims: true }
const acknowledge = () => undefined

describe('before start()', () => {
  test('everything works, and start() still means isRunning and started', async () => {
    const { recovery, heard, answer } = stage({}, answering)
    answer('session-restart-request', acknowledge)
    await recovery.registerSession('a', {}, bash)
    await recovery.updateInteractiveState('a', { isInteractive: true })
    expect(await recovery.recoverSession('a')).toBe(true)
    expect(recovery.getRecoveryStatistics()).toMatchObject({ isRunning: false })
    expect(heard()).not.toContain('started')
    await recovery.start()
    expect(heard()).toEqual(['started'])
    expect(recovery.getRecoveryStatistics()).toMatchObject({ isRunning: true, sessionsSaved: 1 })
  })

  test('stop() ends what the first use began, and tells nothing', async () => {
    const { recovery, heard, pendingTimers } = stage({ snapshotInterval: 1_000 })
    await recovery.registerSession('a', {}, bash)
    expect(pendingTimers()).toBe(1)
    heard()
    await recovery.stop()
    expect([heard(), pendingTimers()]).toEqual([[], 0])
  })

  test('starting twice, at once or later, starts once', async () => {
    const { recovery, heard, logged } = stage()
    await Promise.all([recovery.start(), recovery.start()])
    await recovery.start()
    expect(heard()).toEqual(['started'])
    expect(logged.filter(({ level }) => level === 'warn')).toHaveLength(2)
  })

  test('nothing need be awaited: calls on a session take effect in their order', async () => {
    const { recovery, heard, answer } = stage({}, answering)
    answer('session-restart-request', acknowledge)
    const calls = [
      recovery.registerSession('a', {}, bash),
      recovery.updateSessionSnapshot('a', { workingDirectory: '/tmp' }),
      recovery.recoverSession('a'),
      recovery.unregisterSession('a'),
      recovery.registerSession('a', {}, bash),
    ]
    await Promise.all(calls)
    expect(heard().filter((name) => name.startsWith('session-'))).toEqual([
      'session-registered',
      'session-restart-request',
      'session-unregistered',
      'session-registered',
    ])
  })
})

describe('after stop()', () => {
  test('no timer waits, and late calls are refused, typed', async () => {
    const { recovery, pendingTimers } = stage({ snapshotInterval: 1_000 })
    await recovery.start()
    await recovery.registerSession('a', {}, bash)
    await recovery.stop()
    const late = [
      recovery.registerSession('b', {}, bash),
      recovery.updateSessionSnapshot('a', { workingDirectory: '/tmp' }),
      recovery.updateInteractiveState('a', { timeoutCount: 1 }),
      recovery.unregisterSession('a'),
    ]
    for (const call of late) await expect(call).rejects.toMatchObject({ _tag: 'NotRunning' })
    expect(await recovery.recoverSession('a')).toBe(false)
    expect(pendingTimers()).toBe(0)
  })

  test('what was counted stays readable', async () => {
    const { recovery, answer } = stage({}, answering)
    answer('session-restart-request', acknowledge)
    await recovery.start()
    await recovery.registerSession('a', {}, bash)
    await recovery.recoverSession('a')
    await recovery.stop()
    expect(recovery.getRecoveryStatistics()).toMatchObject({
      successfulRecoveries: 1,
      activeRecoveries: 0,
      isRunning: false,
    })
    expect(recovery.getSessionRecoveryHistory('a')).toHaveLength(1)
  })

  test('start() goes on where it was', async () => {
    const { recovery, answer, time, heard } = stage({}, answering)
    await recovery.start()
    await recovery.registerSession('a', {}, bash)
    recovery.once('session-restart-request', () => {
      throw new Error('not yet')
    })
    answer('session-restart-request', acknowledge)
    await recovery.recoverSession('a')
    await recovery.stop()
    heard()
    await time.advance(10_000)
    expect(heard()).toEqual([])
    await recovery.start()
    await time.advance(10_000)
    expect(heard()).toContain('recovery-success')
    expect(recovery.getSessionRecoveryHistory('a')).toHaveLength(2)
  })

  test('destroy() forgets listeners and what is in memory', async () => {
    const { recovery } = stage()
    await recovery.start()
    await recovery.registerSession('a', {}, bash)
    await recovery.destroy()
    expect([recovery.eventNames(), recovery.getAllSnapshots()]).toEqual([[], {}])
  })
})

describe('a store that fails', () => {
  const full: StoreError = { _tag: 'StoreUnavailable', operation: 'write', message: 'no space' }
  const refuse = async () => E.left(full)

  test('that cannot be opened: start() rejects, typed, and may be tried again', async () => {
    const whole = memoryStore()
    let opens = 0
    const open: Store['open'] = async () => {
      opens += 1
      return opens === 1 ? E.left(full) : whole.open()
    }
    const { recovery, heard } = stage({}, { store: { ...whole, open } })
    await expect(recovery.start()).rejects.toMatchObject({ _tag: 'StoreFailed', cause: full })
    expect([recovery.getRecoveryStatistics().isRunning, heard()]).toEqual([false, []])
    await recovery.start()
    expect(heard()).toEqual(['started'])
  })

  test('that refuses: the call rejects, typed', async () => {
    const store: Store = { ...memoryStore(), commit: () => refuse }
    const { recovery } = stage({}, { store, onStoreFailure: 'halt' })
    const registered = recovery.registerSession('a', {}, bash)
    await expect(registered).rejects.toMatchObject({ _tag: 'StoreFailed', message: 'no space' })
    expect(recovery.getAllSnapshots()).toEqual({})
  })

  test('stopped while it is still being opened: it is closed again', async () => {
    const whole = memoryStore()
    let isOpen = false
    const { recovery, time, pendingTimers } = stage(
      {},
      {
        store: {
          ...whole,
          open: async () => {
            await time.advance(0)
            isOpen = true
            return whole.open()
          },
          close: async () => {
            isOpen = false
          },
        },
      },
    )
    await Promise.all([recovery.start(), recovery.stop()])
    expect([isOpen, pendingTimers()]).toEqual([false, 0])
    expect(recovery.getRecoveryStatistics().isRunning).toBe(false)
  })

  test('that never takes what a start must write: stop() ends all the same', async () => {
    const medium = memoryMedium()
    const first = stage({}, { store: memoryStore(medium) })
    await first.recovery.registerSession('a', {}, bash)
    await first.recovery.stop()
    const store: Store = { ...memoryStore(medium), commit: () => refuse }
    const { recovery, pendingTimers, time } = stage({}, { store, onStoreFailure: 'halt' })
    const starting = recovery.start()
    await time.advance(5_000)
    await recovery.stop()
    await starting
    expect(pendingTimers()).toBe(0)
    expect(recovery.getRecoveryStatistics().isRunning).toBe(false)
  })
})

describe('what the methods answer', () => {
  test('getRecoveryStatistics: the seed’s keys, as values', async () => {
    const { recovery, answer, time } = stage({ maxRecoveryAttempts: 2 }, answering)
    recovery.once('session-restart-request', async () => {
      await new Promise<void>((resolve) => void setImmediate(resolve))
      throw new Error('not yet')
    })
    answer('session-restart-request', acknowledge)
    await recovery.start()
    await recovery.registerSession('a', {}, bash)
    const empty = recovery.getRecoveryStatistics()
    expect(empty).toMatchObject({ averageRecoveryTime: 0, successRate: 0, lastRecovery: null })
    await recovery.recoverSession('a')
    await time.advance(1_000)
    const statistics = recovery.getRecoveryStatistics()
    expect(Object.keys(statistics).sort()).toEqual([
      'activeRecoveries',
      'averageRecoveryTime',
      'bytesRestored',
      'config',
      'failedRecoveries',
      'isRunning',
      'lastRecovery',
      'registeredSessions',
      'sessionsRestored',
      'sessionsSaved',
      'strategiesUsed',
      'successRate',
      'successfulRecoveries',
      'totalRecoveryAttempts',
    ])
    expect(statistics).toMatchObject({
      totalRecoveryAttempts: 2,
      successfulRecoveries: 1,
      failedRecoveries: 1,
      successRate: 50,
      sessionsSaved: 1,
      sessionsRestored: 1,
      registeredSessions: 1,
      strategiesUsed: { restart: 2 },
      lastRecovery: expect.any(Date),
    })
    statistics.lastRecovery?.setTime(0)
    statistics.config.maxRecoveryAttempts = 99
    expect(recovery.getRecoveryStatistics().lastRecovery).not.toEqual(new Date(0))
    expect(recovery.getRecoveryStatistics().config.maxRecoveryAttempts).toBe(2)
  })

  test('getSessionRecoveryHistory: the seed’s attempts, as values', async () => {
    const { recovery, answer } = stage({}, answering)
    answer('session-restart-request', acknowledge)
    await recovery.registerSession('a', {}, bash)
    expect(recovery.getSessionRecoveryHistory('a')).toEqual([])
    await recovery.recoverSession('a')
    const [attempt] = recovery.getSessionRecoveryHistory('a')
    expect(attempt).toEqual({
      sessionId: 'a',
      attemptNumber: 1,
      startTime: expect.any(Date),
      endTime: expect.any(Date),
      success: true,
      strategy: 'restart',
      metrics: { duration: 0, resourcesUsed: 1, dataRestored: expect.any(Number) },
    })
    attempt?.startTime.setTime(0)
    expect(recovery.getSessionRecoveryHistory('a')[0]?.startTime).not.toEqual(new Date(0))
    expect(recovery.getSessionRecoveryHistory('nobody')).toEqual([])
  })

  test('getInteractiveRecoveryStats: only what succeeded is counted as a success', async () => {
    const options = { ...planOf('prompt-interrupt', 'prompt-reset'), acceptClaims: true }
    const { recovery, answer } = stage({}, options)
    answer('session-interrupt-request', () => {
      throw new Error('it ignores ^C')
    })
    answer('session-prompt-reset-request', acknowledge)
    await recovery.registerSession('a', {}, bash)
    await recovery.registerSession('b', {}, bash)
    await recovery.updateInteractiveState('a', { isInteractive: true, timeoutCount: 2 })
    await recovery.updateInteractiveState('b', { isInteractive: true, sessionUnresponsive: true })
    expect(await recovery.recoverSession('a', 'prompt timeout')).toBe(true)
    expect(recovery.getInteractiveRecoveryStats()).toEqual({
      totalInteractiveSessions: 2,
      sessionsWithTimeouts: 1,
      unresponsiveSessions: 1,
      averageTimeoutCount: 1,
      successfulPromptInterrupts: 0,
      successfulPromptResets: 1,
    })
  })

  test('shouldTriggerInteractiveRecovery: the seed’s advice', async () => {
    const { recovery, time } = stage()
    const asked = () => recovery.shouldTriggerInteractiveRecovery('a')
    expect(asked()).toEqual({ shouldTrigger: false, urgency: 'low' })
    await recovery.registerSession('a', {}, bash)
    // Not awaited: what was told counts at once, as in the seed.
    void recovery.updateInteractiveState('a', { timeoutCount: 3 })
    expect(asked()).toEqual({
      shouldTrigger: true,
      reason: 'Multiple consecutive timeouts detected',
      urgency: 'high',
    })
    await recovery.updateInteractiveState('a', { timeoutCount: 0, sessionUnresponsive: true })
    await time.advance(30_000)
    expect(asked().shouldTrigger).toBe(false)
    await time.advance(1)
    expect(asked()).toMatchObject({ reason: 'Session unresponsive for extended period' })
  })

  test('attempts wait for their backoff', async () => {
    const config = { recoveryDelay: 1_000, backoffMultiplier: 3, maxBackoffDelay: 2_000 }
    const { recovery, answer, time, told } = stage(config, planOf('restart'))
    answer('session-restart-request', () => {
      throw new Error('no')
    })
    await recovery.registerSession('a', {}, bash)
    await recovery.recoverSession('a', 'gone')
    const attempts = () => told.filter(({ event }) => event === 'recovery-started').length
    const seenAt: number[][] = []
    for (const ms of [999, 1, 1_999, 1]) {
      await time.advance(ms)
      seenAt.push([time.nowMs, attempts()])
    }
    expect(seenAt).toEqual([
      [999, 1],
      [1_000, 2],
      [2_999, 2],
      [3_000, 3],
    ])
    expect(told.at(-1)?.event).toBe('recovery-fallback')
  })
})
