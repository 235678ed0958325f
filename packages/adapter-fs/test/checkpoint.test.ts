/** Checkpoints on a real disk: what is kept, commits that go on meanwhile, and a crash at every step. */
import { cpSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from '@session-recovery/core'
import { changing, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { type Disk, fileStore, realDisk } from '../src/index.js'
import {
  closing,
  commitOf,
  done,
  everything,
  freshDirectory,
  openFiles,
  refused,
  snapshotOf,
} from './sample.js'

const fill = async (store: Store) => {
  await done(store.open)
  for (const id of ['a', 'b', 'c']) {
    for (let rev = 1; rev <= 6; rev++) await done(store.commit(commitOf(id, rev)))
    await done(store.saveSnapshot(snapshotOf(id, 1)))
    await done(store.saveSnapshot(snapshotOf(id, 2)))
  }
  await done(store.forget('c', 1))
}

const segmentNames = (directory: string) => readdirSync(join(directory, 'log')).sort()

test('a checkpoint carries what is live, the newest journal entries and the projection', async () => {
  const directory = freshDirectory()
  const store = closing(fileStore({ directory, journalEntriesPerSession: 4 }))
  await fill(store)
  const [before = ''] = segmentNames(directory)
  const bytesBefore = statSync(join(directory, 'log', before)).size
  await done(store.checkpoint({ folded: [1, { two: null }] }, everything))
  const [after = '', ...more] = segmentNames(directory)
  expect(more).toEqual([])
  expect(after > before).toBe(true)
  expect(statSync(join(directory, 'log', after)).size).toBeLessThan(bytesBefore)
  await done(store.commit(commitOf('a', 7)))
  for (const look of [async () => undefined, () => store.close().then(() => done(store.open))]) {
    const loaded = await look()
    expect(await done(store.readSnapshot('b'))).toEqual(snapshotOf('b', 2))
    expect((await done(store.readJournal('a'))).map(({ rev }) => rev)).toEqual([4, 5, 6, 7])
    expect((await done(store.readJournal('c'))).map(({ rev }) => rev)).toEqual([3, 4, 5, 6])
    if (loaded === undefined) continue
    expect(loaded.projection).toEqual({ folded: [1, { two: null }] })
    expect(loaded.entries.map(({ sessionId, rev }) => [sessionId, rev])).toEqual([['a', 7]])
    expect(loaded.sessions.map(({ record }) => record.rev)).toEqual([7, 6])
    expect(loaded.latestMs).toBe(1_007)
  }
})

test('the journal of forgotten sessions is kept for the newest of them, and of those that live', async () => {
  const store = closing(fileStore({ directory: freshDirectory(), forgottenSessions: 2 }))
  await done(store.open)
  for (const id of ['live', 'a', 'b', 'c', 'd', 'kept']) await done(store.commit(commitOf(id, 1)))
  await done(store.saveSnapshot(snapshotOf('kept', 1)))
  for (const id of ['d', 'b', 'a', 'c']) await done(store.forget(id, 1))
  await done(store.checkpoint(null, everything))
  for (const look of [async () => undefined, () => store.close().then(() => done(store.open))]) {
    await look()
    const lengths = await Promise.all(
      ['a', 'b', 'c', 'd', 'live'].map(async (id) => (await done(store.readJournal(id))).length),
    )
    expect(lengths).toEqual([1, 0, 1, 0, 1])
    expect(await done(store.readSnapshot('kept'))).toEqual(snapshotOf('kept', 1))
  }
})

test('no journal is retained where none is wanted', async () => {
  const store = closing(fileStore({ directory: freshDirectory(), journalEntriesPerSession: 0 }))
  await fill(store)
  await done(store.checkpoint(null, everything))
  expect(await done(store.readJournal('a'))).toEqual([])
  await store.close()
  expect((await done(store.open)).sessions.length).toBe(2)
})

test('commits, snapshots and reads go on while checkpoints are written', async () => {
  const store = closing(fileStore({ directory: freshDirectory(), journalEntriesPerSession: 1_000 }))
  await done(store.open)
  const before = openFiles()
  let ended = false
  let seq = 0
  const acknowledged: number[] = []
  const live = async (id: string) => {
    for (let rev = 1; rev <= 60; rev++) {
      seq += 1
      const place = seq
      await done(store.commit(commitOf(id, rev, 1, place)))
      acknowledged.push(place)
      await done(store.saveSnapshot(snapshotOf(id, rev)))
      expect((await done(store.readSnapshot(id))).view.generation).toBe(rev)
      expect((await done(store.readJournal(id))).length).toBe(rev)
    }
  }
  const folded: number[] = []
  const compact = async () => {
    while (!ended) {
      await new Promise((resolve) => setImmediate(resolve))
      // A projection may lag behind what is acknowledged: what it lacks must be handed out again.
      const throughSeq = Math.max(0, ...acknowledged) - (folded.length % 4)
      await done(store.checkpoint({ throughSeq }, throughSeq))
      folded.push(throughSeq)
    }
  }
  const compacting = compact()
  await Promise.all(['a', 'b', 'c'].map(live))
  ended = true
  await compacting
  expect(openFiles()).toBe(before)
  expect(folded.length).toBeGreaterThan(3)
  await store.close()
  const loaded = await done(store.open)
  const last = folded.at(-1) ?? 0
  expect(loaded.projection).toEqual({ throughSeq: last })
  expect(loaded.entries.map((entry) => entry.seq)).toEqual(
    Array.from({ length: 180 - last }, (_, i) => last + i + 1),
  )
  expect(loaded.latestSeq).toBe(180)
  expect(loaded.sessions.map(({ record, view }) => [record.rev, view?.generation])).toEqual([
    [60, 60],
    [60, 60],
    [60, 60],
  ])
})

test('of two checkpoints at once the second is refused, since its projection would be stale', async () => {
  const store = closing(fileStore({ directory: freshDirectory() }))
  await fill(store)
  const first = store.checkpoint(1, everything)()
  expect(await refused(store.checkpoint(2, everything))).toMatchObject({ _tag: 'StoreUnavailable' })
  expect(E.isRight(await first)).toBe(true)
  await done(store.checkpoint(3, everything))
})

test('what a checkpoint has folded is not handed out again, whatever a later one says', async () => {
  const store = closing(fileStore({ directory: freshDirectory() }))
  await fill(store)
  await done(store.checkpoint(1, everything))
  await done(store.commit(commitOf('a', 7)))
  await done(store.checkpoint(2, 0))
  await store.close()
  expect((await done(store.open)).entries.map(({ rev }) => rev)).toEqual([7])
})

test('a checkpoint during which the log had to change its segment is given up', async () => {
  const directory = freshDirectory()
  let writing = (): void => undefined
  const draftIsWritten = new Promise<void>((resolve) => {
    writing = resolve
  })
  let goOn = (): void => undefined
  const mayGoOn = new Promise<void>((resolve) => {
    goOn = resolve
  })
  let broken = false
  const disk = probed(realDisk, async ({ name, path }) => {
    if (name !== 'sync') return
    if (path.endsWith('.tmp')) {
      writing()
      await mayGoOn
    } else if (broken) throw systemError('EIO')
  })
  const store = closing(fileStore({ directory }, disk))
  await fill(store)
  const checkpointing = store.checkpoint('folded', everything)()
  await draftIsWritten
  await done(store.commit(commitOf('b', 7)))
  broken = true
  await refused(store.commit(commitOf('a', 7)))
  broken = false
  await done(store.commit(commitOf('a', 7)))
  goOn()
  expect(await checkpointing).toMatchObject({ left: { _tag: 'StoreUnavailable' } })
  await store.close()
  const { sessions, projection } = await done(store.open)
  expect(sessions.map(({ record }) => record.rev)).toEqual([7, 7])
  expect(projection).toBeUndefined()
})

test('a read that comes too late for a segment finds the new place', async () => {
  const directory = freshDirectory()
  let first = true
  const disk = probed(realDisk, async ({ name, path }) => {
    if (name !== 'open' || !reading || !first || !path.includes('/log/')) return
    first = false
    await done(store.checkpoint(null, everything))
  })
  let reading = false
  const store = closing(fileStore({ directory }, disk))
  await fill(store)
  reading = true
  expect(await done(store.readSnapshot('a'))).toEqual(snapshotOf('a', 2))
  first = true
  expect((await done(store.readJournal('b'))).length).toBe(6)
  expect(first).toBe(false)
})

test('closing during a checkpoint leaves everything as it was', async () => {
  const directory = freshDirectory()
  const store = closing(fileStore({ directory }))
  await fill(store)
  const before = openFiles()
  const checkpointing = store.checkpoint(1, everything)()
  await store.close()
  await checkpointing
  expect(openFiles()).toBeLessThan(before)
  expect(segmentNames(directory).filter((name) => name.endsWith('.tmp'))).toEqual([])
  const { sessions, entries, projection } = await done(store.open)
  expect(sessions.length).toBe(2)
  expect([undefined, 1]).toContain(projection)
  expect(entries.length).toBe(projection === undefined ? 18 : 0)
})

const expectWhole = async (directory: string, mayHaveCommit: boolean) => {
  const store = closing(fileStore({ directory }))
  const { sessions, projection, entries, quarantined } = await done(store.open)
  const revs = sessions.map(({ record }) => record.rev)
  expect(
    mayHaveCommit
      ? [
          [6, 6],
          [7, 6],
        ]
      : [[6, 6]],
  ).toContainEqual(revs)
  expect(quarantined).toEqual([])
  expect([undefined, 'folded']).toContain(projection)
  const all = projection === undefined ? 18 : 0
  expect(entries.length).toBe(all + ((revs[0] ?? 0) - 6))
  for (const id of ['a', 'b']) expect(await done(store.readSnapshot(id))).toEqual(snapshotOf(id, 2))
  expect((await done(store.readJournal('c'))).length).toBe(6)
  expect(segmentNames(directory).filter((name) => name.endsWith('.tmp'))).toEqual([])
  await store.close()
}

test('a crash at any step of a checkpoint loses nothing and leaves no stray file', async () => {
  const directory = freshDirectory()
  const states: string[] = []
  let recording = false
  const disk: Disk = probed(realDisk, ({ name }) => {
    if (!recording || !changing.has(name)) return
    const state = freshDirectory()
    cpSync(directory, state, { recursive: true })
    states.push(state)
  })
  const store = closing(fileStore({ directory }, disk))
  await fill(store)
  recording = true
  const [checkpointed] = await Promise.all([
    store.checkpoint('folded', everything)(),
    done(store.commit(commitOf('a', 7))),
  ])
  recording = false
  expect(E.isRight(checkpointed)).toBe(true)
  expect(states.length).toBeGreaterThan(7)
  for (const state of states) await expectWhole(state, true)
})

test('a checkpoint that fails at any step leaves a store that goes on', async () => {
  let failedSteps = 0
  for (let failAt = 1; ; failAt++) {
    const directory = freshDirectory()
    let steps = 0
    let broken = false
    const disk = probed(realDisk, ({ name }) => {
      if (!broken || !changing.has(name)) return
      steps += 1
      if (steps === failAt) throw systemError('EIO')
    })
    const store = closing(fileStore({ directory }, disk))
    await fill(store)
    const before = openFiles()
    broken = true
    const result = await store.checkpoint('folded', everything)()
    broken = false
    if (E.isLeft(result)) {
      failedSteps += 1
      expect(result.left).toMatchObject({ _tag: 'StoreUnavailable', code: 'EIO' })
    }
    await done(store.commit(commitOf('a', 7)))
    expect(openFiles()).toBe(before)
    await store.close()
    await expectWhole(directory, true)
    await done(store.open)
    await done(store.checkpoint('again', everything))
    if (steps < failAt) break
  }
  expect(failedSteps).toBeGreaterThan(5)
})

test('what was forgotten stays so over a checkpoint: nothing of that life is kept any more', async () => {
  const store = closing(fileStore({ directory: freshDirectory() }))
  await done(store.open)
  for (const id of ['a', 'b']) await done(store.commit(commitOf(id, 1)))
  await done(store.forget('a', 1))
  await done(store.checkpoint(null, everything))
  await store.close()
  await done(store.open)
  for (const life of [1, 2]) {
    const late = store.saveSnapshot(snapshotOf('a', 5, life))
    expect(await refused(late)).toMatchObject({ _tag: 'NotFound' })
  }
  expect(await refused(store.readSnapshot('a'))).toMatchObject({ _tag: 'NotFound' })
  await done(store.saveSnapshot(snapshotOf('b', 5)))
  expect(await done(store.readSnapshot('b'))).toEqual(snapshotOf('b', 5))
})
