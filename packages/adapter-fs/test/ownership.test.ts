/** One owner at a time, fenced by its term. */
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { fileStore, realDisk } from '../src/index.js'
import { lineOf } from '../src/line.js'
import { isExclusive, ownerOf, takeOwnership } from '../src/ownership.js'
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

test('a second store on one directory is told at once that it is owned', async () => {
  const directory = freshDirectory()
  const first = closing(fileStore({ directory }))
  await done(first.open)
  expect(await refused(fileStore({ directory }).open)).toMatchObject({ _tag: 'StoreOwned' })
  const other = join(freshDirectory(), 'parent')
  symlinkSync(join(directory, '..'), other)
  const samePlace = join(other, directory.slice(directory.lastIndexOf('/') + 1))
  expect(await refused(fileStore({ directory: samePlace }).open)).toMatchObject({
    _tag: 'StoreOwned',
  })
  await first.close()
  await done(closing(fileStore({ directory })).open)
})

test.each(['darwin', 'freebsd', 'openbsd', 'netbsd'])(
  'on %s a file in the directory is locked',
  async (platform) => {
    const directory = freshDirectory()
    const warnings: unknown[] = []
    const place = { directory, device: 1n, inode: 2n }
    const taken = await takeOwnership(place, () => warnings.push(1), platform)
    expect(statSync(join(directory, 'owner.lock')).mode & 0o777).toBe(0o600)
    expect(warnings).toEqual([])
    if (E.isLeft(taken)) throw new Error('nobody else has it')
    const open = openFiles()
    await taken.right.release()
    expect(openFiles()).toBe(Math.max(0, open - 1))
    const nowhere = { ...place, directory: join(directory, 'nowhere') }
    await expect(takeOwnership(nowhere, () => undefined, platform)).rejects.toMatchObject({
      code: 'ENOENT',
    })
  },
)

test('where the kernel offers nothing it frees on death, a typed warning is given', async () => {
  const warnings: unknown[] = []
  const place = { directory: '/d', device: 1n, inode: 2n }
  const taken = await takeOwnership(
    place,
    (level, _message, detail) => warnings.push([level, detail]),
    'sunos',
  )
  expect(E.isRight(taken)).toBe(true)
  const unprotected = { _tag: 'OwnershipUnprotected', platform: 'sunos', directory: '/d' }
  expect(warnings).toEqual([['warn', unprotected]])
})

test('where the kernel frees what is owned it is exclusive, and where it cannot be asked the owner is unknown', async () => {
  const exclusive = ['linux', 'win32', 'darwin', 'freebsd', 'openbsd', 'netbsd']
  expect(exclusive.filter((platform) => !isExclusive(platform))).toEqual([])
  expect(['sunos', 'aix', ''].filter(isExclusive)).toEqual([])
  const place = { directory: freshDirectory(), device: 3n, inode: 4n }
  for (const platform of ['darwin', 'sunos']) expect(await ownerOf(place, platform)).toBe('unknown')
  // A pipe that nobody has made.
  expect(await ownerOf(place, 'win32')).toBe('free')
  if (process.platform !== 'linux') return
  expect(await ownerOf(place)).toBe('free')
  const taken = await takeOwnership(place, () => undefined)
  expect([E.isRight(taken), await ownerOf(place)]).toEqual([true, 'owned'])
  expect(await ownerOf({ ...place, inode: 5n })).toBe('free')
  if (E.isRight(taken)) await taken.right.release()
  expect(await ownerOf(place)).toBe('free')
})

const line = (sessionId: string, rev: number) => {
  const { record, entry } = commitOf(sessionId, rev)
  return lineOf('commit', { record, entry })
}

test('what a former owner appends after a later term began is ignored', async () => {
  const directory = freshDirectory()
  const log = join(directory, 'log')
  const former = fileStore({ directory })
  await done(former.open)
  await done(former.commit(commitOf('a', 1)))
  await former.close()
  const [stale = ''] = readdirSync(log)

  const later = closing(fileStore({ directory }))
  await done(later.open)
  await done(later.commit(commitOf('a', 2)))
  appendFileSync(join(log, stale), Buffer.concat([line('a', 9), line('ghost', 1)]))
  writeFileSync(
    join(log, '00000001-00000002.jsonl'),
    Buffer.concat([
      lineOf('segment', {
        format: 1,
        term: 1,
        sequence: 2,
        limitBytes: 1_000,
        whole: true,
        before: [],
      }),
      line('ghost', 1),
    ]),
  )
  await later.close()

  for (let times = 0; times < 3; times++) {
    const { sessions, entries, quarantined } = await done(later.open)
    expect(sessions.map(({ record }) => [record.control.sessionId, record.rev])).toEqual([['a', 2]])
    expect(entries.map(({ rev }) => rev)).toEqual([1, 2])
    expect(quarantined).toEqual([])
    await later.close()
  }
})

