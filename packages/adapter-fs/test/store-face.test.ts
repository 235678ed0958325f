/** The store as a whole: opened once, listened to by one, and reading itself again only where time passes. */
import type { Quarantined } from '@session-recovery/core'
import { memoryDisk, probed, quiet, systemError, VirtualClock } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Disk, type FileStoreOptions, fileStore, realDisk } from '../src/index.js'
import { isExclusive } from '../src/ownership.js'
import {
  archiveOf,
  closing,
  commitOf,
  done,
  everything,
  freshDirectory,
  refused,
  snapshotOf,
} from './sample.js'

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

/** How long a store of eight mebibytes waits until it reads itself, and between the pieces of that. */
const readingOf = async (options: Partial<FileStoreOptions>, everyMs: number) => {
  const time = new VirtualClock()
  const { clock, pending } = time.fork()
  const delays: number[] = []
  const schedule: typeof clock.schedule = (delayMs, task) => {
    delays.push(delayMs)
    return clock.schedule(delayMs, task)
  }
  const { store } = await timed({ ...options, scrubEveryMs: everyMs, schedule })
  await done(store.commit(commitOf('a', 1)))
  for (let generation = 1; generation <= 8; generation++)
    await done(store.saveSnapshot(snapshotOf('a', generation, 1, 'x'.repeat(1 << 20))))
  const first = [...delays]
  // The next reading is planned once this one has ended.
  while (delays.length < 2 || delays.at(-1) !== everyMs)
    await (pending() > 0 ? time.advance(100) : quiet())
  return { first, pauses: delays.slice(1, -1) }
}

test('however large it is, it pauses for no more than half of the time between two readings', async () => {
  const { first, pauses } = await readingOf({}, 60_000)
  expect(first).toEqual([60_000])
  expect(pauses.length).toBeGreaterThan(2)
  // As if there were as many archives as there may be: of a store this small each is short.
  expect(Math.max(...pauses)).toBeLessThanOrEqual(30)
  expect(pauses.reduce((sum, delayMs) => sum + delayMs, 0)).toBeLessThanOrEqual(30_000)
})

test('the first reading begins after a minute, and no pause of it is longer than a second', async () => {
  const { first, pauses } = await readingOf({ archives: 1 }, 7_200_000)
  expect(first).toEqual([60_000])
  expect(pauses.length).toBeGreaterThan(2)
  expect(new Set(pauses)).toEqual(new Set([1_000]))
})

test('a reading that the disk refuses is warned of as what it is', async () => {
  const memory = memoryDisk()
  let isBroken = false
  const disk = probed(memory, ({ name, path }) => {
    if (isBroken && name === 'status' && path.endsWith('/archives')) throw systemError('EIO')
  })
  const time = new VirtualClock()
  const { schedule } = time.fork().clock
  const logger = vi.fn()
  const options = { directory, scrubEveryMs: 60_000, schedule, logger }
  const store = closing(fileStore(options, disk))
  await done(store.open)
  isBroken = true
  await time.advance(60_000)
  await vi.waitFor(() => expect(logger).toHaveBeenCalledTimes(1))
  const error = { _tag: 'StoreUnavailable', operation: 'scrub', code: 'EIO' }
  expect(logger).toHaveBeenCalledWith('warn', 'a scrub failed', expect.objectContaining(error))
})

test('what it is, is told before it is open', () => {
  const sealing = { current: 'k', keys: { k: Buffer.alloc(32, 1) } }
  const store = fileStore({ directory, limitBytes: 5_000, sealing }, memoryDisk())
  expect([store.name, store.durability, store.seals, store.limitBytes]).toEqual([
    ...['filesystem', 'disk', true, 5_000],
  ])
  expect(store.exclusive).toBe(isExclusive() ? true : undefined)
  const plain = fileStore({ directory }, memoryDisk())
  expect([plain.seals, plain.limitBytes, plain.dropped()]).toEqual([false, 16 << 20, undefined])
})

