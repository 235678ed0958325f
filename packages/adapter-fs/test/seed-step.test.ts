/** The import of a seed's files on a disk in memory: what fails because of a file, and what because of the disk. */
import { changing, memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { type Disk, type FileStoreOptions, fileStore } from '../src/index.js'
import { closing, done, refused } from './sample.js'

const directory = '/store'
const ending = '.snapshot.json'

let disk = memoryDisk()
beforeEach(async () => {
  disk = memoryDisk()
  await disk.makeDirectory(directory)
  await disk.syncDirectory('/')
})

afterEach(() => void vi.restoreAllMocks())

const seed = (sessionId: string, more: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      ...{ sessionId, timestamp: '2024-03-01T10:00:00.000Z', sessionState: {} },
      ...{ sessionOptions: { command: 'bash' }, environment: {}, workingDirectory: '/' },
      ...{ commandHistory: [], outputBuffer: [], ...more },
    }),
  )
const put = (id: string, content: Buffer = seed(id)) =>
  disk.put(`${directory}/${id}${ending}`, content)
const opened = async (on: Disk, options: Partial<FileStoreOptions> = {}) => {
  const store = closing(fileStore({ directory, wallMs: () => 5, ...options }, on))
  const loaded = await done(store.open)
  const ids = loaded.sessions.map(({ record }) => record.control.sessionId).sort()
  return { store, loaded, ids }
}
const namesIn = async (folder: string, of: Disk = disk) =>
  [...(await of.list(`${directory}${folder}`))].filter((name) => name.endsWith(ending)).sort()

test('a file that is gone before it is read is no session, and the disk says why', async () => {
  const gone: Disk = {
    ...disk,
    list: async (path) =>
      path === directory ? [`gone${ending}`, ...(await disk.list(path))] : disk.list(path),
  }
  const store = closing(fileStore({ directory }, gone))
  expect(await refused(store.open)).toMatchObject({ _tag: 'StoreUnavailable', code: 'ENOENT' })
})

test('more files than one batch are all taken over, each with a place of its own', async () => {
  const many = Array.from({ length: 35 }, (_, i) => `s${String(i).padStart(2, '0')}`)
  for (const id of many) put(id)
  const { ids, loaded } = await opened(disk)
  expect(ids).toEqual(many)
  expect(new Set(loaded.entries.map((entry) => entry.seq)).size).toBe(35)
  expect(loaded.latestSeq).toBe(35)
  expect(await namesIn('/imported')).toEqual(many.map((id) => `${id}${ending}`))
  expect(await namesIn('')).toEqual([])
})

test('a file that is already a session is moved away, and changes nothing', async () => {
  put('a')
  const first = await opened(disk)
  await first.store.close()
  put('a', seed('a', { workingDirectory: '/elsewhere' }))
  const { store, loaded } = await opened(disk)
  expect(loaded.entries.length).toBe(1)
  expect((await done(store.readSnapshot('a'))).body).toMatchObject({ workingDirectory: '/' })
  expect((await disk.list(`${directory}/imported`)).length).toBe(2)
})

test.each<readonly [string, (on: Disk) => Disk, string]>([
  [
    'no file',
    (on) => ({
      ...on,
      status: async (path) => {
        const status = await on.status(path)
        return path.endsWith(`/x${ending}`) && status !== undefined
          ? { ...status, kind: 'other' as const }
          : status
      },
    }),
    'not a regular file',
  ],
  [
    'a second name of a file',
    (on) => ({
      ...on,
      status: async (path) => {
        const status = await on.status(path)
        return path.endsWith(`/x${ending}`) && status !== undefined
          ? { ...status, links: 2 }
          : status
      },
    }),
    'the file has other names',
  ],
  ...['EACCES', 'EPERM', 'EIO', 'EINVAL', 'ELOOP'].map(
    (code) =>
      [
        `one that is refused with ${code}`,
        (on: Disk) =>
          probed(on, ({ name, path }) => {
            if (name === 'open' && path.endsWith(`/x${ending}`)) throw systemError(code)
          }),
        `cannot be read (${code})`,
      ] as const,
  ),
])('%s is set aside, and the others are taken over', async (_, on, problem) => {
  for (const id of ['a', 'x']) put(id)
  const { ids, loaded } = await opened(on(disk))
  expect(ids).toEqual(['a'])
  expect(loaded.quarantined).toEqual([
    {
      ...{ source: `x${ending}`, keptAs: `quarantine/x${ending}` },
      problem: `recovery snapshot: ${problem}`,
    },
  ])
  expect([await namesIn('/imported'), await namesIn('/quarantine'), await namesIn('')]).toEqual([
    ...[[`a${ending}`], [`x${ending}`], []],
  ])
})

test('what fails because of the moment leaves every file where it is, to be imported later', async () => {
  for (const id of ['a', 'x']) put(id)
  const failing = probed(disk, ({ name, path }) => {
    if (name === 'open' && path.endsWith(`/x${ending}`)) throw systemError('EMFILE')
  })
  expect(await refused(fileStore({ directory }, failing).open)).toMatchObject({ code: 'EMFILE' })
  expect(await namesIn('')).toEqual([`a${ending}`, `x${ending}`])
  expect((await opened(disk)).ids).toEqual(['a', 'x'])
})

test('a file beyond the limit is not read; one whose session is beyond it is told, and whose it is', async () => {
  const limitBytes = 2_000
  const spare = limitBytes - seed('a', { workingDirectory: '' }).length
  put('a', seed('a', { workingDirectory: 'x'.repeat(spare) }))
  put('b', seed('b', { workingDirectory: 'x'.repeat(spare + 1) }))
  const { loaded } = await opened(disk, { limitBytes })
  expect(loaded.quarantined).toMatchObject(
    [
      { problem: `recovery snapshot: ${limitBytes + 1} bytes, at most ${limitBytes} are read` },
      { sessionId: 'a', problem: expect.stringContaining('at most 2000 are stored') },
    ].sort((one, other) => Number('sessionId' in other) - Number('sessionId' in one)),
  )
})