test('an owner that sees a later term writes no new segment', async () => {
  const directory = freshDirectory()
  let failing = false
  const disk = probed(realDisk, ({ name }) => {
    if (failing && name === 'write') throw systemError('EIO')
  })
  const store = closing(fileStore({ directory }, disk))
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  const header = { format: 1, term: 2, sequence: 1, limitBytes: 1_000, whole: false, before: [] }
  const log = join(directory, 'log')
  writeFileSync(join(log, '00000002-00000001.jsonl'), lineOf('segment', header))
  const before = readdirSync(log).sort()
  const contents = before.map((name) => readFileSync(join(log, name)))
  expect(await refused(store.checkpoint(null, everything))).toMatchObject({ _tag: 'StoreOwned' })
  failing = true
  expect(await refused(store.commit(commitOf('a', 2)))).toMatchObject({ _tag: 'StoreUnavailable' })
  failing = false
  expect(await refused(store.commit(commitOf('a', 2)))).toMatchObject({ _tag: 'StoreOwned' })
  expect(readdirSync(log).sort()).toEqual(before)
  expect(before.map((name) => readFileSync(join(log, name)))).toEqual(contents)
})

test('an owner that another has followed, where nothing kept it away, soon acknowledges nothing more', async () => {
  const directory = freshDirectory()
  const former = closing(fileStore({ directory }))
  await done(former.open)
  await done(former.commit(commitOf('a', 1)))
  const unguarded = async () => E.right({ release: async () => {} })
  const later = closing(fileStore({ directory }, realDisk, unguarded))
  await done(later.open)
  await done(later.commit(commitOf('b', 1, 1, 2)))
  // It looks now and then: until it has, it goes on alone, and what it writes is ignored.
  let answer = await former.commit(commitOf('a', 2))()
  for (let rev = 3; E.isRight(answer) && rev < 10_000; rev++) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    answer = await former.commit(commitOf('a', rev))()
  }
  expect(answer).toMatchObject({ left: { _tag: 'StoreOwned' } })
  expect(await refused(former.saveSnapshot(snapshotOf('a', 1)))).toMatchObject({
    _tag: 'StoreOwned',
  })
  await former.close()
  await later.close()
  const { sessions } = await done(later.open)
  expect(sessions.map(({ record }) => [record.control.sessionId, record.rev])).toEqual([
    ['a', 1],
    ['b', 1],
  ])
})

test('whoever knocks is shown out, and holds up nobody who lets go', async () => {
  if (process.platform !== 'linux') return
  const place = { directory: '/d', device: 7n, inode: BigInt(process.pid) }
  const taken = await takeOwnership(place, () => undefined)
  if (E.isLeft(taken)) throw new Error('nobody else has it')
  const name = `\0session-recovery/7/${process.pid}/`.padEnd(108, '.')
  const guest = connect(name)
  await new Promise((resolve) => guest.once('close', resolve))
  await taken.right.release()
  expect(await ownerOf(place)).toBe('free')
})

test('where nothing keeps others away there is nothing to let go of', async () => {
  const taken = await takeOwnership(
    { directory: '/d', device: 1n, inode: 2n },
    () => undefined,
    'sunos',
  )
  expect(E.isRight(taken) && (await taken.right.release())).toBeUndefined()
})

test('what the system refuses for another reason than an owner is none, and says nothing of one', async () => {
  if (process.platform !== 'linux') return
  const place = { directory: '/d', device: 7n, inode: 9n }
  const former = process.cwd()
  const current = freshDirectory()
  process.chdir(current)
  try {
    // Here a pipe's name is that of a file.
    const pipe = '\\\\.\\pipe\\session-recovery-7-9'
    symlinkSync(pipe, pipe)
    expect(await ownerOf(place, 'win32')).toBe('unknown')
    rmSync(current, { recursive: true })
    const taking = takeOwnership(place, () => undefined, 'win32')
    await expect(taking).rejects.toMatchObject({ code: 'EACCES' })
  } finally {
    process.chdir(former)
  }
})
