/**
 * The engine's face: every answer of every closed union can be had, and means what it says.
 */
import type { Failure } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import {
  alive,
  answered,
  diskFull,
  failed,
  never,
  type Script,
  started,
  world,
} from './scripted-world.js'

const notRunning = { _tag: 'not-running' }
const notRegistered = { _tag: 'not-registered' }
const refused = { _tag: 'store-failed', error: diskFull }
const hopeless: Partial<Script> = { run: () => failed() }
const halted = { policy: { onStoreFailure: 'halt', maxRecoveryAttempts: 1 } } as const
/** Each answer is had at once. */
const wild = (value: unknown) => value as never

describe('an engine that does not run', () => {
  test('answers not-running to everything, before start as after stop', async () => {
    const made = world()
    const ask = async () => {
      const { engine } = made
      expect(await engine.register('s')).toEqual(notRunning)
      expect(await engine.update('s', {})).toEqual(notRunning)
      expect(await engine.reportFailure('s')).toEqual(notRunning)
      expect(await engine.recover('s')).toEqual(notRunning)
      expect(await engine.cancel('s')).toEqual(notRunning)
      expect(await engine.reset('s')).toEqual(notRunning)
      expect(await engine.unregister('s')).toEqual(notRunning)
      expect(await engine.stop()).toEqual(notRunning)
      expect(engine.sessions()).toEqual([])
      expect(engine.status('s')).toBeUndefined()
      expect(engine.stats().isRunning).toBe(false)
      expect(engine.history('s')).toEqual([])
      expect(engine.advice('s').shouldTrigger).toBe(false)
      expect(await engine.snapshot('s')).toBeUndefined()
      expect(await engine.snapshots()).toEqual({})
    }
    await ask()
    await made.engine.start()
    await made.engine.register('s')
    expect(await answered(made, made.engine.stop())).toEqual({ _tag: 'stopped', unfinished: 0 })
    await ask()
  })
})

describe('start', () => {
  test('says what it found, and that it runs already', async () => {
    const first = await started()
    await answered(first, first.engine.stop())
    const second = world({ after: first })
    const both = Promise.all([second.engine.start(), second.engine.start()])
    expect(await answered(second, both)).toEqual([
      { _tag: 'started', sessions: 1, quarantined: [] },
      { _tag: 'already-running' },
    ])
    expect(await second.engine.start()).toEqual({ _tag: 'already-running' })
  })

  test('says why the store cannot be opened, and may be tried again', async () => {
    const made = world()
    made.control.refuse = () => diskFull
    expect(await made.engine.start()).toEqual(refused)
    expect(await made.engine.register('s')).toEqual(notRunning)
    made.control.refuse = () => undefined
    expect((await answered(made, made.engine.start()))._tag).toBe('started')
  })
})