test('where no kernel frees on death what an owner had, it does not say that it is exclusive', () => {
  const { platform } = process
  Object.defineProperty(process, 'platform', { value: 'sunos' })
  onTestFinished(() => void Object.defineProperty(process, 'platform', { value: platform }))
  expect(fileStore({ directory }, memoryDisk()).exclusive).toBeUndefined()
})

test('a disk of this machine is read again by the time of this machine, a simulated one is not', async () => {
  const timers = vi.spyOn(globalThis, 'setTimeout')
  onTestFinished(() => timers.mockRestore())
  const firstOf = async (disk: Disk, at: string) => {
    timers.mockClear()
    await done(closing(fileStore({ directory: at }, disk)).open)
    return timers.mock.calls.filter(([, delayMs]) => delayMs === 60_000).length
  }
  expect(await firstOf(realDisk, freshDirectory())).toBe(1)
  expect(await firstOf(memoryDisk(), directory)).toBe(0)
})

test('each segment counts, of several, too: one that cannot be read is told', async () => {
  const memory = memoryDisk()
  let isBroken = false
  const disk = probed(memory, ({ name, path }) => {
    if (isBroken && name === 'open' && path.includes('/log/00000001-')) throw systemError('EIO')
  })
  const store = closing(fileStore({ directory }, disk))
  for (const rev of [1, 2]) {
    await done(store.open)
    await done(store.commit(commitOf('a', rev)))
    if (rev === 1) await store.close()
  }
  isBroken = true
  expect((await done(store.scrub)).damaged).toMatchObject([
    { source: 'log/00000001-00000001.jsonl', problem: 'it cannot be read: EIO' },
  ])
})

test('a scrub reads what there is, also after a write that failed, and is refused where nothing is open', async () => {
  let isBroken = false
  const disk = probed(memoryDisk(), ({ name, path }) => {
    if (isBroken && name === 'sync' && path.includes('/log/')) throw systemError('EIO')
  })
  const store = closing(fileStore({ directory }, disk))
  expect(await refused(store.scrub)).toMatchObject({ _tag: 'StoreUnavailable', operation: 'scrub' })
  await done(store.open)
  expect(await done(store.scrub)).toMatchObject({ lines: 1, archives: 0, damaged: [] })
  isBroken = true
  expect(await refused(store.commit(commitOf('a', 1)))).toMatchObject({ code: 'EIO' })
  expect((await done(store.scrub)).damaged).toEqual([])
})

test('without options it is none that could be opened', async () => {
  const store = fileStore(undefined as never, memoryDisk())
  expect(await refused(store.open)).toMatchObject({
    ...{ _tag: 'StoreUnusable', message: 'options: expected an object' },
  })
})

test('of two checkpoints at once the second is told why it is not made', async () => {
  const store = closing(fileStore({ directory }, memoryDisk()))
  await done(store.open)
  const first = done(store.checkpoint(1, everything))
  expect(await refused(store.checkpoint(2, everything))).toMatchObject({
    ...{ operation: 'checkpoint', message: 'checkpoint: another is being written' },
  })
  await first
})

test('whether there are too many archives is looked at after every sixteenth', async () => {
  const disk = memoryDisk()
  const store = closing(fileStore({ directory, archives: 2 }, disk))
  await done(store.open)
  const kept = async () => (await disk.list(`${directory}/archives`)).length
  for (let i = 1; i <= 15; i++) await done(store.archive(archiveOf('a', `token ${i}`)))
  expect(await kept()).toBe(15)
  await done(store.archive(archiveOf('a', 'token 16')))
  await store.close()
  expect(await kept()).toBe(2)
})

test('who closes it waits for the archive that is being written', async () => {
  let goOn = (): void => undefined
  const mayGoOn = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const disk = probed(memoryDisk(), async ({ name, path }) => {
    if (name === 'write' && path.includes('/archives/')) await mayGoOn
  })
  const order: string[] = []
  const release = async () => void order.push('released')
  const store = fileStore({ directory }, disk, async () => E.right({ release }))
  await done(store.open)
  const archived = done(store.archive(archiveOf('a', 'token'))).then(() => order.push('archived'))
  const closed = store.close()
  await quiet()
  goOn()
  await Promise.all([archived, closed])
  expect(order).toEqual(['archived', 'released'])
})
