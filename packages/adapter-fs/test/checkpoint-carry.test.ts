/** What a checkpoint carries over, line by line: of commits the entries, what is sealed as it is, no blanks. */
import { memoryDisk, probed } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import type { Disk } from '../src/index.js'
import { fill, log, storeOn } from './checkpoint-scene.js'
import { commitOf, done, everything, refused, snapshotOf } from './sample.js'
import { bodyLine, commitLine, header, name, snapshotHead } from './segment-sample.js'

/** The kinds of the lines of the newest segment, one after the other. */
const kindsIn = async (disk: ReturnType<typeof memoryDisk>) => {
  const name = [...(await disk.list(log))]
    .filter((one) => one.endsWith('.jsonl'))
    .sort()
    .at(-1)
  const text = disk.files().get(`${log}/${name}`)?.toString() ?? ''
  return [...text.matchAll(/^\{"crc":"[0-9a-f]{8}","([a-z]+)":/gm)].map(([, kind]) => kind)
}

test('of what was committed only the entries are carried over, and of the forgotten that they are', async () => {
  const disk = memoryDisk()
  const store = storeOn(disk)
  await fill(store)
  for (const folded of ['once', 'twice']) {
    await done(store.checkpoint(folded, everything))
    const kinds = await kindsIn(disk)
    expect(kinds.toSorted()).toEqual([
      ...['body', 'body', 'checkpoint', 'entry', 'entry', 'entry', 'entry', 'entry'],
      ...['segment', 'session', 'session', 'session'],
    ])
  }
  await store.close()
  const [, text] = [...disk.files()].find(([path]) => path.endsWith('.jsonl')) ?? []
  expect(text?.toString()).toMatch(/"sessionId":"c","entries":\[\d+\],"forgotten":1\}/)
})

test('who was forgotten is known still without a journal, as long as so many are', async () => {
  const disk = memoryDisk()
  const store = storeOn(disk, { forgottenSessions: 1, journalEntriesPerSession: 0 })
  await done(store.open)
  for (const id of ['a', 'b']) await done(store.commit(commitOf(id, 1)))
  for (const id of ['a', 'b']) await done(store.forget(id, 1))
  for (const folded of ['once', 'twice']) {
    await done(store.checkpoint(folded, everything))
    expect((await kindsIn(disk)).filter((kind) => kind === 'session')).toHaveLength(1)
  }
})

test('a snapshot whose session is not there yet is kept, however few forgotten ones are', async () => {
  const disk = memoryDisk()
  await disk.makeDirectory(log)
  const body = bodyLine('a', 1)
  const lines = [header, commitLine('b', 1), snapshotHead('a', 1, body), body]
  disk.put(`${log}/${name}`, Buffer.concat(lines))
  const store = storeOn(disk, { forgottenSessions: 0 })
  await done(store.open)
  await done(store.checkpoint('folded', everything))
  expect(await done(store.readSnapshot('a'))).toEqual(snapshotOf('a', 1))
})

test('what is sealed under the current key is carried over as it is', async () => {
  const sealing = { current: 'k', keys: { k: Buffer.alloc(32, 7) } }
  const disk = memoryDisk()
  const store = storeOn(disk, { sealing })
  await fill(store)
  const sealed = () =>
    [...disk.files()]
      .filter(([path]) => path.endsWith('.jsonl'))
      .flatMap(([, bytes]) => bytes.toString().match(/^.*"sealed":.*$/gm) ?? [])
      .toSorted()
  const before = sealed()
  expect(before).toHaveLength(2)
  await done(store.checkpoint('folded', everything))
  expect(sealed()).toEqual(before)
  await store.close()
  expect(await refused(storeOn(disk).open)).toMatchObject({ _tag: 'KeyMissing', keyId: 'k' })
})

test('blanks ahead of the log are not carried over with what was committed meanwhile', async () => {
  const memory = memoryDisk()
  let isFirst = true
  const disk: Disk = {
    ...probed(memory, async ({ name, path }) => {
      if (name !== 'sync' || !path.endsWith('.tmp') || !isFirst) return
      isFirst = false
      await done(store.commit(commitOf('a', 3)))
    }),
    aheadBytes: 4_096,
  }
  const store = storeOn(disk)
  await fill(store)
  await done(store.checkpoint('folded', everything))
  const newest = [...memory.files()].find(([path]) => path.endsWith('.jsonl'))?.[1]
  expect(newest?.at(-1)).toBe(0x0a)
  await done(store.commit(commitOf('b', 3)))
  await store.close()
  const { sessions, quarantined } = await done(storeOn(memory).open)
  expect([sessions.map(({ record }) => record.rev), quarantined]).toEqual([[3, 3], []])
})