describe('register', () => {
  test('registers, refuses a second time, and replaces where the app chose to', async () => {
    const { engine } = await started()
    const incarnation = (n: number) => ({ _tag: 'registered', incarnation: n, durable: true })
    expect(await engine.register('t')).toEqual(incarnation(1))
    expect(await engine.register('t')).toEqual({ _tag: 'already-registered' })
    expect(await engine.register('t', { whenRegistered: 'replace' })).toEqual(incarnation(2))
    expect(await engine.register('t', { whenRegistered: 'replace' })).toEqual(incarnation(3))
  })

  test('asks the driver for a session anew that it was told to let go', async () => {
    const made = await started()
    await made.engine.register('t')
    await made.engine.register('t', { whenRegistered: 'replace' })
    await made.time.advance(1)
    const of = made.asked.filter(({ sessionId }) => sessionId === 't').map(({ verb }) => verb)
    expect(of).toEqual(['detach', 'capture'])
  })

  test('of two at once only one registers', async () => {
    const { engine } = await started()
    const both = await Promise.all([engine.register('t'), engine.register('t')])
    expect(both.map(({ _tag }) => _tag)).toEqual(['registered', 'already-registered'])
    const replace = { whenRegistered: 'replace' } as const
    const again = await Promise.all([engine.register('t', replace), engine.register('t', replace)])
    expect(again.map(({ _tag }) => _tag)).toEqual(['registered', 'already-registered'])
  })

  test.each([
    ['sessionId', '', {}],
    ['sessionId', wild(7), {}],
    ['sessionState.deep.1', 't', { sessionState: { deep: [1, 2n] } }],
    ['sessionOptions.when', 't', { sessionOptions: { when: new Date(Number.NaN) } }],
    ['attended', 't', { attended: wild('yes') }],
    ['shell', 't', { shell: wild(1) }],
    ['rerunnable', 't', { rerunnable: wild('no') }],
    ['failureExitCodes.0', 't', { failureExitCodes: [256] }],
    ['failureExitCodes', 't', { failureExitCodes: wild(5) }],
  ])('names the field it cannot take: %s', async (path, sessionId, registration) => {
    const { engine } = await started()
    const answer = await engine.register(sessionId, registration)
    expect(answer).toMatchObject({ _tag: 'invalid', error: { subject: 'registration', path } })
    expect(engine.sessions()).toHaveLength(1)
  })

  test('is refused when disabled, or by the store', async () => {
    const disabled = world({ policy: { enabled: false } })
    await disabled.engine.start()
    expect(await disabled.engine.register('s')).toEqual({ _tag: 'disabled' })
    const { engine, control } = await started(halted)
    control.refuse = () => diskFull
    expect(await engine.register('t')).toEqual(refused)
    expect(await engine.register('s', { whenRegistered: 'replace' })).toEqual(refused)
    control.refuse = () => undefined
    expect((await engine.register('t'))._tag).toBe('registered')
  })

  test('what is asked of a session whose registration is refused says not-registered', async () => {
    const made = await started(halted)
    made.control.refuse = () => diskFull
    const registered = made.engine.register('t')
    const asked = Promise.all([
      made.engine.cancel('t'),
      made.engine.update('t', { workingDirectory: '/' }),
      made.engine.recover('t'),
    ])
    expect(await answered(made, registered)).toEqual(refused)
    expect(await answered(made, asked)).toEqual([notRegistered, notRegistered, notRegistered])
  })

  test('loses no update that comes while it is under way', async () => {
    const made = await started()
    made.control.holds = (operation) => operation === 'commit'
    const registered = made.engine.register('t', { sessionOptions: { cwd: '/old' } })
    const updated = made.engine.update('t', { workingDirectory: '/new' })
    await made.time.advance(0)
    made.control.resume()
    expect((await answered(made, registered))._tag).toBe('registered')
    expect((await answered(made, updated))._tag).toBe('updated')
    const kept = await made.engine.snapshot('t')
    expect(kept).toMatchObject({ workingDirectory: '/new', sessionOptions: { cwd: '/old' } })
  })

  test('an id taken again in the same instant is another life', async () => {
    const { engine, time } = await started()
    await engine.unregister('s')
    await time.advance(0)
    const again = await engine.register('s')
    expect(again).toMatchObject({ _tag: 'registered', incarnation: 2 })
  })
})

describe('update', () => {
  test('answers with the generation, or why not', async () => {
    const { engine, control } = await started(halted)
    expect(await engine.update('s', { workingDirectory: '/x' })).toEqual({
      _tag: 'updated',
      generation: 2,
      durable: true,
    })
    expect(await engine.update('t', {})).toEqual(notRegistered)
    const invalid = async (update: unknown, path: string) =>
      expect(await engine.update('s', wild(update))).toMatchObject({
        _tag: 'invalid',
        error: { subject: 'snapshot update', path },
      })
    await invalid({ environment: { HOME: 1 } }, 'environment.HOME')
    await invalid({ sessionState: [1n] }, 'sessionState.0')
    await invalid({ workingDirectory: 5 }, 'workingDirectory')
    await invalid(null, '')
    await invalid('text', '')
    control.refuse = () => diskFull
    expect(await engine.update('s', { workingDirectory: '/y' })).toEqual(refused)
    control.refuse = () => undefined
    expect(await engine.snapshot('s')).toMatchObject({ workingDirectory: '/x' })
  })

  test('two at once keep both of their fields', async () => {
    const { engine } = await started()
    await Promise.all([
      engine.update('s', { workingDirectory: '/x' }),
      engine.update('s', { commandHistory: ['ls'] }),
    ])
    expect(await engine.snapshot('s')).toMatchObject({
      workingDirectory: '/x',
      commandHistory: ['ls'],
    })
  })
})

