/** What is told of each archive without its key, of those that cannot be read, and of the store they are in. */
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { beforeEach, expect, test } from 'vitest'
import { archiveAt, archiveHeadAt, archiveLocations, keepArchive } from '../src/archive.js'
import { listArchives, restoreArchive, showArchive } from '../src/archive-restore.js'
import type { Disk } from '../src/index.js'
import { nestingLimit } from '../src/nesting.js'
import { sealerOf } from '../src/seal.js'
import { archiveOf, done, refused, snapshotOf } from './sample.js'

const directory = '/store'
const clear = sealerOf(undefined)
const sealing = { current: 'k', keys: { k: new Uint8Array(32).fill(7) } }
const sealed = sealerOf(sealing)
const nowhere = 'archives/00000000-0000-0000-0000-000000000000.json'
const atTheEnd = nowhere.replaceAll('0', 'f')

let disk = memoryDisk()
beforeEach(async () => {
  disk = memoryDisk()
  for (const name of ['log', 'archives']) await disk.makeDirectory(`${directory}/${name}`)
})
const kept = async (archive: ReturnType<typeof archiveOf>, sealer = clear) => {
  const location = await keepArchive(disk, directory, { limitBytes: 1 << 20, sealer }, archive)
  if (E.isLeft(location)) throw new Error(location.left.message)
  return location.right
}

test('the head says whose it is and of what kind its snapshot, whatever the key', async () => {
  const head = (location: string) => archiveHeadAt(disk, directory, location)
  const { snapshot: _, token, v, ...rest } = archiveOf('a', 'clear')
  const location = await kept(archiveOf('a', 'clear'))
  const bytes = disk.files().get(`${directory}/${location}`)?.length
  expect(await head(location)).toEqual(E.right({ location, bytes, ...rest, snapshot: 'clear' }))
  const bare = await kept({ ...archiveOf('a', 'bare'), snapshot: null })
  expect(await head(bare)).toMatchObject({ right: { snapshot: 'none' } })
  const locked = await kept(archiveOf('a', 'sealed'), sealed)
  expect(await head(locked)).toMatchObject({ right: { snapshot: 'sealed', sessionId: 'a' } })
  expect(await archiveAt(disk, directory, clear, locked)).toMatchObject({
    left: { _tag: 'KeyMissing', keyId: 'k' },
  })
  // What is sealed with a key that was not given is whole: it is not made again.
  const before = disk.files()
  expect(await kept({ ...archiveOf('a', 'sealed'), snapshot: null }, clear)).toBe(locked)
  expect(disk.files()).toEqual(before)
})

test('archives are listed by their age, those that cannot be read first, and what is gone not at all', async () => {
  const late = await kept({ ...archiveOf('a', 'late'), atMs: 30 })
  const early = await kept({ ...archiveOf('b', 'early'), atMs: 10 })
  const middle = await kept({ ...archiveOf('c', 'middle'), atMs: 20 })
  disk.put(`${directory}/${nowhere}`, Buffer.from('{}'))
  disk.put(`${directory}/${atTheEnd}`, Buffer.from('{}'))
  const all = [nowhere, atTheEnd, early, middle, late]
  const listedOn = async (on: Disk) => done(listArchives({ directory }, on))
  expect((await listedOn(disk)).map(({ location }) => location)).toEqual(all)
  expect((await listedOn(disk))[0]).toEqual({
    ...{ _tag: 'unreadable', location: nowhere },
    problem: `${nowhere}: the line is cut off`,
  })
  const gone: Disk = {
    ...disk,
    status: async (path) => (path.endsWith(middle) ? undefined : disk.status(path)),
  }
  expect((await listedOn(gone)).map(({ location }) => location)).toEqual([
    ...[nowhere, atTheEnd, early, late],
  ])
})

test('one that is larger than any that was stored is not read', async () => {
  const location = await kept(archiveOf('a', 'token'))
  const sized = (sizeBytes: number): Disk => ({
    ...disk,
    status: async (path) => {
      const status = await disk.status(path)
      return status === undefined || !path.endsWith('.json') ? status : { ...status, sizeBytes }
    },
  })
  const { message } = await refused(showArchive({ directory }, location, sized(2 ** 40)))
  expect(message).toMatch(new RegExp(`^${location}: ${2 ** 40} bytes, at most \\d+ are read$`))
  const most = Number(/at most (\d+)/.exec(message)?.[1])
  expect(await done(showArchive({ directory }, location, sized(most)))).toEqual(
    archiveOf('a', 'token'),
  )
  expect(await refused(showArchive({ directory }, location, sized(most + 1)))).toMatchObject({
    _tag: 'StoreUnusable',
  })
  await disk.makeDirectory(`${directory}/${nowhere}`)
  expect(await refused(showArchive({ directory }, nowhere, disk))).toMatchObject({
    ...{ _tag: 'StoreUnusable', message: `${nowhere}: not a regular file` },
  })
})

