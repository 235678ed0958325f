/** The directory: its modes, and the places that must not be used. */

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Disk, fileStore, realDisk } from '../src/index.js'
import {
  archiveOf,
  closing,
  commitOf,
  done,
  everything,
  freshDirectory,
  refused,
  snapshotOf,
} from './sample.js'

const modes = (directory: string): readonly string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true }).map((entry) => {
    const { mode } = statSync(join(entry.parentPath, entry.name))
    return `${entry.isDirectory() ? 'directory' : 'file'} ${(mode & 0o777).toString(8)}`
  })

for (const umask of [0o000, 0o022, 0o277]) {
  test(`directories are 0700 and files 0600 under umask 0${umask.toString(8)}`, async () => {
    const parent = freshDirectory()
    const directory = join(parent, 'a', 'b')
    const former = process.umask(umask)
    try {
      const store = closing(fileStore({ directory }))
      await done(store.open)
      await done(store.commit(commitOf('a', 1)))
      await done(store.saveSnapshot(snapshotOf('a', 1)))
      await done(store.archive(archiveOf('a', 'token')))
      writeFileSync(join(directory, 'x.snapshot.json'), '')
      await done(store.checkpoint(null, everything))
      await store.close()
      await done(store.open)
    } finally {
      process.umask(former)
    }
    expect(new Set(modes(parent))).toEqual(new Set(['directory 700', 'file 600']))
  })
}

test('a directory that was open to others is closed to them, with a warning', async () => {
  const directory = freshDirectory()
  mkdirSync(join(directory, 'log'))
  chmodSync(directory, 0o755)
  chmodSync(join(directory, 'log'), 0o777)
  const warnings: string[] = []
  const logger = (_level: string, message: string) => warnings.push(message)
  await done(closing(fileStore({ directory, logger })).open)
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  expect(statSync(join(directory, 'log')).mode & 0o777).toBe(0o700)
  expect(warnings.filter((message) => message.includes('0700')).length).toBe(2)
})

test('a link in the place of the directory, or of one inside, is refused', async () => {
  const target = freshDirectory()
  const parent = freshDirectory()
  symlinkSync(target, join(parent, 'link'))
  symlinkSync(join(parent, 'nowhere'), join(parent, 'dangling'))
  writeFileSync(join(parent, 'file'), '')
  for (const name of ['link', 'dangling', 'file']) {
    const error = await refused(fileStore({ directory: join(parent, name) }).open)
    expect(error).toMatchObject({ _tag: 'StoreUnusable' })
    expect(error.message).toContain(name === 'file' ? 'is no directory' : 'is a symbolic link')
  }
  expect(existsSync(join(parent, 'nowhere'))).toBe(false)
  for (const inside of ['log', 'archives', 'quarantine', 'imported']) {
    const directory = freshDirectory()
    symlinkSync(target, join(directory, inside))
    expect(await refused(fileStore({ directory }).open)).toMatchObject({ _tag: 'StoreUnusable' })
  }
  expect(readdirSync(target)).toEqual([])
})

test('a directory of another user is refused', async () => {
  const directory = freshDirectory()
  const foreign: Disk = {
    ...realDisk,
    status: async (path) => {
      const status = await realDisk.status(path)
      return status === undefined ? undefined : { ...status, userId: status.userId + 1 }
    },
  }
  const error = await refused(fileStore({ directory }, foreign).open)
  expect(error).toMatchObject({ _tag: 'StoreUnusable' })
  expect(error.message).toContain('belongs to user')
  expect(readdirSync(directory)).toEqual([])
  if (process.geteuid?.() !== 0) return
  chownSync(directory, 12_345, 12_345)
  expect(await refused(fileStore({ directory }).open)).toMatchObject({ _tag: 'StoreUnusable' })
})

test.runIf(process.platform === 'linux')('network filesystems are refused by name', async () => {
  for (const [type, name] of [
    [0x6969, 'nfs'],
    [0xff534d42, 'cifs'],
    [0xff534d42 - 2 ** 32, 'cifs'],
    [0x517b, 'smb'],
    [0x01021997, '9p'],
    [0x65735546, 'fuse'],
  ] as const) {
    const directory = freshDirectory()
    const disk: Disk = { ...realDisk, filesystemType: async () => type }
    const error = await refused(fileStore({ directory }, disk).open)
    expect(error).toMatchObject({ _tag: 'StoreUnusable' })
    expect(error.message).toContain(`(${name})`)
    expect(readdirSync(directory)).toEqual([])
  }
})

test('links, queues and second names in the place of segments are set aside, what they stand for is not touched', async () => {
  const directory = freshDirectory()
  const outside = freshDirectory()
  const store = closing(fileStore({ directory }))
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  await store.close()
  const log = join(directory, 'log')
  const treasure = join(outside, 'treasure')
  // One that would be imported, were it a file of its own.
  const precious = JSON.stringify({
    sessionId: 'h',
    timestamp: '2024-01-01T00:00:00.000Z',
    sessionState: {},
    sessionOptions: {},
    environment: {},
    workingDirectory: '',
    commandHistory: [],
    outputBuffer: [],
  })
  writeFileSync(treasure, precious, { mode: 0o644 })
  chmodSync(treasure, 0o644)
  symlinkSync(treasure, join(log, '00000007-00000001.jsonl'))
  linkSync(treasure, join(log, '00000007-00000002.jsonl'))
  execFileSync('mkfifo', [join(log, '00000007-00000003.jsonl')])
  mkdirSync(join(log, '00000007-00000004.jsonl'))
  symlinkSync(treasure, join(directory, 'l.snapshot.json'))
  linkSync(treasure, join(directory, 'h.snapshot.json'))
  execFileSync('mkfifo', [join(directory, 'q.snapshot.json')])
  mkdirSync(join(directory, 'd.snapshot.json'))
  const loaded = await done(store.open)
  expect(loaded.sessions.length).toBe(1)
  expect(loaded.quarantined.length).toBe(8)
  expect(readdirSync(join(directory, 'quarantine')).length).toBe(8)
  expect(readFileSync(treasure, 'utf8')).toBe(precious)
  expect(statSync(treasure).mode & 0o777).toBe(0o644)
  await store.close()
  expect((await done(store.open)).quarantined).toEqual([])
})

test.runIf(process.platform === 'linux')(
  'a place that takes no names is an answer, not a wait without end',
  async () => {
    const error = await refused(fileStore({ directory: '/proc/nope/store' }).open)
    expect(error).toMatchObject({ _tag: 'StoreUnavailable', code: 'ENOENT' })
  },
)

test.each(['EACCES', 'EPERM', 'EINVAL'])(
  'what is above and answers %s is left to whoever it belongs to',
  async (code) => {
    const directory = freshDirectory()
    const above = (disk: Disk, error: string): Disk => {
      const refusal = () => Promise.reject(Object.assign(new Error(error), { code: error }))
      return {
        ...disk,
        syncDirectory: (path) =>
          path.startsWith(directory) ? disk.syncDirectory(path) : refusal(),
        list: (path) => (path.startsWith(directory) ? disk.list(path) : refusal()),
      }
    }
    const store = fileStore({ directory }, above(realDisk, code))
    await done(store.open)
    await store.close()
    expect(await refused(fileStore({ directory }, above(realDisk, 'EIO')).open)).toMatchObject({
      _tag: 'StoreUnavailable',
      code: 'EIO',
    })
  },
)
