/** What is told of each thing in the quarantine, and which of them can be put back. */
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Disk, fileStore } from '../src/index.js'
import { lineOf } from '../src/line.js'
import { restoreQuarantined, showQuarantined } from '../src/quarantine-list.js'
import { surveyStore } from '../src/survey.js'
import { closing, commitOf, done, freshDirectory, refused } from './sample.js'

const directory = '/store'
const mebibyte = 1 << 20
const segment = '00000001-00000002.jsonl'

let disk = memoryDisk()
beforeEach(async () => {
  disk = memoryDisk()
  for (const name of ['log', 'archives', 'quarantine'])
    await disk.makeDirectory(`${directory}/${name}`)
  for (const path of ['/', directory]) await disk.syncDirectory(path)
})

const put = (name: string, content: string | Buffer): void =>
  disk.put(`${directory}/quarantine/${name}`, Buffer.from(content))

const fileAt = async (name: string) => {
  const call = showQuarantined({ directory }, `quarantine/${name}`, disk)
  return (await done(call)).file
}

const seed = (sessionId: string): string =>
  JSON.stringify({
    ...{ sessionId, timestamp: '2024-03-01T10:00:00.000Z', sessionState: {}, sessionOptions: {} },
    ...{ environment: {}, workingDirectory: '/', commandHistory: [], outputBuffer: [] },
  })

const free = async () => E.right({ release: async () => undefined })

const commit = (): Buffer => {
  const { record, entry } = commitOf('a', 1)
  return lineOf('commit', { record, entry })
}
const whole = 'whole, but what it belongs to is missing'

describe('a stretch of a segment', () => {
  const lacking = lineOf('forget', { sessionId: 'a' })
  const body = lineOf('body', { any: 'thing' })
  const spoilt = Buffer.from(commit())
  spoilt[40] = (spoilt[40] ?? 0) ^ 1
  test.each<readonly [string, Buffer, unknown]>([
    ['a rotten line', spoilt, { problem: expect.stringMatching(/^crc: expected/) }],
    ['a line that is cut off', commit().subarray(0, -1), { problem: 'the line is cut off' }],
    ['lines that are sound', Buffer.concat([commit(), body]), { problem: whole }],
    ['a body alone', body, { problem: whole }],
    ['nothing', Buffer.alloc(0), { problem: whole }],
    [
      'a line that lacks a field, behind sound ones',
      Buffer.concat([body, commit(), lacking]),
      { sessionId: 'a', problem: expect.stringMatching(/^forget: incarnation: expected/) },
    ],
    [
      'the first of two that are wrong',
      Buffer.concat([lacking, spoilt]),
      { sessionId: 'a', problem: expect.stringMatching(/^forget/) },
    ],
    [
      'a line of no known kind, which is nobody’s',
      lineOf('riddle', {}),
      { problem: 'riddle: unknown kind of line' },
    ],
  ])('%s', async (_, content, said) => {
    put(`${segment}.250`, content)
    expect(await fileAt(`${segment}.250`)).toEqual({
      ...{ location: `quarantine/${segment}.250`, bytes: content.length, kind: 'log' },
      ...{ source: `log/${segment}: byte 250`, ...(said as object) },
    })
  })

  test.each(['000000001-00000002.jsonl.250', `${segment}.x`, `${segment}.250.1`, segment, 'notes'])(
    'is not what is merely called %s',
    async (name) => {
      put(name, commit())
      expect(await fileAt(name)).toEqual({
        ...{ location: `quarantine/${name}`, bytes: commit().length, kind: 'other' },
        ...{ source: name, problem: 'it was in the way of a file of the store' },
      })
    },
  )
})

test('a stretch that is nobody’s says nothing of whose it is', async () => {
  put(`${segment}.1`, lineOf('riddle', {}))
  expect(Object.keys(await fileAt(`${segment}.1`))).not.toContain('sessionId')
})

test('what is no file is told, and is not read', async () => {
  await disk.makeDirectory(`${directory}/quarantine/folder`)
  const other = { location: 'quarantine/folder', bytes: 0, kind: 'other', source: 'folder' }
  expect((await done(surveyStore({ directory }, disk))).quarantine).toEqual([
    { ...other, problem: 'not a regular file' },
  ])
  expect(await refused(showQuarantined({ directory }, 'folder', disk))).toMatchObject({
    ...{ _tag: 'StoreUnusable', message: 'folder: not a regular file' },
  })
})

test('the bytes of a file are shown up to the first mebibyte', async () => {
  put('short', 'short')
  put('long', Buffer.alloc(mebibyte + 1, 0x61))
  const bytesOf = async (name: string) =>
    (await done(showQuarantined({ directory }, name, disk))).content
  expect((await bytesOf('short')).toString()).toBe('short')
  expect((await bytesOf('long')).length).toBe(mebibyte)
  expect((await fileAt('long')).bytes).toBe(mebibyte + 1)
})

test('where there is no store there is nothing to put back', async () => {
  const call = restoreQuarantined({ directory: '/nowhere' }, 'x.snapshot.json', disk, free)
  expect(await refused(call)).toMatchObject({ _tag: 'NotFound', what: '/nowhere' })
})

