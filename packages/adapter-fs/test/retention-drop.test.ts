/** What is dropped of archives and quarantine is what is counted and told; what cannot be dropped stays. */
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { beforeEach, describe, expect, test } from 'vitest'
import { settingsOf } from '../src/option.js'
import type { Place } from '../src/place.js'
import { beyond, droppedMore, isDropped, retain, tellDropped } from '../src/retention.js'
import { SessionIndex } from '../src/session-index.js'
import type { Dropped } from '../src/statement.js'
import { commitOf, recordOf } from './sample.js'

const directory = '/store'
const place: Place = {
  ...{ directory, device: 0n, inode: 0n, log: `${directory}/log` },
  ...{ archives: `${directory}/archives`, quarantine: `${directory}/quarantine` },
  imported: `${directory}/imported`,
}
const settings = (bounds: object) => {
  const made = settingsOf({ directory, wallMs: () => 0, ...bounds })
  if (E.isLeft(made)) throw new Error(made.left)
  return made.right
}

let disk = memoryDisk()
beforeEach(async () => {
  disk = memoryDisk()
  for (const path of [place.archives, place.quarantine]) await disk.makeDirectory(path)
})
const put = (...paths: readonly string[]) => {
  for (const path of paths) disk.put(`${directory}/${path}`, Buffer.from(path))
}
const left = async (path: string) => [...(await disk.list(path))].sort()
const none = new SessionIndex(10)

test('the oldest go, of each kind as many as its bounds say', async () => {
  put('archives/b', 'archives/a', 'archives/c', 'quarantine/three', 'quarantine/one')
  const dropped = await retain(disk, place, settings({ archives: 1, quarantined: 1 }), none)
  expect([await left(place.archives), await left(place.quarantine)]).toEqual([['c'], ['one']])
  expect(dropped).toEqual({
    ...{ archives: 2, archiveBytes: 2 * 'archives/a'.length },
    ...{ quarantined: 1, quarantinedBytes: 'quarantine/three'.length },
  })
  expect(await retain(disk, place, settings({ archives: 1, quarantined: 1 }), none)).toEqual({
    ...{ archives: 0, archiveBytes: 0, quarantined: 0, quarantinedBytes: 0 },
  })
})

test('what a session names stays longest, though it be the oldest', async () => {
  put('archives/a', 'archives/b', 'archives/c')
  const index = new SessionIndex(10)
  const record = recordOf('s', 1, 1, 'exhausted')
  const lastEnd = { incident: 1, attempts: 1, archive: 'archives/a' }
  const naming = { ...record, control: { ...record.control, lastEnd } }
  const at = { segment: 'x', offset: 0, bytes: 1 }
  index.commit(naming, at, commitOf('s', 1).entry)
  index.commit(recordOf('other', 1), at, commitOf('other', 1).entry)
  index.forget('gone', 1)
  await retain(disk, place, settings({ archives: 2 }), index)
  expect(await left(place.archives)).toEqual(['a', 'c'])
})

test('what is being written, and what is no file, neither counts nor goes', async () => {
  put('archives/a', 'archives/b.tmp', 'archives/c')
  await disk.makeDirectory(`${place.archives}/folder`)
  expect(await retain(disk, place, settings({ archives: 2 }), none)).toMatchObject({ archives: 0 })
  expect(await retain(disk, place, settings({ archives: 1 }), none)).toMatchObject({ archives: 1 })
  expect(await left(place.archives)).toEqual(['b.tmp', 'c', 'folder'])
})

test('what the disk does not remove is not counted, and waits for the next time', async () => {
  put('archives/a', 'archives/b', 'archives/c', 'quarantine/one', 'quarantine/two')
  const bounds = settings({ archives: 1, quarantined: 1 })
  const failing = probed(disk, ({ name, path }) => {
    if (name === 'remove' && path.endsWith('/b')) throw systemError('EIO')
  })
  expect(await retain(failing, place, bounds, none)).toMatchObject({ archives: 1, quarantined: 1 })
  expect(await left(place.archives)).toEqual(['b', 'c'])
  const blind = probed(disk, ({ name }) => {
    if (name === 'list') throw systemError('EACCES')
  })
  expect(await retain(blind, place, bounds, none)).toMatchObject({ archives: 0, archiveBytes: 0 })
  const broken = probed(disk, () => {
    throw new Error('no error of a disk')
  })
  await expect(retain(broken, place, bounds, none)).rejects.toThrow('no error of a disk')
})

describe('at its bound', () => {
  const file = (name: string, modifiedMs: number) => ({
    name,
    modifiedMs,
    bytes: 10,
    wanted: false,
  })
  const files = [file('d', 7), file('b', 5), file('c', 5), file('a', 5)]
  const roomy = { count: 100, bytes: 10_000, ageMs: 10_000 }
  const gone = (bounds: object, nowMs = 7) =>
    beyond(files, { ...roomy, ...bounds }, nowMs).map(({ name }) => name)

  test('nothing goes, and beyond it as much as is beyond; of the same age by their names', () => {
    expect(gone({ count: 4 })).toEqual([])
    expect(gone({ count: 3 })).toEqual(['a'])
    expect(gone({ count: 2 })).toEqual(['a', 'b'])
    expect(gone({ bytes: 40 })).toEqual([])
    expect(gone({ bytes: 39 })).toEqual(['a'])
    expect(gone({ bytes: 29 })).toEqual(['a', 'b'])
    expect(gone({ ageMs: 10 }, 15)).toEqual([])
    expect(gone({ ageMs: 10 }, 16)).toEqual(['a', 'b', 'c'])
    // Too old goes, though it be the newest.
    expect(gone({ ageMs: 10 }, 18)).toEqual(['a', 'b', 'c', 'd'])
    expect(beyond([], roomy, 0)).toEqual([])
  })
})

test('drops are added up, and told when there are any', () => {
  const now: Dropped = { archives: 1, archiveBytes: 2, quarantined: 3, quarantinedBytes: 4 }
  const sum = droppedMore(now, { ...now, archives: 10 })
  expect(sum).toEqual({ archives: 11, archiveBytes: 4, quarantined: 6, quarantinedBytes: 8 })
  const told: unknown[] = []
  const logger = (level: string, message: string, detail: unknown) =>
    told.push([level, message, detail])
  tellDropped(logger, now, sum)
  expect(told).toEqual([
    [
      ...['info', 'retention: dropped 1 archives and 3 quarantined files'],
      { _tag: 'Dropped', now, sum },
    ],
  ])
  const none: Dropped = { archives: 0, archiveBytes: 0, quarantined: 0, quarantinedBytes: 0 }
  const are = [{ ...none, archives: 1 }, { ...none, quarantined: 1 }, none].map(isDropped)
  expect(are).toEqual([true, true, false])
})
