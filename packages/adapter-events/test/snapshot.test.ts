/** What is kept of a session: what a host tells, what it answers when asked, and what it cannot break. */
import { describe, expect, test } from 'vitest'
import type { SnapshotCallback } from '../src/index.js'
import { payloadOf, stage } from './stage.js'

const bash = { command: 'bash', cwd: '/srv', env: { EDITOR: 'vi' } }
const born = new Date('2027-01-01T00:00:00Z')

/** A session `a` that is asked for a snapshot every second, and answers `updates`. */
const asked = async (updates: unknown, config = {}) => {
  const seen = stage({ snapshotInterval: 1_000, ...config }, { captureTimeoutMs: 500 })
  await seen.recovery.registerSession('a', { startedAt: born }, bash)
  seen.answer('snapshot-request', ({ callback }: { callback: (updates: unknown) => void }) =>
    callback(updates),
  )
  await seen.time.advance(1_000)
  return { ...seen, kept: seen.recovery.getAllSnapshots().a }
}

describe('registering', () => {
  test('keeps what was given, and leaves unknown what was not', async () => {
    const { recovery } = stage()
    await recovery.registerSession('a', { startedAt: born }, bash)
    await recovery.registerSession(
      'far',
      {},
      { sshOptions: { host: 'far' }, environment: { A: '1' } },
    )
    const { a, far } = recovery.getAllSnapshots()
    expect(a).toEqual({
      sessionId: 'a',
      timestamp: expect.any(Date),
      sessionState: { startedAt: born },
      sessionOptions: bash,
      environment: { EDITOR: 'vi' },
      workingDirectory: '/srv',
      commandHistory: [],
      outputBuffer: [],
    })
    expect(far).toMatchObject({ workingDirectory: '', environment: { A: '1' } })
  })

  test('an id again: the new one counts, with a fresh budget', async () => {
    const { recovery } = stage({ maxRecoveryAttempts: 1 })
    await recovery.registerSession('a', {}, bash)
    await recovery.recoverSession('a')
    await recovery.registerSession('a', {}, { ...bash, cwd: '/tmp' })
    expect(recovery.getAllSnapshots().a?.workingDirectory).toBe('/tmp')
    expect(recovery.getSessionRecoveryHistory('a')).toEqual([])
    expect(recovery.getRecoveryStatistics()).toMatchObject({
      registeredSessions: 1,
      sessionsSaved: 2,
    })
  })

  test.each([
    ['', {}, bash, 'sessionId'],
    ['a', { counter: 1n }, bash, 'sessionState.counter'],
    ['a', {}, { cwd: '/', deep: { big: 1n } }, 'sessionOptions.deep.big'],
  ])('what cannot be kept is refused, typed: %#', async (id, state, options, field) => {
    const { recovery, heard } = stage()
    const registered = recovery.registerSession(id, state, options)
    await expect(registered).rejects.toMatchObject({ _tag: 'InvalidInput', field })
    expect([recovery.getAllSnapshots(), heard()]).toEqual([{}, []])
  })
})

