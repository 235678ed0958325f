/** What all sessions of a running engine share: registering, observing, starting again, and being let go. */
import type { Quarantined } from '@session-recovery/core'
import { memoryMedium, memoryStore } from '@session-recovery/engine'
import { sampleCommit } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import {
  answered,
  diskFull,
  never,
  started,
  type World,
  type WorldOptions,
  world,
} from './scripted-world.js'

const quiet = { snapshotInterval: 0 } as const

describe('a registration', () => {
  test.each([
    ['commit', false],
    ['saveSnapshot', false],
    ['forget', true],
  ])('while the store refuses to %s is durable: %s', async (refused, durable) => {
    const made = await started({ policy: quiet })
    made.control.refuse = (operation) => (operation === refused ? diskFull : undefined)
    const registering = made.engine.register('t')
    expect(await answered(made, registering)).toEqual({
      _tag: 'registered',
      incarnation: 1,
      durable,
    })
  })

  test('that is the last thing before the engine stops has no durable snapshot', async () => {
    const made = await started({ policy: quiet })
    made.engine.subscribe((notice) => {
      if (notice._tag === 'decided' && notice.entry.sessionId === 't') void made.engine.stop()
    })
    expect(await answered(made, made.engine.register('t'), 1)).toEqual({
      _tag: 'registered',
      incarnation: 1,
      durable: false,
    })
    expect(made.medium.sessions.get('t')).toMatchObject({ snapshot: undefined })
  })

  test('says nothing of one that it does not replace', async () => {
    const made = await started({ policy: quiet })
    const [entry] = made.entries()
    expect(Object.keys(entry?.event ?? {})).not.toContain('replaces')
  })

  test('of an id whose former lives are forgotten begins anew, and counts on before', async () => {
    const made = await started({ policy: quiet })
    made.control.holds = (operation) => operation === 'forget'
    await made.engine.unregister('s')
    const second = await answered(made, made.engine.register('s'))
    expect(second).toMatchObject({ incarnation: 2 })
    await made.engine.unregister('s')
    await made.time.advance(10)
    made.control.resume()
    await made.time.advance(1_000)
    expect(await answered(made, made.engine.register('s'))).toMatchObject({ incarnation: 1 })
    await made.engine.unregister('s')
    // Within the same millisecond the two lives would be told apart by nothing.
    await made.time.advance(0)
    expect(await answered(made, made.engine.register('s'))).toMatchObject({ incarnation: 2 })
  })
})

describe('a start', () => {
  const again = async (options: WorldOptions): Promise<World> => {
    const first = await started({ policy: quiet })
    await first.time.advance(100)
    first.crash()
    const second = world({ ...options, after: first })
    await answered(second, second.engine.start())
    await second.time.advance(1_000)
    return second
  }

  test.each([
    [{ policy: quiet }, 1],
    [{ policy: { ...quiet, resumeOnStart: false } }, 0],
    [{ policy: quiet, supports: { proof: 'none' } }, 0],
  ] as const)(
    'looks at what it finds where that can prove anything: %j',
    async (options, looks) => {
      const made = await again(options as WorldOptions)
      expect(made.said().filter((verb) => verb === 'verify')).toHaveLength(looks)
    },
  )

  test.each([true, false])(
    'lets go whoever was unregistered, whether it is enabled or not: %s',
    async (enabled) => {
      const first = await started({ policy: quiet })
      first.control.holds = (operation) => operation === 'forget'
      await answered(first, first.engine.unregister('s'))
      first.crash()
      const second = world({ policy: { ...quiet, enabled }, after: first })
      expect(await answered(second, second.engine.start())).toMatchObject({ sessions: 0 })
      expect([second.said(), first.medium.sessions.size]).toEqual([['detach'], 0])
    },
  )

  test('does not wait for what seems well', async () => {
    const first = await started({ policy: quiet })
    first.crash()
    const second = world({ policy: quiet, after: first })
    second.control.holds = (operation) => operation === 'commit'
    expect(await answered(second, second.engine.start())).toMatchObject({ sessions: 1 })
    second.control.resume()
    await second.time.advance(1)
    expect(second.entries().map(({ event }) => event.type)).toEqual(['resumed'])
  })

  test('is over once what was under way is known to be in doubt', async () => {
    const first = await started({ policy: quiet, script: { run: () => never } })
    await answered(first, first.engine.reportFailure('s'))
    first.crash()
    const second = world({ policy: quiet, script: { verify: () => never }, after: first })
    second.control.holds = (operation) => operation === 'commit'
    let isOver = false
    const starting = second.engine.start().then(() => {
      isOver = true
    })
    await second.time.advance(1)
    expect(isOver).toBe(false)
    second.control.resume()
    await answered(second, starting)
    expect(second.entries().map(({ event, to }) => [event.type, to])).toEqual([
      ['resumed', 'recovering.verifying'],
    ])
  })

  test.each([
    [1, 'unregistered'],
    [2, 'registered'],
  ])(
    'lets go the one whose place another took, and no later life of it: %i',
    async (incarnation, state) => {
      const medium = memoryMedium()
      const store = memoryStore(medium)
      for (const [id, seq] of [
        ['s', 1],
        ['other', 2],
      ] as const) {
        const commit = sampleCommit(id, 1, 1, seq)
        const replaces = { sessionId: 's', incarnation }
        const control = { ...commit.record.control, ...(id === 's' ? {} : { replaces }) }
        await store.commit({ ...commit, record: { ...commit.record, control } })()
      }
      const made = world({ policy: { ...quiet, resumeOnStart: false }, store })
      await answered(made, made.engine.start())
      await made.time.advance(1_000)
      const gone = made.entries().filter(({ event }) => event.type === 'unregistered')
      expect(gone.map(({ sessionId }) => sessionId)).toEqual(state === 'unregistered' ? ['s'] : [])
    },
  )
})

