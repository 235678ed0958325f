/**
 * When the store refuses: `halt` waits for it and acts on nothing it does not hold; `degrade` goes on,
 * says so, and still does nothing twice that must not be.
 */
import type { RecoveryStrategy, StoreError } from '@session-recovery/core'
import { replay } from '@session-recovery/engine'
import { describe, expect, test } from 'vitest'
import {
  answered,
  diskFull,
  done,
  failed,
  never,
  type Script,
  started,
  type World,
  world,
} from './scripted-world.js'

const refused = { _tag: 'store-failed', error: diskFull }
const down = (made: World) => {
  made.control.refuse = () => diskFull
}
const up = (made: World) => {
  made.control.refuse = () => undefined
}
const died = (made: World) =>
  made.observe({ _tag: 'exited', sessionId: 's', exit: { signal: 'SIGKILL' } })
const told = (made: World, tag: string) => made.notices.filter(({ _tag }) => _tag === tag)

describe('halt', () => {
  const policy = { onStoreFailure: 'halt', snapshotInterval: 0 } as const

  test('nothing is done before its decision is durable; it is once the disk is back', async () => {
    const made = await started({ policy })
    down(made)
    died(made)
    await made.time.advance(5_500)
    expect(made.asked).toEqual([])
    expect(made.engine.status('s')?.record.state).toBe('registered')
    // Once at once, then every second: loud, but no storm.
    expect(told(made, 'store-failed')).toHaveLength(6)
    up(made)
    await made.time.advance(500)
    expect(made.said()).toEqual(['run restore', 'verify restore'])
    expect(made.engine.status('s')?.record.state).toBe('snapshotting.idle')
    expect(replay(await made.engine.journal('s'), made.engine.policy)).toMatchObject({
      _tag: 'same',
    })
  })

  test('the app is answered at once, also when it asked just before', async () => {
    const made = await started({ policy, script: { run: () => never } })
    made.control.holds = (operation) => operation === 'commit'
    died(made)
    await made.time.advance(1)
    const before = Promise.all([made.engine.recover('s'), made.engine.cancel('s')])
    down(made)
    made.control.resume()
    expect(await answered(made, before)).toEqual([refused, refused])
    expect(await made.engine.unregister('s')).toEqual(refused)
    up(made)
    await made.time.advance(1_000)
    // What was refused has not happened after all.
    expect(made.engine.status('s')?.record.state).toBe('recovering.attempting')
    expect(await made.engine.cancel('s')).toEqual({ _tag: 'cancelled' })
  })

  test.each<StoreError>([
    { _tag: 'RevisionConflict', sessionId: 's', expectedRev: 1, actualRev: 2, message: 'another' },
    { _tag: 'StoreOwned', message: 'another engine owns it' },
    { _tag: 'TooLarge', what: 'a record', bytes: 2, limitBytes: 1, message: 'too large' },
  ])('$_tag never leads to an act, whatever is chosen for a disk that fails', async (error) => {
    for (const onStoreFailure of ['halt', 'degrade'] as const) {
      const made = await started({ policy: { ...policy, onStoreFailure } })
      made.control.refuse = (operation) => (operation === 'commit' ? error : undefined)
      died(made)
      await made.time.advance(60_000)
      expect(await made.engine.reportFailure('s')).toEqual({ _tag: 'store-failed', error })
      expect(made.asked).toEqual([])
      expect(made.engine.status('s')?.record.rev).toBe(1)
    }
  })

  test('a store that throws has refused', async () => {
    const made = await started({ policy })
    const { commit } = made.store
    Object.assign(made.store, { commit: () => () => Promise.reject(new Error('a bug')) })
    died(made)
    await made.time.advance(500)
    expect(told(made, 'store-failed')).toMatchObject([{ error: { _tag: 'StoreUnavailable' } }])
    Object.assign(made.store, { commit })
    await made.time.advance(1_000)
    expect(made.engine.status('s')?.record.state).toBe('snapshotting.idle')
    expect(made.engine.stats().successfulRecoveries).toBe(1)
  })
})

