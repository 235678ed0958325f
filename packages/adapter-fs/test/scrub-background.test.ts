/** A store reads itself again by itself: spread in time, told of, and over when it is closed. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Quarantined } from '@session-recovery/core'
import { memoryDisk, probed, quiet, systemError, VirtualClock } from '@session-recovery/testkit'
import { expect, test, vi } from 'vitest'
import { type FileStoreOptions, fileStore } from '../src/index.js'
import { closing, commitOf, done, everything, freshDirectory, snapshotOf } from './sample.js'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

const opened = async (options: Partial<FileStoreOptions> = {}) => {
  const time = new VirtualClock()
  const { clock, pending } = time.fork()
  const directory = freshDirectory()
  const found: Quarantined[] = []
  const { schedule } = clock
  const store = closing(fileStore({ directory, scrubEveryMs: hourMs, schedule, ...options }))
  const unwatch = store.watch?.((one) => found.push(one))
  await done(store.open)
  return { time, pending, directory, store, found, unwatch }
}

const rotIn = (directory: string, text: string) => {
  const log = join(directory, 'log')
  for (const name of readdirSync(log)) {
    const bytes = readFileSync(join(log, name))
    const at = bytes.indexOf(text)
    if (at < 0) continue
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(join(log, name), bytes)
  }
}

type Opened = Awaited<ReturnType<typeof opened>>

/** Moves time on until `isSo`; while the disk is read, which takes its own time, it stands still. */
const advancing = async ({ time, pending }: Opened, isSo: () => boolean) => {
  while (!isSo()) await (pending() > 0 ? time.advance(100) : quiet())
}

test('what has rotted is found without being asked for, and told as it is when it is read', async () => {
  const life = await opened()
  const { directory, store, found } = life
  await done(store.commit(commitOf('a', 1)))
  await done(store.saveSnapshot(snapshotOf('a', 1)))
  rotIn(directory, 'some output')
  expect(found).toEqual([])
  await advancing(life, () => found.length > 0)
  expect(found).toMatchObject([{ sessionId: 'a', problem: expect.stringMatching(/checksum|crc/) }])
  expect(readFileSync(join(directory, found[0]?.keptAs ?? '')).length).toBeGreaterThan(0)
  await store.readSnapshot('a')()
  expect(found).toHaveLength(2)
})

test('it is done again and again, a day apart where nothing else was said', async () => {
  const logger = vi.fn()
  const life = await opened({ scrubEveryMs: 86_400_000, logger })
  const { time, directory, store, found } = life
  await done(store.commit(commitOf('a', 1)))
  await advancing(life, () => time.nowMs > minuteMs + 10_000)
  rotIn(directory, '"rev":1')
  await time.advance(23 * hourMs)
  expect(found).toEqual([])
  await time.advance(hourMs)
  await advancing(life, () => found.length > 0)
})

test('between two mebibytes it waits, so that a large store is read over many seconds', async () => {
  const life = await opened({ scrubEveryMs: 86_400_000 })
  const { time, directory, store, found } = life
  await done(store.commit(commitOf('a', 1)))
  for (let generation = 1; generation <= 12; generation++) {
    await done(store.saveSnapshot(snapshotOf('a', generation, 1, 'x'.repeat(1 << 20))))
  }
  await done(store.saveSnapshot(snapshotOf('a', 13, 1, 'the end of it')))
  rotIn(directory, 'the end of it')
  await advancing(life, () => found.length > 0)
  const lastedMs = time.nowMs - minuteMs
  expect(lastedMs).toBeGreaterThanOrEqual(12_000)
  expect(lastedMs).toBeLessThan(60_000)
})

