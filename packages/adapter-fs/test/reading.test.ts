/** Reading back what has rotted: it is kept and told of, and whoever reads goes on where it cannot be kept. */
import type { Quarantined } from '@session-recovery/core'
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import { snapshotPlace } from '../src/body.js'
import { fileStore } from '../src/index.js'
import { lineOf } from '../src/line.js'
import type { OpenStore } from '../src/opening.js'
import { setAsideRot } from '../src/reading.js'
import { sealerOf } from '../src/seal.js'
import { SessionIndex } from '../src/session-index.js'
import { closing, commitOf, done, entryOf, recordOf, refused, snapshotOf } from './sample.js'
import { commitLine, header, name, snapshotHead } from './segment-sample.js'

const directory = '/store'

const rotten = async () => {
  const memory = memoryDisk()
  const logged: (readonly unknown[])[] = []
  const found: Quarantined[] = []
  const world = { isBroken: false }
  const disk = probed(memory, ({ name, path }) => {
    if (world.isBroken && name === 'create' && path.includes('/quarantine/'))
      throw systemError('ENOSPC')
  })
  const logger = (...line: readonly unknown[]) => void logged.push(line)
  const store = closing(fileStore({ directory, logger }, disk))
  store.watch?.((one) => found.push(one))
  await done(store.open)
  for (const rev of [1, 2]) await done(store.commit(commitOf('a', rev)))
  await done(store.saveSnapshot(snapshotOf('a', 1)))
  const [log = ''] = await memory.list(`${directory}/log`)
  const bytes = memory.files().get(`${directory}/log/${log}`) ?? Buffer.alloc(0)
  for (const text of ['"rev":1', 'some output']) {
    const at = bytes.indexOf(text)
    bytes[at] = (bytes[at] ?? 0) ^ 1
  }
  logged.length = 0
  return { memory, store, world, logged, found, log }
}

test('what has rotted is kept and told of, with its place', async () => {
  const { memory, store, logged, found, log } = await rotten()
  expect((await done(store.readJournal('a'))).map(({ rev }) => rev)).toEqual([2])
  const [one] = found
  const place = { source: `log/${log}: byte ${offsetOf(one)}`, sessionId: 'a' }
  expect(found).toMatchObject([{ ...place, keptAs: `quarantine/${log}.${offsetOf(one)}` }])
  expect(logged).toEqual([['warn', `set aside: ${one?.source}`, one]])
  expect(await memory.list(`${directory}/quarantine`)).toEqual([`${log}.${offsetOf(one)}`])
})

test('where it cannot be kept that is logged, it is told of all the same, and the rest is read', async () => {
  const { memory, store, world, logged, found } = await rotten()
  world.isBroken = true
  expect((await done(store.readJournal('a'))).map(({ rev }) => rev)).toEqual([2])
  expect(await refused(store.readSnapshot('a'))).toMatchObject({ _tag: 'StoreUnusable' })
  expect(found.map(({ sessionId }) => sessionId)).toEqual(['a', 'a'])
  expect(logged).toEqual(
    found.map(({ source }) => [
      ...['error', `damaged, and could not be set aside: ${source}`],
      expect.objectContaining({ code: 'ENOSPC' }),
    ]),
  )
  expect(await memory.list(`${directory}/quarantine`)).toEqual([])
})

test('whose line has rotted is told by its segment and place; what is lost is told, and not kept', async () => {
  const index = new SessionIndex(9)
  const place = (segment: string) => ({ segment, offset: 7, bytes: 3 })
  for (const [id, segment] of [
    ['a', 'one'],
    ['b', 'two'],
  ] as const) {
    const record = recordOf(id, 1)
    index.commit(record, place(segment), entryOf(record))
  }
  const logged: unknown[] = []
  const told: unknown[] = []
  const store = {
    index,
    settings: { logger: (...line: readonly unknown[]) => logged.push(line) },
    tell: (one: unknown) => told.push(one),
  } as unknown as OpenStore
  const lost = { bytes: 3, line: 2, content: undefined, problem: '3 bytes are missing' }
  const rot = [
    { ...lost, segment: 'two', offset: 7 },
    { ...lost, segment: 'three', offset: 7 },
    { ...lost, segment: 'four', offset: 7, bytes: 0, content: Buffer.alloc(0) },
  ]
  const unreadable = [{ location: 'archives/x.json', problem: 'rot' }]
  const damaged = await setAsideRot(store, { rot, unreadable })
  const { problem } = lost
  expect(damaged).toEqual([
    { source: 'log/two: byte 7', keptAs: '', problem, sessionId: 'b' },
    { source: 'log/three: byte 7', keptAs: '', problem },
    { source: 'log/four: byte 7', keptAs: '', problem },
    { source: 'archives/x.json', keptAs: 'archives/x.json', problem: 'rot' },
  ])
  expect(told).toEqual(damaged)
  expect(logged).toEqual(damaged.map((one) => ['warn', `damaged: ${one.source}`, one]))
})

