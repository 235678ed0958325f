/**
 * What a killed owner left unflushed, on a disk that tells once that it could not flush it, and forgets
 * it: the next flush of the same file succeeds, and says nothing of what is missing.
 */
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import type { Damage } from '../src/damage.js'
import { type Disk, type DiskFile, fileStore } from '../src/index.js'
import { openPlace } from '../src/place.js'
import { flushUnsure, takeOutTorn } from '../src/unsure.js'
import { commitOf, done, refused } from './sample.js'

const directory = '/data/store'

/** A disk whose first `failures` flushes of a segment that is found fail, and are forgotten. */
const forgetful = (disk: Disk, failures: number): Disk => {
  const forgotten = new Set<string>()
  let left = failures
  const found = (path: string, file: DiskFile): DiskFile => ({
    ...file,
    sync: async () => {
      if (left > 0 && path.endsWith('.jsonl')) {
        left -= 1
        forgotten.add(path)
        throw systemError('EIO')
      }
      if (!forgotten.has(path)) await file.sync()
    },
  })
  return {
    ...disk,
    open: async (path) => found(path, await disk.open(path)),
    rename: async (from, to) => {
      await disk.rename(from, to)
      forgotten.delete(to)
    },
  }
}

/** A store whose owner was killed between the write of a commit and its flush. */
const abandoned = async () => {
  const disk = memoryDisk()
  let flushes = 0
  const killed = probed(disk, ({ name, path }) => {
    if (name === 'sync' && path.endsWith('.jsonl')) flushes += 1
    // The header's and the first commit's were done.
    if (flushes > 2) throw systemError('EIO')
  })
  const store = fileStore({ directory }, killed)
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  await refused(store.commit(commitOf('a', 2)))
  await store.close()
  return disk
}

const revisionsAfterCut = async (disk: ReturnType<typeof memoryDisk>) => {
  const store = fileStore(
    { directory },
    disk.cut(() => 0),
  )
  const { quarantined } = await done(store.open)
  const revisions = (await done(store.readJournal('a'))).map(({ rev }) => rev)
  await store.close()
  return { quarantined, revisions }
}

test('a segment whose flush failed is written anew before anything is built on it', async () => {
  const disk = await abandoned()
  const store = fileStore({ directory }, forgetful(disk, 1))
  expect(await refused(store.open)).toMatchObject({ _tag: 'StoreUnavailable', code: 'EIO' })
  await done(store.open)
  await done(store.commit(commitOf('a', 3)))
  await store.close()
  expect(await revisionsAfterCut(disk)).toEqual({ quarantined: [], revisions: [1, 2, 3] })
})

test('it is not believed a second time where it could not be written anew at once', async () => {
  const disk = await abandoned()
  let full = true
  const failing = probed(forgetful(disk, 1), ({ name, path }) => {
    if (full && name === 'create' && path.endsWith('.jsonl.tmp')) throw systemError('ENOSPC')
  })
  const store = fileStore({ directory }, failing)
  for (let i = 0; i < 3; i++) {
    expect(await refused(store.open)).toMatchObject({ _tag: 'StoreUnavailable', code: 'ENOSPC' })
  }
  full = false
  expect(await refused(store.open)).toMatchObject({ _tag: 'StoreUnavailable', code: 'EAGAIN' })
  await done(store.open)
  await done(store.commit(commitOf('a', 3)))
  await store.close()
  expect(await revisionsAfterCut(disk)).toEqual({ quarantined: [], revisions: [1, 2, 3] })
})

/** A log with one segment of each name, and what was done to it. */
const logWith = async (segments: Readonly<Record<string, string>>) => {
  const memory = memoryDisk()
  const place = await openPlace(memory, directory, () => undefined)
  if (E.isLeft(place)) throw new Error(place.left.message)
  await memory.makeDirectory(place.right.log)
  for (const [name, text] of Object.entries(segments))
    memory.put(`${place.right.log}/${name}`, Buffer.from(text))
  const operations: string[] = []
  let open = 0
  const disk = probed(memory, ({ name, path }) => {
    if (name === 'open' || name === 'create') open += 1
    if (name === 'close') open -= 1
    operations.push(`${name} ${path.slice(directory.length + 1)}`)
  })
  const textOf = (name: string) => memory.files().get(`${place.right.log}/${name}`)?.toString()
  const live = Object.entries(segments).map(([name, text]) => ({ name, bytes: text.length }))
  return { disk, place: place.right, live, textOf, operations, open: () => open }
}

