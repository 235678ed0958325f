/**
 * What an app can look at: values with the numbers that belong in them, never the engine's own objects.
 */
import { emptyInteractiveState } from '@session-recovery/core'
import { describe, expect, test } from 'vitest'
import { answered, started } from './scripted-world.js'

describe('what is looked at', () => {
  const spoil = (value: unknown): void => {
    if (value instanceof Date) value.setTime(0)
    else if (typeof value === 'object' && value !== null) {
      for (const inner of Object.values(value)) spoil(inner)
      for (const key of Object.keys(value)) {
        if (!Array.isArray(value)) Reflect.set(value, key, 'spoilt')
      }
      if (Array.isArray(value)) value.push('spoilt')
    }
  }

  test('is a value: nothing that is done to it touches the engine', async () => {
    const state = { isInteractive: true, pendingCommands: ['make'], timeoutCount: 9 }
    const interactiveState = { ...state, sessionUnresponsive: false, promptType: '$' }
    const made = await started(
      { policy: { storeOutput: true } },
      { sessionState: { a: { b: [1] } } },
    )
    const { engine } = made
    await engine.update('s', { interactiveState, commandHistory: ['ls'], outputBuffer: ['x'] })
    await answered(made, engine.recover('s'))
    const look = async () => ({
      sessions: engine.sessions(),
      status: engine.status('s'),
      stats: engine.stats(),
      history: engine.history('s'),
      advice: engine.advice('s'),
      snapshot: await engine.snapshot('s'),
      snapshots: await engine.snapshots(),
      journal: await engine.journal('s'),
    })
    const before = await look()
    const copy = structuredClone(before)
    spoil(before)
    expect(before).not.toEqual(copy)
    expect(await look()).toEqual(copy)
  })

  test('counts every recovery, with the sums and the interactive sessions', async () => {
    const made = await started({ policy: { maxRecoveryAttempts: 2, recoveryDelay: 1_000 } })
    await answered(made, made.engine.recover('s'))
    expect(made.engine.stats()).toMatchObject({
      totalRecoveryAttempts: 1,
      successfulRecoveries: 1,
      failedRecoveries: 0,
      sessionsSaved: 1,
      sessionsRestored: 1,
      bytesRestored: 7,
      strategiesUsed: { restart: 1 },
      strategiesSucceeded: { restart: 1 },
      successRate: 100,
      activeRecoveries: 0,
      registeredSessions: 1,
      isRunning: true,
    })
    expect(made.engine.history('s')).toMatchObject([
      { attemptNumber: 1, success: true, strategy: 'restart', metrics: { resourcesUsed: 1 } },
    ])
  })

  test('counts those in a dialogue among the sessions of which that is known', async () => {
    const made = await started()
    await answered(made, made.engine.register('t'))
    const interactiveState = { ...emptyInteractiveState, isInteractive: true }
    await answered(made, made.engine.update('s', { interactiveState }))
    expect(made.engine.stats().interactive.totalInteractiveSessions).toBe(1)
  })

  test('counts nothing when metrics are off', async () => {
    const made = await started({ policy: { enableRecoveryMetrics: false } })
    const before = made.engine.stats()
    expect(before.sessionsSaved).toBe(0)
    await answered(made, made.engine.recover('s'))
    expect(made.engine.stats()).toEqual(before)
  })
})
