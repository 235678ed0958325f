/** What a store comes upon while the engine runs is told to who listens, and written anew at once. */
import type { Quarantined } from '@session-recovery/core'
import { memoryMedium, memoryStore } from '@session-recovery/engine'
import { expect, test } from 'vitest'
import { started } from './scripted-world.js'

const found: Quarantined = {
  source: 'log/1: byte 7',
  keptAs: 'quarantine/1.7',
  sessionId: 's',
  problem: 'the checksum is wrong',
}

const watched = async () => {
  const store = memoryStore(memoryMedium())
  const listeners = new Set<(one: Quarantined) => void>()
  let checkpoints = 0
  const made = await started({
    store: {
      ...store,
      checkpoint: (projection, throughSeq) => {
        checkpoints += 1
        return store.checkpoint(projection, throughSeq)
      },
      watch: (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
  })
  const tell = () => {
    for (const listener of listeners) listener(found)
  }
  return { made, tell, listeners, checkpoints: () => checkpoints }
}

test('damage is told, and a checkpoint is written', async () => {
  const { made, tell, checkpoints } = await watched()
  tell()
  tell()
  await made.time.advance(1)
  const told = made.notices.filter(({ _tag }) => _tag === 'damaged')
  expect(told).toEqual([
    { _tag: 'damaged', found },
    { _tag: 'damaged', found },
  ])
  expect(checkpoints()).toBe(1)
})

test('nobody listens to the store any more when the engine has stopped, and again when it starts', async () => {
  const { made, tell, listeners } = await watched()
  await made.engine.stop()
  expect(listeners.size).toBe(0)
  tell()
  expect(made.notices.filter(({ _tag }) => _tag === 'damaged')).toEqual([])
  await made.engine.start()
  expect(listeners.size).toBe(1)
})

test('of a session whose store is damaged the same snapshot is written again, and of no other', async () => {
  const { made, tell } = await watched()
  const update = { commandHistory: ['ls'] }
  const generations = async () => {
    const told: unknown[] = []
    for (const id of ['s', 't']) {
      const updated = await made.engine.update(id, update)
      told.push('generation' in updated ? updated.generation : updated)
    }
    return told
  }
  await made.engine.register('t')
  expect([await generations(), await generations()]).toEqual([
    [2, 2],
    [2, 2],
  ])
  tell()
  expect(await generations()).toEqual([3, 2])
})