describe('degrade', () => {
  const policy = { onStoreFailure: 'degrade', snapshotInterval: 0 } as const

  test('the session is recovered all the same, and everything says that it is not durable', async () => {
    const made = await started({ policy })
    down(made)
    expect(await answered(made, made.engine.recover('s'))).toMatchObject({
      _tag: 'recovered',
      durable: false,
    })
    const decided = made.notices.flatMap((n) => (n._tag === 'decided' ? [n.durable] : []))
    expect(decided).toEqual([true, false, false, false])
    expect(told(made, 'store-failed')).toHaveLength(3)
    expect(made.medium.sessions.get('s')?.record.state).toBe('registered')
    up(made)
    expect(await answered(made, made.engine.recover('s'))).toMatchObject({ durable: true })
    expect(made.medium.sessions.get('s')?.record).toEqual(made.engine.status('s')?.record)
    // What was never written cannot be replayed, and nobody says that it can.
    expect(replay(await made.engine.journal('s'), made.engine.policy)).toMatchObject({
      _tag: 'not-comparable',
    })
  })

  test('the queue goes on: what comes later is written when the disk is back', async () => {
    const made = await started({ policy, script: { run: () => never } })
    down(made)
    const all = Promise.all([
      made.engine.recover('s'),
      made.engine.cancel('s'),
      made.engine.reportFailure('s'),
    ])
    expect(await answered(made, all)).toMatchObject([
      { _tag: 'cancelled', durable: false },
      { _tag: 'cancelled' },
      { _tag: 'opened', incident: 2 },
    ])
    up(made)
    expect(await made.engine.cancel('s')).toEqual({ _tag: 'cancelled' })
    expect(made.medium.sessions.get('s')?.record.rev).toBe(5)
  })

  test.each<[RecoveryStrategy, boolean]>([
    ['restart', true],
    ['command-retry', false],
    ['replicate', false],
  ])('%s runs although its decision is not durable: %s', async (strategy, runs) => {
    const planRules = [
      {
        name: 'only',
        when: {},
        strategies: [strategy, 'fallback' as const],
        priority: 'low' as const,
        estimatedTimeMs: 0,
      },
    ]
    const made = await started({ policy: { ...policy, planRules, maxRecoveryAttempts: 1 } })
    down(made)
    await answered(made, made.engine.recover('s'))
    expect(made.runs()).toHaveLength(runs ? 1 : 0)
  })

  test('a session registered and changed while the disk is down is recovered with what is known', async () => {
    const snapshots: unknown[] = []
    const run: Script['run'] = ({ snapshot }) => {
      snapshots.push(snapshot)
      return done
    }
    const made = await started({ policy, script: { run } })
    down(made)
    const options = { sessionOptions: { cwd: '/first', env: { LANG: 'C' } } }
    expect(await made.engine.register('t', options)).toMatchObject({
      _tag: 'registered',
      durable: false,
    })
    expect(await made.engine.update('t', { commandHistory: ['ls'] })).toEqual({
      _tag: 'updated',
      generation: 2,
      durable: false,
    })
    await answered(made, made.engine.recover('t'))
    expect(snapshots).toMatchObject([
      { workingDirectory: '/first', environment: { LANG: 'C' }, commandHistory: ['ls'] },
    ])
    up(made)
    // The store does not know the session yet; with its next decision it does.
    expect(await made.engine.update('t', { workingDirectory: '/a' })).toMatchObject({
      durable: false,
    })
    await answered(made, made.engine.recover('t'))
    expect(await made.engine.update('t', { workingDirectory: '/b' })).toMatchObject({
      durable: true,
    })
    expect(made.medium.sessions.get('t')?.snapshot?.body).toMatchObject({
      workingDirectory: '/b',
      environment: { LANG: 'C' },
    })
  })

  test('what cannot be stored is told, and is in the archive that can', async () => {
    const script = { run: () => failed({ permanent: true }) }
    const made = await started({ policy, script }, { sessionOptions: { cwd: '/durable' } })
    made.control.refuse = (operation) => (operation === 'saveSnapshot' ? diskFull : undefined)
    await made.engine.update('s', { workingDirectory: '/in-memory' })
    const ended = await answered(made, made.engine.recover('s'))
    const location = ended._tag === 'exhausted' ? (ended.archive ?? '') : ''
    expect(await made.store.readArchive(location)()).toMatchObject({
      right: { snapshot: { body: { workingDirectory: '/in-memory' } } },
    })
  })

  test('an update that is too large is refused, and changes nothing', async () => {
    const made = await started({ policy }, { sessionOptions: { cwd: '/before' } })
    const error: StoreError = {
      _tag: 'TooLarge',
      what: 'a snapshot',
      bytes: 2,
      limitBytes: 1,
      message: 'too large',
    }
    made.control.refuse = (operation) => (operation === 'saveSnapshot' ? error : undefined)
    const answer = await made.engine.update('s', { workingDirectory: '/after' })
    expect(answer).toEqual({ _tag: 'store-failed', error })
    up(made)
    expect(await made.engine.snapshot('s')).toMatchObject({ workingDirectory: '/before' })
  })

  test('a crash takes what was not durable, and the store’s word counts', async () => {
    const first = await started({ policy, script: { run: () => never } })
    down(first)
    await first.engine.reportFailure('s')
    first.crash()
    const second = world({ policy, after: first })
    await answered(second, second.engine.start())
    expect(second.engine.status('s')?.record).toMatchObject({
      state: 'snapshotting.idle',
      control: { incidents: 0, used: 0 },
    })
  })
})

test.each(['commit', 'saveSnapshot'])(
  'a registration whose %s was refused is not durable',
  async (refusing) => {
    const made = world({ policy: { onStoreFailure: 'degrade' } })
    await answered(made, made.engine.start())
    made.control.refuse = (operation) => (operation === refusing ? diskFull : undefined)
    const registered = await answered(made, made.engine.register('s'))
    expect(registered).toMatchObject({ _tag: 'registered', durable: false })
    up(made)
    expect(await answered(made, made.engine.register('t'))).toMatchObject({ durable: true })
  },
)
