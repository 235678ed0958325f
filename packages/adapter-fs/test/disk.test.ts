/** The disk of this machine: what each operation does, and where a name is not what it was a moment ago. */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { type Operation, probed, systemError } from '@session-recovery/testkit'
import { expect, test, vi } from 'vitest'
import { type DiskFile, sweep, writeAll, writeWhole } from '../src/disk.js'
import { realDisk } from '../src/index.js'
import { freshDirectory, openFiles } from './sample.js'

test('a link is neither opened nor written through, and a queue does not block', async () => {
  const directory = freshDirectory()
  const target = join(directory, 'target')
  const link = join(directory, 'link')
  const queue = join(directory, 'queue')
  writeFileSync(target, 'precious')
  symlinkSync(target, link)
  symlinkSync(join(directory, 'nowhere'), join(directory, 'dangling'))
  execFileSync('mkfifo', [queue])
  const open = openFiles()
  await expect(realDisk.open(link)).rejects.toMatchObject({ code: 'ELOOP' })
  await expect(realDisk.open(queue)).rejects.toMatchObject({
    ...{ code: 'EINVAL', message: `${queue} is not a regular file` },
  })
  await expect(realDisk.open(directory)).rejects.toMatchObject({ code: 'EINVAL' })
  for (const name of ['target', 'link', 'dangling', 'queue']) {
    await expect(realDisk.create(join(directory, name))).rejects.toMatchObject({ code: 'EEXIST' })
  }
  expect(openFiles()).toBe(open)
  expect(readFileSync(target, 'utf8')).toBe('precious')
  expect(await realDisk.status(join(directory, 'nowhere'))).toBeUndefined()
})

