/**
 * Captures: when the engine looks at a session, what it does with what it saw, and when a trigger acts.
 */
import type { Capture, InteractiveState, Verdict } from '@session-recovery/core'
import { describe, expect, test } from 'vitest'
import {
  alive,
  answered,
  dead,
  done,
  never,
  type Script,
  seen,
  started,
  type World,
} from './scripted-world.js'

const everyMinute = { snapshotInterval: 60_000, captureTimeoutMs: 10_000 } as const
const stuck: InteractiveState = {
  isInteractive: true,
  pendingCommands: ['make'],
  sessionUnresponsive: false,
  timeoutCount: 3,
}

const captures = (made: World) => made.asked.filter(({ verb }) => verb === 'capture')
const at = (made: World) => captures(made).map(({ atMs }) => atMs)
const changed = (made: World) => made.observe({ _tag: 'changed', sessionId: 's' })
const told = (made: World, tag: string) => made.notices.filter(({ _tag }) => _tag === tag)

/** A capture that is answered when the test says so. */
const later = () => {
  const answers: ((capture: Capture) => void)[] = []
  const capture: Script['capture'] = () => new Promise((resolve) => answers.push(resolve))
  return { capture, answer: (value: Capture) => answers.shift()?.(value) }
}

describe('captures', () => {
  test('come one interval after the other, and one that changed nothing is not written again', async () => {
    const directory = () => seen('at-prompt', { workingDirectory: '/now' })
    const made = await started({ policy: everyMinute, script: { capture: directory } })
    await made.time.advance(200_000)
    expect(at(made)).toEqual([60_000, 120_000, 180_000])
    expect(await made.engine.snapshot('s')).toMatchObject({ workingDirectory: '/now' })
    expect(made.engine.status('s')?.view?.generation).toBe(2)
    expect(told(made, 'captured')).toHaveLength(3)
    // Captures are of no consequence for what is decided: nothing of them is journalled.
    expect(await made.engine.journal('s')).toHaveLength(1)
  })

  test('are cut to their bounds, and what is cut is counted once', async () => {
    const update = {
      outputBuffer: ['0123456789'],
      droppedOutputBytes: 100,
      commandHistory: ['a', 'b', 'c'],
    }
    const policy = { ...everyMinute, snapshotLimit: { historyLines: 2, outputBytes: 4 } }
    const made = await started({ policy, script: { capture: () => seen('at-prompt', update) } })
    const cut = {
      outputBuffer: ['6789'],
      droppedOutputBytes: 106,
      commandHistory: ['b', 'c'],
      droppedHistoryLines: 1,
    }
    await made.time.advance(200_000)
    expect(await made.engine.snapshot('s')).toMatchObject(cut)
    // What says nothing of output leaves the count alone.
    await made.engine.update('s', { workingDirectory: '/else' })
    expect(await made.engine.snapshot('s')).toMatchObject(cut)
    await made.engine.update('s', { outputBuffer: ['new'] })
    const { droppedOutputBytes } = (await made.engine.snapshot('s')) ?? {}
    expect(droppedOutputBytes).toBeUndefined()
  })

  test('none with an interval of 0, but on what changed', async () => {
    const made = await started({ policy: { snapshotInterval: 0 } })
    await made.time.advance(500_000)
    expect(at(made)).toEqual([])
    changed(made)
    await made.time.advance(0)
    expect(at(made)).toEqual([500_000])
    expect(made.pending()).toBe(0)
  })

  test('what changes while one is under way leads to another, however often it changes', async () => {
    const { capture, answer } = later()
    const made = await started({ policy: everyMinute, script: { capture } })
    changed(made)
    await made.time.advance(1_000)
    changed(made)
    changed(made)
    await made.time.advance(1_000)
    expect(at(made)).toEqual([0])
    answer(seen())
    await made.time.advance(1_000)
    expect(at(made)).toEqual([0, 2_000])
    answer(seen())
    await made.time.advance(50_000)
    expect(at(made)).toEqual([0, 2_000])
  })

  test('what changes while a recovery is under way is captured when it is over', async () => {
    const { capture, answer } = later()
    let proved = (_: Verdict) => {}
    const verify: Script['verify'] = () => new Promise((resolve) => (proved = resolve))
    const made = await started({ policy: { snapshotInterval: 0 }, script: { capture, verify } })
    await made.engine.reportFailure('s', 'connection reset')
    await made.time.advance(1_000)
    changed(made)
    changed(made)
    await made.time.advance(1_000)
    expect(at(made)).toEqual([])
    proved(alive)
    await made.time.advance(0)
    expect(at(made)).toEqual([2_000])
    answer(seen())
    await made.time.advance(50_000)
    expect(at(made)).toEqual([2_000])
  })

  test('and not at all when it comes to nothing', async () => {
    const made = await started({
      policy: { snapshotInterval: 0, maxRecoveryAttempts: 1 },
      script: { verify: () => dead },
    })
    await made.engine.reportFailure('s', 'connection reset')
    changed(made)
    await made.time.advance(1_000_000)
    expect(made.engine.status('s')?.record.state).toBe('exhausted')
    expect(at(made)).toEqual([])
  })

  test('also when the one under way fails', async () => {
    let fail = (_: Error) => {}
    const refusal = new Promise<Capture>((_, reject) => {
      fail = reject
    })
    let first = true
    const capture = () => {
      if (!first) return seen()
      first = false
      return refusal
    }
    const made = await started({ policy: everyMinute, script: { capture } })
    changed(made)
    await made.time.advance(1_000)
    changed(made)
    fail(new Error('it cannot be seen'))
    await made.time.advance(0)
    expect(at(made)).toEqual([0, 1_000])
    expect(told(made, 'capture-failed')).toMatchObject([{ detail: 'it cannot be seen' }])
  })

  test('one that hangs is given up, and what it answers later is dropped', async () => {
    const { capture, answer } = later()
    const made = await started({ policy: everyMinute, script: { capture } })
    await made.time.advance(60_000)
    expect(captures(made)[0]?.request.signal?.aborted).toBe(false)
    await made.time.advance(10_000)
    expect(captures(made)[0]?.request.signal?.aborted).toBe(true)
    answer(seen('at-prompt', { workingDirectory: '/late' }))
    await made.time.advance(59_999)
    expect(await made.engine.snapshot('s')).toMatchObject({ workingDirectory: '' })
    expect(at(made)).toEqual([60_000])
    await made.time.advance(1)
    expect(at(made)).toEqual([60_000, 130_000])
  })

  test('what changed while one hung is captured when it is given up', async () => {
    const { capture } = later()
    const made = await started({ policy: everyMinute, script: { capture } })
    changed(made)
    await made.time.advance(1_000)
    changed(made)
    await made.time.advance(9_000)
    expect(at(made)).toEqual([0, 10_000])
  })

  test('a driver that cannot capture is never asked', async () => {
    const made = await started({ supports: { capture: false } })
    changed(made)
    await made.engine.update('s', { interactiveState: stuck })
    await made.time.advance(100_000)
    expect(made.asked).toEqual([])
    expect(made.pending()).toBe(0)
    expect(made.engine.policy.snapshotInterval).toBe(0)
  })

  test('one that the store refuses is not kept, and told', async () => {
    const capture = () => seen('at-prompt', { workingDirectory: '/new' })
    const policy = { ...everyMinute, onStoreFailure: 'halt' } as const
    const made = await started({ policy, script: { capture } })
    made.control.refuse = (operation) =>
      operation === 'saveSnapshot'
        ? { _tag: 'StoreUnavailable', operation, message: 'full' }
        : undefined
    await made.time.advance(60_000)
    expect(told(made, 'store-failed')).toHaveLength(1)
    expect(told(made, 'capture-failed')).toMatchObject([{ detail: 'full' }])
    expect(await made.engine.snapshot('s')).toMatchObject({ workingDirectory: '' })
    await made.time.advance(60_000)
    expect(at(made)).toEqual([60_000, 120_000])
  })

  test('an incident aborts the one under way; the next comes an interval after its end', async () => {
    const { capture, answer } = later()
    const made = await started({ policy: everyMinute, script: { capture } })
    changed(made)
    await made.time.advance(1_000)
    await answered(made, made.engine.recover('s'))
    expect(captures(made)[0]?.request.signal?.aborted).toBe(true)
    answer(seen('waiting-for-line', { interactiveState: stuck }))
    await made.time.advance(60_000)
    expect(at(made)).toEqual([0, 61_000])
    expect(made.engine.status('s')?.record.control.incidents).toBe(1)
  })
})

