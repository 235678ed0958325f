/**
 * The memory store keeps a store's promises: compare-and-set, one life per incarnation, the latest
 * generation; and a checkpoint at any moment changes no statistic.
 */
import {
  digest,
  type EventOf,
  type JournalEntry,
  type PolicyInput,
  register,
  type SessionRecord,
  type Store,
  stepVersion,
} from '@session-recovery/core'
import { archiveLimit, journalLimit, memoryStore } from '@session-recovery/engine'
import { chance, holdsAsync } from '@session-recovery/testkit'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import {
  answered,
  diskFull,
  done,
  failed,
  policyOf,
  type Script,
  started,
  type World,
  world,
} from './scripted-world.js'

const policy = policyOf()
const recordOf = (rev: number, incarnation = 1): SessionRecord => {
  const event: EventOf<'registered'> = {
    type: 'registered',
    atMs: 5,
    traits: {
      kind: 'local',
      attended: false,
      shell: true,
      rerunnable: false,
      failureExitCodes: [],
      idempotentCommands: [],
    },
  }
  return { ...register('s', incarnation, event, policy)[0], rev }
}

const entryOf = (record: SessionRecord, seq: number): JournalEntry => ({
  v: 1,
  seq,
  sessionId: 's',
  incarnation: record.control.incarnation,
  rev: record.rev,
  stepVersion,
  policyDigest: 'p',
  wallMs: seq,
  event: { type: 'due', atMs: seq },
  to: record.state,
  effects: [],
  recordDigest: digest(seq),
})

let seq = 0
const commit = (store: Store, rev: number, expectedRev: number, incarnation = 1) => {
  const record = recordOf(rev, incarnation)
  return store.commit({ record, expectedRev, entry: entryOf(record, ++seq) })()
}
const snapshot = (generation: number, incarnation = 1) => ({
  sessionId: 's',
  incarnation,
  view: { generation, capturedAtMs: generation },
  body: { generation, incarnation },
})
const conflict = (expectedRev: number, actualRev: number) =>
  E.left(expect.objectContaining({ _tag: 'RevisionConflict', expectedRev, actualRev }))
const ok = E.right(undefined)

describe('a commit', () => {
  test('is taken only on the revision the store holds', async () => {
    const store = memoryStore()
    expect(await commit(store, 2, 1)).toEqual(conflict(1, 0))
    expect(await commit(store, 1, 0)).toEqual(ok)
    expect(await commit(store, 1, 0)).toEqual(conflict(0, 1))
    expect(await commit(store, 3, 2)).toEqual(conflict(2, 1))
    // Revisions may be skipped: what a degraded engine decided meanwhile was never written.
    expect(await commit(store, 5, 1)).toEqual(ok)
    expect(await store.readJournal('s')()).toMatchObject({ right: [{ rev: 1 }, { rev: 5 }] })
  })

  test('of a later incarnation begins anew; of an earlier one it is refused', async () => {
    const store = memoryStore()
    await commit(store, 3, 0)
    await store.saveSnapshot(snapshot(7))()
    expect(await commit(store, 1, 0, 2)).toEqual(ok)
    expect(await store.readSnapshot('s')()).toMatchObject({ left: { _tag: 'NotFound' } })
    expect(await commit(store, 2, 1, 1)).toEqual(conflict(1, 1))
    expect(await store.open()).toMatchObject({
      right: { sessions: [{ record: { rev: 1, control: { incarnation: 2 } } }] },
    })
  })
})

describe('a snapshot', () => {
  test('is kept if it is the latest of the incarnation the store holds', async () => {
    const store = memoryStore()
    const body = async () => {
      const read = await store.readSnapshot('s')()
      return E.isRight(read) ? read.right.body : read.left._tag
    }
    expect(await store.saveSnapshot(snapshot(1))()).toMatchObject({ left: { _tag: 'NotFound' } })
    await commit(store, 1, 0)
    expect(await body()).toBe('NotFound')
    expect(await store.saveSnapshot(snapshot(2))()).toEqual(ok)
    expect(await store.saveSnapshot(snapshot(1))()).toEqual(ok)
    expect(await body()).toEqual({ generation: 2, incarnation: 1 })
    await commit(store, 1, 0, 2)
    expect(await store.saveSnapshot(snapshot(9, 1))()).toMatchObject({ left: { _tag: 'NotFound' } })
    expect(await store.saveSnapshot(snapshot(1, 2))()).toEqual(ok)
    expect(await body()).toEqual({ generation: 1, incarnation: 2 })
  })
})

