/**
 * The embedded default store: an append-only log in a directory of its own. Here the calls of the port
 * meet the log, the index and the files beside them.
 */
import type { Archive, Json, Loaded, Store, StoreError } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { archiveAt, keepArchive } from './archive.js'
import { checkpoint } from './checkpoint.js'
import { type Disk, realDisk } from './disk.js'
import type { Write } from './log.js'
import { type OpenStore, openStore } from './opening.js'
import { type FileStoreOptions, settingsOf } from './option.js'
import { readJournalOf, readSnapshotOf, setAsideIn } from './reading.js'
import { isWanted } from './session-index.js'
import { attempt, notOpen, owned, unavailable, unusable } from './store-error.js'
import { commitWrite, forgetWrite, snapshotWrite } from './write.js'

/** What runs in an open store. */
interface Running {
  readonly store: OpenStore
  /** Archives are kept one after the other. */
  archiving: Promise<unknown>
  checkpointing: Promise<unknown> | undefined
  stopped: boolean
}

/**
 * A store in `options.directory`. What it acknowledged survives kill -9 and power loss, as far as the disk
 * keeps its word on a flush; network filesystems are refused.
 *
 * @param disk the disk it lives on; this machine's, unless it is to be seen failing.
 */
export const fileStore = (options: FileStoreOptions, disk: Disk = realDisk): Store => {
  let state: 'closed' | 'opening' | Running = 'closed'

  const using = <A>(
    operation: string,
    work: (running: Running) => Promise<E.Either<StoreError, A>>,
  ) =>
    attempt(operation, async () =>
      typeof state === 'string' ? E.left(notOpen(operation)) : work(state),
    )

  const open = attempt('open', async (): Promise<E.Either<StoreError, Loaded>> => {
    if (state !== 'closed') return E.left(owned('this store is open already'))
    const settings = settingsOf(options)
    if (E.isLeft(settings)) return E.left(unusable(`options: ${settings.left}`))
    state = 'opening'
    try {
      const opened = await openStore(settings.right, disk)
      if (E.isLeft(opened)) return opened
      const { store, loaded } = opened.right
      state = { store, archiving: Promise.resolve(), checkpointing: undefined, stopped: false }
      return E.right(loaded)
    } finally {
      if (state === 'opening') state = 'closed'
    }
  })

  const append = (
    store: OpenStore,
    write: E.Either<StoreError, Write>,
  ): Promise<E.Either<StoreError, void>> =>
    E.isLeft(write) ? Promise.resolve(write) : store.log.append(write.right)

  return {
    name: 'filesystem',
    durability: 'disk',
    open,
    commit: (commit) =>
      using('commit', async ({ store }) => {
        const free = store.heads.check(commit)
        return E.isLeft(free) ? free : append(store, commitWrite(store, commit))
      }),
    saveSnapshot: (snapshot) =>
      using('saveSnapshot', async ({ store }) =>
        isWanted(store.index.get(snapshot.sessionId), snapshot)
          ? append(store, snapshotWrite(store, snapshot))
          : E.right(undefined),
      ),
    forget: (sessionId, incarnation) =>
      using('forget', ({ store }) => append(store, forgetWrite(store, sessionId, incarnation))),
    readSnapshot: (sessionId) =>
      using('readSnapshot', ({ store }) => readSnapshotOf(store, sessionId)),
    readJournal: (sessionId) =>
      using('readJournal', ({ store }) => readJournalOf(store, sessionId)),
    archive: (archive) => using('archive', (running) => archiveIn(running, disk, archive)),
    readArchive: (location) =>
      using('readArchive', ({ store }) => archiveAt(disk, store.place.directory, location)),
    checkpoint: (projection, throughSeq) =>
      using('checkpoint', (running) => checkpointIn(running, projection, throughSeq)),
    close: async () => {
      if (typeof state === 'string') return
      const { store, ...running } = state
      state.stopped = true
      state = 'closed'
      await store.log.close()
      await Promise.allSettled([running.archiving, running.checkpointing])
      await store.ownership.release()
    },
  }
}

const archiveIn = (
  running: Running,
  disk: Disk,
  archive: Archive,
): Promise<E.Either<StoreError, string>> => {
  const { place, settings } = running.store
  const kept = running.archiving
    .catch(() => undefined)
    .then(() => keepArchive(disk, place.directory, settings.limitBytes, archive))
  running.archiving = kept
  return kept
}

// One that had to wait for another to end would be stale by then.
const checkpointIn = async (
  running: Running,
  projection: Json,
  throughSeq: number,
): Promise<E.Either<StoreError, void>> => {
  if (running.checkpointing !== undefined) {
    return E.left(unavailable('checkpoint', new Error('another is being written')))
  }
  const { store } = running
  const { disk, place, settings, term, log, index } = store
  const work = checkpoint(
    {
      ...settings,
      disk,
      directory: place.log,
      term,
      log,
      index,
      setAside: setAsideIn(store),
      stopped: () => running.stopped,
    },
    projection,
    throughSeq,
  )
  running.checkpointing = work
  try {
    return await work
  } finally {
    running.checkpointing = undefined
  }
}