describe('what was decided and not written down', () => {
  const answeringLate = () => {
    const store = memoryStore(memoryMedium())
    const commit: typeof store.commit = (one) => async () => {
      await store.commit(one)()
      return E.left(diskFull)
    }
    return { ...store, commit }
  }

  test('is not durable, although a snapshot of it is kept', async () => {
    const made = world({ policy: quiet, store: answeringLate() })
    await answered(made, made.engine.start())
    expect(await answered(made, made.engine.register('t'))).toMatchObject({
      ...{ _tag: 'registered', durable: false },
    })
  })

  test('because the store throws is no registration, and has no snapshot', async () => {
    const store = memoryStore(memoryMedium())
    const commit = () => {
      throw new Error('it broke')
    }
    const made = world({ policy: quiet, store: { ...store, commit } })
    await answered(made, made.engine.start())
    await expect(made.engine.register('t')).rejects.toThrow('it broke')
    await made.time.advance(1)
    expect(made.control.operations).not.toContain('saveSnapshot')
  })
})

test('decisions alone bring a checkpoint about', async () => {
  const policy = { ...quiet, checkpointEvery: 5, maxRecoveryAttempts: 100 }
  const made = await started({ policy, script: { run: () => never } })
  for (let i = 0; i < 10; i++) {
    await answered(made, made.engine.reportFailure('s', 'gone'))
    await answered(made, made.engine.cancel('s'))
  }
  const checkpoints = made.control.operations.filter((name) => name === 'checkpoint')
  expect(checkpoints.length).toBeGreaterThanOrEqual(3)
  expect(checkpoints.length).toBeLessThan(10)
})

test('what is only told brings no checkpoint about', async () => {
  const capture = () => Promise.reject(new Error('it broke'))
  const made = await started({ policy: { ...quiet, checkpointEvery: 5 }, script: { capture } })
  for (let i = 0; i < 10; i++) {
    made.observe({ _tag: 'changed', sessionId: 's' })
    await made.time.advance(1)
  }
  expect(made.notices.filter(({ _tag }) => _tag === 'capture-failed')).toHaveLength(10)
  expect(made.control.operations).not.toContain('checkpoint')
})

test('that no checkpoint could be written is warned of, and the next is tried', async () => {
  const made = await started({ policy: { ...quiet, checkpointEvery: 1 } })
  made.logged.splice(0)
  made.control.refuse = (operation) => (operation === 'checkpoint' ? diskFull : undefined)
  for (const line of ['ls', 'pwd']) {
    await made.engine.update('s', { commandHistory: [line] })
    await made.time.advance(1)
  }
  const warned = ['warn', 'no checkpoint was written', diskFull]
  expect(made.logged).toEqual([warned, warned])
})

test('nothing is begun for an engine that is stopped by who is told of a decision', async () => {
  const made = await started({ policy: quiet })
  made.engine.subscribe((notice) => {
    if (notice._tag === 'decided') void made.engine.stop()
  })
  await answered(made, made.engine.reportFailure('s', 'gone'), 1_000)
  expect(made.entries().at(-1)?.event.type).toBe('failed')
  expect([made.said(), made.pending()]).toEqual([[], 0])
})