describe('reportFailure', () => {
  test('opens an incident once', async () => {
    const { engine } = await started({ script: { run: () => never } })
    const both = await Promise.all([
      engine.reportFailure('s', 'timeout'),
      engine.reportFailure('s'),
    ])
    expect(both).toEqual([
      { _tag: 'opened', incident: 1 },
      { _tag: 'already-recovering', incident: 1 },
    ])
    expect(engine.status('s')?.record.control.incident?.failure.kind).toBe('timeout')
  })

  test('takes a typed failure, and names what is wrong with one', async () => {
    const { engine } = await started({ script: { run: () => never } })
    const invalid = async (failure: unknown, path: string) =>
      expect(await engine.reportFailure('s', wild(failure))).toMatchObject({
        _tag: 'invalid',
        error: { subject: 'failure', path },
      })
    const typed: Failure = {
      kind: 'resources',
      reason: 'full',
      interactivity: 'none',
      permanent: false,
      evidence: [],
    }
    await invalid({ ...typed, kind: 'unheard-of' }, 'kind')
    await invalid(null, '')
    await invalid(42, '')
    expect(await engine.reportFailure('s', typed)).toEqual({ _tag: 'opened', incident: 1 })
    expect(engine.status('s')?.record.control.incident?.failure).toEqual(typed)
  })

  test('says disabled, not-registered, store-failed, exhausted', async () => {
    const disabled = world({ policy: { enabled: false } })
    await disabled.engine.start()
    expect(await disabled.engine.reportFailure('s')).toEqual({ _tag: 'disabled' })
    const made = await started({ ...halted, script: hopeless })
    expect(await made.engine.reportFailure('t')).toEqual(notRegistered)
    made.control.refuse = () => diskFull
    expect(await made.engine.reportFailure('s')).toEqual(refused)
    expect(made.engine.status('s')?.record.state).toBe('registered')
    made.control.refuse = () => undefined
    const ended = await answered(made, made.engine.recover('s'))
    const archive = expect.stringMatching(/^memory:/)
    expect(ended).toEqual({ _tag: 'exhausted', attempts: 1, archive, durable: true })
    expect(await made.engine.reportFailure('s')).toEqual({ _tag: 'exhausted', archive })
  })
})

