/** The store as a whole: opened once, listened to by one, and reading itself again only where time passes. */
import type { Quarantined } from '@session-recovery/core'
import { memoryDisk, probed, quiet, systemError, VirtualClock } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import { type FileStoreOptions, fileStore } from '../src/index.js'
import { closing, commitOf, done, refused, snapshotOf } from './sample.js'

const directory = '/store'

test('a store is opened once at a time, and what the disk refuses is told as that', async () => {
  const memory = memoryDisk()
  let isBroken = true
  const disk = probed(memory, ({ name }) => {
    if (isBroken && name === 'makeDirectory') throw systemError('EROFS')
  })
  const store = closing(fileStore({ directory }, disk))
  expect(await refused(store.open)).toMatchObject({
    ...{ _tag: 'StoreUnavailable', operation: 'open', code: 'EROFS' },
  })
  isBroken = false
  const again = { _tag: 'StoreOwned', message: 'this store is open already' }
  const opening = store.open()
  expect(await refused(store.open)).toEqual(again)
  await opening
  expect(await refused(store.open)).toEqual(again)
  await store.close()
  await done(store.open)
})

test('who stops listening takes nobody else’s place', async () => {
  const disk = memoryDisk()
  const store = closing(fileStore({ directory }, disk))
  await done(store.open)
  for (const rev of [1, 2]) await done(store.commit(commitOf('a', rev)))
  const [name = ''] = await disk.list(`${directory}/log`)
  const bytes = disk.files().get(`${directory}/log/${name}`) ?? Buffer.alloc(0)
  const at = bytes.indexOf('"rev":1')
  bytes[at] = (bytes[at] ?? 0) ^ 1
  const [former, later]: [Quarantined[], Quarantined[]] = [[], []]
  const cease = store.watch?.((one) => former.push(one))
  const end = store.watch?.((one) => later.push(one))
  cease?.()
  await done(store.readJournal('a'))
  expect([former.length, later.length]).toEqual([0, 1])
  end?.()
  await done(store.readJournal('a'))
  expect(later.length).toBe(1)
})

const timed = async (options: Partial<FileStoreOptions>) => {
  const time = new VirtualClock()
  const { clock, pending } = time.fork()
  const { schedule } = clock
  const store = closing(fileStore({ directory, schedule, ...options }, memoryDisk()))
  await done(store.open)
  return { pending, store }
}

test('it reads itself again where that is wanted, and not where it is not', async () => {
  expect((await timed({ scrubEveryMs: 60_000 })).pending()).toBe(1)
  expect((await timed({ scrubEveryMs: 0 })).pending()).toBe(0)
})

test('however large it is, it pauses for no more than half of the time between two readings', async () => {
  const time = new VirtualClock()
  const { clock, pending } = time.fork()
  const delays: number[] = []
  const schedule: typeof clock.schedule = (delayMs, task) => {
    delays.push(delayMs)
    return clock.schedule(delayMs, task)
  }
  const { store } = await timed({ scrubEveryMs: 60_000, schedule })
  await done(store.commit(commitOf('a', 1)))
  for (let generation = 1; generation <= 8; generation++)
    await done(store.saveSnapshot(snapshotOf('a', generation, 1, 'x'.repeat(1 << 20))))
  expect(delays).toEqual([60_000])
  // The next reading is planned once this one has ended.
  while (delays.filter((delayMs) => delayMs === 60_000).length < 2)
    await (pending() > 0 ? time.advance(100) : quiet())
  const pauses = delays.filter((delayMs) => delayMs !== 60_000)
  expect(pauses.length).toBeGreaterThan(2)
  // As if there were as many archives as there may be: of a store this small each is short.
  expect(Math.max(...pauses)).toBeLessThan(500)
  expect(pauses.reduce((sum, delayMs) => sum + delayMs, 0)).toBeLessThanOrEqual(30_000)
})
