/** The place by itself: what is made and flushed in which order, what is refused, and what is only looked at. */
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { memoryDisk, type Operation, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Disk, realDisk } from '../src/index.js'
import { furnish, openPlace, sweepPlace, viewPlace } from '../src/place.js'
import { freshDirectory } from './sample.js'

const silent = () => undefined

/** A disk in memory whose changes are written down. */
const watched = (refuse: (operation: Operation) => void = silent) => {
  const memory = memoryDisk()
  const changes: string[] = []
  const disk = probed(memory, (operation) => {
    const { name, path } = operation
    if (['makeDirectory', 'setMode', 'syncDirectory'].includes(name))
      changes.push(`${name} ${path}`)
    refuse(operation)
  })
  return { memory, disk, changes }
}

const placed = async (disk: Disk, path: string) => {
  const place = await openPlace(disk, path, silent)
  if (E.isLeft(place)) throw new Error(place.left.message)
  return place.right
}

describe('a directory that is opened', () => {
  test('is made with those above it, each closed to others and flushed into the one above', async () => {
    const { memory, disk, changes } = watched()
    const { inode, ...place } = await placed(disk, '/a/b/store')
    expect(place).toEqual({
      ...{ directory: '/a/b/store', device: 0n, log: '/a/b/store/log' },
      ...{ archives: '/a/b/store/archives', quarantine: '/a/b/store/quarantine' },
      imported: '/a/b/store/imported',
    })
    expect(inode).toBe((await memory.status('/a/b/store'))?.inode)
    expect(changes).toEqual([
      ...['makeDirectory /a/b/store', 'setMode /a/b/store', 'syncDirectory /a/b'],
      ...['setMode /a/b', 'syncDirectory /a', 'setMode /a', 'syncDirectory /'],
    ])
  })

  test('leaves the modes of those alone that it found, and flushes them', async () => {
    const { memory, disk, changes } = watched()
    await memory.makeDirectory('/a')
    await placed(disk, '/a/b/store')
    expect(changes).toEqual([
      ...['makeDirectory /a/b/store', 'setMode /a/b/store', 'syncDirectory /a/b'],
      ...['setMode /a/b', 'syncDirectory /a', 'syncDirectory /'],
    ])
    changes.length = 0
    await placed(disk, '/a/b/store')
    expect(changes).toEqual(['syncDirectory /a/b', 'syncDirectory /a', 'syncDirectory /'])
  })

  test('may be out of reach above what was made, and nowhere else', async () => {
    const forbidden = watched(({ name, path }) => {
      if (['syncDirectory', 'list'].includes(name) && path === '/') throw systemError('EACCES')
    })
    await forbidden.memory.makeDirectory('/a')
    await placed(forbidden.disk, '/a/store')
    await expect(openPlace(forbidden.disk, '/b', silent)).rejects.toMatchObject({ code: 'EACCES' })
  })

  test.each(['EACCES', 'EPERM'] as const)(
    'is not out of reach where it can be read: %s for the moment is told',
    async (code) => {
      const refused = watched(({ name, path }) => {
        if (name === 'syncDirectory' && path === '/') throw systemError(code)
      })
      await refused.memory.makeDirectory('/a')
      await expect(openPlace(refused.disk, '/a/store', silent)).rejects.toMatchObject({ code })
    },
  )

  test('nor where it cannot be said whether it can be read', async () => {
    const broken = watched(({ name, path }) => {
      if (path !== '/') return
      if (name === 'syncDirectory') throw systemError('EACCES')
      if (name === 'list') throw systemError('EIO')
    })
    await broken.memory.makeDirectory('/a')
    const opening = openPlace(broken.disk, '/a/store', silent)
    await expect(opening).rejects.toMatchObject({ code: 'EACCES' })
  })

  test.each([
    ...[[0x517b, 'smb'] as const, [0xfe534d42, 'smb2'] as const, [0x5346414f, 'afs'] as const],
    ...[[0x6b414653, 'afs'] as const, [0x73757245, 'coda'] as const, [0x00c36400, 'ceph'] as const],
    ...[[0x0bd00bd0, 'lustre'] as const, [0x47504653, 'gpfs'] as const],
    ...[[0x7461636f, 'ocfs2'] as const, [0x01161970, 'gfs2'] as const, [0x564c, 'ncp'] as const],
    ...[[0x786f4256, 'vboxsf'] as const, [0x19830326, 'beegfs'] as const],
  ])('is refused on a filesystem of number %i: %s', async (type, name) => {
    if (process.platform !== 'linux') return
    const disk: Disk = { ...memoryDisk(), filesystemType: async () => type }
    expect(await openPlace(disk, '/store', silent)).toMatchObject({
      left: { _tag: 'StoreUnusable', message: expect.stringContaining(`(${name})`) },
    })
  })
})