test('what is missing is named, and of one generation the first is kept', async () => {
  const store = memoryStore()
  expect(await store.saveSnapshot(snapshot(1))()).toMatchObject({
    left: { what: 'incarnation 1 of s', message: 'nothing is stored for incarnation 1 of s' },
  })
  expect(await store.readSnapshot('s')()).toMatchObject({ left: { what: 'a snapshot of s' } })
  await commit(store, 1, 0)
  await store.saveSnapshot(snapshot(1))()
  await store.saveSnapshot({ ...snapshot(1), body: 'another' })()
  expect(await store.readSnapshot('s')()).toMatchObject({ right: { body: { generation: 1 } } })
})

test('of a forgotten session the journal stays while a checkpoint reaches not so far', async () => {
  const store = memoryStore()
  await commit(store, 1, 0)
  const first = seq
  await commit(store, 2, 1)
  await store.forget('s', 1)()
  await store.checkpoint({}, first)()
  expect(await store.readJournal('s')()).toMatchObject({ right: [{ rev: 1 }, { rev: 2 }] })
  await store.checkpoint({}, seq)()
  expect(await store.readJournal('s')()).toEqual(E.right([]))
})

describe('what is forgotten', () => {
  test('is gone, but its journal, until a checkpoint holds it', async () => {
    const store = memoryStore()
    await commit(store, 1, 0, 1)
    await commit(store, 1, 0, 2)
    await store.forget('s', 1)()
    expect(await store.open()).toMatchObject({ right: { sessions: [{}], entries: [{}, {}] } })
    await store.forget('s', 2)()
    expect(await store.open()).toMatchObject({ right: { sessions: [], entries: [{}, {}] } })
    expect(await store.readJournal('s')()).toMatchObject({ right: [{}, {}] })
    await store.checkpoint({}, seq)()
    expect(await store.readJournal('s')()).toEqual(E.right([]))
    // The id may be taken again.
    expect(await commit(store, 1, 0, 1)).toEqual(ok)
  })
})

describe('limits', () => {
  test('a journal keeps the newest entries, and every one no checkpoint holds', async () => {
    const store = memoryStore()
    for (let rev = 1; rev <= journalLimit + 50; rev++) await commit(store, rev, rev - 1)
    const read = async () => {
      const journal = await store.readJournal('s')()
      return E.isRight(journal) ? journal.right : []
    }
    expect(await read()).toHaveLength(journalLimit + 50)
    await store.checkpoint({}, seq)()
    expect(await read()).toHaveLength(journalLimit)
    await commit(store, journalLimit + 51, journalLimit + 50)
    expect(await read()).toHaveLength(journalLimit)
    expect((await read()).at(-1)?.rev).toBe(journalLimit + 51)
    expect(await store.open()).toMatchObject({ right: { entries: [{ rev: journalLimit + 51 }] } })
  })

  test('by its name', () => {
    expect(memoryStore()).toMatchObject({ name: 'memory', durability: 'memory' })
  })

  test('archives: one per token, and the newest', async () => {
    const store = memoryStore()
    const record = recordOf(1)
    const archive = (token: string) =>
      store.archive({
        v: 1,
        sessionId: 's',
        incarnation: 1,
        incident: 1,
        token,
        atMs: 0,
        record,
        snapshot: null,
      })()
    const first = await archive('0')
    expect(await archive('0')).toEqual(first)
    const location = E.isRight(first) ? first.right : ''
    for (let i = 1; i < archiveLimit; i++) await archive(String(i))
    expect(await store.readArchive(location)()).toMatchObject({ right: { token: '0' } })
    await archive(String(archiveLimit))
    expect(await store.readArchive(location)()).toMatchObject({ left: { _tag: 'NotFound' } })
    const last = await archive(String(archiveLimit))
    expect(await store.readArchive(E.isRight(last) ? last.right : '')()).toMatchObject({
      right: { token: String(archiveLimit) },
    })
  })
})

// ------------------------------------------------------------------------------------- checkpoints

const neverCheckpoints: PolicyInput = { checkpointEvery: Number.MAX_SAFE_INTEGER }

/** A store that takes its time over a commit, so that many are under way and are answered in any order. */
const slow = ({ store, time }: World, delayMs: () => number): (() => void) => {
  const { commit: prompt } = store
  const { clock, drop } = time.fork()
  const commit: Store['commit'] = (one) => async () => {
    await new Promise<void>((resolve) => void clock.schedule(delayMs(), resolve))
    return prompt(one)()
  }
  Object.assign(store, { commit })
  return drop
}