test('the directory itself, and the one above it, are nothing in it', async () => {
  const real = freshDirectory()
  const store = closing(fileStore({ directory: real }))
  await done(store.open)
  await store.close()
  for (const name of ['', '.', '..', 'quarantine/.'])
    expect(await refused(showQuarantined({ directory: real }, name))).toMatchObject({
      ...{ _tag: 'NotFound', what: name },
    })
})

test('everything is listed by name, and what there is not is not found', async () => {
  for (const name of ['b', 'c', 'a']) put(name, name)
  const { quarantine } = await done(surveyStore({ directory }, disk))
  expect(quarantine.map(({ source }) => source)).toEqual(['a', 'b', 'c'])
  // What is not there any more when it is looked at, and what is called like nothing at all.
  const more: Disk = { ...disk, list: async (path) => [...(await disk.list(path)), 'gone'] }
  expect((await done(surveyStore({ directory }, more))).quarantine).toEqual(quarantine)
  put('undefined', 'mine')
  for (const name of ['d', 'a/b', 'a\\b', 'a\0', '.', '..', 'quarantine/..', 'log/a'])
    expect(await refused(showQuarantined({ directory }, name, disk)), name).toMatchObject({
      _tag: 'NotFound',
    })
  const nowhere = showQuarantined({ directory: '/nowhere' }, 'a', disk)
  expect(await refused(nowhere)).toMatchObject({ _tag: 'NotFound' })
})

test('what is opened is closed, and what fails is told with what it was for', async () => {
  put('notes', 'mine')
  const seen: string[] = []
  const watched = probed(disk, ({ name }) => {
    if (name === 'open' || name === 'close') seen.push(name)
  })
  await done(showQuarantined({ directory }, 'notes', watched))
  expect(seen).toEqual(['open', 'close', 'open', 'close'])
  const broken = probed(disk, ({ name }) => {
    if (name === 'read') throw systemError('EIO')
  })
  for (const [operation, call] of [
    ['show', showQuarantined({ directory }, 'notes', broken)],
    ['restore', restoreQuarantined({ directory }, 'notes', broken, free)],
    ['survey', surveyStore({ directory }, broken)],
  ] as const)
    expect(await refused<unknown>(call)).toMatchObject({
      ...{ _tag: 'StoreUnavailable', operation, code: 'EIO' },
    })
})

describe('a snapshot of format 0', () => {
  const name = 'x.snapshot.json'
  const restored = (location: string, limitBytes?: number) =>
    restoreQuarantined(
      { directory, ...(limitBytes === undefined ? {} : { limitBytes }) },
      location,
      disk,
      free,
    )

  test('says whether it is whole, and whose it is', async () => {
    put(name, seed('x'))
    expect(await fileAt(name)).toMatchObject({
      ...{ kind: 'snapshot', problem: 'nothing any more', sessionId: 'x', restorable: true },
    })
    put(name, '{"sessionId":"x"}')
    const damaged = await fileAt(name)
    expect(damaged).toMatchObject({ kind: 'snapshot', sessionId: 'x' })
    expect(damaged.restorable).toBeUndefined()
  })

  test('goes back to where it is imported, and stays nowhere else', async () => {
    put(name, seed('x'))
    expect(await done(restored(`quarantine/${name}`))).toBe(name)
    expect([...disk.files().keys()]).toEqual([`${directory}/${name}`])
    // Also where the power is cut right then.
    expect([
      ...disk
        .cut(() => 0)
        .files()
        .keys(),
    ]).toEqual([`${directory}/${name}`])
  })

  test('that is damaged, too large, or of a name that waits stays where it is', async () => {
    const stays = async (location: string, why: string, limitBytes?: number) => {
      const before = disk.files()
      expect(await refused(restored(location, limitBytes))).toMatchObject({
        ...{ _tag: 'StoreUnusable', message: expect.stringContaining(why) },
      })
      expect(disk.files()).toEqual(before)
    }
    put(name, '{"sessionId":"x"')
    await stays(name, 'not JSON')
    put(name, seed('x'))
    const bytes = Buffer.byteLength(seed('x'))
    await stays(name, `${bytes} bytes, at most ${bytes - 1} are read`, bytes - 1)
    put(`${segment}.3`, commit())
    await stays(`${segment}.3`, 'only a snapshot file of format 0 can be put back')
    disk.put(`${directory}/${name}`, Buffer.from('{}'))
    await stays(name, 'a file of that name is waiting to be imported')
    await disk.remove(`${directory}/${name}`)
    expect(await done(restored(name, bytes))).toBe(name)
  })

  test('is not put back by one who does not own the store', async () => {
    put(name, seed('x'))
    const taken = async () => E.left({ _tag: 'StoreOwned' as const, message: 'taken' })
    const call = restoreQuarantined({ directory }, name, disk, taken)
    expect(await refused(call)).toMatchObject({ _tag: 'StoreOwned' })
    expect(await refused(restored('nothing'))).toMatchObject({ _tag: 'NotFound' })
  })
})
