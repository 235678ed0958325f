/** Archives: whole or not there, one for each token, and read from nowhere else. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { idOf } from '@session-recovery/core'
import { probed, systemError } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import { fileStore, realDisk } from '../src/index.js'
import { lineOf } from '../src/line.js'
import {
  archiveOf,
  closing,
  done,
  freshDirectory,
  openFiles,
  refused,
  snapshotOf,
} from './sample.js'

test('an archive is read back from the location it was given', async () => {
  const directory = freshDirectory()
  const store = closing(fileStore({ directory }))
  await done(store.open)
  const location = await done(store.archive(archiveOf('../../a', 'one')))
  const bare = { ...archiveOf('b', 'two'), snapshot: null }
  const second = await done(store.archive(bare))
  await store.close()
  await done(store.open)
  expect(await done(store.readArchive(location))).toEqual(archiveOf('../../a', 'one'))
  expect(await done(store.readArchive(second))).toEqual(bare)
  // A token's archive is found where every version has put it.
  expect(location).toBe(`archives/${idOf('archive', 'one')}.json`)
})

test('the same token twice, even at once, is one archive; the first stays', async () => {
  const directory = freshDirectory()
  const store = closing(fileStore({ directory }))
  await done(store.open)
  const locations = await Promise.all(
    [1, 2, 3].map((generation) =>
      done(store.archive({ ...archiveOf('a', 'token'), snapshot: snapshotOf('a', generation) })),
    ),
  )
  expect(new Set(locations).size).toBe(1)
  expect(readdirSync(join(directory, 'archives')).length).toBe(1)
  const kept = await done(store.readArchive(locations[0] ?? ''))
  expect(kept.snapshot).toEqual(snapshotOf('a', 1))
})

test('only a location that was given is read', async () => {
  const directory = freshDirectory()
  const store = closing(fileStore({ directory }))
  await done(store.open)
  const location = await done(store.archive(archiveOf('a', 'token')))
  const name = location.slice('archives/'.length)
  writeFileSync(join(directory, 'outside.json'), readFileSync(join(directory, location)))
  for (const hostile of [
    '../x',
    '/etc/passwd',
    'archives/../outside.json',
    `archives/./${name}`,
    `archives/${name}\0`,
    join(directory, location),
    '',
    'archives/',
    'archives/00000000-0000-0000-0000-000000000000.json',
  ]) {
    expect(await refused(store.readArchive(hostile))).toMatchObject({ _tag: 'NotFound' })
  }
  const link = 'archives/00000000-0000-0000-0000-000000000001.json'
  symlinkSync(join(directory, location), join(directory, link))
  expect(await refused(store.readArchive(link))).toMatchObject({ _tag: 'StoreUnusable' })
})

test('a damaged archive names the file and what is wrong, and is made again on demand', async () => {
  const directory = freshDirectory()
  const store = closing(fileStore({ directory }))
  await done(store.open)
  const location = await done(store.archive(archiveOf('a', 'token')))
  const path = join(directory, location)
  writeFileSync(path, readFileSync(path).subarray(0, 100))
  const error = await refused(store.readArchive(location))
  expect(error).toMatchObject({ _tag: 'StoreUnusable' })
  expect(error.message).toContain(location)
  expect(await done(store.archive(archiveOf('a', 'token')))).toBe(location)
  expect(await done(store.readArchive(location))).toEqual(archiveOf('a', 'token'))
})

for (const failing of ['create', 'write', 'sync', 'rename', 'syncDirectory'] as const) {
  test(`when ${failing} fails there is no archive and no stray file`, async () => {
    let broken = true
    const directory = freshDirectory()
    const disk = probed(realDisk, ({ name, path }) => {
      if (broken && name === failing && path.includes('/archives')) throw systemError('ENOSPC')
    })
    const store = closing(fileStore({ directory }, disk))
    broken = false
    await done(store.open)
    broken = true
    const error = await refused(store.archive(archiveOf('a', 'token')))
    expect(error).toMatchObject({ _tag: 'StoreUnavailable', code: 'ENOSPC' })
    const left = readdirSync(join(directory, 'archives')).filter((name) => name.endsWith('.tmp'))
    expect(left).toEqual([])
    broken = false
    const location = await done(store.archive(archiveOf('a', 'token')))
    expect(await done(store.readArchive(location))).toEqual(archiveOf('a', 'token'))
  })
}

test('what an interrupted archive left is gone after the next start', async () => {
  const directory = freshDirectory()
  mkdirSync(join(directory, 'archives'))
  writeFileSync(join(directory, 'archives', 'x.json.tmp'), 'half')
  await done(closing(fileStore({ directory })).open)
  expect(readdirSync(join(directory, 'archives'))).toEqual([])
})

test('an archive may be twice as large as what the store takes, and no larger', async () => {
  const directory = freshDirectory()
  const limitBytes = 2_000
  const store = closing(fileStore({ directory, limitBytes }))
  await done(store.open)
  const sized = (characters: number) => ({
    ...archiveOf('a', `token ${characters}`),
    snapshot: snapshotOf('a', 3, 1, 'x'.repeat(characters)),
  })
  const sizeOf = async (characters: number) =>
    readFileSync(join(directory, await done(store.archive(sized(characters))))).length
  const spare = 2 * limitBytes - (await sizeOf(1_000))
  expect(await sizeOf(1_000 + spare)).toBe(2 * limitBytes)
  expect(await refused(store.archive(sized(1_001 + spare)))).toMatchObject({
    _tag: 'TooLarge',
    what: 'archive',
    bytes: 2 * limitBytes + 1,
    limitBytes: 2 * limitBytes,
  })
})

test('no file stays open, whatever is read', async () => {
  const directory = freshDirectory()
  const store = closing(fileStore({ directory }))
  await done(store.open)
  const location = await done(store.archive(archiveOf('a', 'token')))
  const before = openFiles()
  for (let times = 0; times < 3; times++) await done(store.readArchive(location))
  writeFileSync(join(directory, location), 'damaged')
  for (let times = 0; times < 3; times++) await refused(store.readArchive(location))
  expect(openFiles()).toBe(before)
})

test('what an archive says, and what is wrong with it, is told apart', async () => {
  const directory = freshDirectory()
  const store = closing(fileStore({ directory }))
  await done(store.open)
  const location = await done(store.archive(archiveOf('a', 'token')))
  const problemOf = async (bytes: Buffer) => {
    writeFileSync(join(directory, location), bytes)
    return (await refused(store.readArchive(location))).message
  }
  const { message } = await refused(store.readArchive('archives/x.json'))
  expect(message).toContain('archives/x.json')
  expect(await problemOf(lineOf('archive', { v: 1 }))).toContain(`${location}: archive: `)
  expect(await problemOf(lineOf('entry', 1))).toContain(`${location}: archive: expected archive`)
  const crc = crc32('"archive":').toString(16).padStart(8, '0')
  expect(await problemOf(Buffer.from(`{"crc":"${crc}","archive":\n`))).toContain(
    `${location}: archive: not JSON`,
  )
})
