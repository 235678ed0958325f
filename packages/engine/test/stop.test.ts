/**
 * Stopping, law 10: within the deadline whatever hangs, and afterwards nothing fires, nothing is decided,
 * nothing is told; then the engine can be started again.
 */
import { describe, expect, test } from 'vitest'
import {
  answered,
  diskFull,
  done,
  never,
  type Script,
  seen,
  started,
  type World,
  world,
} from './scripted-world.js'

const policy = { stopTimeoutMs: 2_000, snapshotInterval: 60_000 } as const
const hanging = { run: () => never, verify: () => never, capture: () => never }

/** Ceases when it is told to. */
const heeding: Partial<Script> = {
  run: ({ signal }) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(done), { once: true })
    }),
}

/** Lets a long time pass, with everything going on around it, and holds the engine to its silence. */
const staysSilent = async (made: World) => {
  const before = {
    notices: made.notices.length,
    asked: made.asked.length,
    entries: made.medium.journals.get('s')?.length,
  }
  expect(made.pending()).toBe(0)
  made.observe({ _tag: 'exited', sessionId: 's', exit: { signal: 'SIGKILL' } })
  made.observe({ _tag: 'changed', sessionId: 's' })
  await made.time.advance(10_000_000)
  expect(made.pending()).toBe(0)
  expect({
    notices: made.notices.length,
    asked: made.asked.length,
    entries: made.medium.journals.get('s')?.length,
  }).toEqual(before)
}

