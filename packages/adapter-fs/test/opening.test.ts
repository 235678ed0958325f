/** What is done when a store is opened: in which order, what is flushed for it, and what is left where it fails. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test, vi } from 'vitest'
import { type Disk, type DiskFile, fileStore, realDisk } from '../src/index.js'
import { lineOf } from '../src/line.js'
import { takeOwnership } from '../src/ownership.js'
import {
  archiveOf,
  closing,
  commitOf,
  done,
  freshDirectory,
  refused,
  snapshotOf,
} from './sample.js'
import { bodyLine, commitLine, header, name, placeOf } from './segment-sample.js'

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
  const logger = vi.fn()
  const { quarantined } = await done(closing(fileStore({ directory, logger }, odd)).open)
  const [one] = quarantined
  const source = 'log/00000009-00000001.jsonl'
  expect(quarantined).toMatchObject([{ source, problem: 'not a regular file of its own' }])
  expect(logger.mock.calls).toEqual([['warn', `set aside: ${source}`, one]])
  expect(flushed.filter((path) => path === '/store/quarantine').length).toBeGreaterThan(calm)
  expect(flushed.filter((path) => path === '/store/log').length).toBe(calmOfLog + 1)
})

test('a session is loaded with its view, and nobody else opens its store meanwhile', async () => {
  const { disk } = watched()
  const store = closing(fileStore({ directory }, disk))
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  await done(store.saveSnapshot(snapshotOf('a', 3)))
  const other = closing(fileStore({ directory }, disk))
  expect(await refused(other.open)).toMatchObject({ _tag: 'StoreOwned' })
  await store.close()
  const { sessions } = await done(other.open)
  expect(sessions.map(({ view }) => view)).toEqual([snapshotOf('a', 3).view])
})

test('the view of a life that was never registered is not that of the session', async () => {
  const { memory } = watched()
  await memory.makeDirectory('/store/log')
  const body = bodyLine('a', 1)
  const { view } = snapshotOf('a', 1)
  const head = { sessionId: 'a', incarnation: 2, view, body: placeOf(body) }
  const lines = [header, commitLine('a', 1), lineOf('snapshot', head), body]
  memory.put(`/store/log/${name}`, Buffer.concat(lines))
  const { sessions } = await done(closing(fileStore({ directory }, memory)).open)
  expect(sessions).toEqual([{ record: commitOf('a', 1).record, view: undefined }])
})

test('a log of a later version is refused by its place, and left to others as it is', async () => {
  const { memory, disk } = watched()
  await done(closing(fileStore({ directory }, disk)).open)
  const path = '/store/log/00000009-00000001.jsonl'
  const said = { term: 9, sequence: 1, limitBytes: 1, whole: false, before: [] }
  memory.put(path, lineOf('segment', { format: 99, ...said }))
  const { disk: later, open } = counting(memory.copy())
  expect(await refused(fileStore({ directory }, later).open)).toMatchObject({
    ...{ _tag: 'StoreUnusable', message: expect.stringContaining(`${path}: segment: format`) },
  })
  expect(open()).toBe(0)
})

test.each(['/store', '/store/archives'])(
  '%s is refused where it is a file, and left to others',
  async (path) => {
    const { memory, disk } = watched()
    if (path !== directory) await memory.makeDirectory(directory)
    memory.put(path, Buffer.from('mine'))
    expect(await refused(fileStore({ directory }, disk).open)).toMatchObject({
      ...{ _tag: 'StoreUnusable', message: `${path} is no directory` },
    })
    await memory.remove(path)
    await done(closing(fileStore({ directory }, disk)).open)
  },
)

test('what was taken under a higher limit may be carried over under a lower one', async () => {
  const { memory, disk } = watched()
  const limits: number[] = []
  for (const limitBytes of [5_000, 2_000]) {
    const store = closing(fileStore({ directory, limitBytes }, disk))
    await done(store.open)
    await done(store.commit(commitOf('a', limits.length + 1)))
    await store.close()
    const newest = [...(await memory.list('/store/log'))].sort().at(-1)
    const text = memory.files().get(`/store/log/${newest}`)?.toString() ?? ''
    limits.push(JSON.parse(text.slice(0, text.indexOf('\n'))).segment.limitBytes)
  }
  expect(limits).toEqual([5_000, 5_000])
})

test('what is torn is taken out, and what stands behind it is found in its new place', async () => {
  const { memory, disk } = watched()
  const store = closing(fileStore({ directory }, disk))
  await done(store.open)
  for (const id of ['torn', 'whole']) await done(store.commit(commitOf(id, 1)))
  await done(store.saveSnapshot(snapshotOf('whole', 1)))
  await store.close()
  const [[path, bytes] = ['', Buffer.alloc(0)]] = memory.files()
  const at = bytes.indexOf('"sessionId":"torn"')
  bytes[at + 1] = (bytes[at + 1] ?? 0) ^ 1
  const { quarantined } = await done(store.open)
  expect(quarantined).toMatchObject([{ problem: expect.stringContaining('crc: expected') }])
  expect(memory.files().get(path)?.includes('"torn"')).toBe(false)
  expect((await done(store.readJournal('whole'))).map(({ rev }) => rev)).toEqual([1])
  expect(await done(store.readSnapshot('whole'))).toEqual(snapshotOf('whole', 1))
})

test('a term that cannot begin leaves the store to others', async () => {
  let isBroken = false
  const { disk } = watched((name, path) => {
    if (isBroken && name === 'create' && path.includes('/log/')) throw systemError('ENOSPC')
  })
  isBroken = true
  const store = fileStore({ directory }, disk)
  expect(await refused(store.open)).toMatchObject({
    ...{ _tag: 'StoreUnavailable', operation: 'open', code: 'ENOSPC' },
  })
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

test('where anything is simulated no time passes: another is seen with the next segment alone', async () => {
  const unguarded = async () => E.right({ release: async () => undefined })
  const now = vi.spyOn(performance, 'now')
  try {
    for (const [disk, at, own] of [
      [memoryDisk(), directory, takeOwnership],
      [realDisk, freshDirectory(), unguarded],
    ] as const) {
      now.mockReturnValue(1_000)
      const store = closing(fileStore({ directory: at }, disk, own))
      await done(store.open)
      await (await disk.create(`${at}/log/00000002-00000001.jsonl`)).close()
      now.mockReturnValue(9_000)
      await done(store.commit(commitOf('a', 1)))
    }
  } finally {
    now.mockRestore()
  }
})
