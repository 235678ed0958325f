/** When the heads of a log are read from its roll, and what keeps them from it: then the log itself is read. */
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import type { Disk } from '../src/index.js'
import { lineOf } from '../src/line.js'
import { loadLog } from '../src/load.js'
import { headerLine, segmentName } from '../src/segment.js'
import {
  contentOf,
  filled,
  logPath,
  recordsIn,
  rollPath,
  storeOn,
  whole,
  withHead,
} from './roll-scene.js'
import { commitOf, done, snapshotOf } from './sample.js'
import { commitLine, header, name } from './segment-sample.js'

/** Why the log was read although it has a roll, and which sessions rest. */
const read = async (disk: Disk, fromRoll = true) => {
  const found = await loadLog(disk, '/store/log', 1 << 20, 10, { fromRoll })
  if (E.isLeft(found)) throw new Error(found.left)
  const { index, rollProblem, roll, damages } = found.right
  return { rollProblem, isRolled: roll !== undefined, resting: index.folded(), damages }
}
const fromRoll = {
  ...{ rollProblem: undefined, isRolled: true, resting: ['a', 'b', 'c'], damages: [] },
}
const fromLog = { isRolled: false, resting: [], damages: [] }

test('heads are read from it by whoever opens the store, and by nobody else', async () => {
  const disk = await filled()
  let open = 0
  const counted = probed(disk, ({ name }) => {
    if (name === 'open') open += 1
    if (name === 'close') open -= 1
  })
  expect([await read(counted), open]).toEqual([fromRoll, 0])
  expect(await read(disk, false)).toEqual({ ...fromLog, rollProblem: undefined })
  const found = await loadLog(disk, '/store/log', 1 << 20, 10)
  expect(E.isRight(found) && found.right.index.folded()).toEqual([])
})

test('one that is damaged is passed over, and it is said how', async () => {
  const disk = await filled()
  const roll = Buffer.from(contentOf(disk, rollPath(disk)))
  roll[40] = (roll[40] ?? 0) ^ 1
  disk.put(rollPath(disk), roll)
  expect(await read(disk)).toEqual({ ...fromLog, rollProblem: 'block: a wrong checksum' })
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

test('one that cannot be read is passed over, and it is said why', async () => {
  const disk = await filled()
  const failing = probed(disk, ({ name, path }) => {
    if (name === 'open' && path.endsWith('.roll')) throw systemError('EIO')
  })
  const { rollProblem, ...rest } = await read(failing)
  expect(rest).toEqual(fromLog)
  expect(rollProblem).toContain('EIO')
})

test.each([
  ['is a link', { kind: 'link' }],
  ['has other names', { links: 2 }],
  ['is gone when it is looked at', undefined],
] as const)('one that %s is passed over', async (_, other) => {
  const disk = await filled()
  const odd: Disk = {
    ...disk,
    status: async (path) => {
      const found = await disk.status(path)
      if (found === undefined || !path.endsWith('.roll')) return found
      return other === undefined ? undefined : { ...found, ...other }
    },
  }
  const rollProblem = 'not a regular file of its own'
  expect(await read(odd)).toEqual({ ...fromLog, rollProblem })
})

test('one of a checkpoint that stands in the log no longer is passed over', async () => {
  const rollProblem = 'checkpoint: another one stands in the log'
  const disk = await filled()
  const log = contentOf(disk, logPath(disk))
  const start = log.lastIndexOf('\n', -2) + 1
  const other = JSON.parse(log.toString('utf8', start))
  other.checkpoint.projection = 'FOLDED'
  disk.put(
    logPath(disk),
    Buffer.concat([log.subarray(0, start), lineOf('checkpoint', other.checkpoint)]),
  )
  expect(await read(disk)).toEqual({ ...fromLog, rollProblem })
  // It stands there still, and does not count any more.
  const later = disk.copy()
  const before = [{ name: logPath(disk).replace(/^.*\//, ''), bytes: log.length - 9 }]
  const header = headerLine({ term: 9, sequence: 1, limitBytes: 1_000, whole: false, before })
  later.put(logPath(disk), log)
  later.put(`/store/log/${segmentName(9, 1)}`, header)
  expect(await read(later)).toMatchObject({ isRolled: false, resting: [], rollProblem })
  disk.put(logPath(disk), log.subarray(0, -9))
  expect(await read(disk)).toMatchObject({ isRolled: false, resting: [], rollProblem })
})

test('one beside a segment that begins with no checkpoint is not looked at', async () => {
  const disk = memoryDisk()
  await disk.makeDirectory('/store/log')
  disk.put(`/store/log/${name}`, Buffer.concat([header, commitLine('a', 1)]))
  disk.put(`/store/log/${name.replace('jsonl', 'roll')}`, Buffer.from('anything'))
  expect(await read(disk)).toEqual({ ...fromLog, rollProblem: undefined })
})