/**
 * Many sessions at once over a slow store that refuses now and then, and crashes in the middle of it, life
 * after life. Returns what the engine counts at the end.
 */
const counted = async (seed: number, checkpoints: PolicyInput, crashes: number) => {
  const pick = chance(seed)
  const policy: PolicyInput = {
    ...checkpoints,
    snapshotInterval: 0,
    recoveryDelay: 10,
    maxRecoveryAttempts: 2,
    resumeOnStart: false,
    onStoreFailure: 'halt',
  }
  const script: Partial<Script> = { run: ({ attempt }) => (attempt > 1 ? done : failed()) }
  let life: World | undefined
  for (let i = 0; i <= crashes; i++) {
    const made: World = world({ policy, script, ...(life === undefined ? {} : { after: life }) })
    life = made
    await answered(made, made.engine.start())
    let commits = 0
    made.control.refuse = (operation) =>
      operation === 'commit' && ++commits % 7 === 0 ? diskFull : undefined
    const dropSlow = slow(made, () => pick.pick([0, 1, 5, 20]))
    for (let s = 0; s < 6; s++) {
      const id = `s${s}`
      void made.engine.register(id, { attended: false }).then(async () => {
        if (pick.percent(70)) await made.engine.recover(id, 'connection reset')
        if (pick.percent(30)) await made.engine.unregister(id)
      })
    }
    await made.time.advance(pick.whole(20, 300))
    made.crash()
    dropSlow()
  }
  if (life === undefined) throw new Error('nothing lived')
  const last = world({ policy: { ...policy, enabled: false }, after: life })
  await answered(last, last.engine.start())
  const histories = [0, 1, 2, 3, 4, 5].map((s) => last.engine.history(`s${s}`))
  return { stats: last.engine.stats(), histories, entries: life.medium.latestSeq }
}

describe('statistics', () => {
  test('are the same after a crash with checkpoints at any moment as with none', async () => {
    await holdsAsync(
      fc.asyncProperty(
        fc.integer({ min: 1 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 3 }),
        async (seed, checkpointEvery, crashes) => {
          const without = await counted(seed, neverCheckpoints, crashes)
          expect(without.entries).toBeGreaterThan(5)
          expect(await counted(seed, { checkpointEvery }, crashes)).toEqual(without)
        },
      ),
      40,
    )
  })

  test('a place that was refused before a checkpoint is not mistaken for a later entry', async () => {
    const options = { policy: { onStoreFailure: 'halt', snapshotInterval: 0 } } as const
    const first = await started(options)
    first.control.refuse = (operation) => (operation === 'commit' ? diskFull : undefined)
    for (let i = 0; i < 9; i++) await first.engine.register(`refused-${i}`)
    first.control.refuse = () => undefined
    await answered(first, first.engine.stop())
    let last = first
    for (let life = 0; life < 3; life++) {
      last = world({ ...options, after: last })
      await answered(last, last.engine.start())
      await last.engine.register(`t${life}`)
      last.crash()
    }
    const end = world({ ...options, after: last })
    await answered(end, end.engine.start())
    expect(end.engine.stats().sessionsSaved).toBe(4)
  })

  test('a degraded decision is counted once', async () => {
    const options = { policy: { snapshotInterval: 0 } }
    const first = await started(options)
    first.control.refuse = (operation) => (operation === 'commit' ? diskFull : undefined)
    await answered(first, first.engine.recover('s'))
    first.control.refuse = () => undefined
    await answered(first, first.engine.stop())
    const second = world({ ...options, after: first })
    await answered(second, second.engine.start())
    await second.engine.register('t')
    second.crash()
    const third = world({ ...options, after: second })
    await answered(third, third.engine.start())
    expect(third.engine.stats()).toMatchObject({ sessionsSaved: 2, successfulRecoveries: 1 })
  })
})

test('snapshots alone bring a checkpoint about: a store of bodies is made fresh, too', async () => {
  const made = world({ policy: { checkpointEvery: 5, snapshotInterval: 0 } })
  await answered(made, made.engine.start())
  await answered(made, made.engine.register('s'))
  for (let i = 0; i < 10; i++) {
    await answered(made, made.engine.update('s', { workingDirectory: `/${i}` }))
  }
  const checkpoints = made.control.operations.filter((name) => name === 'checkpoint')
  expect(checkpoints.length).toBeGreaterThanOrEqual(2)
  expect(checkpoints.length).toBeLessThan(10)
})
