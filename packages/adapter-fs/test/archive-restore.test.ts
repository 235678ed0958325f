/** The way back out of archive and quarantine: refused where it would do harm, and never half gone. */
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import {
  fileStore,
  listArchives,
  realDisk,
  restoreArchive,
  restoreQuarantined,
  showArchive,
  showQuarantined,
  surveyStore,
} from '../src/index.js'
import {
  archiveOf,
  closing,
  commitOf,
  done,
  freshDirectory,
  recordOf,
  refused,
  snapshotOf,
} from './sample.js'

const nowhere = 'archives/00000000-0000-0000-0000-000000000000.json'

const archived = async () => {
  const directory = freshDirectory()
  const store = closing(fileStore({ directory }))
  await done(store.open)
  const exhausted = { ...commitOf('a', 1), record: recordOf('a', 1, 1, 'exhausted') }
  await done(store.commit(exhausted))
  const location = await done(store.archive(archiveOf('a', 'token')))
  return { directory, store, location }
}

test('archives are listed and shown, also while the store is owned', async () => {
  const { directory, store, location } = await archived()
  const later = await done(store.archive({ ...archiveOf('b', 'other'), atMs: 10_000 }))
  writeFileSync(join(directory, nowhere), '{"crc":"00000000","archive":{}}\n', { mode: 0o600 })
  const listed = await done(listArchives({ directory }))
  expect(listed.map((one) => [one._tag, one.location])).toEqual([
    ['unreadable', nowhere],
    ['archive', location],
    ['archive', later],
  ])
  expect(await done(showArchive({ directory }, location))).toEqual(archiveOf('a', 'token'))
  expect(await refused(showArchive({ directory }, '../x'))).toMatchObject({ _tag: 'NotFound' })
})

test('a restored session is registered again, with its snapshot and a fresh budget', async () => {
  const { directory, store, location } = await archived()
  expect(await restoreArchive({ directory }, location)()).toMatchObject({
    left: { _tag: 'StoreOwned' },
  })
  await store.close()
  const wallMs = () => 50_000
  expect(await restoreArchive({ directory, wallMs }, location)()).toEqual(
    E.right({ sessionId: 'a', incarnation: 2, withSnapshot: true }),
  )
  const { sessions, entries } = await done(store.open)
  expect(sessions.map(({ record, view }) => [record.state, record.control, view])).toEqual([
    [
      'registered',
      { ...recordOf('a', 1, 2).control, registeredAtMs: 50_000 },
      snapshotOf('a', 3).view,
    ],
  ])
  expect(entries.map(({ incarnation, event }) => [incarnation, event.type])).toEqual([
    [1, 'registered'],
    [2, 'registered'],
  ])
  expect((await done(store.readSnapshot('a'))).body).toEqual(snapshotOf('a', 3).body)
  // The archive stays.
  expect((await done(store.readArchive(location))).token).toBe('token')
})

test('a session that lives is let be, and what is not there is not made', async () => {
  const { directory, store, location } = await archived()
  await store.close()
  expect(E.isRight(await restoreArchive({ directory }, location)())).toBe(true)
  expect(await restoreArchive({ directory }, location)()).toMatchObject({
    left: { _tag: 'SessionLives', sessionId: 'a', incarnation: 2, state: 'registered' },
  })
  expect(await restoreArchive({ directory }, nowhere)()).toMatchObject({
    left: { _tag: 'NotFound' },
  })
  const empty = join(directory, 'empty')
  expect(await restoreArchive({ directory: empty }, location)()).toMatchObject({
    left: { _tag: 'NotFound' },
  })
  expect(existsSync(empty)).toBe(false)
})

test('whether others live is no matter', async () => {
  const { directory, store, location } = await archived()
  await done(store.forget('a', 1))
  await done(store.commit(commitOf('b', 1)))
  await store.close()
  expect(await restoreArchive({ directory }, location)()).toMatchObject({
    right: { sessionId: 'a', incarnation: 2 },
  })
})

test('an archive that cannot be read once the store is open is not restored', async () => {
  const { directory, store, location } = await archived()
  await store.close()
  let looks = 0
  const disk = probed(realDisk, ({ name, path }) => {
    if (name !== 'open' || !path.endsWith(location)) return
    looks += 1
    if (looks > 1) throw systemError('EIO')
  })
  expect(await restoreArchive({ directory }, location, disk)()).toMatchObject({
    left: { _tag: 'StoreUnavailable', code: 'EIO' },
  })
})

test('nothing is restored where the journal cannot be read', async () => {
  const { directory, store, location } = await archived()
  await store.close()
  let reads = 0
  const disk = probed(realDisk, ({ name, path }) => {
    if (name === 'open' && path.endsWith(location)) reads += 1
    if (name === 'read' && path.includes('/log/') && reads > 1) throw systemError('EIO')
  })
  expect(await restoreArchive({ directory }, location, disk)()).toMatchObject({
    left: { _tag: 'StoreUnavailable', code: 'EIO' },
  })
  expect((await done(store.open)).sessions.map(({ record }) => record.state)).toEqual(['exhausted'])
})

