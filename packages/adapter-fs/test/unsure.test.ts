/**
 * What a killed owner left unflushed, on a disk that tells once that it could not flush it, and forgets
 * it: the next flush of the same file succeeds, and says nothing of what is missing.
 */
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import { type Disk, type DiskFile, fileStore } from '../src/index.js'
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