test('what is kept only after the engine has stopped is told to nobody', async () => {
  const made = await started({ policy: { ...quiet, stopTimeoutMs: 1_000 } })
  made.control.holds = (operation) => operation === 'saveSnapshot'
  const updating = made.engine.update('s', { commandHistory: ['ls'] })
  await made.time.advance(1)
  await answered(made, made.engine.stop(), 2_000)
  made.control.resume()
  await answered(made, updating)
  expect(made.notices.at(-1)).toEqual({ _tag: 'stopped' })
})

describe('what the driver notices', () => {
  test.each([
    [{ exitCode: 3 }, { exitCode: 3 }],
    [{}, {}],
  ])('of an end %j is written down', async (exit, written) => {
    const made = await started({ policy: quiet })
    made.observe({ _tag: 'exited', sessionId: 's', exit })
    await made.time.advance(10)
    const end = made.entries().find(({ event }) => event.type === 'ended')
    expect(end?.event).toStrictEqual({ type: 'ended', atMs: end?.event.atMs, ...written })
  })

  test('is let be by an engine that is to decide nothing', async () => {
    const first = await started({ policy: quiet })
    first.crash()
    const second = world({ policy: { ...quiet, enabled: false }, after: first })
    await answered(second, second.engine.start())
    second.observe({ _tag: 'changed', sessionId: 's' })
    second.observe({ _tag: 'exited', sessionId: 's', exit: { exitCode: 0 } })
    await second.time.advance(1_000)
    expect([second.asked, second.entries()]).toEqual([[], []])
    expect(second.engine.status('s')?.record.state).toBe('registered')
  })

  test('of more than can be taken in at once waits, and none is lost', async () => {
    const made = await started({
      policy: { ...quiet, onStoreFailure: 'halt' },
      script: { run: () => never },
    })
    const ids = Array.from({ length: 40 }, (_, i) => `t${i}`)
    for (const id of ids) await answered(made, made.engine.register(id, { attended: false }))
    const before = made.control.operations.length
    made.control.holds = (operation) => operation === 'commit'
    for (const sessionId of ids)
      made.observe({ _tag: 'transport-lost', sessionId, detail: 'the line is cut' })
    await made.time.advance(1)
    const commits = made.control.operations.slice(before).filter((name) => name === 'commit')
    expect([commits.length, made.engine.stats().heldBack]).toEqual([32, 8])
    made.control.resume()
    await made.time.advance(1_000)
    expect(made.engine.stats()).toMatchObject({ heldBack: 0, activeRecoveries: 40 })
  })
})

/** A store that comes upon damage when it is told to. */
const watchedStore = () => {
  let listener = (_: Quarantined) => {}
  const watch = (heard: (one: Quarantined) => void) => {
    listener = heard
    return () => {}
  }
  return {
    store: { ...memoryStore(memoryMedium()), watch },
    tell: (one: Quarantined) => listener(one),
  }
}

test('what throws in the background is logged, and what threw', async () => {
  const { store, tell } = watchedStore()
  const thrown = new Error('it broke')
  const checkpoint = () => () => Promise.reject(thrown)
  const made = await started({ policy: quiet, store: { ...store, checkpoint } })
  tell({ source: 'log/1', keptAs: '', problem: 'the checksum is wrong' })
  await made.time.advance(1)
  expect(made.logged).toEqual([['error', 'a checkpoint failed', thrown]])
})

test('damage of nobody’s, or of a session that is gone, is told as well', async () => {
  const { store, tell } = watchedStore()
  const made = await started({ policy: quiet, store })
  const found = { source: 'log/1', keptAs: '', problem: 'the checksum is wrong' }
  tell(found)
  tell({ ...found, sessionId: 'nobody' })
  expect(made.notices.filter(({ _tag }) => _tag === 'damaged')).toHaveLength(2)
})

test('a replica that the app lets go of before its first snapshot is kept has taken the place all the same', async () => {
  const rule = { name: 'only', when: {}, priority: 'low', estimatedTimeMs: 0 } as const
  const planRules = [{ ...rule, strategies: ['replicate', 'fallback'] as const }]
  const made = await started({
    policy: { ...quiet, planRules } as never,
    supports: { replicas: true },
  })
  made.control.holds = (operation) => operation === 'saveSnapshot'
  const recovering = made.engine.recover('s', 'gone')
  await made.time.advance(1)
  const [, replica] = made.engine.sessions().map(({ sessionId }) => sessionId)
  const gone = made.engine.unregister(replica ?? '')
  expect(await answered(made, gone)).toEqual({ _tag: 'unregistered' })
  made.control.resume()
  expect(await answered(made, recovering, 1)).toMatchObject({ _tag: 'recovered' })
  await made.time.advance(1)
  expect([made.engine.sessions(), made.logged]).toEqual([[], []])
})
