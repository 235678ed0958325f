/** The keeper by itself: what it saves, what it keeps in memory, what it reads, and how often. */
import {
  emptyInteractiveState,
  type Policy,
  type Store,
  type StoreError,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { asRedacted, first, kept, large, unusable, view, yes } from './keeper-rig.js'
import { diskFull } from './scripted-world.js'

describe('a first snapshot', () => {
  test('is kept once the session is registered, and not at all where it is not', async () => {
    const { keeper, calls, logged } = await kept()
    expect(keeper.view).toBeUndefined()
    expect(await keeper.begin(asRedacted(first()), Promise.resolve(false))).toEqual({
      _tag: 'closed',
    })
    expect([keeper.view, calls]).toEqual([undefined, []])
    expect([await keeper.stored(), await keeper.shown()]).toEqual([undefined, undefined])
    // What was never kept is not looked for, nor is it missed.
    expect([calls, logged]).toEqual([[], []])
    const done = await keeper.begin(asRedacted(first()), yes)
    expect(done).toEqual({ _tag: 'kept', view: view(1, 5), durable: true })
    expect([keeper.view, calls]).toEqual([view(1, 5), ['save']])
  })

  test('that any store refuses is kept in memory, and told; the next one is a number further', async () => {
    const { keeper, answer, told, calls } = await kept({ onStoreFailure: 'halt' })
    answer.refuse = () => large
    const done = await keeper.begin(asRedacted(first({ workingDirectory: '/here' })), yes)
    expect(done).toMatchObject({ _tag: 'kept', durable: false, view: { generation: 1 } })
    expect(told).toEqual([{ _tag: 'store-failed', sessionId: 's', error: large }])
    expect(await keeper.stored()).toMatchObject({ body: { workingDirectory: '/here' } })
    expect(await keeper.shown()).toMatchObject({ workingDirectory: '/here' })
    expect(calls).toEqual(['save'])
    answer.refuse = () => undefined
    expect(await keeper.keep({ commandHistory: ['ls'] })).toMatchObject({
      ...{ durable: true, view: { generation: 2 } },
    })
    expect(await keeper.shown()).toMatchObject({ workingDirectory: '/here' })
    expect(calls).toEqual(['save', 'save', 'read'])
  })
})

describe('a change', () => {
  test('is put upon what is stored, at its time', async () => {
    const { keeper, clock } = await kept()
    await keeper.begin(asRedacted(first({ workingDirectory: '/here' })), yes)
    clock.nowMs = 2_000
    const interactiveState = { ...emptyInteractiveState, pendingCommands: ['make'] }
    expect(await keeper.keep({ interactiveState })).toEqual({
      ...{ _tag: 'kept', durable: true },
      view: { ...view(2, 2_000), interactive: interactiveState },
    })
    expect(await keeper.shown()).toMatchObject({
      ...{ workingDirectory: '/here', interactiveState, timestamp: new Date(2_000) },
    })
  })

  test.each<readonly [Policy['onStoreFailure'], StoreError, boolean]>([
    ['degrade', diskFull, true],
    ['degrade', large, false],
    ['halt', diskFull, false],
  ])('under %s, refused by %j, is kept in memory: %s', async (onStoreFailure, error, isKept) => {
    const { keeper, answer, told } = await kept({ onStoreFailure })
    await keeper.begin(asRedacted(first()), yes)
    answer.refuse = (name) => (name === 'save' ? error : undefined)
    const done = await keeper.keep({ workingDirectory: '/there' })
    expect(done).toMatchObject(
      isKept ? { _tag: 'kept', durable: false } : { _tag: 'refused', error },
    )
    expect(told).toEqual([{ _tag: 'store-failed', sessionId: 's', error }])
    expect(keeper.view?.generation).toBe(isKept ? 2 : 1)
    expect(await keeper.shown()).toMatchObject({ workingDirectory: isKept ? '/there' : '/' })
    answer.refuse = () => undefined
    // A number that was given away is given to nothing else.
    expect(await keeper.keep({})).toMatchObject({ view: { generation: 3 } })
  })

  test('is refused where what is stored is only out of reach, and begins anew where it is lost', async () => {
    const { keeper, answer, calls, logged } = await kept()
    await keeper.begin(asRedacted(first({ workingDirectory: '/here' })), yes)
    answer.refuse = (name) => (name === 'read' ? diskFull : undefined)
    expect(await keeper.keep({ commandHistory: ['ls'] })).toEqual({
      ...{ _tag: 'refused', error: diskFull },
    })
    expect(calls).toEqual(['save', 'read'])
    expect(logged).toEqual([['error', 'the snapshot of s cannot be read']])
    expect(await keeper.shown()).toBeUndefined()
    answer.refuse = (name) => (name === 'read' ? unusable : undefined)
    expect(await keeper.keep({ commandHistory: ['ls'] })).toMatchObject({ _tag: 'kept' })
    answer.refuse = () => undefined
    expect(await keeper.shown()).toMatchObject({ workingDirectory: '', commandHistory: ['ls'] })
  })

  test('of what cannot be decoded begins anew, and that is logged', async () => {
    const read: Store['readSnapshot'] = () => async () =>
      E.right({ sessionId: 's', incarnation: 1, view: view(1, 5), body: { not: 'a snapshot' } })
    const { keeperOf, logged } = await kept({}, { readSnapshot: read })
    const keeper = keeperOf(view(1, 5))
    expect(await keeper.shown()).toBeUndefined()
    expect(logged).toEqual([['error', 'the snapshot of s cannot be decoded']])
    expect(await keeper.keep({ workingDirectory: '/x' })).toMatchObject({ view: { generation: 2 } })
  })
})

describe('an update that brings all the bulk anew', () => {
  const bulk = { environment: { LANG: 'C' }, commandHistory: ['ls'], outputBuffer: ['a'] }
  const shell = {
    ...{
      shell: 'bash' as const,
      variables: {},
      functions: {},
      aliases: {},
      options: {},
      umask: '',
    },
    ...{ directoryStack: [], traps: {}, lastExitCode: 0 },
  }
  const begun = first({
    sessionState: { since: new Date(7), ratio: Number.NaN },
    sessionOptions: { command: 'bash' },
    environment: { OLD: 'x' },
  })

  test.each([true, false])(
    'is merged with what is in memory of the rest: output stored %s',
    async (storeOutput) => {
      const { keeper, calls } = await kept({ storeOutput })
      await keeper.begin(asRedacted(begun), yes)
      await keeper.keep({ ...bulk, droppedOutputBytes: 3, workingDirectory: '/there' })
      await keeper.keep({ ...bulk, outputBuffer: ['b'] })
      expect(calls).toEqual(['save', 'save', 'save'])
      expect(await keeper.shown()).toEqual({
        ...{ ...begun, ...bulk, outputBuffer: ['b'], workingDirectory: '/there' },
        timestamp: expect.any(Date),
      })
    },
  )

  test.each(['environment', 'commandHistory', 'outputBuffer', 'shell'] as const)(
    'is none without its %s',
    async (missing) => {
      const { keeper, calls } = await kept({ storeOutput: true })
      await keeper.begin(asRedacted(begun), yes)
      await keeper.keep({ ...bulk, shell })
      const { [missing]: _, ...rest } = { ...bulk, shell, workingDirectory: '/x' }
      await keeper.keep(rest)
      expect(calls).toEqual(['save', 'save', 'read', 'save'])
      const whole = { ...bulk, shell, workingDirectory: '/x' }
      expect(await keeper.shown()).toMatchObject(whole)
    },
  )

  test('is merged with what is read where the rest is large, or was refused', async () => {
    const { keeper, calls, answer } = await kept({ storeOutput: true })
    await keeper.begin(asRedacted(first({ sessionOptions: { note: 'x'.repeat(512) } })), yes)
    await keeper.keep(bulk)
    expect(calls).toEqual(['save', 'read', 'save'])
    await keeper.keep({ ...bulk, sessionState: 1, outputBuffer: ['b'] })
    answer.refuse = (name) => (name === 'save' ? large : undefined)
    await keeper.keep({ ...bulk, outputBuffer: ['c'] })
    answer.refuse = () => undefined
    await keeper.keep({ ...bulk, outputBuffer: ['d'] })
    expect(calls.slice(3)).toEqual(['read', 'save', 'read', 'save', 'read', 'save'])
    expect(await keeper.shown()).toMatchObject({ sessionState: 1, outputBuffer: ['d'] })
  })

  test('is merged with what is in memory of one that began with nothing', async () => {
    const { keeper, calls } = await kept({ storeOutput: true })
    await keeper.keep({ ...bulk, workingDirectory: '/there' })
    await keeper.keep({ ...bulk, outputBuffer: ['b'] })
    expect(calls).toEqual(['save', 'save'])
    expect(await keeper.shown()).toMatchObject({ workingDirectory: '/there', outputBuffer: ['b'] })
  })

  test('is merged with what is read as long as a secret is lost: it may be found', async () => {
    const { keeper, keeperOf, answer, calls } = await kept({ storeOutput: true })
    answer.secret = false
    const token = { A_TOKEN: 'hunter2hunter2' }
    await keeper.begin(asRedacted(first({ environment: token })), yes)
    const later = keeperOf(keeper.view)
    await later.keep({ ...bulk, commandHistory: [] })
    await later.keep(bulk)
    await later.keep({ ...bulk, outputBuffer: ['b'] })
    expect(calls).toEqual(['save', 'read', 'save', 'read', 'save', 'save'])
  })
})

describe('output and history', () => {
  const said = { commandHistory: ['ls'], outputBuffer: ['a', 'b'] }
  test.each<readonly [boolean, Partial<Store>, boolean]>([
    [true, {}, true],
    [false, { seals: true }, true],
    [false, { seals: false }, false],
    [false, {}, false],
  ])(
    'storeOutput %s, %j: are stored: %s, and shown in any case',
    async (storeOutput, more, isStored) => {
      const { keeper } = await kept({ storeOutput }, more)
      await keeper.begin(asRedacted(first()), yes)
      await keeper.keep(said)
      const nothing = { commandHistory: [], outputBuffer: [] }
      expect((await keeper.stored())?.body).toMatchObject(isStored ? said : nothing)
      expect(await keeper.shown()).toMatchObject(said)
      expect((await keeper.retrieve())?.snapshot).toMatchObject(said)
      await keeper.keep(nothing)
      expect(await keeper.shown()).toMatchObject(nothing)
      for (const one of [{ outputBuffer: ['a'] }, { commandHistory: ['ls'] }]) {
        await keeper.keep({ ...nothing, ...one })
        expect(await keeper.shown()).toMatchObject({ ...nothing, ...one })
      }
    },
  )

  test('of which nothing is left are known to have been dropped', async () => {
    const limit = { storeOutput: false, snapshotLimit: { historyLines: 1, outputBytes: 0 } }
    const { keeper } = await kept(limit)
    await keeper.begin(asRedacted(first()), yes)
    await keeper.keep({ commandHistory: [], outputBuffer: ['12345'] })
    const left = await keeper.shown()
    expect(left).toMatchObject({ commandHistory: [], droppedOutputBytes: 5 })
  })

  test('that were cut are counted, whether they are stored or not', async () => {
    const limit = { storeOutput: false, snapshotLimit: { historyLines: 1, outputBytes: 3 } }
    const { keeper } = await kept(limit)
    await keeper.begin(asRedacted(first()), yes)
    await keeper.keep({ commandHistory: ['a', 'b'], outputBuffer: ['12345'] })
    const counts = { droppedOutputBytes: 2, droppedHistoryLines: 1 }
    expect(await keeper.shown()).toMatchObject({ ...counts, commandHistory: ['b'] })
    const stored = Object.keys(Object((await keeper.stored())?.body))
    expect(stored.filter((key) => key in counts)).toEqual([])
    // Of nothing that is left, that something was dropped is known still.
    await keeper.keep({ workingDirectory: '/x' })
    expect(await keeper.shown()).toMatchObject(counts)
  })
})

describe('what a recovery gets', () => {
  const secret = 'hunter2hunter2'
  const withSecret = first({ environment: { A_TOKEN: secret } })

  test('is read once for an incident, and again once something else was kept', async () => {
    const { keeper, calls } = await kept()
    expect(await keeper.retrieve()).toBeUndefined()
    await keeper.begin(asRedacted(withSecret), yes)
    const one = await keeper.retrieve()
    expect(one).toMatchObject({ lostSecrets: [], snapshot: { environment: { A_TOKEN: secret } } })
    expect(await keeper.retrieve()).toBe(one)
    const reads = () => calls.filter((name) => name === 'read').length
    expect(reads()).toBe(1)
    keeper.letGo()
    expect(await keeper.retrieve()).toEqual(one)
    expect(reads()).toBe(2)
    await keeper.keep({ workingDirectory: '/there' })
    expect((await keeper.retrieve())?.snapshot.workingDirectory).toBe('/there')
    expect((await keeper.shown())?.environment.A_TOKEN).not.toBe(secret)
  })

  test('lacks what nobody can tell, and asks again for it the next time', async () => {
    const { keeper, keeperOf, answer, logged, calls, store } = await kept()
    answer.secret = false
    await keeper.begin(asRedacted(withSecret), yes)
    expect(logged).toEqual([['warn', 'a secret of s cannot be kept']])
    // The keeper that saw it knows it still.
    expect((await keeper.retrieve())?.lostSecrets).toEqual([])
    const later = keeperOf(keeper.view)
    const reference = 'session-recovery-secret:s/env/A_TOKEN'
    for (const reads of [2, 3]) {
      const found = await later.retrieve()
      expect(found?.lostSecrets).toEqual([reference])
      expect(found?.snapshot.environment).toEqual({})
      expect(calls.filter((name) => name === 'read').length).toBe(reads)
    }
    expect(E.isRight(await store.readSnapshot('s')())).toBe(true)
  })

  test('what an earlier life took out is learnt once, before it is said', async () => {
    const { keeper, keeperOf, calls } = await kept({ secretNames: ['MINE'] })
    expect(keeper.learnt()).toBeUndefined()
    expect(keeper.known).toEqual({ secrets: new Map(), declared: ['MINE'] })
    await keeper.begin(asRedacted(withSecret), yes)
    expect([...keeper.known.secrets.values()]).toEqual([secret])
    const later = keeperOf(keeper.view)
    expect(later.known.secrets.size).toBe(0)
    const learning = [later.learnt(), later.learnt()]
    await Promise.all(learning)
    expect([...later.known.secrets.values()]).toEqual([secret])
    expect(later.learnt()).toBeUndefined()
    expect(calls.filter((name) => name === 'read').length).toBe(1)
  })
})

test('what is closed keeps nothing more, and is over when what was under way is', async () => {
  const { keeper, calls } = await kept()
  const order: string[] = []
  let register: (is: boolean) => void = () => undefined
  const registered = new Promise<boolean>((resolve) => {
    register = resolve
  })
  const beginning = keeper
    .begin(asRedacted(first()), registered)
    .then(({ _tag }) => order.push(_tag))
  const closing = keeper.close().then(() => order.push('over'))
  register(true)
  await Promise.all([beginning, closing])
  expect(order).toEqual(['closed', 'over'])
  expect(await keeper.keep({})).toEqual({ _tag: 'closed' })
  expect(calls).toEqual([])
})