test('an archive is shown with its key; an option that cannot be used is named', async () => {
  const location = await kept(archiveOf('a', 'token'), sealed)
  const show = (options: object) => showArchive({ directory, ...options } as never, location, disk)
  expect(await done(show({ sealing }))).toEqual(archiveOf('a', 'token'))
  expect(await refused(show({}))).toMatchObject({ _tag: 'KeyMissing' })
  expect(await refused(show({ sealing: 5 }))).toMatchObject({
    ...{ _tag: 'StoreUnusable', message: expect.stringMatching(/^options: sealing: expected/) },
  })
  for (const call of [
    listArchives({ directory: '/nowhere' }, disk),
    showArchive({ directory: '/nowhere' }, location, disk),
  ])
    expect(await refused<unknown>(call)).toMatchObject({ _tag: 'NotFound' })
  const broken = probed(disk, ({ name }) => {
    if (name === 'status') throw systemError('EIO')
  })
  for (const [operation, call] of [
    ['list archives', listArchives({ directory }, broken)],
    ['show archive', showArchive({ directory }, location, broken)],
  ] as const)
    expect(await refused<unknown>(call)).toMatchObject({ _tag: 'StoreUnavailable', operation })
})

test('a restored session is one that nobody else restores meanwhile, and later than all that is stored', async () => {
  const location = await kept({ ...archiveOf('a', 'token'), snapshot: null, incarnation: 4 })
  const free = async () => E.right({ release: async () => undefined })
  const restored = restoreArchive({ directory, wallMs: () => 50 }, location, disk, free)
  expect(await restored()).toEqual(E.right({ sessionId: 'a', incarnation: 5, withSnapshot: false }))
  expect(await restored()).toMatchObject({
    left: {
      ...{ _tag: 'SessionLives', sessionId: 'a', incarnation: 5, state: 'registered' },
      message: 'session "a" is registered in its incarnation 5: it is not lost',
    },
  })
  const taken = async () => E.left({ _tag: 'StoreOwned' as const, message: 'taken' })
  const owned = restoreArchive({ directory }, location, disk, taken)
  expect(await owned()).toMatchObject({ left: { _tag: 'StoreOwned' } })
})

test('a snapshot without a body is none that could be read again: it is not kept', async () => {
  const archive = archiveOf('a', 'bodiless')
  const bodiless = { ...archive, snapshot: { ...snapshotOf('a', 1), body: undefined as never } }
  await expect(kept(bodiless)).rejects.toThrow()
  expect(await archiveLocations(disk, directory)).toEqual([])
})

test('a body that nests too deep is not archived', async () => {
  let body: unknown = 1
  for (let depth = 0; depth <= nestingLimit; depth++) body = [body]
  const snapshot = { ...snapshotOf('a', 1), body: body as never }
  const settings = { limitBytes: 1 << 20, sealer: clear }
  expect(
    await keepArchive(disk, directory, settings, { ...archiveOf('a', 'deep'), snapshot }),
  ).toMatchObject({ left: { _tag: 'TooLarge', what: 'archive' } })
  expect(disk.files().size).toBe(0)
})

test('an archive without a snapshot has nothing to seal, and is read with and without the key', async () => {
  const bare = { ...archiveOf('a', 'bare'), snapshot: null }
  const location = await kept(bare, sealed)
  for (const sealer of [sealed, clear])
    expect(await archiveAt(disk, directory, sealer, location)).toEqual(E.right(bare))
})

test('locations are told in their order, however the disk lists them, and no other names', async () => {
  const locations: string[] = []
  for (const token of ['one', 'two', 'three']) locations.push(await kept(archiveOf('a', token)))
  disk.put(`${directory}/archives/notes.json`, Buffer.from('mine'))
  const ordered = [...locations].sort()
  for (const names of [ordered, [...ordered].reverse()]) {
    const listing: Disk = {
      ...disk,
      list: async () => [...names.map((name) => name.slice('archives/'.length)), 'notes.json'],
    }
    expect(await archiveLocations(listing, directory)).toEqual(ordered)
  }
})