describe('updating', () => {
  test('changes what is given; undefined clobbers nothing', async () => {
    const { recovery } = stage()
    await recovery.registerSession('a', { startedAt: born }, bash)
    const updates = { workingDirectory: '/tmp', environment: undefined, sessionState: { at: born } }
    await recovery.updateSessionSnapshot('a', updates as never)
    expect(recovery.getAllSnapshots().a).toMatchObject({
      workingDirectory: '/tmp',
      environment: { EDITOR: 'vi' },
      sessionState: { at: born },
    })
    await recovery.updateSessionSnapshot('a', { sessionState: undefined })
    expect(recovery.getAllSnapshots().a?.sessionState).toEqual({ at: born })
    await recovery.updateSessionSnapshot('a', { sessionState: { $date: 'its own name' } })
    expect(recovery.getAllSnapshots().a?.sessionState).toEqual({ $date: 'its own name' })
  })

  test.each([
    [{ workingDirectory: 5 }, 'workingDirectory'],
    [{ sessionId: 'b', workingDirectory: '/tmp' }, 'sessionId'],
    [{ sessionState: { big: 1n } }, 'sessionState.big'],
    [{ environment: { A: 1 } }, 'environment.A'],
    [{ interactiveState: { isInteractive: true } }, 'interactiveState.pendingCommands'],
    ['all of it', ''],
  ])('of the wrong form: refused whole, with the field named: %#', async (updates, field) => {
    const { recovery, heard } = stage()
    await recovery.registerSession('a', {}, bash)
    heard()
    const before = recovery.getAllSnapshots()
    const updated = recovery.updateSessionSnapshot('a', updates as never)
    await expect(updated).rejects.toMatchObject({ _tag: 'InvalidInput', field })
    expect([recovery.getAllSnapshots(), heard()]).toEqual([before, []])
  })

  test('a session nobody registered is ignored', async () => {
    const { recovery, heard } = stage()
    await recovery.updateSessionSnapshot('a', { workingDirectory: '/tmp' })
    await recovery.updateInteractiveState('a', { isInteractive: true })
    expect([recovery.getAllSnapshots(), heard()]).toEqual([{}, []])
  })

  test('the dialogue: piece by piece, and what is undefined clobbers nothing', async () => {
    const seen = stage()
    await seen.recovery.registerSession('a', {}, bash)
    await seen.recovery.updateInteractiveState('a', { isInteractive: true, promptType: '$' })
    await seen.recovery.updateInteractiveState('a', { timeoutCount: 2, promptType: undefined })
    expect(payloadOf(seen, 'interactive-state-updated')).toEqual({
      sessionId: 'a',
      interactiveState: {
        isInteractive: true,
        pendingCommands: [],
        sessionUnresponsive: false,
        timeoutCount: 2,
        promptType: '$',
      },
    })
  })

  test('ages count from the first word of it where no success is known, and anew after one', async () => {
    const { recovery, time } = stage()
    await recovery.registerSession('a', {}, bash)
    const state = () => recovery.getAllSnapshots().a?.interactiveState
    const wallMs = () => Date.UTC(2027, 0, 15) + time.nowMs
    await recovery.updateInteractiveState('a', { pendingCommands: ['make'] })
    await time.advance(10)
    await recovery.updateInteractiveState('a', { pendingCommands: ['make', 'ls'] })
    expect(state()?.pendingSince).toEqual(new Date(wallMs() - 10))
    await recovery.updateInteractiveState('a', { lastSuccessfulCommand: new Date(wallMs()) })
    expect(state()?.pendingSince).toBeUndefined()
    await recovery.updateInteractiveState('a', { sessionUnresponsive: true, pendingCommands: [] })
    expect(state()?.unresponsiveSince).toBeUndefined()
  })
})

describe('what is answered is a value', () => {
  test('getAllSnapshots and what events carry', async () => {
    const seen = stage()
    const state = { startedAt: new Date(born) }
    await seen.recovery.registerSession('a', state, bash)
    state.startedAt.setTime(0)
    for (const snapshot of [
      seen.recovery.getAllSnapshots().a,
      payloadOf(seen, 'session-registered').snapshot as never,
    ]) {
      const { sessionState, environment } = snapshot as {
        sessionState: typeof state
        environment: Record<string, string>
      }
      sessionState.startedAt.setTime(1)
      environment.EDITOR = 'emacs'
    }
    expect(seen.recovery.getAllSnapshots().a).toMatchObject({
      sessionState: { startedAt: born },
      environment: { EDITOR: 'vi' },
    })
  })

  test('is bounded as the policy says', async () => {
    const limit = { historyLines: 2, outputBytes: 4 }
    const { recovery } = stage({}, { snapshotLimit: limit })
    await recovery.registerSession('a', {}, bash)
    const long = { commandHistory: ['one', 'two', 'three'], outputBuffer: ['abc', 'def'] }
    await recovery.updateSessionSnapshot('a', long)
    const kept = recovery.getAllSnapshots().a
    expect(kept?.commandHistory).toEqual(['two', 'three'])
    expect(kept?.outputBuffer.join('')).toBe('cdef')
  })
})

