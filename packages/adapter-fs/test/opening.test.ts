/** What is done when a store is opened: in which order, what is flushed for it, and what is left where it fails. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import { expect, test, vi } from 'vitest'
import { type Disk, type DiskFile, fileStore } from '../src/index.js'
import { archiveOf, closing, commitOf, done, freshDirectory, refused } from './sample.js'

const directory = '/store'

/** A store on a disk in memory of which the flushes of directories are written down. */
const watched = (refuse: (name: string, path: string) => void = () => undefined) => {
  const memory = memoryDisk()
  const flushed: string[] = []
  const disk = probed(memory, ({ name, path }) => {
    if (name === 'syncDirectory') flushed.push(path)
    refuse(name, path)
  })
  return { memory, disk, flushed }
}

/** A disk of which it is known how many files are open; `write` is asked before each write. */
const counting = (disk: Disk, write: () => void = () => undefined) => {
  let open = 0
  const counted = (file: DiskFile): DiskFile => {
    open += 1
    return {
      ...file,
      write: async (bytes, position) => {
        write()
        return file.write(bytes, position)
      },
      close: async () => {
        open -= 1
        await file.close()
      },
    }
  }
  return {
    disk: {
      ...disk,
      create: async (path) => counted(await disk.create(path)),
      open: async (path) => counted(await disk.open(path)),
    } satisfies Disk,
    open: () => open,
  }
}

test('entries are handed out in the order of their places', async () => {
  const { disk } = watched()
  const store = closing(fileStore({ directory }, disk))
  await done(store.open)
  for (const [id, seq] of [
    ['a', 5],
    ['b', 3],
    ['c', 4],
  ] as const)
    await done(store.commit(commitOf(id, 1, 1, seq)))
  await store.close()
  expect((await done(store.open)).entries.map(({ seq }) => seq)).toEqual([3, 4, 5])
})

test('what merely bears the name of a segment is set aside, and both directories are flushed', async () => {
  const { memory, disk, flushed } = watched()
  const store = closing(fileStore({ directory }, disk))
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  await store.close()
  // The next flushes what was written last, and the one after it nothing of the kind.
  for (let time = 0; time < 2; time++) {
    flushed.length = 0
    await done(store.open)
    await store.close()
  }
  expect(flushed).not.toContain('/store/quarantine/')
  const calm = flushed.filter((path) => path === '/store/quarantine').length
  const calmOfLog = flushed.filter((path) => path === '/store/log').length
  memory.put('/store/log/00000009-00000001.jsonl', Buffer.from('x'))
  const odd: Disk = {
    ...disk,
    status: async (path) => {
      const found = await disk.status(path)
      return found !== undefined && path.endsWith('/00000009-00000001.jsonl')
        ? { ...found, links: 2 }
        : found
    },
  }
  flushed.length = 0
  const { quarantined } = await done(closing(fileStore({ directory }, odd)).open)
  expect(quarantined).toMatchObject([
    { source: 'log/00000009-00000001.jsonl', problem: 'not a regular file of its own' },
  ])
  expect(flushed.filter((path) => path === '/store/quarantine').length).toBeGreaterThan(calm)
  expect(flushed.filter((path) => path === '/store/log').length).toBe(calmOfLog + 1)
})

test('a term that cannot begin leaves the store to others', async () => {
  let isBroken = false
  const { disk } = watched((name, path) => {
    if (isBroken && name === 'create' && path.includes('/log/')) throw systemError('ENOSPC')
  })
  isBroken = true
  const store = fileStore({ directory }, disk)
  expect(await refused(store.open)).toMatchObject({ _tag: 'StoreUnavailable', code: 'ENOSPC' })
  isBroken = false
  const other = closing(fileStore({ directory }, disk))
  await done(other.open)
  await done(other.archive(archiveOf('a', 'token')))
})

test('a store whose import the disk refuses says so, stays closed, and has no file open', async () => {
  const { memory } = watched()
  await memory.makeDirectory(directory)
  const text = JSON.stringify({
    ...{ sessionId: 'old', timestamp: '2024-03-01T10:00:00.000Z', sessionState: {} },
    ...{ sessionOptions: { command: 'bash' }, environment: {}, workingDirectory: '/' },
    ...{ commandHistory: [], outputBuffer: [] },
  })
  memory.put('/store/old.snapshot.json', Buffer.from(text))
  let written = 0
  const { disk, open } = counting(memory, () => {
    written += 1
    // The first is the header's.
    if (written > 1) throw systemError('ENOSPC')
  })
  const store = fileStore({ directory }, disk)
  expect(await refused(store.open)).toMatchObject({ _tag: 'StoreUnavailable', code: 'ENOSPC' })
  expect(open()).toBe(0)
  expect(await refused(store.commit(commitOf('a', 1)))).toMatchObject({ _tag: 'StoreUnavailable' })
  const { sessions } = await done(closing(fileStore({ directory }, memory)).open)
  expect(sessions.map(({ record }) => record.control.sessionId)).toEqual(['old'])
})

test('a term that cannot begin after its segment was made leaves no file open', async () => {
  const { memory } = watched()
  const { disk, open } = counting({
    ...memory,
    list: async (path) => {
      // What is imported is looked for there, once the segment is made.
      if (path === directory) throw systemError('EIO')
      return memory.list(path)
    },
  })
  expect(await refused(fileStore({ directory }, disk).open)).toMatchObject({ code: 'EIO' })
  expect(open()).toBe(0)
})

test('whoever owns a directory of this machine looks by its time whether another has followed', async () => {
  const real = freshDirectory()
  const now = vi.spyOn(performance, 'now').mockReturnValue(1_000)
  try {
    const store = closing(fileStore({ directory: real }))
    await done(store.open)
    await done(store.commit(commitOf('a', 1)))
    writeFileSync(join(real, 'log', '00000002-00000001.jsonl'), '')
    await done(store.commit(commitOf('a', 2)))
    now.mockReturnValue(2_000)
    expect(await refused(store.commit(commitOf('a', 3)))).toMatchObject({ _tag: 'StoreOwned' })
  } finally {
    now.mockRestore()
  }
})
