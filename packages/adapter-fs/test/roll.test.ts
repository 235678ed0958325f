/** The roll of a checkpoint: what a store that opens takes from it, and that it never takes it on trust. */
import type { Loaded } from '@session-recovery/core'
import { loadedSessions } from '@session-recovery/core'
import { type MemoryDisk, memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test, vi } from 'vitest'
import { type Disk, type FileStore, fileStore } from '../src/index.js'
import { lineOf } from '../src/line.js'
import { crcOfBlock, rollLine } from '../src/roll.js'
import { whereverCut } from './power-cut.js'
import { commitOf, done, everything, recordOf, refused, snapshotOf } from './sample.js'

const ids = ['a', 'b', 'c', 'd']
const own = async () => E.right({ release: async () => {} })
const storeOn = (disk: Disk, options = {}): FileStore =>
  fileStore({ directory: '/store', rollFrom: 1, ...options }, disk, own)

/** A snapshot whose view tells of no interaction: whoever has one does not rest. */
const quietOf = (id: string, generation: number) => ({
  ...snapshotOf(id, generation),
  view: { generation, capturedAtMs: 500 + generation },
})

/** Four sessions in a checkpoint; of `d` something is open. */
const fill = async (store: FileStore): Promise<void> => {
  await done(store.open)
  let seq = 0
  for (const rev of [1, 2]) {
    for (const id of ids) {
      seq += 1
      const commit = commitOf(id, rev, 1, seq)
      const state = id === 'd' ? 'unregistered' : 'snapshotting.idle'
      await done(store.commit({ ...commit, record: { ...commit.record, state } }))
    }
  }
  for (const id of ids) await done(store.saveSnapshot(quietOf(id, 2)))
  await done(store.checkpoint('folded', everything))
}

const filled = async (options = {}): Promise<MemoryDisk> => {
  const disk = memoryDisk()
  const store = storeOn(disk, options)
  await fill(store)
  await store.close()
  return disk
}

const rollPath = (disk: MemoryDisk): string =>
  [...disk.files().keys()].find((path) => path.endsWith('.roll')) ?? ''

const logPath = (disk: MemoryDisk): string => rollPath(disk).replace(/roll$/, 'jsonl')

const contentOf = (disk: MemoryDisk, path: string): Buffer =>
  disk.files().get(path) ?? Buffer.alloc(0)

const recordsIn = (loaded: Loaded): Record<string, string> =>
  Object.fromEntries(
    loadedSessions(loaded).map(({ record, view }) => [
      record.control.sessionId,
      `${record.state} ${record.rev} ${view?.generation}`,
    ]),
  )

const whole = {
  a: 'snapshotting.idle 2 2',
  b: 'snapshotting.idle 2 2',
  c: 'snapshotting.idle 2 2',
  d: 'unregistered 2 2',
}

const expectWhole = async (disk: MemoryDisk, options = {}): Promise<Loaded> => {
  const store = storeOn(disk, options)
  const loaded = await done(store.open)
  expect(recordsIn(loaded)).toEqual(whole)
  expect([loaded.projection, loaded.entries, loaded.latestSeq]).toEqual(['folded', [], 8])
  expect(loaded.quarantined).toEqual([])
  for (const id of ids) {
    expect(await done(store.readSnapshot(id))).toEqual(quietOf(id, 2))
    expect((await done(store.readJournal(id))).map(({ rev }) => rev)).toEqual([1, 2])
  }
  await store.close()
  return loaded
}

test('those of whom nothing is open rest, and are read when they are asked for', async () => {
  const disk = await filled()
  const { sessions, resting } = await expectWhole(disk)
  expect(sessions.map(({ record }) => record.control.sessionId)).toEqual(['d'])
  expect(resting?.ids).toEqual(['a', 'b', 'c'])
  expect(resting?.read('nobody')).toBeUndefined()
})

test('what stands between the heads is not looked at', async () => {
  const disk = await filled()
  const log = Buffer.from(contentOf(disk, logPath(disk)))
  log.fill(0, log.indexOf('"body":{"sessionId":"b"'), log.indexOf('"session":{"sessionId":"d"'))
  disk.put(logPath(disk), log)
  const loaded = await done(storeOn(disk).open)
  expect(recordsIn(loaded)).toEqual(whole)
  expect(loaded.quarantined).toEqual([])
})

test('what came after the checkpoint counts', async () => {
  const disk = await filled()
  const store = storeOn(disk)
  await done(store.open)
  await done(store.commit(commitOf('a', 3, 1, 9)))
  await done(store.forget('b', 1))
  await done(store.saveSnapshot(snapshotOf('c', 3)))
  await done(store.commit(commitOf('e', 1, 1, 10)))
  for (let time = 0; time < 2; time++) {
    await store.close()
    const loaded = await done(store.open)
    const records = recordsIn(loaded)
    expect(Object.keys(records).sort()).toEqual(['a', 'c', 'd', 'e'])
    expect(records.c).toBe('snapshotting.idle 2 3')
    expect((await done(store.readJournal('a'))).map(({ rev }) => rev)).toEqual([1, 2, 3])
    expect((await done(store.readJournal('b'))).map(({ rev }) => rev)).toEqual([1, 2])
    expect(loaded.latestSeq).toBe(10)
  }
  await store.close()
})

