/** A later run of the app: what was open goes on, and what seemed well is looked at where that is wanted. */
import type { Store } from '@session-recovery/core'
import { type MemoryMedium, memoryMedium, memoryStore } from '@session-recovery/engine'
import { describe, expect, test } from 'vitest'
import { payloadOf, planOf, type Stage, stage } from './stage.js'

const bash = { command: 'bash', cwd: '/srv' }
const never = () => new Promise(() => {})

/** A run that ended with the session `a` as `leave` left it. */
const formerRun = async (
  store: (medium: MemoryMedium) => Store,
  leave: (seen: Stage) => Promise<void>,
) => {
  const medium = memoryMedium()
  const seen = stage({}, { ...planOf('restart'), stopTimeoutMs: 10, store: store(medium) })
  await seen.recovery.registerSession('a', {}, bash)
  await leave(seen)
  const stopped = seen.recovery.stop()
  await seen.time.advance(10)
  await stopped
  return memoryStore(medium)
}

describe('a session that seemed well', () => {
  const laterRun = async (resumeOnStart: boolean, alive?: boolean) => {
    const store = await formerRun(memoryStore, async () => {})
    const seen = stage({}, { ...planOf('restart'), store, resumeOnStart })
    seen.answer('session-restart-request', () => undefined)
    if (alive !== undefined) seen.answer('session-verify-request', () => ({ alive }))
    await seen.recovery.start()
    await seen.time.advance(0)
    return seen
  }

  test('nothing is asked of the host, unless it wants to be', async () => {
    expect((await laterRun(false, false)).heard()).toEqual(['started'])
  })

  test('alive: it is asked, and that is all', async () => {
    const seen = await laterRun(true, true)
    expect([...seen.heard()].sort()).toEqual(['session-verify-request', 'started'])
    expect(payloadOf(seen, 'session-verify-request')).toMatchObject({ strategy: undefined })
  })

  test.each([false, undefined])(
    'not alive, or nobody says so (%s): it is recovered',
    async (alive) => {
      expect((await laterRun(true, alive)).heard()).toContain('session-restart-request')
    },
  )
})

test('a run that was under way is verified first; a repeat has the token of the first', async () => {
  const store = await formerRun(memoryStore, async (seen) => {
    seen.answer('session-restart-request', never)
    void seen.recovery.recoverSession('a', 'it broke')
    await seen.time.advance(1)
  })
  const seen = stage({}, { ...planOf('restart'), store })
  let restarted = false
  seen.answer('session-restart-request', () => {
    restarted = true
  })
  seen.answer('session-verify-request', () => ({ alive: restarted }))
  await seen.recovery.start()
  await seen.time.advance(0)
  expect(seen.heard().filter((name) => name !== 'started')).toEqual([
    'session-verify-request',
    'recovery-strategy-attempt',
    'session-restart-request',
    'session-verify-request',
    'recovery-success',
  ])
  expect(payloadOf(seen, 'recovery-success')).toMatchObject({ sessionId: 'a', attemptNumber: 1 })
})

test('a last resort that was under way is told with what was kept', async () => {
  const silent = (medium: MemoryMedium): Store => ({
    ...memoryStore(medium),
    archive: () => never as never,
  })
  const store = await formerRun(silent, async (seen) => {
    void seen.recovery.recoverSession('a', 'it broke')
    await seen.time.advance(1)
  })
  const seen = stage({}, { ...planOf('restart'), store })
  await seen.recovery.start()
  await seen.time.advance(0)
  expect(payloadOf(seen, 'recovery-fallback')).toMatchObject({
    sessionId: 'a',
    snapshot: { sessionId: 'a', workingDirectory: '/srv' },
  })
})

test('an id registered before start() is the new one, not the stored', async () => {
  const store = await formerRun(memoryStore, async () => {})
  const { recovery } = stage({}, { store })
  await recovery.registerSession('a', {}, { ...bash, cwd: '/tmp' })
  await recovery.start()
  expect(recovery.getAllSnapshots().a?.workingDirectory).toBe('/tmp')
})
