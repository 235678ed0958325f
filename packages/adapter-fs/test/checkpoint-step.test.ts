/**
 * A checkpoint on a disk in memory: whichever of its operations fails, wherever its power is cut, and whatever is
 * stored meanwhile, what was acknowledged is there, and in its place.
 */
import { changing, memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import type { Disk } from '../src/index.js'
import { nestingLimit } from '../src/nesting.js'
import { directory, fill, generations, log, storeOn } from './checkpoint-scene.js'
import { whereverCut } from './power-cut.js'
import { commitOf, done, everything, refused, revisionIn, snapshotOf } from './sample.js'

const drafts = async (disk: Disk) => (await disk.list(log)).filter((name) => name.endsWith('.tmp'))

/** Expects all that `fill` stored, and commit 3 of a where it was acknowledged. */
const expectAll = async (disk: Disk, revOfA: number, folded?: boolean) => {
  const store = storeOn(disk)
  const { sessions, projection, entries, quarantined, latestSeq } = await done(store.open)
  expect(sessions.map(({ record, view }) => [record.rev, view?.generation])).toEqual([
    [revOfA, 1],
    [2, 2],
  ])
  expect(quarantined).toEqual([])
  if (folded !== undefined) expect(projection).toBe(folded ? 'folded' : undefined)
  const unfolded = [
    ...(projection === undefined ? ['a 1', 'a 2', 'b 1', 'b 2', 'c 1'] : []),
    ...(revOfA === 3 ? ['a 3'] : []),
  ]
  expect(entries.map((entry) => `${entry.sessionId} ${entry.rev}`).sort()).toEqual(unfolded.sort())
  expect(latestSeq).toBe(revOfA)
  for (const id of ['a', 'b'] as const) {
    expect(await done(store.readSnapshot(id))).toEqual(snapshotOf(id, generations[id]))
    const journal = (await done(store.readJournal(id))).map((entry) => entry.rev)
    expect(journal).toEqual(id === 'a' && revOfA === 3 ? [1, 2, 3] : [1, 2])
  }
  expect((await done(store.readJournal('c'))).length).toBe(1)
  expect(await drafts(disk)).toEqual([])
  await store.close()
}

test('whichever operation fails, the store goes on with what it holds', async () => {
  let refusals = 0
  for (let failAt = 1; ; failAt++) {
    const disk = memoryDisk()
    let [steps, broken] = [0, false]
    const failing = probed(disk, ({ name }) => {
      if (!broken || !changing.has(name)) return
      steps += 1
      if (steps === failAt) throw systemError('EIO')
    })
    const store = storeOn(failing)
    await fill(store)
    broken = true
    const result = await store.checkpoint('folded', everything)()
    broken = false
    if (E.isLeft(result)) {
      refusals += 1
      expect(result.left).toMatchObject({ _tag: 'StoreUnavailable', code: 'EIO' })
    }
    expect(await drafts(disk)).toEqual([])
    for (const id of ['a', 'b'] as const)
      expect(await done(store.readSnapshot(id))).toEqual(snapshotOf(id, generations[id]))
    await done(store.commit(commitOf('a', 3)))
    await store.close()
    await expectAll(disk, 3)
    if (steps < failAt) break
  }
  expect(refusals).toBeGreaterThan(4)
})

test('wherever the power is cut, nothing is lost', async () => {
  await whereverCut({ storeOn, fill }, (after, isDone) =>
    expectAll(after, 2, isDone ? true : undefined),
  )
})

test('what is stored while it is written is carried over, and found in its new place', async () => {
  const disk = memoryDisk()
  let isFirst = true
  const watched = probed(disk, async ({ name, path }) => {
    if (name !== 'sync' || !path.endsWith('.tmp') || !isFirst) return
    isFirst = false
    await done(store.commit(commitOf('a', 3)))
    await done(store.saveSnapshot(snapshotOf('b', 7)))
    await done(store.commit(commitOf('d', 1, 1, 50)))
    await done(store.saveSnapshot(snapshotOf('d', 1, 1, 'x'.repeat(3 << 20))))
  })
  const store = storeOn(watched)
  await fill(store)
  await done(store.checkpoint('folded', 2))
  expect(isFirst).toBe(false)
  expect((await disk.list(log)).length).toBe(1)
  for (const look of [async () => undefined, () => store.close().then(() => done(store.open))]) {
    const loaded = await look()
    expect(await done(store.readSnapshot('a'))).toEqual(snapshotOf('a', 1))
    expect(await done(store.readSnapshot('b'))).toEqual(snapshotOf('b', 7))
    expect(await done(store.readSnapshot('d'))).toEqual(snapshotOf('d', 1, 1, 'x'.repeat(3 << 20)))
    expect((await done(store.readJournal('a'))).map((entry) => entry.rev)).toEqual([1, 2, 3])
    expect((await done(store.readJournal('d'))).map((entry) => entry.rev)).toEqual([1])
    if (loaded === undefined) continue
    expect([loaded.projection, loaded.latestSeq]).toEqual(['folded', 50])
    // Of the places up to 2 the projection holds all.
    expect(loaded.entries.map((entry) => `${entry.sessionId} ${entry.rev}`)).toEqual(['a 3', 'd 1'])
  }
})

test('of two segments one is made, and what is stored after it goes on from there', async () => {
  const disk = memoryDisk()
  const first = storeOn(disk)
  await fill(first)
  await first.close()
  const store = storeOn(disk)
  await done(store.open)
  await done(store.commit(commitOf('a', 3)))
  expect((await disk.list(log)).length).toBe(2)
  await done(store.checkpoint('folded', 0))
  expect(await disk.list(log)).toEqual(['00000002-00000002.jsonl'])
  const lines = disk.files().get(`${log}/00000002-00000002.jsonl`)?.toString().trim().split('\n')
  expect(JSON.parse(lines?.[0] ?? '')).toMatchObject({
    segment: { term: 2, sequence: 2, whole: true, before: [] },
  })
  await done(store.commit(commitOf('b', 3)))
  await store.close()
  const { sessions, entries } = await done(storeOn(disk).open)
  expect(sessions.map(({ record }) => record.rev)).toEqual([3, 3])
  expect(entries.length).toBe(7)
})

test('one over a store of which nothing is written yet is a store of nothing', async () => {
  const disk = memoryDisk()
  const store = storeOn(disk)
  await done(store.open)
  await done(store.checkpoint({ of: [] }, everything))
  await store.close()
  expect(await done(storeOn(disk).open)).toMatchObject({ sessions: [], projection: { of: [] } })
})

test('a projection may be as large as the limit, and no byte larger; nothing is changed by one that is', async () => {
  const disk = memoryDisk()
  const store = storeOn(disk, { limitBytes: 2_000 })
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  const large = await refused(store.checkpoint('x'.repeat(2_000), everything))
  // As many bytes less as stand beside it.
  const most = 2_000 - (('bytes' in large ? large.bytes : 0) - 2_000)
  const before = disk.files()
  expect(await refused(store.checkpoint('x'.repeat(most + 1), everything))).toMatchObject({
    ...{ _tag: 'TooLarge', what: 'projection', bytes: 2_001, limitBytes: 2_000 },
  })
  expect(disk.files()).toEqual(before)
  await done(store.checkpoint('x'.repeat(most), everything))
})

test('an entry and a body that have rotted are set aside, and the rest is carried over', async () => {
  const disk = memoryDisk()
  const store = storeOn(disk)
  await fill(store)
  const [name = ''] = await disk.list(log)
  const bytes = disk.files().get(`${log}/${name}`) ?? Buffer.alloc(0)
  for (const at of [revisionIn(bytes, 'a', 1), bytes.indexOf('some output – 2')]) {
    bytes[at + 7] = (bytes[at + 7] ?? 0) ^ 1
  }
  const found: unknown[] = []
  store.watch?.((one) => found.push(one))
  await done(store.checkpoint('folded', everything))
  expect(found).toMatchObject([{ sessionId: 'a' }, { sessionId: 'b' }])
  expect((await disk.list(`${directory}/quarantine`)).length).toBe(2)
  expect((await done(store.readJournal('a'))).map((entry) => entry.rev)).toEqual([2])
  expect(await refused(store.readSnapshot('b'))).toMatchObject({ _tag: 'NotFound' })
  await store.close()
  const { sessions, quarantined } = await done(storeOn(disk).open)
  expect(sessions.map(({ record, view }) => [record.rev, view?.generation])).toEqual([
    [2, 1],
    [2, undefined],
  ])
  expect(quarantined).toEqual([])
})

test('one that another engine has overtaken is refused, and leaves no draft', async () => {
  const disk = memoryDisk()
  let isFirst = true
  const watched = probed(disk, ({ name, path }) => {
    if (name !== 'sync' || !path.endsWith('.tmp') || !isFirst) return
    isFirst = false
    disk.put(`${log}/00000002-00000001.jsonl`, Buffer.alloc(0))
  })
  const store = storeOn(watched)
  await fill(store)
  expect(await refused(store.checkpoint('folded', everything))).toMatchObject({
    _tag: 'StoreOwned',
  })
  expect(await drafts(disk)).toEqual([])
})

test('what no projection holds is carried from one checkpoint to the next, and no entry twice', async () => {
  const disk = memoryDisk()
  let meanwhile = async () => {}
  const watched = probed(disk, async ({ name, path }) => {
    if (name === 'sync' && path.endsWith('.tmp')) await meanwhile()
  })
  const store = storeOn(watched)
  await done(store.open)
  for (const rev of [1, 2, 3]) await done(store.commit(commitOf('a', rev)))
  let writes = 0
  meanwhile = async () => {
    writes += 1
    if (writes === 1) await done(store.commit(commitOf('a', 4)))
  }
  await done(store.checkpoint('one', 1))
  meanwhile = async () => {}
  const seqsAfter = async (projection: string, throughSeq: number) => {
    await done(store.checkpoint(projection, throughSeq))
    const after = storeOn(disk.copy())
    const loaded = await done(after.open)
    await after.close()
    return [loaded.projection, loaded.entries.map((entry) => entry.seq)]
  }
  expect(await seqsAfter('two', 2)).toEqual(['two', [3, 4]])
  expect(await seqsAfter('three', 2)).toEqual(['three', [3, 4]])
  expect(await seqsAfter('four', 3)).toEqual(['four', [4]])
  await done(store.commit(commitOf('a', 5)))
  expect(await seqsAfter('five', 3)).toEqual(['five', [4, 5]])
  expect(await seqsAfter('six', 5)).toEqual(['six', []])
})

test('an entry that has rotted before it was folded is set aside', async () => {
  const disk = memoryDisk()
  const store = storeOn(disk)
  await fill(store)
  const [name = ''] = await disk.list(log)
  const bytes = disk.files().get(`${log}/${name}`) ?? Buffer.alloc(0)
  const at = revisionIn(bytes, 'b', 1)
  bytes[at + 7] = (bytes[at + 7] ?? 0) ^ 1
  const offset = bytes.lastIndexOf('\n', at) + 1
  const found: unknown[] = []
  store.watch?.(({ problem: _, ...one }) => found.push(one))
  await done(store.checkpoint('folded', 0))
  const one = {
    source: `log/${name}: byte ${offset}`,
    keptAs: `quarantine/${name}.${offset}`,
  }
  // By its place in the log, of whom nothing is known, and as a part of its session.
  expect(found).toEqual([one, { ...one, sessionId: 'b' }])
  await store.close()
  const { entries } = await done(storeOn(disk).open)
  expect(entries.map((entry) => `${entry.sessionId} ${entry.rev}`).sort()).toEqual([
    ...['a 1', 'a 2', 'b 2', 'c 1'],
  ])
})

test('a small store is written in one piece, a large one piece by piece', async () => {
  const disk = memoryDisk()
  const sizes: number[] = []
  const sized: Disk = {
    ...disk,
    create: async (path) => {
      const file = await disk.create(path)
      if (!path.endsWith('.tmp')) return file
      return {
        ...file,
        write: (bytes, position) => {
          sizes.push(bytes.length)
          return file.write(bytes, position)
        },
      }
    },
  }
  const store = storeOn(sized)
  await fill(store)
  await done(store.checkpoint('folded', everything))
  expect(sizes.length).toBe(1)
  for (const id of ['d', 'e', 'f']) {
    await done(store.commit(commitOf(id, 1)))
    await done(store.saveSnapshot(snapshotOf(id, 1, 1, 'x'.repeat(1 << 20))))
  }
  sizes.length = 0
  await done(store.checkpoint('folded', everything))
  expect(sizes.length).toBe(4)
  expect(Math.max(...sizes)).toBeLessThan(2 << 20)
})

test('one is written, too, where the disk has failed before and nothing is open', async () => {
  const disk = memoryDisk()
  let broken = false
  const failing = probed(disk, ({ name }) => {
    if (broken && name === 'write') throw systemError('EIO')
  })
  const store = storeOn(failing)
  await fill(store)
  broken = true
  await refused(store.commit(commitOf('a', 3)))
  expect(await refused(store.checkpoint('folded', everything))).toMatchObject({
    ...{ _tag: 'StoreUnavailable', operation: 'checkpoint', code: 'EIO' },
  })
  broken = false
  await done(store.checkpoint('folded', everything))
  await store.close()
  await expectAll(disk, 2, true)
})

test('a projection that nests too deep is refused by its name', async () => {
  const store = storeOn(memoryDisk())
  await done(store.open)
  let deep: unknown = 1
  for (let depth = 0; depth <= nestingLimit; depth++) deep = [deep]
  expect(await refused(store.checkpoint(deep as never, everything))).toMatchObject({
    ...{ _tag: 'TooLarge', what: 'projection' },
  })
})

test('of forgotten sessions the newest are kept, and those that came back meanwhile', async () => {
  const disk = memoryDisk()
  const ids = ['a', 'b', 'c']
  let isFirst = true
  const watched = probed(disk, async ({ name, path }) => {
    if (name !== 'sync' || !path.endsWith('.tmp') || !isFirst) return
    isFirst = false
    await done(store.commit(commitOf('a', 1, 2)))
  })
  const store = storeOn(watched, { forgottenSessions: 1 })
  await done(store.open)
  for (const id of ids) await done(store.commit(commitOf(id, 1)))
  for (const id of ids) await done(store.forget(id, 1))
  await done(store.checkpoint('folded', everything))
  const lengths = async () =>
    Promise.all(ids.map(async (id) => (await done(store.readJournal(id))).length))
  expect(await lengths()).toEqual([1, 0, 1])
  await store.close()
  expect((await done(store.open)).sessions.map(({ record }) => record.control.sessionId)).toEqual([
    'a',
  ])
  expect(await lengths()).toEqual([1, 0, 1])
})