test('a forgotten session is restored as an incarnation that it never had', async () => {
  const { directory, store, location } = await archived()
  await done(store.commit(commitOf('a', 1, 2)))
  await done(store.commit(commitOf('a', 1, 3)))
  await done(store.forget('a', 3))
  await store.close()
  expect(await restoreArchive({ directory }, location)()).toMatchObject({
    right: { incarnation: 4 },
  })
})

test('a registration that the disk refuses restores nothing, though there is no snapshot to keep', async () => {
  const { directory, store } = await archived()
  const location = await done(store.archive({ ...archiveOf('a', 'bare'), snapshot: null }))
  await store.close()
  let looks = 0
  const disk = probed(realDisk, ({ name, path }) => {
    if (name === 'open' && path.endsWith('.json')) looks += 1
    // Once it is read by the store that was opened, what is written is the registration.
    if (name === 'write' && looks > 1) throw systemError('ENOSPC')
  })
  expect(await restoreArchive({ directory }, location, disk)()).toMatchObject({
    left: { _tag: 'StoreUnavailable', code: 'ENOSPC' },
  })
  const { sessions } = await done(store.open)
  expect(sessions.map(({ record }) => record.state)).toEqual(['exhausted'])
})

test('when the disk refuses at any step the archive is restored whole, or as a session without a snapshot, or not', async () => {
  const states = new Set<string>()
  for (let failAt = 1; ; failAt++) {
    const { directory, store, location } = await archived()
    await store.close()
    let changes = 0
    const disk = probed(realDisk, ({ name }) => {
      if (name !== 'write' && name !== 'sync' && name !== 'syncDirectory') return
      changes += 1
      if (changes === failAt) throw systemError('EIO')
    })
    const restored = await restoreArchive({ directory }, location, disk)()
    const { sessions } = await done(store.open)
    const [session] = sessions
    states.add(`${session?.record.state} ${session?.view !== undefined}`)
    if (E.isRight(restored)) expect(session?.view).toBeDefined()
    if (session?.view === undefined) expect(restored).toMatchObject({ left: { code: 'EIO' } })
    expect((await done(store.readArchive(location))).token).toBe('token')
    await store.close()
    if (changes < failAt) break
  }
  expect([...states].sort()).toEqual(['exhausted false', 'registered false', 'registered true'])
})

test('what was set aside is listed and shown; a snapshot file goes back once it is mended', async () => {
  const directory = freshDirectory()
  chmodSync(directory, 0o700)
  writeFileSync(join(directory, 'x.snapshot.json'), '{"sessionId":"x"', { mode: 0o600 })
  const store = closing(fileStore({ directory }))
  await done(store.open)
  const { quarantine } = await done(surveyStore({ directory }))
  expect(quarantine).toMatchObject([
    { location: 'quarantine/x.snapshot.json', kind: 'snapshot', source: 'x.snapshot.json' },
  ])
  const { content } = await done(showQuarantined({ directory }, 'x.snapshot.json'))
  expect(content.toString()).toBe('{"sessionId":"x"')
  const call = restoreQuarantined({ directory }, 'quarantine/x.snapshot.json')
  expect(await refused(call)).toMatchObject({ _tag: 'StoreOwned' })
  await store.close()
  expect(await refused(call)).toMatchObject({ _tag: 'StoreUnusable' })
  const mended = {
    sessionId: 'x',
    timestamp: '2024-03-01T10:00:00.000Z',
    sessionState: {},
    sessionOptions: { command: 'bash' },
    environment: {},
    workingDirectory: '/',
    commandHistory: [],
    outputBuffer: [],
  }
  writeFileSync(join(directory, 'quarantine', 'x.snapshot.json'), JSON.stringify(mended))
  expect(await done(call)).toBe('x.snapshot.json')
  const { sessions } = await done(store.open)
  expect(sessions.map(({ record }) => record.control.sessionId)).toContain('x')
  expect(readdirSync(join(directory, 'quarantine'))).toEqual([])
  for (const hostile of ['../log', 'quarantine/../log', '..', '', 'a/b', 'quarantine/']) {
    expect(await refused(showQuarantined({ directory }, hostile))).toMatchObject({
      _tag: 'NotFound',
    })
  }
})

test('a later life that has ended, too, is counted on from, although nothing of its journal is kept', async () => {
  const directory = freshDirectory()
  const options = { directory, journalEntriesPerSession: 0 }
  const store = closing(fileStore(options))
  await done(store.open)
  const location = await done(store.archive(archiveOf('a', 'token')))
  await done(store.commit({ ...commitOf('a', 1, 4), record: recordOf('a', 1, 4, 'exhausted') }))
  await done(store.checkpoint(null, Number.MAX_SAFE_INTEGER))
  await store.close()
  expect(await restoreArchive(options, location)()).toMatchObject({ right: { incarnation: 5 } })
})

test('time does not run back and no place is taken twice, whatever the clock of who restores says', async () => {
  const { directory, store, location } = await archived()
  await store.close()
  expect(await restoreArchive({ directory, wallMs: () => 5 }, location)()).toMatchObject({
    right: { incarnation: 2 },
  })
  const { sessions, latestSeq } = await done(store.open)
  expect(sessions[0]?.record.control.registeredAtMs).toBe(1_001)
  expect(latestSeq).toBe(2)
})