test('a status tells what the name itself stands for', async () => {
  const directory = freshDirectory()
  const file = join(directory, 'file')
  writeFileSync(file, 'content', { mode: 0o640 })
  linkSync(file, join(directory, 'second'))
  utimesSync(file, 1_000, 2_000)
  symlinkSync(file, join(directory, 'link'))
  execFileSync('mkfifo', [join(directory, 'queue')])
  const { dev, ino, uid } = statSync(file, { bigint: true })
  expect(await realDisk.status(file)).toEqual({
    ...{ kind: 'file', sizeBytes: 7, mode: statSync(file).mode & 0o777, userId: Number(uid) },
    ...{ links: 2, device: dev, inode: ino, modifiedMs: 2_000_000 },
  })
  const kinds = ['second', 'link', 'queue', '.'].map(async (name) => {
    const found = await realDisk.status(join(directory, name))
    expect(found?.inode).toBe(lstatSync(join(directory, name), { bigint: true }).ino)
    return found?.kind
  })
  expect(await Promise.all(kinds)).toEqual(['file', 'link', 'other', 'directory'])
  await expect(realDisk.status(join(file, 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test('a file is read and written where it is asked for, and only its end cuts a reading short', async () => {
  const path = join(freshDirectory(), 'file')
  const made = await realDisk.create(path)
  expect(await made.write(Buffer.from('abcdef'), 0)).toBe(6)
  expect(await made.write(Buffer.from('XY'), 2)).toBe(2)
  expect((await made.read(1, 3)).toString()).toBe('bXY')
  await made.sync()
  await made.close()
  await expect(made.sync()).rejects.toThrow()
  const found = await realDisk.open(path)
  expect((await found.read(4, 100)).toString()).toBe('ef')
  expect((await found.read(6, 100)).length).toBe(0)
  await expect(found.write(Buffer.from('no'), 0)).rejects.toMatchObject({ code: 'EBADF' })
  // More than the kernel gives at once.
  truncateSync(path, 5 << 20)
  expect((await found.read(0, 6 << 20)).length).toBe(5 << 20)
  await found.close()
})

test('directories are made with those above them, and the topmost one made is told', async () => {
  const directory = freshDirectory()
  const path = (...names: readonly string[]) => join(directory, ...names)
  const former = process.umask(0o277)
  try {
    expect(await realDisk.makeDirectory(path('a', 'b', 'c'))).toBe(path('a'))
    expect(await realDisk.makeDirectory(path('a', 'b', 'd'))).toBe(path('a', 'b', 'd'))
    expect(await realDisk.makeDirectory(path('a', 'b', 'd'))).toBeUndefined()
  } finally {
    process.umask(former)
  }
  for (const names of [['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'd']])
    expect(statSync(path(...names)).mode & 0o777).toBe(0o700)
  writeFileSync(path('file'), '')
  symlinkSync(path('a'), path('link'))
  expect(await realDisk.makeDirectory(path('link'))).toBeUndefined()
  await expect(realDisk.makeDirectory(path('file'))).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(realDisk.makeDirectory(path('file', 'below'))).rejects.toMatchObject({
    code: 'ENOTDIR',
  })
  symlinkSync(path('nowhere'), path('dangling'))
  await expect(realDisk.makeDirectory(path('dangling', 'below'))).rejects.toMatchObject({
    code: 'ENOENT',
  })
  expect(existsSync(path('nowhere'))).toBe(false)
})

test('names are listed, changed and removed, and only a directory is flushed as one', async () => {
  const directory = freshDirectory()
  const path = (name: string) => join(directory, name)
  writeFileSync(path('one'), '1')
  await realDisk.rename(path('one'), path('two'))
  mkdirSync(path('inside'))
  await realDisk.setMode(path('inside'), 0o750)
  expect(statSync(path('inside')).mode & 0o777).toBe(0o750)
  expect([...(await realDisk.list(directory))].sort()).toEqual(['inside', 'two'])
  const open = openFiles()
  await realDisk.syncDirectory(directory)
  expect(openFiles()).toBe(open)
  await realDisk.remove(path('two'))
  expect(await realDisk.list(directory)).toEqual(['inside'])
  writeFileSync(path('file'), '')
  await expect(realDisk.syncDirectory(path('nowhere'))).rejects.toMatchObject({ code: 'ENOENT' })
  if (process.platform !== 'linux') return
  await expect(realDisk.syncDirectory(path('file'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  expect(await realDisk.filesystemType(directory)).toBe(statfsSync(directory).type)
})

test('all is written, however few bytes the disk takes at a time', async () => {
  const taken: string[] = []
  const slow = {
    write: async (bytes: Buffer, position: number) => {
      taken.push(`${position} ${bytes}`)
      return Math.min(3, bytes.length)
    },
  } as unknown as DiskFile
  await writeAll(slow, Buffer.from('abcdefgh'), 10)
  expect(taken).toEqual(['10 abcdefgh', '13 defgh', '16 gh'])
  await writeAll(slow, Buffer.alloc(0), 10)
  expect(taken).toHaveLength(3)
})

const named = ({ name, path }: Operation) => `${name} ${path.slice(path.lastIndexOf('/') + 1)}`

test('a file is whole under its name or not there: flushed, renamed, its directory flushed', async () => {
  const directory = freshDirectory()
  const operations: string[] = []
  const disk = probed(realDisk, (operation) => void operations.push(named(operation)))
  const fill = (text: string) => async (file: DiskFile) => writeAll(file, Buffer.from(text), 0)
  const open = openFiles()
  await writeWhole(disk, directory, 'name', fill('first'))
  const parent = directory.slice(directory.lastIndexOf('/') + 1)
  expect(operations.filter((one) => !one.startsWith('status'))).toEqual([
    ...['create name.tmp', 'write name.tmp', 'sync name.tmp', 'close name.tmp'],
    ...['rename name', `syncDirectory ${parent}`],
  ])
  // One that was interrupted left its draft.
  writeFileSync(join(directory, 'name.tmp'), 'a draft that is longer')
  await writeWhole(disk, directory, 'name', fill('second'))
  expect(readFileSync(join(directory, 'name'), 'utf8')).toBe('second')
  expect(readdirSync(directory)).toEqual(['name'])
  expect(openFiles()).toBe(open)
})

test.each(['create', 'write', 'sync', 'rename', 'syncDirectory'])(
  'where %s fails that is told, and no draft is left',
  async (failing) => {
    const directory = freshDirectory()
    const open = openFiles()
    const disk = probed(realDisk, ({ name }) => {
      if (name === failing) throw systemError('EIO')
    })
    const filled = writeWhole(disk, directory, 'name', (file) =>
      writeAll(file, Buffer.from('text'), 0),
    )
    await expect(filled).rejects.toMatchObject({ code: 'EIO' })
    expect(readdirSync(directory)).toEqual(failing === 'syncDirectory' ? ['name'] : [])
    expect(openFiles()).toBe(open)
  },
)

test('where the draft cannot be removed either the first failure is told', async () => {
  const disk = probed(realDisk, ({ name }) => {
    if (name === 'sync') throw systemError('ENOSPC')
    if (name === 'remove') throw systemError('EIO')
  })
  const filled = writeWhole(disk, freshDirectory(), 'name', async () => undefined)
  await expect(filled).rejects.toMatchObject({ code: 'ENOSPC' })
})

test('only files that interrupted writes left are swept away', async () => {
  const directory = freshDirectory()
  for (const name of ['draft.tmp', 'whole', 'tmp', 'draft.tmp.txt'])
    writeFileSync(join(directory, name), '')
  mkdirSync(join(directory, 'directory.tmp'))
  symlinkSync(join(directory, 'whole'), join(directory, 'link.tmp'))
  await sweep(realDisk, directory)
  expect(readdirSync(directory).sort()).toEqual([
    ...['directory.tmp', 'draft.tmp.txt', 'link.tmp', 'tmp', 'whole'],
  ])
})

test('what is gone before it is swept away is no trouble', async () => {
  const directory = freshDirectory()
  await sweep({ ...realDisk, list: async () => ['gone.tmp'] }, directory)
  expect(readdirSync(directory)).toEqual([])
})

test('the names in a directory are flushed, and nothing stays open for it', async () => {
  const directory = freshDirectory()
  const sample = await open(directory)
  const handles = Object.getPrototypeOf(sample)
  await sample.close()
  const before = openFiles()
  const broken = systemError('EIO')
  const spied = vi.spyOn(handles, 'sync').mockRejectedValue(broken)
  await expect(realDisk.syncDirectory(directory)).rejects.toBe(broken)
  spied.mockRestore()
  expect(openFiles()).toBe(before)
})

test('a file is made for its owner alone, whatever the umask', async () => {
  const path = join(freshDirectory(), 'file')
  const former = process.umask(0o277)
  try {
    await (await realDisk.create(path)).close()
  } finally {
    process.umask(former)
  }
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a file that cannot be closed to others, or looked at, is told of and does not stay open', async () => {
  const directory = freshDirectory()
  const path = (name: string) => join(directory, name)
  const sample = await open(path('sample'), 'w')
  const handles = Object.getPrototypeOf(sample)
  await sample.close()
  const before = openFiles()
  const broken = systemError('EIO')
  for (const [operation, work] of [
    ['chmod', () => realDisk.create(path('new'))],
    ['stat', () => realDisk.open(path('sample'))],
  ] as const) {
    const spied = vi.spyOn(handles, operation).mockRejectedValue(broken)
    await expect(work()).rejects.toBe(broken)
    spied.mockRestore()
    expect(openFiles()).toBe(before)
  }
})
