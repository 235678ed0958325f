/** What a checkpoint retains and lets go of, and that one which does not come to its end changes nothing. */
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { type Disk, fileStore } from '../src/index.js'
import { closing, commitOf, done, everything, refused } from './sample.js'

const directory = '/store'
const log = `${directory}/log`
type Options = Partial<Parameters<typeof fileStore>[0]>
const storeOn = (disk: Disk, options: Options = {}) =>
  closing(fileStore({ directory, ...options }, disk))

/** Has `work` done once, while a checkpoint is being written. */
const during = (disk: Disk, work: () => Promise<unknown>): Disk => {
  let isFirst = true
  return probed(disk, async ({ name, path }) => {
    if (name !== 'sync' || !path.endsWith('.tmp') || !isFirst) return
    isFirst = false
    await work()
  })
}

const withEntries = async (disk: Disk, entries: number, options: Options = {}) => {
  const store = storeOn(disk, options)
  await done(store.open)
  for (let rev = 1; rev <= entries; rev++) await done(store.commit(commitOf('a', rev)))
  return store
}

test('of a journal that was kept under a higher bound no more is retained than the bound is now', async () => {
  const disk = memoryDisk()
  const store = await withEntries(disk, 6, { journalEntriesPerSession: 5 })
  await done(store.checkpoint('folded', everything))
  await store.close()
  for (const [bound, revs] of [
    [5, [2, 3, 4, 5, 6]],
    [2, [5, 6]],
    [0, []],
  ] as const) {
    const next = storeOn(disk, { journalEntriesPerSession: bound })
    await done(next.open)
    await done(next.checkpoint('folded', everything))
    expect((await done(next.readJournal('a'))).map((entry) => entry.rev)).toEqual(revs)
    await next.close()
  }
})

describe('of a forgotten session that is one too many', () => {
  const forgotten = async (disk: Disk, options: Options) => {
    const store = storeOn(disk, { forgottenSessions: 0, ...options })
    await done(store.open)
    await done(store.commit(commitOf('a', 1)))
    await done(store.forget('a', 1))
    return store
  }

  test('the next life is kept that began meanwhile, though no journal is', async () => {
    const disk = memoryDisk()
    const on = during(disk, () => done(store.commit(commitOf('a', 1, 2))))
    const store = await forgotten(on, { journalEntriesPerSession: 0 })
    await done(store.checkpoint('folded', everything))
    await done(store.commit(commitOf('a', 2, 2)))
    await store.close()
    const { sessions } = await done(storeOn(disk).open)
    expect(sessions.map(({ record }) => [record.control.incarnation, record.rev])).toEqual([[2, 2]])
  })

  test('the journal of the life is kept that began and ended meanwhile', async () => {
    const disk = memoryDisk()
    const on = during(disk, async () => {
      await done(store.commit(commitOf('a', 1, 2)))
      await done(store.forget('a', 2))
    })
    const store = await forgotten(on, {})
    await done(store.checkpoint('folded', everything))
    expect((await done(store.readJournal('a'))).map((entry) => entry.incarnation)).toEqual([2])
  })

  test('nothing is written any more, also when there is room again', async () => {
    const disk = memoryDisk()
    const store = storeOn(disk, { forgottenSessions: 1 })
    await done(store.open)
    for (const id of ['older', 'newer']) {
      await done(store.commit(commitOf(id, 1)))
      await done(store.forget(id, 1))
    }
    await done(store.checkpoint('folded', everything))
    await done(store.commit(commitOf('newer', 1, 2)))
    await done(store.checkpoint('folded', everything))
    const [, segment] = [...disk.files()].find(([path]) => path.endsWith('.jsonl')) ?? []
    expect(segment?.toString()).toContain('"sessionId":"newer"')
    expect(segment?.toString()).not.toContain('"sessionId":"older"')
  })
})