test.each([...[0, 1_000]])(
  'files are closed to others when they are moved, those of another user than %i are let be',
  async (user) => {
    if (process.geteuid === undefined) return
    vi.spyOn(process, 'geteuid').mockReturnValue(user)
    for (const id of ['a', 'b', 'x', 'y']) {
      put(id, id === 'x' || id === 'y' ? Buffer.from('{') : seed(id))
      await disk.setMode(`${directory}/${id}${ending}`, 0o644)
    }
    const set: string[] = []
    const foreign = (path: string) => path.endsWith(`/b${ending}`) || path.endsWith(`/y${ending}`)
    const on: Disk = {
      ...disk,
      status: async (path) => {
        const status = await disk.status(path)
        return status !== undefined && foreign(path) ? { ...status, userId: 123_456 } : status
      },
      setMode: async (path, mode) => {
        if (path.endsWith(ending)) set.push(`${path} ${mode.toString(8)}`)
        await disk.setMode(path, mode)
      },
    }
    await opened(on)
    expect(set.sort()).toEqual([`${directory}/a${ending} 600`, `${directory}/x${ending} 600`])
  },
)

test('where there are no users every file that is moved is closed', async () => {
  const { geteuid } = process
  Object.defineProperty(process, 'geteuid', { value: undefined })
  onTestFinished(() => void Object.defineProperty(process, 'geteuid', { value: geteuid }))
  put('a')
  await disk.setMode(`${directory}/a${ending}`, 0o644)
  expect((await opened(disk)).ids).toEqual(['a'])
  expect((await disk.status(`${directory}/imported/a${ending}`))?.mode).toBe(0o600)
})

test('whichever step fails, no session is lost and none taken twice', async () => {
  for (let lastStep = 0; ; lastStep++) {
    let steps = 0
    for (const chance of [0, 0.999]) {
      disk = memoryDisk()
      await disk.makeDirectory(directory)
      for (const path of ['/', directory]) await disk.syncDirectory(path)
      const whole = disk.copy()
      for (const [id, content] of [
        ['a', seed('a')],
        ['b', seed('b')],
        ['torn', Buffer.from('{')],
      ] as const)
        whole.put(`${directory}/${id}${ending}`, content)
      const start = whole.copy()
      steps = 0
      const dying = probed(start, ({ name }) => {
        if (!changing.has(name)) return
        steps += 1
        if (steps > lastStep) throw systemError('EIO')
      })
      const first = fileStore({ directory, wallMs: () => 5 }, dying)
      await first.open()
      await first.close()
      const after = start.cut(() => chance)
      const { ids, loaded, store } = await opened(after)
      expect(ids).toEqual(['a', 'b'])
      expect(loaded.entries.length).toBe(2)
      for (const id of ids) await done(store.readSnapshot(id))
      expect([await namesIn('/imported', after), await namesIn('', after)]).toEqual([
        ...[[`a${ending}`, `b${ending}`], []],
      ])
      await store.close()
    }
    if (steps <= lastStep) break
  }
})

test('the log refuses: nothing is moved', async () => {
  put('a')
  let opens = 0
  const full = probed(disk, ({ name, path }) => {
    if (name !== 'write' || !path.includes('/log/')) return
    opens += 1
    if (opens > 1) throw systemError('ENOSPC')
  })
  const answer = await fileStore({ directory }, full).open()
  expect(E.isLeft(answer) && answer.left).toMatchObject({ code: 'ENOSPC' })
  expect(await namesIn('')).toEqual([`a${ending}`])
})

test('what was moved is flushed where it was and where it is, and nothing where nothing was', async () => {
  const flushed: string[] = []
  const watched = probed(disk, ({ name, path }) => {
    if (name === 'syncDirectory') flushed.push(path)
  })
  const { store } = await opened(watched)
  await store.close()
  flushed.length = 0
  await done(store.open)
  await store.close()
  const calm = [...flushed]
  expect(calm).not.toContain('/store/imported')
  put('a')
  flushed.length = 0
  await done(store.open)
  const moved = ['/store/imported', '/store/quarantine', '/store']
  expect(flushed.join()).toContain(moved.join())
  expect(flushed.length).toBe(calm.length + moved.length)
})

test('a file is closed to others as it is moved; one with other names is not ours to close', async () => {
  for (const links of [1, 2]) {
    const id = `s${links}`
    put(id)
    const path = `${directory}/${id}${ending}`
    await disk.setMode(path, 0o644)
    const named: Disk = {
      ...disk,
      status: async (one) => {
        const status = await disk.status(one)
        return one === path && status !== undefined ? { ...status, links } : status
      },
    }
    const { store } = await opened(named)
    await store.close()
  }
  const modes = ['imported/s1', 'quarantine/s2'].map(async (name) => {
    const status = await disk.status(`${directory}/${name}${ending}`)
    return status?.mode
  })
  expect(await Promise.all(modes)).toEqual([0o600, 0o644])
})

test('one whose registration would be larger than what is stored is set aside, and has none', async () => {
  const long = 'x'.repeat(230)
  for (const id of ['a', long]) put(id)
  const { ids, loaded } = await opened(disk, { limitBytes: 1_024 })
  expect(ids).toEqual(['a'])
  expect(loaded.quarantined).toMatchObject([
    { sessionId: long, problem: expect.stringContaining('at most 1024') },
  ])
})
