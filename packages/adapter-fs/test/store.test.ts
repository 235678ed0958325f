/** The calls of the port, on a real disk: what was acknowledged is there when the store is opened again. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Commit, Store, StoreError } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { expect, test } from 'vitest'
import { type FileStoreOptions, fileStore } from '../src/index.js'
import {
  archiveOf,
  closing,
  commitOf,
  done,
  entryOf,
  everything,
  freshDirectory,
  openFiles,
  recordOf,
  refused,
  snapshotOf,
} from './sample.js'

const fresh = (options: Partial<FileStoreOptions> = {}): Store =>
  closing(fileStore({ directory: freshDirectory(), ...options }))

const reopened = async (store: Store) => {
  await store.close()
  return done(store.open)
}

test('an empty store holds nothing', async () => {
  const loaded = await done(fresh().open)
  expect(loaded).toEqual({
    sessions: [],
    projection: undefined,
    entries: [],
    quarantined: [],
    latestMs: 0,
    latestSeq: 0,
  })
})

test('records, entries and the latest snapshot are there after a restart', async () => {
  const store = fresh()
  await done(store.open)
  for (const rev of [1, 2, 3]) await done(store.commit(commitOf('a', rev)))
  await done(store.commit(commitOf('b', 1, 1, 4)))
  await done(store.saveSnapshot(snapshotOf('a', 1)))
  await done(store.saveSnapshot(snapshotOf('a', 2)))
  const loaded = await reopened(store)
  expect(loaded.sessions).toEqual([
    { record: recordOf('a', 3), view: snapshotOf('a', 2).view },
    { record: recordOf('b', 1), view: undefined },
  ])
  expect(loaded.entries.map((entry) => [entry.sessionId, entry.rev])).toEqual([
    ['a', 1],
    ['a', 2],
    ['a', 3],
    ['b', 1],
  ])
  expect(loaded.latestMs).toBe(1_003)
  expect(await done(store.readSnapshot('a'))).toEqual(snapshotOf('a', 2))
  expect(await refused(store.readSnapshot('b'))).toMatchObject({ _tag: 'NotFound' })
  expect(await done(store.readJournal('a'))).toEqual(
    [1, 2, 3].map((rev) => entryOf(recordOf('a', rev))),
  )
  expect(await done(store.readJournal('nobody'))).toEqual([])
})

test('a commit must name the revision it follows', async () => {
  const store = fresh()
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  for (const [rev, actualRev] of [
    [1, 1],
    [3, 1],
  ] as const) {
    expect(await refused(store.commit(commitOf('a', rev)))).toMatchObject({
      _tag: 'RevisionConflict',
      sessionId: 'a',
      expectedRev: rev - 1,
      actualRev,
    })
  }
  expect(await refused(store.commit(commitOf('b', 2)))).toMatchObject({ actualRev: 0 })
  const { sessions, entries } = await reopened(store)
  expect([sessions.length, entries.length]).toEqual([1, 1])
  expect(await refused(store.commit(commitOf('a', 1)))).toMatchObject({ actualRev: 1 })
  await done(store.commit(commitOf('a', 2)))
})

test('of commits that wait together and name one revision the first alone is taken', async () => {
  const store = fresh()
  await done(store.open)
  const rivals: Commit[] = Array.from({ length: 5 }, (_, i) => ({
    ...commitOf('a', 1),
    record: { ...recordOf('a', 1), state: i === 0 ? 'exhausted' : 'registered' },
  }))
  const results = await Promise.all(rivals.map((commit) => store.commit(commit)()))
  expect(results.map(E.isRight)).toEqual([true, false, false, false, false])
  const chain = await Promise.all([2, 3, 4].map((rev) => store.commit(commitOf('a', rev))()))
  expect(chain.every(E.isRight)).toBe(true)
  const { sessions, entries } = await reopened(store)
  expect(sessions[0]?.record.rev).toBe(4)
  expect(entries.map(({ rev }) => rev)).toEqual([1, 2, 3, 4])
})

test('a new incarnation starts at revision 0 and leaves the snapshot of the former behind', async () => {
  const store = fresh()
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  await done(store.saveSnapshot(snapshotOf('a', 9)))
  expect(await refused(store.commit({ ...commitOf('a', 5, 2), expectedRev: 4 }))).toMatchObject({
    _tag: 'RevisionConflict',
    actualRev: 0,
  })
  await done(store.commit(commitOf('a', 1, 2)))
  expect(await refused(store.commit(commitOf('a', 2, 1)))).toMatchObject({
    _tag: 'RevisionConflict',
  })
  expect(await refused(store.readSnapshot('a'))).toMatchObject({ _tag: 'NotFound' })
  for (const incarnation of [1, 3]) {
    const foreign = store.saveSnapshot(snapshotOf('a', 10, incarnation))
    expect(await refused(foreign)).toMatchObject({ _tag: 'NotFound' })
  }
  expect(await refused(store.readSnapshot('a'))).toMatchObject({ _tag: 'NotFound' })
  await done(store.saveSnapshot(snapshotOf('a', 1, 2)))
  const { sessions } = await reopened(store)
  expect(sessions).toEqual([{ record: recordOf('a', 1, 2), view: snapshotOf('a', 1, 2).view }])
  expect((await done(store.readJournal('a'))).map(({ incarnation }) => incarnation)).toEqual([1, 2])
})

test('a snapshot may follow the commit of its session without waiting for it', async () => {
  const store = fresh()
  await done(store.open)
  await Promise.all([
    done(store.commit(commitOf('a', 1))),
    done(store.saveSnapshot(snapshotOf('a', 1))),
  ])
  await reopened(store)
  expect(await done(store.readSnapshot('a'))).toEqual(snapshotOf('a', 1))
  const stranger = store.saveSnapshot(snapshotOf('stranger', 1))
  expect(await refused(stranger)).toMatchObject({ _tag: 'NotFound' })
})

test('of snapshots the highest generation counts, whatever the order they come in', async () => {
  const store = fresh()
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  await Promise.all(
    [3, 1, 5, 2, 4].map((generation) => done(store.saveSnapshot(snapshotOf('a', generation)))),
  )
  expect((await done(store.readSnapshot('a'))).view.generation).toBe(5)
  await done(store.saveSnapshot(snapshotOf('a', 4)))
  await reopened(store)
  expect(await done(store.readSnapshot('a'))).toEqual(snapshotOf('a', 5))
})

test('what is forgotten is gone but for its journal, and the id may be used again', async () => {
  const store = fresh()
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  await done(store.saveSnapshot(snapshotOf('a', 1)))
  const [forgotten, late] = await Promise.all([
    store.forget('a', 1)(),
    store.saveSnapshot(snapshotOf('a', 2))(),
  ])
  expect([forgotten, late]).toMatchObject([{ _tag: 'Right' }, { left: { _tag: 'NotFound' } }])
  for (const look of [async () => undefined, () => reopened(store)]) {
    await look()
    expect(await refused(store.readSnapshot('a'))).toMatchObject({ _tag: 'NotFound' })
    expect((await done(store.readJournal('a'))).length).toBe(1)
    expect(await refused(store.commit(commitOf('a', 2)))).toMatchObject({ actualRev: 0 })
  }
  expect((await reopened(store)).sessions).toEqual([])
  await done(store.commit(commitOf('a', 1, 2)))
  await done(store.forget('a', 1))
  expect((await reopened(store)).sessions).toEqual([
    { record: recordOf('a', 1, 2), view: undefined },
  ])
})

test('a forgotten session does not take a commit that follows what was forgotten', async () => {
  const store = fresh()
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  const [forgotten, late] = await Promise.all([
    store.forget('a', 1)(),
    store.commit(commitOf('a', 2))(),
  ])
  expect([E.isRight(forgotten), E.isRight(late)]).toEqual([true, false])
})

test('what is too large is refused with its size, and nothing of it is written', async () => {
  const store = fresh({ limitBytes: 2_048 })
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  const large = {
    ...commitOf('a', 2),
    entry: { ...entryOf(recordOf('a', 2)), policyDigest: 'x'.repeat(4_000) },
  }
  const error = await refused(store.commit(large))
  expect(error).toMatchObject({ _tag: 'TooLarge', limitBytes: 2_048 })
  expect(error.message).toContain('commit of session a')
  await done(store.commit(commitOf('a', 2)))
  expect(await refused(store.saveSnapshot(snapshotOf('a', 1, 1, 'y'.repeat(3_000))))).toMatchObject(
    {
      _tag: 'TooLarge',
    },
  )
  expect(await refused(store.checkpoint('z'.repeat(3_000), everything))).toMatchObject({
    _tag: 'TooLarge',
  })
  const loaded = await reopened(store)
  expect(loaded.sessions).toEqual([{ record: recordOf('a', 2), view: undefined }])
  expect(loaded.quarantined).toEqual([])
})

test('what was stored under a higher limit is read and kept under a lower one', async () => {
  const directory = freshDirectory()
  const store = closing(fileStore({ directory, limitBytes: 1 << 20 }))
  await done(store.open)
  const large = snapshotOf('a', 1, 1, 'y'.repeat(900_000))
  await done(store.commit(commitOf('a', 1)))
  await done(store.saveSnapshot(large))
  await store.close()
  for (let times = 0; times < 3; times++) {
    const lower = closing(fileStore({ directory, limitBytes: 1_024 }))
    expect((await done(lower.open)).quarantined).toEqual([])
    await done(lower.checkpoint(times, everything))
    expect(await done(lower.readSnapshot('a'))).toEqual(large)
    await lower.close()
  }
})

test('session ids are data: whatever they are, nothing outside the directory is touched', async () => {
  const parent = freshDirectory()
  const directory = join(parent, 'store')
  const store = closing(fileStore({ directory }))
  await done(store.open)
  const ids = [
    '../../x',
    '..',
    '/etc/passwd',
    'a\0b',
    'i'.repeat(10_000),
    '__proto__',
    'constructor',
    'new\nline',
    '\ud800',
    ' ',
    '"}',
    'CON',
  ]
  for (const id of ids) {
    await done(store.commit(commitOf(id, 1)))
    await done(store.saveSnapshot(snapshotOf(id, 1)))
  }
  await done(store.checkpoint(null, everything))
  const { sessions, quarantined } = await reopened(store)
  expect(quarantined).toEqual([])
  expect(sessions.map(({ record }) => record.control.sessionId)).toEqual(ids)
  for (const id of ids) {
    expect(await done(store.readSnapshot(id))).toEqual(snapshotOf(id, 1))
    expect((await done(store.readJournal(id))).length).toBe(1)
    await done(store.forget(id, 1))
  }
  expect(readdirSync(parent)).toEqual(['store'])
  expect(readdirSync(directory).sort()).toEqual(['archives', 'imported', 'log', 'quarantine'])
  expect(dirname(directory)).toBe(parent)
})

test('a store that is not open answers so, and can be opened again after it was closed', async () => {
  const store = fresh()
  const calls: Readonly<Record<string, TE.TaskEither<StoreError, unknown>>> = {
    commit: store.commit(commitOf('a', 1)),
    saveSnapshot: store.saveSnapshot(snapshotOf('a', 1)),
    readSnapshot: store.readSnapshot('a'),
    readJournal: store.readJournal('a'),
    archive: store.archive(archiveOf('a', 'token')),
    readArchive: store.readArchive('archives/x'),
    forget: store.forget('a', 1),
    checkpoint: store.checkpoint(null, everything),
  }
  for (const [operation, call] of Object.entries(calls))
    expect(await refused(call)).toEqual({
      ...{ _tag: 'StoreUnavailable', operation, message: `${operation}: the store is not open` },
    })
  await store.close()
  await done(store.open)
  expect(await refused(store.open)).toMatchObject({ _tag: 'StoreOwned' })
  const commits = Array.from({ length: 50 }, (_, i) => store.commit(commitOf(`s${i}`, 1))())
  const closed = store.close()
  expect((await Promise.all(commits)).every(E.isRight)).toBe(true)
  await closed
  await store.close()
  expect(await refused(store.commit(commitOf('a', 1)))).toMatchObject({ _tag: 'StoreUnavailable' })
  expect((await done(store.open)).sessions.length).toBe(50)
})

test('closing a store that is being opened closes it once it is open', async () => {
  const directory = freshDirectory()
  const store = fileStore({ directory })
  const before = openFiles()
  const opening = store.open()
  await store.close()
  expect(E.isRight(await opening)).toBe(true)
  expect(await refused(store.commit(commitOf('a', 1)))).toMatchObject({ _tag: 'StoreUnavailable' })
  expect(openFiles()).toBe(before)
  await done(closing(fileStore({ directory })).open)
})

test('an option that cannot be used is named', async () => {
  const directory = freshDirectory()
  for (const [options, field] of [
    [{ directory: '' }, 'directory'],
    [{ directory: 'a\0b' }, 'directory'],
    [{ directory, limitBytes: Number.NaN }, 'limitBytes'],
    [{ directory, limitBytes: 0 }, 'limitBytes'],
    [{ directory, journalEntriesPerSession: -1 }, 'journalEntriesPerSession'],
    [{ directory, forgottenSessions: 1.5 }, 'forgottenSessions'],
  ] as const) {
    const error = await refused(fileStore(options).open)
    expect(error._tag).toBe('StoreUnusable')
    expect(error.message).toContain(field)
  }
})

test('every line of the log is JSON, and nothing but lines and the blanks ahead of them', async () => {
  const directory = freshDirectory()
  const store = closing(fileStore({ directory }))
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  await done(store.saveSnapshot(snapshotOf('a', 1)))
  await done(store.forget('b', 1))
  await done(store.checkpoint({ folded: 1 }, everything))
  await done(store.commit(commitOf('a', 2)))
  const [name = ''] = readdirSync(join(directory, 'log'))
  const path = join(directory, 'log', name)
  const text = readFileSync(path, 'utf8')
  expect(text.slice(text.trimEnd().length)).toMatch(/^\n *$/)
  expect(Buffer.byteLength(text)).toBe(statSync(path).size)
  const kinds = text
    .trimEnd()
    .split('\n')
    .map((line) => Object.keys(JSON.parse(line))[1])
  expect(kinds).toEqual(['segment', 'session', 'entry', 'body', 'session', 'checkpoint', 'commit'])
})
