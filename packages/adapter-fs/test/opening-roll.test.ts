/** What an opening makes of a roll: who rests and is read later, what is told of it, and what is removed. */
import type { Quarantined } from '@session-recovery/core'
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import {
  contentOf,
  expectWhole,
  fill,
  filled,
  logPath,
  quietOf,
  recordsIn,
  rollPath,
  storeOn,
  withHead,
} from './roll-scene.js'
import { commitOf, done, everything, recordOf, refused } from './sample.js'

test('those of whom nothing is open rest, and are read when they are asked for', async () => {
  const disk = await filled()
  const { sessions, resting } = await expectWhole(disk)
  expect(sessions.map(({ record }) => record.control.sessionId)).toEqual(['d'])
  expect(resting?.ids).toEqual(['a', 'b', 'c'])
  expect(resting?.read('nobody')).toBeUndefined()
  // It is there for the next one, too.
  expect(rollPath(disk)).not.toBe('')
})

test('records are those that were stored', async () => {
  const disk = await filled()
  const loaded = await done(storeOn(disk).open)
  expect(loaded.resting?.read('a')).toEqual({
    record: { ...recordOf('a', 2), state: 'snapshotting.idle' },
    view: quietOf('a', 2).view,
  })
})

test('that of another checkpoint is passed over, and one nobody belongs to is removed', async () => {
  const disk = await filled()
  const path = rollPath(disk)
  const former = Buffer.from(contentOf(disk, path))
  const store = storeOn(disk)
  await done(store.open)
  await done(store.commit(commitOf('a', 3, 1, 9)))
  await done(store.checkpoint('folded again', everything))
  await store.close()
  const now = rollPath(disk)
  expect(now).not.toBe(path)
  expect(disk.files().has(path)).toBe(false)
  disk.put(now, former)
  disk.put(path, former)
  const warned: unknown[] = []
  const again = storeOn(disk, { logger: (...told: unknown[]) => warned.push(told) })
  const loaded = await done(again.open)
  expect(loaded.resting).toBeUndefined()
  expect(recordsIn(loaded).a).toMatch(/ 3 2$/)
  expect(warned).toEqual([
    ['warn', 'the roll cannot be used, the log is read', 'roll: that of another segment'],
  ])
  expect(disk.files().has(path)).toBe(false)
  await again.close()
})

test('a store whose key is missing does not open, though no snapshot was looked at', async () => {
  const sealing = { current: 'k', keys: { k: Buffer.alloc(32, 1) } }
  const disk = await filled({ sealing })
  await expectWhole(disk, { sealing })
  expect(await refused(storeOn(disk).open)).toMatchObject({ _tag: 'KeyMissing' })
  const clear = await filled()
  expect(await refused(storeOn(clear, { sealing }).open)).toMatchObject({ _tag: 'SealBroken' })
})

test('a head that is whole and says what it must not is refused by name, the others load', async () => {
  const disk = await withHead('b', (head) => head.replace('"rev":2', '"rev":"two"'))
  const logged: unknown[] = []
  const store = storeOn(disk, { logger: (...line: unknown[]) => logged.push(line) })
  const loaded = await done(store.open)
  const told: unknown[] = []
  store.watch?.((found) => told.push(found))
  expect(loaded.resting?.ids).toEqual(['a', 'b', 'c'])
  expect(loaded.resting?.read('b')).toBeUndefined()
  expect(loaded.resting?.read('b')).toBeUndefined()
  expect(loaded.resting?.read('a')?.record.rev).toBe(2)
  expect(await refused(store.readSnapshot('b'))).toMatchObject({ _tag: 'NotFound' })
  await expect.poll(() => told.length).toBe(1)
  expect(told).toMatchObject([
    {
      sessionId: 'b',
      source: expect.stringMatching(/^log\/.+: byte \d+$/),
      problem: 'session: record.rev: expected whole number of at least 0',
      keptAs: expect.stringMatching(/^quarantine\//),
    },
  ])
  const [one] = told as readonly Quarantined[]
  expect(logged).toEqual([['warn', `set aside: ${one?.source}`, one]])
  await store.close()
})

test('one that cannot be used and cannot be kept either is told to the log alone', async () => {
  const disk = await withHead('b', (head) => head.replace('"rev":2', '"rev":"two"'))
  const full = probed(disk, ({ name, path }) => {
    if (name === 'create' && path.includes('/quarantine/')) throw systemError('ENOSPC')
  })
  const logged: unknown[] = []
  const store = storeOn(full, { logger: (...line: unknown[]) => logged.push(line) })
  const told: unknown[] = []
  store.watch?.((found) => told.push(found))
  const { resting } = await done(store.open)
  expect(resting?.read('b')).toBeUndefined()
  await expect
    .poll(() => logged)
    .toEqual([
      [
        ...['error', 'damaged, and could not be set aside'],
        expect.objectContaining({ code: 'ENOSPC' }),
      ],
    ])
  expect(told).toEqual([])
  await store.close()
})

test('damage behind a checkpoint is told by the same line, whether or not the roll is read', async () => {
  const disk = memoryDisk()
  const store = storeOn(disk)
  await fill(store)
  for (const rev of [3, 4]) await done(store.commit(commitOf('a', rev, 1, 10 + rev)))
  await store.close()
  const path = logPath(disk)
  const bytes = Buffer.from(contentOf(disk, path))
  // The last line but one: the very last may merely be torn.
  const last = bytes.lastIndexOf('\n', bytes.length - 2)
  bytes.write('#', bytes.lastIndexOf('\n', last - 1) + 20)
  const sources = async (how: 'with' | 'without') => {
    const copy = disk.copy()
    copy.put(path, bytes)
    if (how === 'without') await copy.remove(rollPath(disk))
    return (await done(storeOn(copy).open)).quarantined.map(({ source }) => source)
  }
  const told = await sources('with')
  expect(told).toEqual([expect.stringMatching(/: line [0-9]+$/)])
  expect(told).toEqual(await sources('without'))
})