describe('recover', () => {
  test('recovered, with the receipt', async () => {
    const made = await started()
    expect(await answered(made, made.engine.recover('s', 'connection reset'))).toEqual({
      _tag: 'recovered',
      receipt: alive._tag === 'alive' && alive.receipt,
      strategy: 'restart',
      attempts: 1,
      durable: true,
    })
  })

  test('counts the attempts of this incident, whatever was used of the budget before', async () => {
    const made = await started()
    expect(await answered(made, made.engine.recover('s'))).toMatchObject({ attempts: 1 })
    expect(await answered(made, made.engine.recover('s'))).toMatchObject({ attempts: 1 })
    expect(made.engine.status('s')?.record.control.used).toBe(2)
  })

  test('exhausted, with the archive; and at once when it is asked again', async () => {
    const made = await started({ policy: { maxRecoveryAttempts: 1 }, script: hopeless })
    const archive = expect.stringMatching(/^memory:/)
    const first = await answered(made, made.engine.recover('s'))
    expect(first).toEqual({ _tag: 'exhausted', attempts: 1, archive, durable: true })
    const again = await answered(made, made.engine.recover('s'))
    expect(again).toEqual({ _tag: 'exhausted', attempts: 0, archive, durable: true })
  })

  test('exhausted, with the reason there is no archive', async () => {
    const made = await started({ policy: { maxRecoveryAttempts: 1 }, script: hopeless })
    made.control.refuse = (operation) => (operation === 'archive' ? diskFull : undefined)
    expect(await answered(made, made.engine.recover('s'))).toEqual({
      _tag: 'exhausted',
      attempts: 1,
      archiveError: 'the disk is full',
      durable: true,
    })
  })

  test('cancelled, also when it is cancelled in the same breath', async () => {
    const made = await started({ script: { run: () => never } })
    const first = made.engine.recover('s')
    await made.time.advance(10)
    await made.engine.cancel('s', 'enough')
    expect(await answered(made, first)).toEqual({ _tag: 'cancelled', why: 'enough', durable: true })
    const second = made.engine.recover('s')
    const cancelled = made.engine.cancel('s', 'at once')
    expect(await answered(made, cancelled)).toEqual({ _tag: 'cancelled' })
    expect(await answered(made, second)).toMatchObject({ _tag: 'cancelled', why: 'at once' })
  })

  test('cancelled, also when a store is so quick that the end comes before the wait for it', async () => {
    const made = await started({ script: { run: () => never } })
    const taken = Promise.resolve(E.right(undefined))
    Object.assign(made.store, { commit: () => () => taken })
    made.engine.subscribe((notice) => {
      if (notice._tag === 'decided' && notice.entry.event.type === 'failed') {
        void made.engine.cancel('s')
      }
    })
    expect(await answered(made, made.engine.recover('s'))).toMatchObject({ _tag: 'cancelled' })
  })

  test('cancelled when the session is unregistered in the same breath', async () => {
    const made = await started({ script: { run: () => never } })
    const recovered = made.engine.recover('s')
    await made.engine.unregister('s')
    const why = 'the session was unregistered'
    expect(await answered(made, recovered)).toEqual({ _tag: 'cancelled', why, durable: true })
  })

  test('already-recovering, not-registered, disabled, invalid', async () => {
    const made = await started({ script: { run: () => never } })
    await made.engine.reportFailure('s')
    expect(await made.engine.recover('s')).toEqual({ _tag: 'already-recovering', incident: 1 })
    expect(await made.engine.recover('t')).toEqual(notRegistered)
    expect(await made.engine.recover('s', wild({}))).toMatchObject({ _tag: 'invalid' })
    const disabled = world({ policy: { enabled: false } })
    await disabled.engine.start()
    expect(await disabled.engine.recover('s')).toEqual({ _tag: 'disabled' })
  })

  test('stopped, and store-failed', async () => {
    const made = await started({ ...halted, script: { run: () => never } })
    made.control.refuse = () => diskFull
    expect(await answered(made, made.engine.recover('s'))).toEqual(refused)
    made.control.refuse = () => undefined
    const recovered = made.engine.recover('s')
    await made.time.advance(10)
    const stopped = made.engine.stop()
    expect(await answered(made, recovered)).toEqual({ _tag: 'stopped' })
    await answered(made, stopped, 30_000)
  })
})

describe('cancel, reset and unregister', () => {
  test('cancel', async () => {
    const made = await started({ ...halted, script: { run: () => never } })
    expect(await made.engine.cancel('s')).toEqual({ _tag: 'not-recovering' })
    expect(await made.engine.cancel('t')).toEqual(notRegistered)
    await made.engine.reportFailure('s')
    made.control.refuse = () => diskFull
    expect(await made.engine.cancel('s')).toEqual(refused)
    made.control.refuse = () => undefined
    expect(await made.engine.cancel('s')).toEqual({ _tag: 'cancelled' })
    expect(made.asked.at(-1)?.request.signal?.aborted).toBe(true)
  })

  test('reset gives a fresh budget', async () => {
    const made = await started({ ...halted, script: hopeless })
    expect(await made.engine.reset('s')).toEqual({ _tag: 'not-exhausted' })
    expect(await made.engine.reset('t')).toEqual(notRegistered)
    await answered(made, made.engine.recover('s'))
    made.control.refuse = () => diskFull
    expect(await made.engine.reset('s')).toEqual(refused)
    made.control.refuse = () => undefined
    expect(await made.engine.reset('s')).toEqual({ _tag: 'reset' })
    const again = await answered(made, made.engine.recover('s'))
    expect(again).toMatchObject({ _tag: 'exhausted', attempts: 1 })
  })

  test('unregister, and twice at once', async () => {
    const made = await started(halted)
    expect(await made.engine.unregister('t')).toEqual(notRegistered)
    made.control.refuse = () => diskFull
    expect(await made.engine.unregister('s')).toEqual(refused)
    made.control.refuse = () => undefined
    const both = Promise.all([
      made.engine.unregister('s'),
      made.engine.unregister('s'),
      made.engine.cancel('s'),
    ])
    expect(await answered(made, both)).toEqual([
      { _tag: 'unregistered' },
      notRegistered,
      notRegistered,
    ])
    expect(made.said()).toEqual(['detach'])
    expect(made.medium.sessions.size).toBe(0)
  })
})