const stretch = (segment: string, offset: number, bytes: number, more: Partial<Damage> = {}) => ({
  ...{ segment, offset, bytes, line: 1, problem: 'rot', torn: true as const },
  ...more,
})

describe('what is torn', () => {
  test('is taken out of the segments that nobody has flushed, and the rest stays as it is', async () => {
    const { disk, place, live, textOf, open } = await logWith({ a: '0123456789', b: 'abcdef' })
    const damages = [stretch('a', 0, 2), stretch('b', 1, 2), stretch('a', 4, 3), stretch('a', 9, 1)]
    expect(await takeOutTorn(disk, place, { unsure: ['a', 'b'], live, damages })).toBe(true)
    expect([textOf('a'), textOf('b')]).toEqual(['23' + '78', 'adef'])
    expect(open()).toBe(0)
  })

  test('is taken out also where more counts of a segment than of the one before', async () => {
    const { disk, place, live, textOf } = await logWith({ a: '012', b: 'abcdef' })
    const damages = [stretch('b', 3, 2)]
    expect(await takeOutTorn(disk, place, { unsure: ['b'], live, damages })).toBe(true)
    expect(textOf('b')).toBe('abcf')
  })

  test('is none where it was on the medium once, of another segment, or behind what counts', async () => {
    const { disk, place, textOf, operations } = await logWith({ a: '0123456789', b: 'abcdef' })
    const live = [
      { name: 'a', bytes: 6 },
      { name: 'b', bytes: 6 },
    ]
    const { torn: _, ...rotten } = stretch('a', 0, 2)
    const damages = [rotten, stretch('b', 0, 2), stretch('a', 6, 4)]
    operations.length = 0
    expect(await takeOutTorn(disk, place, { unsure: ['a'], live, damages })).toBe(false)
    expect(await takeOutTorn(disk, place, { unsure: ['gone'], live, damages })).toBe(false)
    expect([textOf('a'), textOf('b'), operations]).toEqual(['0123456789', 'abcdef', []])
  })

  test('is left out however large what is around it is, and what does not count goes with it', async () => {
    const piece = 1 << 20
    const parts = ['x'.repeat(2 * piece + 5), 'torn', 'y'.repeat(piece), 'behind'] as const
    const [before, torn, after, behind] = parts
    const { disk, place, textOf } = await logWith({ a: parts.join('') })
    const live = [{ name: 'a', bytes: before.length + torn.length + after.length }]
    const damages = [stretch('a', before.length, torn.length)]
    expect(await takeOutTorn(disk, place, { unsure: ['a'], live, damages })).toBe(true)
    expect(textOf('a') === before + after).toBe(true)
    expect(behind).toBeDefined()
  })
})

test('one whose flush failed is written anew as far as it counts, whatever counts of others', async () => {
  const { disk, place, live, textOf } = await logWith({ a: '0', b: 'abcdef' })
  const failing = probed(disk, ({ name, path }) => {
    if (name === 'sync' && path.endsWith('/b')) throw systemError('EIO')
  })
  const flushing = flushUnsure(failing, place, { unsure: ['b'], live })
  await expect(flushing).rejects.toMatchObject({ code: 'EIO' })
  expect(textOf('b')).toBe('abcdef')
})

test('of one that is not believed nothing is said of the others', async () => {
  const { disk, place, live } = await logWith({ a: '0', b: '1' })
  const failing = probed(disk, ({ name, path }) => {
    if (name === 'create' || (name === 'sync' && path.endsWith('/a'))) throw systemError('EIO')
  })
  await expect(flushUnsure(failing, place, { unsure: ['a'], live })).rejects.toMatchObject({
    code: 'EIO',
  })
  await flushUnsure(failing, place, { unsure: ['b'], live })
})

test('each that nobody has flushed is, then their names; where there is none nothing is flushed', async () => {
  const { disk, place, live, operations, open } = await logWith({ a: '0', b: '1', c: '2' })
  operations.length = 0
  await flushUnsure(disk, place, { unsure: [], live })
  expect(operations).toEqual([])
  await flushUnsure(disk, place, { unsure: ['a', 'c'], live })
  expect(operations).toEqual([
    ...['open log/a', 'sync log/a', 'close log/a', 'open log/c', 'sync log/c', 'close log/c'],
    'syncDirectory log',
  ])
  expect(open()).toBe(0)
})
