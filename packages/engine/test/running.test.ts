/** What all sessions of a running engine share: registering, observing, starting again, and being let go. */
import type { Quarantined } from '@session-recovery/core'
import { memoryMedium, memoryStore } from '@session-recovery/engine'
import { sampleCommit } from '@session-recovery/testkit'
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

  test('of more than can be taken in at once waits, and none is lost', async () => {
    const made = await started({
      policy: { ...quiet, onStoreFailure: 'halt' },
      script: { run: () => never },
    })
    const ids = Array.from({ length: 40 }, (_, i) => `t${i}`)
    for (const id of ids) await answered(made, made.engine.register(id, { attended: false }))
    made.control.holds = (operation) => operation === 'commit'
    for (const sessionId of ids)
      made.observe({ _tag: 'transport-lost', sessionId, detail: 'the line is cut' })
    await made.time.advance(1)
    expect(made.engine.stats().heldBack).toBe(8)
    made.control.resume()
    await made.time.advance(1_000)
    expect(made.engine.stats()).toMatchObject({ heldBack: 0, activeRecoveries: 40 })
  })
})

test('damage of nobody’s, or of a session that is gone, is told as well', async () => {
  const store = memoryStore(memoryMedium())
  let tell = (_: Quarantined) => {}
  const watch = (listener: (one: Quarantined) => void) => {
    tell = listener
    return () => {}
  }
  const made = await started({ policy: quiet, store: { ...store, watch } })
  const found = { source: 'log/1', keptAs: '', problem: 'the checksum is wrong' }
  tell(found)
  tell({ ...found, sessionId: 'nobody' })
  expect(made.notices.filter(({ _tag }) => _tag === 'damaged')).toHaveLength(2)
})