describe('snapshot-request', () => {
  test('what the host answers is kept and told', async () => {
    const { kept, heard } = await asked({ workingDirectory: '/tmp', sessionState: { at: born } })
    expect(kept).toMatchObject({ workingDirectory: '/tmp', sessionState: { at: born } })
    expect(heard()).toEqual(['session-registered', 'snapshot-request', 'snapshot-updated'])
  })

  test('a whole snapshot may be handed back', async () => {
    const whole = { sessionId: 'a', timestamp: new Date(0), workingDirectory: '/tmp' }
    const { kept, logged } = await asked(whole)
    expect(kept).toMatchObject({ sessionId: 'a', workingDirectory: '/tmp' })
    expect(kept?.timestamp).not.toEqual(new Date(0))
    expect(logged.filter(({ level }) => level !== 'debug')).toEqual([])
  })

  test('an unknown field is refused alone, typed, to the logger', async () => {
    const { kept, logged } = await asked({ workingDirectory: '/tmp', mood: 'good' })
    expect(kept).toMatchObject({ workingDirectory: '/tmp' })
    expect(kept).not.toHaveProperty('mood')
    expect(logged.find(({ level }) => level === 'warn')?.detail).toMatchObject({
      _tag: 'DecodeError',
      path: 'mood',
    })
  })

  test.each([
    [{ sessionId: 'b', workingDirectory: '/tmp' }, 'sessionId'],
    [{ workingDirectory: '/tmp', commandHistory: 'ls' }, 'commandHistory'],
  ])('refused whole, typed, to the logger; what was kept stays: %j', async (updates, path) => {
    const { kept, logged, heard } = await asked(updates)
    expect(kept).toMatchObject({ sessionId: 'a', workingDirectory: '/srv', commandHistory: [] })
    expect(logged.find(({ level }) => level === 'error')?.detail).toMatchObject({
      _tag: 'DecodeError',
      path,
    })
    expect(heard()).not.toContain('snapshot-updated')
  })

  test.each([undefined, null])('nothing to say: nothing changes: %j', async (updates) => {
    const { kept, heard } = await asked(updates)
    expect(kept?.workingDirectory).toBe('/srv')
    expect(heard()).not.toContain('snapshot-updated')
  })

  test('a host that never calls back is given up, and asked again', async () => {
    const { recovery, time, answer, told, logged, pendingTimers } = stage(
      { snapshotInterval: 1_000 },
      { captureTimeoutMs: 500 },
    )
    await recovery.registerSession('a', {}, bash)
    const callbacks: SnapshotCallback[] = []
    answer('snapshot-request', ({ callback }: { callback: SnapshotCallback }) => {
      callbacks.push(callback)
    })
    await time.advance(1_499)
    expect(callbacks).toHaveLength(1)
    await time.advance(1_001)
    expect(callbacks).toHaveLength(2)
    callbacks[0]?.({ workingDirectory: '/too/late' })
    callbacks[1]?.({ workingDirectory: '/tmp' })
    callbacks[1]?.({ workingDirectory: '/twice' })
    await time.advance(1)
    expect(recovery.getAllSnapshots().a?.workingDirectory).toBe('/tmp')
    expect(told.filter(({ event }) => event === 'snapshot-updated')).toHaveLength(1)
    const late = logged.filter(({ message }) => message.includes('too late, or twice'))
    expect(late).toHaveLength(2)
    expect(pendingTimers()).toBe(1)
  })

  test('a host that calls back later than it returns, and one that throws', async () => {
    const { recovery, time, answer, told } = stage({ snapshotInterval: 1_000 })
    await recovery.registerSession('a', {}, bash)
    answer('snapshot-request', ({ callback }: { callback: SnapshotCallback }) => {
      setImmediate(() => callback({ workingDirectory: '/tmp' }))
    })
    await time.advance(1_000)
    await time.advance(1)
    expect(recovery.getAllSnapshots().a?.workingDirectory).toBe('/tmp')
    recovery.removeAllListeners('snapshot-request')
    answer('snapshot-request', () => {
      throw new Error('no')
    })
    const before = told.length
    await time.advance(3_000)
    // It is not waited for: it is asked again each second.
    expect(told.slice(before).map(({ event }) => event)).toEqual(Array(3).fill('snapshot-request'))
    expect(recovery.getAllSnapshots().a?.workingDirectory).toBe('/tmp')
  })

  test('a host that tells of a stuck dialogue whenever it is asked is not asked without end', async () => {
    const { recovery, time, answer, told } = stage({ snapshotInterval: 1_000 })
    await recovery.registerSession('a', {}, bash)
    answer('snapshot-request', ({ callback }: { callback: SnapshotCallback }) => {
      void recovery.updateInteractiveState('a', { timeoutCount: 9 })
      callback({ workingDirectory: '/tmp' })
    })
    await time.advance(1_500)
    expect(recovery.shouldTriggerInteractiveRecovery('a').shouldTrigger).toBe(true)
    expect(told.filter(({ event }) => event === 'snapshot-request')).toHaveLength(1)
  })
})