describe('a trigger', () => {
  const policy = { ...everyMinute, maxRecoveryAttempts: 1 }

  test('that fires has the session looked at, and acts when the foreground agrees', async () => {
    const made = await started({
      policy,
      script: { capture: () => seen('waiting-for-line'), run: () => never },
    })
    await made.engine.update('s', { interactiveState: stuck })
    expect(made.engine.advice('s')).toMatchObject({ shouldTrigger: true, urgency: 'high' })
    await made.time.advance(0)
    expect(made.said()).toEqual(['capture', 'run prompt-interrupt'])
    expect(made.engine.status('s')?.record.control.incident?.failure).toMatchObject({
      kind: 'interactive-trigger',
      trigger: 'timeouts',
      evidence: [{ grade: 'observed', detail: 'scripted' }],
    })
  })

  test.each(['at-prompt', 'running', 'full-screen', 'unknown', 'dead'] as const)(
    'does not act on a session that is %s',
    async (kind) => {
      const made = await started({ policy, script: { capture: () => seen(kind) } })
      await made.engine.update('s', { interactiveState: stuck })
      await made.time.advance(130_000)
      expect(made.said()).toEqual(['capture', 'capture', 'capture'])
      expect(made.engine.status('s')?.record.control.incidents).toBe(0)
    },
  )

  test('does not act on a session somebody sits at', async () => {
    const capture = () => seen('waiting-for-line')
    const made = await started({ policy, script: { capture } }, { attended: true })
    await made.engine.update('s', { interactiveState: stuck })
    await made.time.advance(130_000)
    expect(made.engine.status('s')?.record.control.incidents).toBe(0)
  })

  test('does not act on what was seen before an incident that is over', async () => {
    const capture = () => seen('waiting-for-line', { interactiveState: stuck })
    const made = await started({ policy, script: { capture } })
    made.control.holds = (operation) => operation === 'saveSnapshot'
    changed(made)
    await made.time.advance(1_000)
    // While the disk takes its time with what was captured, the world moves on.
    await made.engine.reportFailure('s')
    await made.engine.cancel('s')
    made.control.resume()
    await made.time.advance(0)
    expect(made.engine.status('s')?.record).toMatchObject({
      state: 'snapshotting.idle',
      control: { incidents: 1 },
    })
  })
})

