/** Sessions that were found at rest: they are there from the start on, whether or not anybody has asked for them. */
import type { Loaded, Store } from '@session-recovery/core'
import { memoryStore } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { answered, crashed, threeCrashed, world } from './scripted-world.js'

const lost = { _tag: 'transport-lost', detail: 'the line is cut' } as const

describe.each([
  ['at once', false],
  ['when they are asked for', true],
] as const)('sessions at rest, read %s,', (_, rests) => {
  test('count from the start on, and are decided on before they are taken up', async () => {
    const second = world({ rests, policy: { resumeOnStart: false }, after: await threeCrashed() })
    const starting = second.engine.start()
    expect(await answered(second, starting)).toMatchObject({ sessions: 3 })
    expect(second.engine.stats()).toMatchObject({ registeredSessions: 3, activeRecoveries: 0 })
    expect(await answered(second, second.engine.recover('c'))).toMatchObject({ _tag: 'recovered' })
    const events = second.entries().filter(({ sessionId }) => sessionId === 'c')
    expect(events.slice(0, 2).map(({ event }) => event.type)).toEqual(['resumed', 'failed'])
    await second.time.advance(0)
    for (const id of ['a', 'b', 'c']) {
      const resumed = second.entries().filter(({ sessionId }) => sessionId === id)
      expect(resumed.filter(({ event }) => event.type === 'resumed')).toHaveLength(1)
    }
  })

  test('can be registered anew, and be let go of, before they are taken up', async () => {
    const second = world({ rests, policy: { resumeOnStart: false }, after: await threeCrashed() })
    await answered(second, second.engine.start())
    expect(await second.engine.register('a')).toEqual({ _tag: 'already-registered' })
    const replaced = second.engine.register('b', { whenRegistered: 'replace' })
    expect(await answered(second, replaced)).toMatchObject({ incarnation: 2 })
    await answered(second, second.engine.unregister('c'))
    await second.time.advance(0)
    const ids = second.engine.sessions().map(({ sessionId }) => sessionId)
    expect(ids.sort()).toEqual(['a', 'b'])
    expect(second.engine.stats().registeredSessions).toBe(2)
  })

  test('are meant, and no later life of the id, by what has to wait its turn', async () => {
    const policy = { resumeOnStart: false, snapshotInterval: 0 }
    // So many are taken up at once that the last ones rest while the store takes its time.
    const crowd = Array.from({ length: 64 }, (_, i) => `t${i}`)
    const second = world({ rests, policy, after: await crashed([...crowd, 'a', 'b']) })
    second.control.holds = (operation) => operation === 'commit'
    await answered(second, second.engine.start())
    for (const id of crowd) void second.engine.reportFailure(id, 'gone')
    for (const sessionId of crowd) second.observe({ ...lost, sessionId })
    const recovering = second.engine.recover('a', 'gone')
    const reporting = second.engine.reportFailure('b', 'gone')
    second.observe({ ...lost, sessionId: 'a' })
    const replaced = second.engine.register('a', { whenRegistered: 'replace' })
    await second.time.advance(1)
    expect(second.engine.stats().heldBack).toBe(67)
    second.control.resume()
    expect(await answered(second, replaced)).toMatchObject({ incarnation: 2 })
    expect(await answered(second, recovering)).toEqual({ _tag: 'not-registered' })
    expect(await answered(second, reporting)).toEqual({ _tag: 'opened', incident: 1 })
    await second.time.advance(10_000)
    expect(second.engine.history('a')).toEqual([])
    expect(second.engine.status('a')?.record.control).toMatchObject({
      incarnation: 2,
      incidents: 0,
    })
  })
})

/** A store of whose sessions all rest, and that can make nothing of these when it is asked for them. */
const blindTo = (kept: Store, ...blind: readonly string[]): Store => ({
  ...kept,
  open: async () =>
    E.map((loaded: Loaded): Loaded => {
      const resting = new Map(loaded.sessions.map((one) => [one.record.control.sessionId, one]))
      const ids = [...new Set([...resting.keys(), ...blind])]
      for (const id of blind) resting.delete(id)
      return { ...loaded, sessions: [], resting: { ids, read: (id) => resting.get(id) } }
    })(await kept.open()),
})

test('a session of which the store can make nothing once it is asked for is none', async () => {
  const first = await threeCrashed()
  const store = blindTo(memoryStore(first.medium), 'b')
  const second = world({ store, policy: { snapshotInterval: 0 }, after: first })
  await answered(second, second.engine.start())
  expect(await second.engine.reportFailure('b')).toEqual({ _tag: 'not-registered' })
  await second.time.advance(0)
  expect(second.engine.sessions().map(({ sessionId }) => sessionId)).toEqual(['a', 'c'])
  expect(second.engine.stats().registeredSessions).toBe(2)
})

test('nor is anything decided on what is noticed of it, and nothing breaks', async () => {
  const first = await crashed(Array.from({ length: 64 }, (_, i) => `t${i}`))
  const store = blindTo(memoryStore(first.medium), 'changed', 'lost')
  const second = world({ store, policy: { snapshotInterval: 0 }, after: first })
  second.control.holds = (operation) => operation === 'commit'
  await answered(second, second.engine.start())
  expect(second.engine.stats().registeredSessions).toBe(66)
  second.observe({ _tag: 'changed', sessionId: 'changed' })
  second.observe({ ...lost, sessionId: 'lost' })
  expect(second.engine.stats().registeredSessions).toBe(64)
  second.control.resume()
  await second.time.advance(1)
  expect([second.engine.stats().activeRecoveries, second.logged]).toEqual([0, []])
})
