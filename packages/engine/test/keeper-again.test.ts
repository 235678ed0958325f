/** The keeper again: the same change twice, secrets that come back, and what is made of nothing. */
import type { SnapshotUpdate, Store } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import type { Keeper } from '../src/keeper.js'
import { asRedacted, first, kept, unusable, view, yes } from './keeper-rig.js'
import { diskFull } from './scripted-world.js'

describe('the same change again', () => {
  test('is not written, and is durable; once there is a doubt it is', async () => {
    const { keeper, calls } = await kept()
    await keeper.begin(asRedacted(first()), yes)
    const saves = () => calls.filter((name) => name === 'save').length
    const change = { workingDirectory: '/there' }
    expect(await keeper.keep(change)).toMatchObject({ durable: true, view: { generation: 2 } })
    expect(await keeper.keep({ ...change })).toMatchObject({
      durable: true,
      view: { generation: 2 },
    })
    expect(saves()).toBe(2)
    keeper.doubt()
    expect(await keeper.keep(change)).toMatchObject({ view: { generation: 3 } })
    expect(await keeper.keep({ workingDirectory: '/' })).toMatchObject({ view: { generation: 4 } })
    expect(saves()).toBe(4)
    await keeper.close()
    expect(await keeper.keep({ workingDirectory: '/' })).toEqual({ _tag: 'closed' })
  })

  test('is written where the last one was kept in memory alone', async () => {
    const { keeper, calls, answer } = await kept({ onStoreFailure: 'degrade' })
    await keeper.begin(asRedacted(first()), yes)
    answer.refuse = (name) => (name === 'save' ? diskFull : undefined)
    await keeper.keep({ workingDirectory: '/there' })
    answer.refuse = () => undefined
    expect(await keeper.keep({ workingDirectory: '/there' })).toMatchObject({ durable: true })
    expect(calls.filter((name) => name === 'save').length).toBe(3)
  })
})

describe('where something stands for output and history', () => {
  const said = (more: SnapshotUpdate = {}) => ({ outputBuffer: ['said'], ...more })
  const saves = async (work: (keeper: Keeper) => Promise<unknown>): Promise<number> => {
    const { keeper, calls } = await kept({ storeOutput: true })
    await keeper.begin(asRedacted(first()), yes)
    await work(keeper)
    return calls.filter((name) => name === 'save').length - 1
  }

  test('the same object is the same of both, whatever they say', async () => {
    const bulk = {}
    const times = await saves(async (keeper) => {
      await keeper.keep(said(), bulk)
      await keeper.keep({ outputBuffer: ['not read'] }, bulk)
    })
    expect(times).toBe(1)
  })

  test('another object is another, and so is none', async () => {
    for (const later of [{}, undefined]) {
      const times = await saves(async (keeper) => {
        await keeper.keep(said(), {})
        await keeper.keep(said(), later)
      })
      expect(times).toBe(2)
    }
  })

  test('all else is compared by what it says', async () => {
    const bulk = {}
    const times = await saves(async (keeper) => {
      await keeper.keep(said(), bulk)
      await keeper.keep(said({ workingDirectory: '/else' }), bulk)
      await keeper.keep(said({ workingDirectory: '/else' }), bulk)
    })
    expect(times).toBe(2)
  })

  test('it does not stand for what an app said in between, nor for what waited with it', async () => {
    const bulk = {}
    const { keeper } = await kept({ storeOutput: true })
    await keeper.begin(asRedacted(first()), yes)
    await keeper.keep(said(), bulk)
    await keeper.keep({ outputBuffer: ['of the app'] })
    await keeper.keep(said(), bulk)
    expect(await keeper.shown()).toMatchObject({ outputBuffer: ['said'] })
    await Promise.all([keeper.keep(said(), bulk), keeper.keep({ outputBuffer: ['of the app'] })])
    expect(await keeper.shown()).toMatchObject({ outputBuffer: ['of the app'] })
    await keeper.keep(said(), bulk)
    expect(await keeper.shown()).toMatchObject({ outputBuffer: ['said'] })
  })

  test('nor after the store refused it', async () => {
    const bulk = {}
    const { keeper, answer, calls } = await kept({ onStoreFailure: 'degrade' })
    await keeper.begin(asRedacted(first()), yes)
    answer.refuse = (name) => (name === 'save' ? diskFull : undefined)
    await keeper.keep(said(), bulk)
    answer.refuse = () => undefined
    expect(await keeper.keep(said(), bulk)).toMatchObject({ durable: true })
    expect(calls.filter((name) => name === 'save')).toHaveLength(3)
  })
})