test('a snapshot that has rotted is told with its place, and one that there is not is not found', async () => {
  const { store, found, log } = await rotten()
  const { message } = await refused(store.readSnapshot('a'))
  const [one] = found
  const problem = `${log}: byte ${offsetOf(one)}: crc: expected`
  expect(message).toContain(`snapshot of session a: log/${problem}`)
  expect(one?.problem).toContain(problem)
  expect(await refused(store.readSnapshot('nobody'))).toMatchObject({ _tag: 'NotFound' })
})

test('what a key seals that nobody has said to be lost is whole: it stays where it is', async () => {
  const memory = memoryDisk()
  await memory.makeDirectory(`${directory}/log`)
  const { seal } = sealerOf({ current: 'k', keys: { k: Buffer.alloc(32, 1) } })
  const body = lineOf('sealed', seal('{}', snapshotPlace('a', 1, 1)))
  const lines = [header, commitLine('a', 1), snapshotHead('a', 1, body), body]
  memory.put(`${directory}/log/${name}`, Buffer.concat(lines))
  const store = closing(fileStore({ directory }, memory))
  await done(store.open)
  expect(await refused(store.readSnapshot('a'))).toMatchObject({ _tag: 'KeyMissing', keyId: 'k' })
  expect(await memory.list(`${directory}/quarantine`)).toEqual([])
})

test('a body that was sealed for another is set aside, and told as what it is', async () => {
  const memory = memoryDisk()
  await memory.makeDirectory(`${directory}/log`)
  const sealing = { current: 'k', keys: { k: Buffer.alloc(32, 1) }, acceptUnsealed: true }
  const body = lineOf('sealed', sealerOf(sealing).seal('{}', snapshotPlace('b', 1, 1)))
  const lines = [header, commitLine('a', 1), snapshotHead('a', 1, body), body]
  memory.put(`${directory}/log/${name}`, Buffer.concat(lines))
  const store = closing(fileStore({ directory, sealing }, memory))
  const found: Quarantined[] = []
  store.watch?.((one) => found.push(one))
  await done(store.open)
  expect(await refused(store.readSnapshot('a'))).toMatchObject({ _tag: 'SealBroken' })
  const problem = expect.stringContaining('changed, moved')
  expect(found).toMatchObject([{ sessionId: 'a', problem }])
})

test('a read waits for nothing where the disk fails for another reason than a checkpoint', async () => {
  const memory = memoryDisk()
  let opened = 0
  let isBroken = false
  const disk = probed(memory, ({ name, path }) => {
    if (!isBroken || name !== 'open' || !path.includes('/log/')) return
    opened += 1
    throw systemError('EIO')
  })
  const store = closing(fileStore({ directory }, disk))
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  isBroken = true
  expect(await refused(store.readJournal('a'))).toMatchObject({ code: 'EIO' })
  expect(opened).toBe(1)
})

test('a segment that is gone each time is looked for five times, and what a read opens it closes', async () => {
  const memory = memoryDisk()
  const counts = { open: 0, close: 0 }
  let gone = 0
  const disk = probed(memory, ({ name, path }) => {
    if (!path.includes('/log/') || (name !== 'open' && name !== 'close')) return
    counts[name] += 1
    gone -= 1
    if (gone >= 0) throw systemError('ENOENT')
  })
  const store = closing(fileStore({ directory }, disk))
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  for (const [times, revs] of [
    [4, [1]],
    [5, undefined],
  ] as const) {
    const before = { ...counts }
    gone = times
    if (revs === undefined) {
      expect(await refused(store.readJournal('a'))).toMatchObject({ code: 'ENOENT' })
    } else {
      expect((await done(store.readJournal('a'))).map(({ rev }) => rev)).toEqual(revs)
      expect(counts.close - before.close).toBe(1)
    }
    expect(counts.open - before.open).toBe(5)
  }
})

const offsetOf = (one: Quarantined | undefined): string => one?.keptAs.split('.').at(-1) ?? ''
