/** When a checkpoint is given a roll, who of it rests, and that it stands also where no roll can be written. */
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import { expect, test, vi } from 'vitest'
import { expectWhole, fill, filled, rollPath, storeOn } from './roll-scene.js'
import { commitOf, done, everything, snapshotOf } from './sample.js'

test('a checkpoint with fewer sessions has none', async () => {
  expect(rollPath(await filled({ rollFrom: 5 }))).toBe('')
  expect(rollPath(await filled({ rollFrom: 4 }))).not.toBe('')
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
    const told = logger.mock.calls.map(([level, what, error]) => [level, what, error.code])
    const isMissed = ['create', 'write', 'sync', 'rename'].includes(failed)
    const missed = ['warn', 'without a roll: the next start reads the log', 'EIO']
    expect(told).toEqual(isMissed ? [missed] : [])
    expect([...disk.files().keys()].filter((path) => path.endsWith('.tmp'))).toEqual([])
    if (seen < failAt) break
  }
  expect([...steps]).toEqual(expect.arrayContaining(['create', 'write', 'sync', 'rename']))
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

test('who never had a snapshot can rest', async () => {
  const disk = memoryDisk()
  const store = storeOn(disk)
  await fill(store)
  const { record, ...rest } = commitOf('e', 1, 1, 9)
  await done(store.commit({ ...rest, record: { ...record, state: 'snapshotting.idle' } }))
  await done(store.checkpoint(null, everything))
  await store.close()
  expect((await done(storeOn(disk).open)).resting?.ids).toEqual(['a', 'b', 'c', 'e'])
})

test('what was forgotten does not rest either: nothing is left of it but that it was there', async () => {
  const disk = memoryDisk()
  const store = storeOn(disk)
  await fill(store)
  await done(store.forget('a', 1))
  await done(store.checkpoint(null, everything))
  await store.close()
  expect(rollPath(disk)).not.toBe('')
  const { sessions, resting } = await done(storeOn(disk).open)
  expect(sessions.map(({ record }) => record.control.sessionId)).toEqual(['d'])
  expect(resting?.ids).toEqual(['b', 'c'])
})