describe('stop', () => {
  test('of an idle engine ends at once', async () => {
    const made = await started({ policy })
    expect(await answered(made, made.engine.stop())).toEqual({ _tag: 'stopped', unfinished: 0 })
    expect(made.control.operations.slice(-2)).toEqual(['checkpoint', 'close'])
    await staysSilent(made)
  })

  test('ends within its deadline with a driver that ignores that it was told to cease', async () => {
    const made = await started({ policy, script: hanging })
    await made.engine.register('t', { attended: false })
    await made.engine.reportFailure('s')
    made.observe({ _tag: 'changed', sessionId: 't' })
    await made.time.advance(10)
    const stopped = made.engine.stop()
    await made.time.advance(1_999)
    expect(made.notices.at(-1)?._tag).toBe('decided')
    expect(await answered(made, stopped, 1)).toEqual({ _tag: 'stopped', unfinished: 2 })
    expect(made.asked.map(({ request }) => request.signal?.aborted)).toEqual([true, true])
    expect(made.notices.at(-1)).toEqual({ _tag: 'stopped' })
    await staysSilent(made)
  })

  test('ends as soon as a driver that heeds it has ceased', async () => {
    const made = await started({
      policy,
      script: heeding,
    })
    await made.engine.reportFailure('s')
    await made.time.advance(10)
    expect(await answered(made, made.engine.stop())).toEqual({ _tag: 'stopped', unfinished: 0 })
    expect(made.engine.status('s')).toBeUndefined()
    await staysSilent(made)
  })

  test.each(['commit', 'saveSnapshot', 'checkpoint', 'close', 'readSnapshot'])(
    'ends within its deadline with a store that never answers %s, and starts again when it does',
    async (silent) => {
      const made = await started({ policy, script: { run: () => never } })
      made.control.holds = (operation) => operation === silent
      const recovered = made.engine.recover('s')
      const updated = made.engine.update('s', { workingDirectory: '/x' })
      await made.time.advance(10)
      expect(await answered(made, made.engine.stop(), 2_000)).toMatchObject({ _tag: 'stopped' })
      if (silent !== 'commit') expect(await answered(made, recovered)).toEqual({ _tag: 'stopped' })
      await staysSilent(made)
      const again = made.engine.start()
      await made.time.advance(10)
      // A store that one life has not let go of is not opened by the next.
      const opened = made.control.operations.lastIndexOf('open')
      const closed = made.control.operations.lastIndexOf('close')
      if (silent === 'checkpoint' || silent === 'close') expect(opened).toBe(0)
      else expect(opened).toBeGreaterThan(closed)
      made.control.resume()
      expect(await answered(made, again)).toMatchObject({ _tag: 'started', sessions: 1 })
      await Promise.all([answered(made, recovered), answered(made, updated)])
      expect((await made.engine.reset('s'))._tag).toBe('not-exhausted')
      await answered(made, made.engine.stop(), 2_000)
    },
  )

  test('ends while the store refuses, and nobody waits for an answer', async () => {
    const halting = { ...policy, onStoreFailure: 'halt' } as const
    const made = await started({ policy: halting, script: heeding })
    const recovered = made.engine.recover('s')
    await made.time.advance(10)
    made.control.refuse = (operation) => (operation === 'close' ? undefined : diskFull)
    made.observe({ _tag: 'exited', sessionId: 's', exit: { exitCode: 0 } })
    // The strategy is given up, which the store has to hold before the next one may run.
    await made.time.advance(130_000)
    expect(made.notices.at(-1)?._tag).toBe('store-failed')
    await made.time.advance(100)
    await answered(made, made.engine.stop())
    expect(await answered(made, recovered)).toEqual({ _tag: 'stopped' })
    await staysSilent(made)
  })

  test('during a start that waits for the store ends it, and the store is closed again', async () => {
    const made = world({ policy })
    made.control.holds = (operation) => operation === 'open'
    const start = made.engine.start()
    await made.time.advance(10)
    expect(await made.engine.register('s')).toEqual({ _tag: 'not-running' })
    expect(await answered(made, made.engine.stop(), 2_000)).toMatchObject({ _tag: 'stopped' })
    made.control.resume()
    expect(await answered(made, start)).toEqual({ _tag: 'stopped' })
    expect(made.control.operations).toEqual(['open', 'close'])
    expect(made.engine.stats().isRunning).toBe(false)
    expect(made.notices).toEqual([{ _tag: 'stopped' }])
    await staysSilent(made)
  })

  test('during a start that takes its sessions up ends it', async () => {
    const halting = { ...policy, onStoreFailure: 'halt' } as const
    const first = await started({ policy: halting, script: { run: () => never } })
    await first.engine.reportFailure('s')
    await first.time.advance(10)
    first.crash()
    const made = world({ policy: halting, after: first })
    made.control.refuse = (operation) => (operation === 'commit' ? diskFull : undefined)
    const start = made.engine.start()
    await made.time.advance(10_000)
    expect(made.engine.stats()).toMatchObject({ isRunning: true, registeredSessions: 1 })
    await answered(made, made.engine.stop(), 2_000)
    expect(await answered(made, start)).toEqual({ _tag: 'stopped' })
    expect(made.notices.some(({ _tag }) => _tag === 'started')).toBe(false)
    expect(made.notices.at(-1)).toEqual({ _tag: 'stopped' })
    await staysSilent(made)
  })

  test('a start while it stops waits until the store is closed', async () => {
    const made = await started({ policy, script: hanging })
    await made.engine.reportFailure('s')
    await made.time.advance(10)
    const stopped = made.engine.stop()
    const again = made.engine.start()
    await made.time.advance(1_000)
    expect(made.control.operations).not.toContain('close')
    expect(made.control.operations.filter((operation) => operation === 'open')).toHaveLength(1)
    expect(await answered(made, stopped, 1_000)).toMatchObject({ _tag: 'stopped' })
    expect(await answered(made, again)).toMatchObject({ _tag: 'started', sessions: 1 })
    const { operations } = made.control
    expect(operations.lastIndexOf('open')).toBeGreaterThan(operations.indexOf('close'))
  })

  test('twice at once stops once', async () => {
    const made = await started({ policy, script: hanging })
    await made.engine.reportFailure('s')
    const both = Promise.all([made.engine.stop(), made.engine.stop()])
    expect((await answered(made, both, 2_000)).map(({ _tag }) => _tag)).toEqual([
      'stopped',
      'not-running',
    ])
    expect(made.notices.filter(({ _tag }) => _tag === 'stopped')).toHaveLength(1)
  })

  test('by a subscriber in the middle of a decision: it is not acted on', async () => {
    const made = await started({ policy })
    const stops: Promise<unknown>[] = []
    made.engine.subscribe((notice) => {
      if (notice._tag === 'decided') stops.push(made.engine.stop())
    })
    await made.engine.reportFailure('s')
    await answered(made, Promise.all(stops), 2_000)
    expect(made.asked).toEqual([])
    await staysSilent(made)
  })

  test('what was started goes on after the next start', async () => {
    const capture = () => seen()
    const made = await started({ policy: { ...policy, recoveryDelay: 5_000 }, script: { capture } })
    await answered(made, made.engine.stop())
    expect(await answered(made, made.engine.start())).toMatchObject({ sessions: 1 })
    await made.time.advance(60_000)
    expect(made.said()).toEqual(['verify', 'capture'])
    expect((await answered(made, made.engine.recover('s')))._tag).toBe('recovered')
    await answered(made, made.engine.stop())
    await staysSilent(made)
  })
})