test('whichever byte of it is changed, and wherever it is cut off: the log is read', async () => {
  const disk = await filled()
  const path = rollPath(disk)
  const content = contentOf(disk, path)
  for (let at = 0; at < content.length; at += 7) {
    const other = disk.copy()
    const changed = Buffer.from(content)
    changed[at] = (changed[at] ?? 0) ^ 1
    other.put(path, changed)
    const loaded = await expectWhole(other)
    expect(loaded.resting, `byte ${at}`).toBeUndefined()
  }
  for (let at = 0; at < content.length; at += 61) {
    const other = disk.copy()
    other.put(path, content.subarray(0, at))
    expect((await expectWhole(other)).resting, `cut at ${at}`).toBeUndefined()
  }
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

/** A store whose roll has another head for `sessionId`, every checksum of it right. */
const withHead = async (
  sessionId: string,
  change: (head: string) => string,
): Promise<MemoryDisk> => {
  const disk = await filled()
  const path = rollPath(disk)
  const lines = contentOf(disk, path)
    .toString()
    .split(/(?<=\n)/)
  const said = (line: string) => JSON.parse(line)
  const heads = lines.slice(1, -1).map((line) => {
    const { crc: _, ...head } = said(line)
    if (head.session.sessionId !== sessionId) return Buffer.from(line)
    return lineOf('session', JSON.parse(change(JSON.stringify(head.session))))
  })
  const named = { ...said(lines[0] ?? '').block, sizes: heads.map(({ length }) => length) }
  const block = Buffer.concat([lineOf('block', named), ...heads])
  const roll = { ...said(lines.at(-1) ?? '').roll }
  roll.blocks = [{ bytes: block.length, crc: crcOfBlock(block) }]
  disk.put(path, Buffer.concat([block, rollLine(roll)]))
  return disk
}

test('a head that is whole and says what it must not is refused by name, the others load', async () => {
  const disk = await withHead('b', (head) => head.replace('"rev":2', '"rev":"two"'))
  const store = storeOn(disk)
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
  await store.close()
})

test('one that is open and says what it must not is told by the opening', async () => {
  const disk = await withHead('d', (head) =>
    head.replace('"state":"unregistered"', '"state":"elsewhere"'),
  )
  const loaded = await done(storeOn(disk).open)
  expect(loaded.sessions).toEqual([])
  expect(loaded.quarantined).toMatchObject([
    { sessionId: 'd', problem: expect.stringContaining('session: record.state: expected') },
  ])
})

test('a head of another session than the roll names is refused', async () => {
  const disk = await withHead('b', (head) => head.replaceAll('"b"', '"x"'))
  const loaded = await done(storeOn(disk).open)
  expect(loaded.resting?.read('b')).toBeUndefined()
  expect(loaded.resting?.read('x')).toBeUndefined()
})

test('a checkpoint with fewer sessions has none', async () => {
  expect(rollPath(await filled({ rollFrom: 5 }))).toBe('')
  expect(rollPath(await filled({ rollFrom: 4 }))).not.toBe('')
})

test('a store whose key is missing does not open, though no snapshot was looked at', async () => {
  const sealing = { current: 'k', keys: { k: Buffer.alloc(32, 1) } }
  const disk = await filled({ sealing })
  await expectWhole(disk, { sealing })
  expect(await refused(storeOn(disk).open)).toMatchObject({ _tag: 'KeyMissing' })
  const clear = await filled()
  expect(await refused(storeOn(clear, { sealing }).open)).toMatchObject({ _tag: 'SealBroken' })
})

test('a checkpoint whose roll cannot be written stands, and that is told', async () => {
  const steps = new Set<string>()
  for (let failAt = 1; ; failAt++) {
    const disk = memoryDisk()
    const logger = vi.fn()
    let seen = 0
    let failed = ''
    const failing = probed(disk, ({ name, path }) => {
      if (!path.includes('.roll')) return
      seen += 1
      if (seen !== failAt) return
      failed = name
      steps.add(name)
      throw systemError('EIO')
    })
    const store = storeOn(failing, { logger })
    await fill(store)
    await store.close()
    await expectWhole(disk)
    const told = logger.mock.calls.map(([, what]) => what)
    const isMissed = ['create', 'write', 'sync', 'rename'].includes(failed)
    expect(told).toEqual(isMissed ? ['without a roll: the next start reads the log'] : [])
    expect([...disk.files().keys()].filter((path) => path.endsWith('.tmp'))).toEqual([])
    if (seen < failAt) break
  }
  expect([...steps]).toEqual(expect.arrayContaining(['create', 'write', 'sync', 'rename']))
})

test('wherever the power is cut, everything is there', async () => {
  await whereverCut({ storeOn, fill }, async (after) => {
    await expectWhole(after)
  })
})

test('who has an interaction told of does not rest, nor who names an archive', async () => {
  const disk = memoryDisk()
  const store = storeOn(disk)
  await fill(store)
  await done(store.saveSnapshot(snapshotOf('a', 3)))
  const { record, ...rest } = commitOf('b', 3, 1, 9)
  const lastEnd = { incident: 1, attempts: 3, archive: 'archives/x.json' }
  const named = { ...record, control: { ...record.control, lastEnd } }
  await done(store.commit({ ...rest, record: named }))
  await done(store.checkpoint(null, everything))
  await store.close()
  expect((await done(storeOn(disk).open)).resting?.ids).toEqual(['c'])
})

test('records are those that were stored', async () => {
  const disk = await filled()
  const loaded = await done(storeOn(disk).open)
  expect(loaded.resting?.read('a')).toEqual({
    record: { ...recordOf('a', 2), state: 'snapshotting.idle' },
    view: quietOf('a', 2).view,
  })
})