test('one that is asked for meanwhile waits for no pauses', async () => {
  const life = await opened({ scrubEveryMs: 86_400_000 })
  const { time, store } = life
  await done(store.commit(commitOf('a', 1)))
  for (let generation = 1; generation <= 4; generation++) {
    await done(store.saveSnapshot(snapshotOf('a', generation, 1, 'x'.repeat(1 << 20))))
  }
  await time.advance(minuteMs)
  const beganMs = time.nowMs
  const scrubbed = done(store.scrub)
  let isOver = false
  void scrubbed.then(() => {
    isOver = true
  })
  while (!isOver) await time.advance(0)
  expect(await scrubbed).toMatchObject({ lines: 10, damaged: [], calledOff: false })
  expect(time.nowMs).toBe(beganMs)
})

test('what a checkpoint has replaced meanwhile is read no further', async () => {
  const { time, store } = await opened({ scrubEveryMs: 86_400_000 })
  await done(store.commit(commitOf('a', 1)))
  for (let generation = 1; generation <= 4; generation++) {
    await done(store.saveSnapshot(snapshotOf('a', generation, 1, 'x'.repeat(1 << 20))))
  }
  await time.advance(minuteMs)
  await done(store.checkpoint(null, everything))
  expect((await done(store.scrub)).lines).toBeLessThan(10)
})

test('closing ends it: no timer is left, and none is made again', async () => {
  const life = await opened({ scrubEveryMs: 86_400_000 })
  const { time, pending, store } = life
  await done(store.commit(commitOf('a', 1)))
  for (let generation = 1; generation <= 4; generation++) {
    await done(store.saveSnapshot(snapshotOf('a', generation, 1, 'x'.repeat(1 << 20))))
  }
  expect(pending()).toBe(1)
  await time.advance(minuteMs)
  await advancing(life, () => pending() === 1)
  await store.close()
  await time.advance(48 * hourMs)
  expect(pending()).toBe(0)
  await done(store.open)
  expect(pending()).toBe(1)
})

test('0 means never, and nobody is told who has gone', async () => {
  const never = await opened({ scrubEveryMs: 0 })
  expect(never.pending()).toBe(0)
  const { store, directory, found, unwatch } = await opened()
  await done(store.commit(commitOf('a', 1)))
  await done(store.saveSnapshot(snapshotOf('a', 1)))
  rotIn(directory, 'some output')
  unwatch?.()
  await done(store.scrub)
  expect(found).toEqual([])
})

test('what a disk does not give is told, and the rest is read', async () => {
  const found: Quarantined[] = []
  const disk = memoryDisk()
  let refused = ''
  const store = closing(
    fileStore(
      { directory: '/data/store', scrubEveryMs: 0 },
      {
        ...disk,
        open: async (path) => {
          if (path.endsWith(refused) && refused !== '') {
            throw Object.assign(new Error('EIO'), { code: 'EIO' })
          }
          return disk.open(path)
        },
      },
      async () => ({ _tag: 'Right', right: { release: async () => undefined } }),
    ),
  )
  store.watch?.((one) => found.push(one))
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  refused = '00000001-00000001.jsonl'
  const { damaged } = await done(store.scrub)
  expect(damaged).toEqual(found)
  expect(damaged).toMatchObject([
    { source: `log/${refused}`, problem: expect.stringContaining('EIO') },
  ])
})

test('one that fails is warned of, and the next is made all the same', async () => {
  const memory = memoryDisk()
  let isBroken = true
  const disk = probed(memory, ({ name, path }) => {
    if (isBroken && name === 'status' && path.endsWith('/archives')) throw systemError('EIO')
  })
  const time = new VirtualClock()
  const { schedule } = time.fork().clock
  const logger = vi.fn()
  const store = closing(
    fileStore({ directory: '/store', scrubEveryMs: hourMs, schedule, logger }, disk),
  )
  isBroken = false
  await done(store.open)
  isBroken = true
  await time.advance(minuteMs)
  await vi.waitFor(() => expect(logger).toHaveBeenCalledTimes(1))
  expect(logger).toHaveBeenCalledWith(
    ...['warn', 'a scrub failed', expect.objectContaining({ code: 'EIO' })],
  )
  isBroken = false
  await time.advance(hourMs)
  expect(logger).toHaveBeenCalledTimes(1)
})
