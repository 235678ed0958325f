/** A checkpoint of many sessions lets others have their turns, and the log goes on while it tells what stands where. */
import { loadedSessions } from '@session-recovery/core'
import { memoryDisk, probed, quiet, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { directory, log, storeOn } from './checkpoint-scene.js'
import { quietOf } from './roll-scene.js'
import { commitOf, done, everything } from './sample.js'

const ids = ['a', 'b', 'c', 'd', 'e']

/** A decision of a session that rests afterwards. */
const idle = (id: string, rev: number) => {
  const commit = commitOf(id, rev)
  return { ...commit, record: { ...commit.record, state: 'snapshotting.idle' as const } }
}

/** A store of which each session is many, whose turns come when they are given. */
const scene = (disk = memoryDisk()) => {
  const waiting: (() => void)[] = []
  let isFailing = false
  const failing = probed(disk, ({ name }) => {
    if (isFailing && name === 'sync') throw systemError('EIO')
  })
  /** No flush succeeds from now on, or all do. */
  const fail = (does: boolean) => {
    isFailing = does
  }
  const store = storeOn(failing, {
    rollFrom: 1,
    schedule: (_, task) => {
      waiting.push(task)
      return () => void waiting.splice(waiting.indexOf(task), 1)
    },
  })
  const settled = async () => {
    for (let turn = 0; turn < 40; turn++) await quiet()
  }
  /** Gives the next turn; false: nobody waits for one. */
  const turn = async (): Promise<boolean> => {
    await settled()
    const task = waiting.shift()
    task?.()
    await settled()
    return task !== undefined
  }
  const segments = async () => (await disk.list(log)).filter((name) => name.endsWith('.jsonl'))
  return { disk, store, settled, turn, segments, waiting, fail }
}
type Scene = ReturnType<typeof scene>

/** What a reader finds of each session: its revisions, and the generation of its snapshot. */
const foundIn = async ({ store }: Pick<Scene, 'store'>, of: readonly string[]) => {
  const found: Record<string, unknown> = {}
  for (const id of of) {
    const snapshot = await store.readSnapshot(id)()
    found[id] = [
      (await done(store.readJournal(id))).map(({ rev }) => rev),
      E.isRight(snapshot) ? snapshot.right.view.generation : snapshot.left._tag,
    ]
  }
  return found
}

const filled = async (at: Scene) => {
  // A scrub waits for a turn, too: it is not what is looked at.
  await done(at.store.open)
  at.waiting.splice(0)
  for (const id of ids) {
    for (const rev of [1, 2]) await done(at.store.commit(idle(id, rev)))
    await done(at.store.saveSnapshot(quietOf(id, 1)))
  }
}

/** Begins a checkpoint and gives turns until its segment is the log and the former ones are still there. */
const swapped = async (at: Scene) => {
  const before = await at.segments()
  const checkpointing = at.store.checkpoint('folded', everything)()
  await at.settled()
  for (let turns = 0; (await at.segments()).length === before.length; turns++) {
    if (turns > 100 || !(await at.turn())) throw new Error('no segment has taken the place')
  }
  return { before, checkpointing }
}

const given = async (at: Scene, checkpointing: Promise<unknown>): Promise<number> => {
  let turns = 0
  let isOver = false
  void checkpointing.then(() => {
    isOver = true
  })
  for (; !isOver && turns < 100; turns++) await at.turn()
  return turns
}

/** A store that was closed behind a checkpoint: whoever opens its disk reads a roll. */
const checkpointed = async (): Promise<Scene> => {
  const at = scene()
  await filled(at)
  await given(at, at.store.checkpoint('folded', everything)())
  await at.store.close()
  return at
}

/** What is found now is found at the next start, too. */
const expectThenAndAgain = async (at: Scene, now: object) => {
  expect(await foundIn(at, ids)).toMatchObject(now)
  await at.store.close()
  const next = scene(at.disk)
  await done(next.store.open)
  expect(await foundIn(next, ids)).toMatchObject(now)
}

test('what is read, committed, saved and forgotten meanwhile is there, then and at the next start', async () => {
  const at = scene()
  await filled(at)
  const { before, checkpointing } = await swapped(at)
  const whole = { a: [[1, 2], 1], b: [[1, 2], 1], c: [[1, 2], 1], d: [[1, 2], 1], e: [[1, 2], 1] }
  expect(await foundIn(at, ids)).toEqual(whole)
  // One that has been told where it stands, and one that has not.
  for (const id of ['a', 'e']) {
    await done(at.store.commit(idle(id, 3)))
    await done(at.store.saveSnapshot(quietOf(id, 2)))
  }
  await done(at.store.forget('d', 1))
  await done(at.store.commit(idle('f', 1)))
  const now = {
    ...{ a: [[1, 2, 3], 2], b: [[1, 2], 1], c: [[1, 2], 1], d: [[1, 2], 'NotFound'] },
    ...{ e: [[1, 2, 3], 2], f: [[1], 'NotFound'] },
  }
  expect(await foundIn(at, [...ids, 'f'])).toEqual(now)
  expect((await at.segments()).filter((name) => before.includes(name))).toEqual(before)
  await at.turn()
  expect(await foundIn(at, [...ids, 'f'])).toEqual(now)
  expect(await given(at, checkpointing)).toBeGreaterThanOrEqual(4)
  expect(await checkpointing).toEqual(E.right(undefined))
  expect((await at.segments()).filter((name) => before.includes(name))).toEqual([])
  expect(await foundIn(at, [...ids, 'f'])).toEqual(now)
  await at.store.close()
  const next = scene(at.disk)
  const loaded = await done(next.store.open)
  const revs = loadedSessions(loaded).map(({ record }) => [record.control.sessionId, record.rev])
  expect(Object.fromEntries(revs)).toEqual({ a: 3, b: 2, c: 2, e: 3, f: 1 })
  expect(loaded.quarantined).toEqual([])
  expect(await foundIn(next, [...ids, 'f'])).toEqual(now)
})

test('what is written to a further segment meanwhile, since a flush failed, is there', async () => {
  const at = scene()
  await filled(at)
  const { checkpointing } = await swapped(at)
  at.fail(true)
  expect(await at.store.commit(idle('a', 3))()).toMatchObject({ left: { code: 'EIO' } })
  at.fail(false)
  await done(at.store.commit(idle('e', 3)))
  await done(at.store.saveSnapshot(quietOf('e', 2)))
  await given(at, checkpointing)
  expect(await checkpointing).toEqual(E.right(undefined))
  const now = { a: [[1, 2], 1], e: [[1, 2, 3], 2] }
  await expectThenAndAgain(at, now)
})

test('when the app dies meanwhile, all is there at the next start, and the former segments are removed', async () => {
  const at = scene()
  await filled(at)
  const { before } = await swapped(at)
  await done(at.store.commit(idle('e', 3)))
  const left = memoryDisk()
  await left.makeDirectory(directory)
  await left.makeDirectory(log)
  for (const [path, bytes] of at.disk.files()) left.put(path, Buffer.from(bytes))
  const next = scene(left)
  await done(next.store.open)
  expect(await foundIn(next, ids)).toMatchObject({ a: [[1, 2], 1], e: [[1, 2, 3], 1] })
  expect((await next.segments()).filter((name) => before.includes(name))).toEqual([])
})

test('a store that is closed meanwhile does not wait for turns, and leaves one log', async () => {
  const at = scene()
  await filled(at)
  const { before, checkpointing } = await swapped(at)
  await at.store.close()
  expect(await checkpointing).toEqual(E.right(undefined))
  expect((await at.segments()).filter((name) => before.includes(name))).toEqual([])
  const next = scene(at.disk)
  await done(next.store.open)
  expect(await foundIn(next, ids)).toMatchObject({ a: [[1, 2], 1], e: [[1, 2], 1] })
})

test('sessions of which nobody has asked are looked into one turn after the other, and may change meanwhile', async () => {
  const first = await checkpointed()

  const at = scene(first.disk)
  const { resting } = await done(at.store.open)
  expect([...(resting?.ids ?? [])]).toEqual(ids)
  at.waiting.splice(0)
  const checkpointing = at.store.checkpoint('again', everything)()
  await at.settled()
  expect(at.waiting).toHaveLength(1)
  await done(at.store.commit(idle('e', 3)))
  // Until all are looked into, nothing is written.
  const others = (await at.disk.list(log)).filter((name) => !/\.(jsonl|roll)$/.test(name))
  expect(others).toEqual([])
  expect(await given(at, checkpointing)).toBeGreaterThanOrEqual(2 * ids.length)
  expect(await checkpointing).toEqual(E.right(undefined))
  const now = { a: [[1, 2], 1], e: [[1, 2, 3], 1] }
  await expectThenAndAgain(at, now)
})

test('a store that is closed while it is looked into has no checkpoint, and says why', async () => {
  const first = await checkpointed()
  const at = scene(first.disk)
  await done(at.store.open)
  at.waiting.splice(0)
  const before = await at.segments()
  const checkpointing = at.store.checkpoint('again', everything)()
  await at.settled()
  await at.store.close()
  expect(await checkpointing).toMatchObject({
    left: { _tag: 'StoreUnavailable', message: expect.stringContaining('not open') },
  })
  expect(await at.segments()).toEqual(before)
})
