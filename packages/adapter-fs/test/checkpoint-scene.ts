/** A store on a disk in memory, and what is in it before a checkpoint. */
import type { Store } from '@session-recovery/core'
import { type Disk, fileStore } from '../src/index.js'
import { closing, commitOf, done, snapshotOf } from './sample.js'

export const directory = '/store'
export const log = `${directory}/log`

export const storeOn = (disk: Disk, options: Partial<Parameters<typeof fileStore>[0]> = {}) =>
  closing(fileStore({ directory, ...options }, disk))

/** Which snapshot it has. */
export const generations = { a: 1, b: 2 } as const

/** Sessions a and b at revision 2, each with its snapshot, and c, which was forgotten. */
export const fill = async (store: Store) => {
  await done(store.open)
  for (const id of ['a', 'b'] as const) {
    for (const rev of [1, 2]) await done(store.commit(commitOf(id, rev)))
    await done(store.saveSnapshot(snapshotOf(id, generations[id])))
  }
  await done(store.commit(commitOf('c', 1)))
  await done(store.forget('c', 1))
}