test('what is said of a secret that was spoken before is taken out, too', async () => {
  const { keeper } = await kept()
  await keeper.begin(asRedacted(first({ commandHistory: ['export A_TOKEN=hunter2hunter2'] })), yes)
  await keeper.keep({ outputBuffer: ['it is hunter2hunter2'] })
  expect(JSON.stringify(await keeper.shown())).not.toContain('hunter2hunter2')
})

test('a secret that an earlier life took out is taken out of what comes later', async () => {
  const { keeper, keeperOf } = await kept()
  await keeper.begin(asRedacted(first({ environment: { A_TOKEN: 'hunter2hunter2' } })), yes)
  const later = keeperOf(keeper.view)
  await later.keep({ outputBuffer: ['it is hunter2hunter2'] })
  expect(JSON.stringify(await later.shown())).not.toContain('hunter2hunter2')
})

test('of nothing kept an update makes a snapshot of its own', async () => {
  const { keeper } = await kept({ storeOutput: true })
  await keeper.keep({ workingDirectory: '/there' })
  expect(await keeper.shown()).toMatchObject({
    ...{ sessionId: 's', sessionState: null, sessionOptions: null, environment: {} },
    ...{ workingDirectory: '/there', commandHistory: [], outputBuffer: [] },
  })
})

test('what was not cut is not counted, and each of output and history is kept by itself', async () => {
  const { keeper } = await kept({
    storeOutput: false,
    snapshotLimit: { historyLines: 9, outputBytes: 3 },
  })
  await keeper.begin(asRedacted(first()), yes)
  await keeper.keep({ commandHistory: ['ls'], outputBuffer: ['12345'] })
  expect(Object.keys(Object(await keeper.shown()))).not.toContain('droppedHistoryLines')
  await keeper.keep({ commandHistory: [] })
  expect(await keeper.shown()).toMatchObject({ commandHistory: [], outputBuffer: ['345'] })
})

test('that history was cut is not said of output', async () => {
  const limit = { storeOutput: false, snapshotLimit: { historyLines: 1, outputBytes: 9 } }
  const { keeper } = await kept(limit)
  await keeper.keep({ commandHistory: ['a', 'b'], outputBuffer: ['x'] })
  const shown = Object(await keeper.shown())
  expect(shown).toMatchObject({ droppedHistoryLines: 1 })
  expect(Object.keys(shown)).not.toContain('droppedOutputBytes')
})

test('what comes while the second of two is under way waits for it, too', async () => {
  const reads: (() => void)[] = []
  const readSnapshot: Store['readSnapshot'] = () => () =>
    new Promise((resolve) => reads.push(() => resolve(E.left(unusable))))
  const { keeperOf } = await kept({}, { readSnapshot })
  const keeper = keeperOf(view(1, 5))
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const shown = [keeper.shown(), keeper.shown()]
  await turn()
  reads[0]?.()
  await turn()
  shown.push(keeper.shown())
  await turn()
  expect(reads).toHaveLength(2)
  reads[1]?.()
  await turn()
  expect(reads).toHaveLength(3)
  reads[2]?.()
  expect(await Promise.all(shown)).toEqual([undefined, undefined, undefined])
})

test('of several updates that wait together each leaves what it brings, and they are written once', async () => {
  const { keeper, calls } = await kept({ storeOutput: true })
  await keeper.begin(asRedacted(first()), yes)
  const updates = [
    { workingDirectory: '/a' },
    { workingDirectory: '/b' },
    { commandHistory: ['ls'] },
  ]
  const all = await Promise.all(updates.map((update) => keeper.keep(update)))
  expect(all.map((one) => one._tag === 'kept' && one.view.generation)).toEqual([2, 2, 2])
  expect(await keeper.shown()).toMatchObject({ workingDirectory: '/b', commandHistory: ['ls'] })
  expect(calls.filter((name) => name === 'save')).toHaveLength(2)
})