describe('a checkpoint that does not come to its end', () => {
  test('because the store is closed says that it is not open', async () => {
    const disk = memoryDisk()
    let closed: Promise<void> | undefined
    const on = probed(disk, ({ name, path }) => {
      if (name === 'create' && path.endsWith('.tmp')) closed = store.close()
    })
    const store = await withEntries(on, 1)
    expect(await refused(store.checkpoint('folded', everything))).toMatchObject({
      ...{ _tag: 'StoreUnavailable', message: 'checkpoint: the store is not open' },
    })
    await closed
    expect((await disk.list(log)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('folds nothing: what it would have folded is handed out by the next', async () => {
    const disk = memoryDisk()
    let broken = true
    const on = probed(disk, ({ name, path }) => {
      if (broken && name === 'sync' && path.endsWith('.tmp')) throw systemError('EIO')
    })
    const store = await withEntries(on, 2)
    expect(await refused(store.checkpoint('one', everything))).toMatchObject({
      ...{ _tag: 'StoreUnavailable', operation: 'checkpoint', code: 'EIO' },
    })
    broken = false
    await done(store.checkpoint('two', 0))
    await store.close()
    const { entries, projection } = await done(storeOn(disk).open)
    expect([projection, entries.map((entry) => entry.seq)]).toEqual(['two', [1, 2]])
  })

  test('because no segment can be begun does not begin a draft either', async () => {
    const disk = memoryDisk()
    let broken = false
    let drafts = 0
    const on = probed(disk, ({ name, path }) => {
      if (broken && (name === 'write' || name === 'create') && path.endsWith('.jsonl'))
        throw systemError('EIO')
      if (name === 'create' && path.endsWith('.tmp')) drafts += 1
    })
    const store = await withEntries(on, 1)
    broken = true
    await refused(store.commit(commitOf('a', 2)))
    expect(E.isLeft(await store.checkpoint('folded', everything)())).toBe(true)
    expect(drafts).toBe(0)
  })

  test('because the disk failed meanwhile says so', async () => {
    const disk = memoryDisk()
    let broken = false
    const failing = probed(disk, ({ name, path }) => {
      if (broken && name === 'write' && path.endsWith('.jsonl')) throw systemError('EIO')
    })
    const on = during(failing, async () => {
      broken = true
      await refused(store.commit(commitOf('a', 2)))
      broken = false
    })
    const store = await withEntries(on, 1)
    expect(await refused(store.checkpoint('folded', everything))).toMatchObject({
      ...{ _tag: 'StoreUnavailable', message: 'checkpoint: the disk failed meanwhile' },
    })
    await done(store.checkpoint('folded', everything))
  })

  // The header of the segment that was begun names the former ones, which are gone after a checkpoint.
  test('because another segment was begun meanwhile folds nothing, and nothing is lost', async () => {
    const disk = memoryDisk()
    const first = await withEntries(disk, 2)
    await first.close()
    let broken = false
    const failing = probed(disk, ({ name, path }) => {
      if (broken && name === 'write' && path.endsWith('.jsonl')) throw systemError('EIO')
    })
    const on = during(failing, async () => {
      broken = true
      await refused(store.commit(commitOf('a', 3)))
      broken = false
      await done(store.commit(commitOf('a', 3)))
    })
    const store = storeOn(on)
    await done(store.open)
    expect(await refused(store.checkpoint('one', everything))).toMatchObject({
      ...{ _tag: 'StoreUnavailable', message: 'checkpoint: the disk failed meanwhile' },
    })
    await done(store.checkpoint('two', 0))
    await store.close()
    const { entries, projection } = await done(storeOn(disk).open)
    expect([projection, entries.map((entry) => entry.seq)]).toEqual(['two', [1, 2, 3]])
  })

  test('fails by its name where the log cannot be replaced', async () => {
    const on = probed(memoryDisk(), ({ name, path }) => {
      if (name === 'rename' && path.endsWith('.jsonl')) throw systemError('EIO')
    })
    const store = await withEntries(on, 1)
    expect(await refused(store.checkpoint('folded', everything))).toMatchObject({
      ...{ _tag: 'StoreUnavailable', operation: 'checkpoint', code: 'EIO' },
    })
  })
})

test('what a checkpoint opens it closes', async () => {
  const counts = { open: 0, close: 0 }
  const on = probed(memoryDisk(), ({ name }) => {
    if (name === 'open' || name === 'close') counts[name] += 1
  })
  const store = await withEntries(on, 3)
  // Entries are read from where they stand for the first one alone.
  for (const _ of ['first', 'second']) {
    const { open, close } = counts
    await done(store.checkpoint('folded', 1))
    // And the segment that was being written before.
    expect(counts.close - close).toBe(counts.open - open + 1)
    expect(counts.open).toBeGreaterThan(open)
  }
})
