/** Group commit, and what happens when the disk fails: nothing is acknowledged that was not flushed. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Operation, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { type Disk, fileStore, realDisk } from '../src/index.js'
import {
  closing,
  commitOf,
  done,
  everything,
  freshDirectory,
  recordOf,
  refused,
  snapshotOf,
} from './sample.js'

const inLog = ({ path }: Operation) => path.includes('/log/')

test('commits and snapshots that wait together share one write and one flush', async () => {
  const operations: Operation[] = []
  const disk = probed(realDisk, (operation) => {
    operations.push(operation)
  })
  const store = closing(fileStore({ directory: freshDirectory() }, disk))
  await done(store.open)
  operations.length = 0
  await Promise.all(
    Array.from({ length: 100 }, (_, i) => [
      done(store.commit(commitOf(`s${i}`, 1))),
      done(store.saveSnapshot(snapshotOf(`s${i}`, 1))),
    ]).flat(),
  )
  expect(operations.map(({ name }) => name)).toEqual(['write', 'sync'])
})

test('an acknowledgement comes after the flush, and a new segment is flushed with its directory first', async () => {
  const operations: string[] = []
  const disk = probed(realDisk, async ({ name, path }) => {
    if (name === 'sync') await new Promise((resolve) => setTimeout(resolve, 5))
    if (path.includes('/log')) operations.push(name)
  })
  const store = closing(fileStore({ directory: freshDirectory() }, disk))
  await done(store.open)
  expect(operations.slice(-4)).toEqual(['create', 'write', 'sync', 'syncDirectory'])
  operations.length = 0
  await done(store.commit(commitOf('a', 1)))
  operations.push('acknowledged')
  expect(operations).toEqual(['write', 'sync', 'acknowledged'])
})

test('of snapshots of one session that wait together only the newest is written', async () => {
  const directory = freshDirectory()
  const store = closing(fileStore({ directory }))
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  await Promise.all(
    [4, 1, 9, 3, 7].map((generation) => done(store.saveSnapshot(snapshotOf('a', generation)))),
  )
  const text = readdirSync(join(directory, 'log'))
    .map((name) => readFileSync(join(directory, 'log', name), 'utf8'))
    .join('')
  expect(text.split('\n').filter((line) => line.includes('"body":{"sessionId"')).length).toBe(1)
  expect((await done(store.readSnapshot('a'))).view.generation).toBe(9)
})

test('short writes are carried on until everything is written', async () => {
  const disk = probed(realDisk, ({ name }) => (name === 'write' ? { takenBytes: 7 } : undefined))
  const directory = freshDirectory()
  const store = closing(fileStore({ directory }, disk))
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  await done(store.checkpoint({ some: 'projection' }, everything))
  await store.close()
  const { sessions, projection } = await done(closing(fileStore({ directory })).open)
  expect([sessions.length, projection]).toEqual([1, { some: 'projection' }])
})

for (const [failing, code] of [
  ['write', 'ENOSPC'],
  ['write', 'EIO'],
  ['sync', 'EIO'],
  ['create', 'EACCES'],
  ['syncDirectory', 'EIO'],
] as const) {
  test(`when ${failing} fails with ${code} nothing is acknowledged, and the store recovers with the disk`, async () => {
    let broken = false
    // Opening a file and flushing its directory happen after a failure only: the flush fails first.
    const fails = new Set<string>([failing, 'sync'])
    const disk = probed(realDisk, (operation) => {
      const { name, path } = operation
      if (broken && fails.has(name) && path.includes('/log')) throw systemError(code)
    })
    const directory = freshDirectory()
    const store = closing(fileStore({ directory }, disk))
    await done(store.open)
    await done(store.commit(commitOf('a', 1)))
    broken = true
    for (let times = 0; times < 3; times++) {
      const results = await Promise.all([
        store.commit(commitOf('a', 2))(),
        store.commit(commitOf('a', 3))(),
        store.saveSnapshot(snapshotOf('a', 1))(),
        store.forget('zz', 1)(),
      ])
      for (const result of results) {
        expect(result).toMatchObject({ left: { _tag: 'StoreUnavailable', code } })
      }
      expect(await refused(store.readSnapshot('a'))).toMatchObject({ _tag: 'NotFound' })
    }
    broken = false
    // The revision that failed was never reached: the same commit is made again.
    await done(
      store.commit({ ...commitOf('a', 2), record: { ...recordOf('a', 2), state: 'exhausted' } }),
    )
    await done(store.commit(commitOf('a', 3)))
    await store.close()
    const again = closing(fileStore({ directory }))
    const { sessions, entries, quarantined } = await done(again.open)
    expect(sessions.map(({ record, view }) => [record.rev, view])).toEqual([[3, undefined]])
    expect(entries.map(({ rev }) => rev)).toEqual([1, 2, 3])
    expect(quarantined).toEqual([])
  })
}

test('after a failed flush the same file is never written again, and its bytes do not count', async () => {
  const directory = freshDirectory()
  let broken = false
  const written: string[] = []
  const disk = probed(realDisk, (operation) => {
    if (operation.name === 'write' && inLog(operation)) written.push(operation.path)
    if (broken && operation.name === 'sync') throw systemError('EIO')
  })
  const store = closing(fileStore({ directory }, disk))
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  const [spoilt = ''] = new Set(written)
  broken = true
  // Written, perhaps even on the medium, but refused.
  expect(E.isLeft(await store.commit(commitOf('ghost', 1))())).toBe(true)
  expect(readFileSync(spoilt, 'utf8')).toContain('ghost')
  broken = false
  written.length = 0
  await done(store.commit(commitOf('b', 1)))
  expect(written).not.toContain(spoilt)
  await store.close()
  const { sessions } = await done(closing(fileStore({ directory })).open)
  expect(sessions.map(({ record }) => record.control.sessionId)).toEqual(['a', 'b'])
})

test('what waits behind a failed group fails with it, since it may build on it', async () => {
  let syncs = 0
  const disk = probed(realDisk, async ({ name, path }) => {
    if (name !== 'sync' || !path.includes('/log/')) return
    syncs += 1
    if (syncs < 2) return
    if (syncs === 2) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      throw systemError('EIO')
    }
  })
  const directory = freshDirectory()
  const store = closing(fileStore({ directory }, disk))
  await done(store.open)
  const first = store.commit(commitOf('a', 1))()
  await new Promise((resolve) => setTimeout(resolve, 5))
  const second = store.commit(commitOf('a', 2))()
  expect([E.isLeft(await first), E.isLeft(await second)]).toEqual([true, true])
  await done(store.commit(commitOf('a', 1)))
  expect(await refused(store.commit(commitOf('a', 3)))).toMatchObject({ _tag: 'RevisionConflict' })
})

test('a record that could not be read back is never acknowledged', async () => {
  const store = closing(fileStore({ directory: freshDirectory() }))
  await done(store.open)
  const commit = commitOf('a', 1)
  const control = { ...commit.record.control, used: Number.NaN }
  await expect(
    store.commit({ ...commit, record: { ...commit.record, control } })(),
  ).rejects.toThrow('session record: control.used: expected whole number of at least 0')
  await done(store.commit(commit))
})

test('what no projection holds is handed out in the order of its places, whoever was written first', async () => {
  const store = closing(fileStore({ directory: freshDirectory() }))
  await done(store.open)
  await done(store.commit(commitOf('a', 1, 1, 5)))
  await done(store.commit(commitOf('b', 1, 1, 3)))
  await done(store.commit(commitOf('a', 2, 1, 4)))
  await store.close()
  const { entries, latestSeq } = await done(store.open)
  expect(entries.map(({ seq }) => seq)).toEqual([3, 4, 5])
  expect(latestSeq).toBe(5)
})

test('a segment says the longest line it may hold, also one that was taken under a higher limit', async () => {
  const directory = freshDirectory()
  const limitOf = (name: string) =>
    JSON.parse(readFileSync(join(directory, 'log', name), 'utf8').split('\n')[0] ?? '').segment
      .limitBytes
  for (const limitBytes of [1 << 16, 1 << 12, 1 << 17]) {
    const store = fileStore({ directory, limitBytes })
    await done(store.open)
    await store.close()
    const newest = readdirSync(join(directory, 'log')).sort().at(-1) ?? ''
    expect(limitOf(newest)).toBe(Math.max(1 << 16, limitBytes))
  }
})

test('of snapshots that wait under one number the last one is kept', async () => {
  const store = closing(fileStore({ directory: freshDirectory() }))
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  const saved = ['one', 'two', 'three'].map((output) =>
    done(store.saveSnapshot(snapshotOf('a', 1, 1, output))),
  )
  await Promise.all(saved)
  expect(await done(store.readSnapshot('a'))).toEqual(snapshotOf('a', 1, 1, 'three'))
})

test('what waits is written in groups, so that no write takes more memory than one of them', async () => {
  const sizes: number[] = []
  const sized: Disk = {
    ...realDisk,
    create: async (path) => {
      const file = await realDisk.create(path)
      return {
        ...file,
        write: (bytes, position) => {
          sizes.push(bytes.length)
          return file.write(bytes, position)
        },
      }
    },
  }
  const store = closing(fileStore({ directory: freshDirectory() }, sized))
  await done(store.open)
  for (const id of ['a', 'b', 'c', 'd']) await done(store.commit(commitOf(id, 1)))
  sizes.length = 0
  const mebibyte = 1 << 20
  const large = 'x'.repeat(3 * mebibyte)
  await Promise.all(
    ['a', 'b', 'c'].map((id) => done(store.saveSnapshot(snapshotOf(id, 1, 1, large)))),
  )
  expect(sizes.length).toBe(2)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(8 * mebibyte)
  const huge = 'x'.repeat(9 * mebibyte)
  await done(store.saveSnapshot(snapshotOf('d', 1, 1, huge)))
  expect(sizes.length).toBe(3)
})