describe('what the driver notices', () => {
  test.each([
    [{ signal: 'SIGKILL' }, 'process killed by SIGKILL'],
    [{ exitCode: 137 }, 'process exited with code 137'],
  ])('a death is a failure: %j', async (exit, reason) => {
    const made = await started({ script: { run: () => never } }, { failureExitCodes: [137] })
    made.observe({ _tag: 'exited', sessionId: 's', exit })
    await made.time.advance(0)
    const failure = made.engine.status('s')?.record.control.incident?.failure
    expect(failure).toMatchObject({ kind: 'process-died', reason })
  })

  test('an exit is an end: the session is forgotten', async () => {
    const made = await started()
    made.observe({ _tag: 'exited', sessionId: 's', exit: { exitCode: 1 } })
    await made.time.advance(0)
    expect(made.engine.sessions()).toEqual([])
    expect(made.said()).toEqual(['detach'])
    expect(made.medium.sessions.size).toBe(0)
  })

  test('a lost transport is a failure, and what it says of strangers is ignored', async () => {
    const script = { run: () => done, verify: () => dead }
    const made = await started({ policy: { maxRecoveryAttempts: 1 }, script })
    made.observe({ _tag: 'exited', sessionId: 'nobody', exit: { signal: 'SIGKILL' } })
    made.observe({ _tag: 'changed', sessionId: 'nobody' })
    made.observe({ _tag: 'transport-lost', sessionId: 's', detail: 'no answer' })
    await made.time.advance(0)
    expect(made.engine.status('s')?.record.state).toBe('exhausted')
    expect(made.entries()[1]?.event).toMatchObject({
      type: 'failed',
      failure: { kind: 'transport-lost', reason: 'no answer', evidence: [{ source: 'probe' }] },
    })
  })
})