/** A machine that is not Linux, and has no users. */
const elsewhere = () => {
  const { platform, geteuid } = process
  Object.defineProperty(process, 'platform', { value: 'win32' })
  Object.defineProperty(process, 'geteuid', { value: undefined })
  onTestFinished(() => {
    Object.defineProperty(process, 'platform', { value: platform })
    Object.defineProperty(process, 'geteuid', { value: geteuid })
  })
}

test('where there are no users, and filesystems have other numbers, neither keeps anybody out', async () => {
  const { memory } = watched()
  await memory.makeDirectory('/store')
  await memory.setMode('/store', 0o755)
  const disk: Disk = {
    ...memory,
    filesystemType: async () => 0x517b,
    status: async (path) => {
      const found = await memory.status(path)
      return found === undefined ? undefined : { ...found, userId: 4_711 }
    },
  }
  elsewhere()
  await placed(disk, '/store')
  expect((await memory.status('/store'))?.mode).toBe(0o755)
})

test('a directory that is gone as soon as it is made is none', async () => {
  const { memory } = watched()
  const disk: Disk = { ...memory, status: async () => undefined }
  expect(await openPlace(disk, '/store', silent)).toMatchObject({
    left: { _tag: 'StoreUnusable', message: '/store is no directory' },
  })
})

describe('a directory that is only looked at', () => {
  test('is a store where it has a log, and nothing of it is changed', async () => {
    const { memory, disk, changes } = watched()
    expect(await viewPlace(disk, '/store')).toMatchObject({
      left: { _tag: 'NotFound', what: '/store' },
    })
    await memory.makeDirectory('/store')
    expect(await viewPlace(disk, '/store')).toMatchObject({
      left: { _tag: 'NotFound', what: '/store: a store' },
    })
    await memory.makeDirectory('/store/log')
    await memory.setMode('/store', 0o755)
    const place = await placed(memory, '/store')
    await memory.setMode('/store', 0o755)
    expect(await viewPlace(disk, '/store')).toEqual(E.right(place))
    expect(changes).toEqual([])
    memory.put('/file', Buffer.alloc(0))
    expect(await viewPlace(disk, '/file')).toMatchObject({
      left: { _tag: 'StoreUnusable', message: '/file is no directory' },
    })
  })

  test('is not looked at through a link', async () => {
    const parent = freshDirectory()
    symlinkSync(freshDirectory(), join(parent, 'link'))
    expect(await viewPlace(realDisk, join(parent, 'link'))).toMatchObject({
      left: {
        _tag: 'StoreUnusable',
        message: `${join(parent, 'link')} is a symbolic link: name the directory itself`,
      },
    })
  })
})

test('those inside are made, closed to others with a warning, and refused where they are none', async () => {
  const { memory, disk, changes } = watched()
  const place = await placed(memory, '/store')
  await memory.makeDirectory('/store/archives')
  await memory.setMode('/store/archives', 0o755)
  const warnings: unknown[] = []
  const warn = (...line: readonly unknown[]) => void warnings.push(line)
  expect(await furnish(disk, place, warn)).toEqual(E.right(undefined))
  expect(warnings).toEqual([
    [
      ...['warn', '/store/archives was open to others; its mode is 0700 now'],
      { formerMode: '755' },
    ],
  ])
  expect((await memory.status('/store/archives'))?.mode).toBe(0o700)
  expect([...(await memory.list('/store'))].sort()).toEqual([
    ...['archives', 'imported', 'log', 'quarantine'],
  ])
  expect(changes).toContain('syncDirectory /store')
  expect(changes).not.toContain('syncDirectory /')
  const other = memoryDisk()
  await other.makeDirectory('/store')
  other.put('/store/imported', Buffer.alloc(0))
  expect(await furnish(other, place, silent)).toMatchObject({
    left: { _tag: 'StoreUnusable', message: '/store/imported is no directory' },
  })
})

test('what interrupted writes left is swept from where the store writes', async () => {
  const memory = memoryDisk()
  const place = await placed(memory, '/store')
  await furnish(memory, place, silent)
  for (const name of ['log', 'archives', 'quarantine', 'imported'])
    for (const file of ['a.tmp', 'b']) memory.put(`/store/${name}/${file}`, Buffer.alloc(0))
  await sweepPlace(memory, place)
  expect([...memory.files().keys()].sort()).toEqual([
    ...['/store/archives/b', '/store/imported/a.tmp', '/store/imported/b'],
    ...['/store/log/b', '/store/quarantine/b'],
  ])
})
