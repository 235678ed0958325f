/**
 * The embedded default store: an append-only log in a directory of its own. Here the calls of the port
 * meet the log, the index and the files beside them.
 */
import type { Loaded, Quarantined, Store, StoreError } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { archiveAt, keepArchive } from './archive.js'
import { type CheckpointOptions, checkpoint } from './checkpoint.js'
import { type Disk, realDisk } from './disk.js'
import type { Log, Write } from './log.js'
import { type OpenStore, openStore } from './opening.js'
import { type FileStoreOptions, limitBytesOf, settingsOf } from './option.js'
import { isExclusive, type TakeOwnership, takeOwnership } from './ownership.js'
import { type GoOn, Pace, repeated } from './pace.js'
import { readJournalOf, readSnapshotOf, setAsideIn, setAsideRot } from './reading.js'
import { droppedMore, isDropped, retain, tellDropped } from './retention.js'
import { scrub, turnBytes } from './scrub.js'
import type { Span } from './segment.js'
import { isWanted } from './session-index.js'
import type { Dropped } from './statement.js'
import { attempt, notFound, notOpen, owned, unavailable, unusable } from './store-error.js'
import { commitWrite, droppedWrite, forgetWrite, snapshotWrite } from './write.js'

/**
 * A store in `options.directory`. What it acknowledged survives kill -9 and power loss, as far as the disk
 * keeps its word on a flush; network filesystems are refused.
 *
 * @param disk the disk it lives on; this machine's, unless it is to be seen failing.
 * @param own how the directory is owned; through the kernel, unless the machine is simulated.
 */
export const fileStore = (
  options: FileStoreOptions,
  disk: Disk = realDisk,
  own: TakeOwnership = takeOwnership,
): FileStore => new OpenableStore(options, disk, own)

/** What a scrub read, and what it had to set aside. */
export interface ScrubReport {
  readonly lines: number
  readonly bytes: number
  readonly archives: number
  /** Lines and archives that have rotted; kept in the quarantine, as far as the disk gave them. */
  readonly damaged: readonly Quarantined[]
  /** The store was closed before everything was read. */
  readonly calledOff: boolean
}

/** A store in a directory, and what it can be asked besides. */
export interface FileStore extends Store {
  /**
   * Reads again all that counts and checks it, a mebibyte at a time, so that commits go on meanwhile. What
   * has rotted is set aside and told; of records and journal the next checkpoint writes what it can anew.
   * It is done by itself, too, as `scrubEveryMs` says, and more slowly. One scrub at a time: asked for
   * meanwhile, that one hurries, and answers with what it finds.
   */
  readonly scrub: TE.TaskEither<StoreError, ScrubReport>
  /** What retention has dropped of archives and quarantine since the store was made; it must be open. */
  readonly dropped: () => Dropped | undefined
}

/** Who has just started has other things to do. */
const firstScrubMs = 60_000

const longestPauseMs = 1_000

/** After how many archives it is looked whether there are too many. */
const archivesPerLook = 16

type Answer<A> = Promise<E.Either<StoreError, A>>

class OpenableStore implements FileStore {
  readonly name = 'filesystem'
  readonly durability = 'disk'
  readonly seals: boolean
  readonly exclusive?: true
  readonly limitBytes: number
  readonly #options: FileStoreOptions
  readonly #disk: Disk
  readonly #own: TakeOwnership
  #store: OpenStore | undefined
  #opening: Promise<unknown> | undefined
  #archiving: Promise<unknown> = Promise.resolve()
  #checkpointing: Promise<unknown> | undefined
  #scrubbing: Answer<ScrubReport> | undefined
  #pace: Pace | undefined
  #endScrubs: () => void = () => undefined
  #endCheckpoint: () => void = () => undefined
  #listener: ((found: Quarantined) => void) | undefined
  #archived = 0

  constructor(options: FileStoreOptions, disk: Disk, own: TakeOwnership) {
    this.#options = options
    this.seals = options?.sealing !== undefined
    this.#disk = disk
    this.#own = own
    this.limitBytes = limitBytesOf(options ?? {})
    if (isExclusive()) this.exclusive = true
  }

  readonly open = attempt('open', async () => {
    if (this.#store !== undefined || this.#opening !== undefined) {
      return E.left(owned('this store is open already'))
    }
    const opening = this.#open()
    this.#opening = opening
    try {
      return await opening
    } finally {
      this.#opening = undefined
    }
  })

  readonly commit: Store['commit'] = (commit) =>
    this.#using('commit', (store) => {
      const free = store.heads.check(commit)
      return E.isLeft(free) ? free : append(store, commitWrite(store, commit))
    })

  readonly saveSnapshot: Store['saveSnapshot'] = (snapshot) =>
    this.#using('saveSnapshot', (store) => {
      const { sessionId, incarnation } = snapshot
      // A commit that waits to be written counts: it goes first.
      if (store.heads.current(sessionId).incarnation !== incarnation) {
        return E.left(notFound(`incarnation ${incarnation} of session ${sessionId}`))
      }
      return isWanted(store.index.now(sessionId), snapshot)
        ? append(store, snapshotWrite(store, snapshot))
        : E.right(undefined)
    })

  readonly forget: Store['forget'] = (sessionId, incarnation) =>
    this.#using('forget', (store) => append(store, forgetWrite(store, sessionId, incarnation)))

  readonly readSnapshot: Store['readSnapshot'] = (sessionId) =>
    this.#using('readSnapshot', (store) => readSnapshotOf(store, sessionId))

  readonly readJournal: Store['readJournal'] = (sessionId) =>
    this.#using('readJournal', (store) => readJournalOf(store, sessionId))

  // One after the other: two of one token at once would write the same file.
  readonly archive: Store['archive'] = (archive) =>
    this.#using('archive', (store) => {
      const { place, settings } = store
      const kept = this.#archiving
        .catch(() => undefined)
        .then(() => keepArchive(this.#disk, place.directory, settings, archive))
      this.#archiving = kept.then(async () => {
        // Now and then: each time all names are looked at.
        this.#archived += 1
        if (this.#archived % archivesPerLook === 0) await this.#retain(store)
      }, ignored)
      return kept
    })

  readonly readArchive: Store['readArchive'] = (location) =>
    this.#using('readArchive', ({ place, settings }) =>
      archiveAt(this.#disk, place.directory, settings.sealer, location),
    )

  // One that had to wait for another to end would be stale by then.
  readonly checkpoint: Store['checkpoint'] = (projection, throughSeq) =>
    this.#using('checkpoint', async (store) => {
      if (this.#checkpointing !== undefined) {
        return E.left(unavailable('checkpoint', new Error('another is being written')))
      }
      const pace = new Pace(store.settings.schedule, 0)
      this.#endCheckpoint = () => pace.cease()
      const work = checkpoint(this.#checkpointOptions(store, pace), projection, throughSeq)
      this.#checkpointing = work.then(() => this.#retain(store), ignored)
      try {
        const done = await work
        await this.#checkpointing
        return done
      } finally {
        this.#checkpointing = undefined
      }
    })

  readonly scrub: FileStore['scrub'] = this.#using('scrub', (store) => {
    this.#pace?.hurry()
    return this.#scrubAt(store, 0)
  })

  readonly watch = (listener: (found: Quarantined) => void): (() => void) => {
    this.#listener = listener
    return () => {
      if (this.#listener === listener) this.#listener = undefined
    }
  }

  readonly dropped = (): Dropped | undefined => this.#store?.index.dropped

  async close(): Promise<void> {
    await this.#opening?.catch(() => undefined)
    const store = this.#store
    if (store === undefined) return
    this.#store = undefined
    this.#endScrubs()
    this.#pace?.cease()
    this.#endCheckpoint()
    await store.log.close()
    await Promise.allSettled([this.#archiving, this.#checkpointing, this.#scrubbing])
    await store.ownership.release()
  }

  async #open(): Answer<Loaded> {
    const settings = settingsOf(this.#options)
    if (E.isLeft(settings)) return E.left(unusable(`options: ${settings.left}`))
    const opened = await openStore(settings.right, this.#disk, this.#own, this.#tell)
    if (E.isLeft(opened)) return opened
    this.#store = opened.right.store
    await this.#retain(opened.right.store)
    this.#scrubNowAndThen(opened.right.store)
    return E.right(opened.right.loaded)
  }

  readonly #tell = (found: Quarantined): void => this.#listener?.(found)

  async #retain(store: OpenStore): Promise<void> {
    const { disk, place, settings, index } = store
    const now = await retain(disk, place, settings, index)
    if (!isDropped(now)) return
    index.dropped = droppedMore(index.dropped, now)
    tellDropped(settings.logger, now, index.dropped)
    // Where it cannot be written now, the next line or checkpoint says it: each gives the sum.
    await store.log.append(droppedWrite(index.dropped))
  }

  #scrubNowAndThen({ settings, log }: OpenStore): void {
    const { schedule, scrubEveryMs: everyMs, archives, logger } = settings
    // A disk that is simulated has no time that passes by itself.
    const hasTime = this.#options.schedule !== undefined || this.#disk === realDisk
    if (everyMs === 0 || !hasTime) return
    const scrubbed = this.#using('scrub', (store) => {
      const bytes = spansOf(log).reduce((sum, span) => sum + span.bytes, 0)
      const pieces = Math.ceil(bytes / turnBytes) + archives
      return this.#scrubAt(store, Math.min(longestPauseMs, everyMs / 2 / pieces))
    })
    this.#endScrubs = repeated(schedule, Math.min(firstScrubMs, everyMs), everyMs, async () => {
      const report = await scrubbed()
      if (E.isLeft(report)) logger('warn', 'a scrub failed', report.left)
    })
  }

  #scrubAt(store: OpenStore, pauseMs: number): Answer<ScrubReport> {
    if (this.#scrubbing !== undefined) return this.#scrubbing
    this.#pace = new Pace(store.settings.schedule, pauseMs)
    this.#scrubbing = this.#scrub(store, this.#pace.goOn).finally(() => {
      this.#scrubbing = undefined
      this.#pace = undefined
    })
    return this.#scrubbing
  }

  async #scrub(store: OpenStore, goOn: GoOn): Answer<ScrubReport> {
    const { disk, place, log } = store
    const counts = (name: string) => spansOf(log).some((span) => span.name === name)
    const found = await scrub(disk, place.directory, spansOf(log), goOn, counts)
    const { lines, bytes, archivesRead, calledOff } = found
    const damaged = await setAsideRot(store, found)
    return E.right({ lines, bytes, archives: archivesRead, damaged, calledOff })
  }

  #using<A>(operation: string, work: (store: OpenStore) => Answer<A> | E.Either<StoreError, A>) {
    return attempt(operation, () =>
      this.#store === undefined ? E.left(notOpen(operation)) : work(this.#store),
    )
  }

  #checkpointOptions(store: OpenStore, pace: Pace): CheckpointOptions {
    const { disk, place, settings, term, log, index } = store
    return {
      ...settings,
      disk,
      directory: place.log,
      term,
      log,
      index,
      setAside: setAsideIn(store),
      stopped: () => this.#store !== store,
      goOn: pace.goOn,
    }
  }
}

const spansOf = ({ closed, active }: Log): readonly Span[] =>
  active === undefined ? closed : [...closed, active]

// Whoever asked for it is told.
const ignored = () => undefined

const append = (
  store: OpenStore,
  write: E.Either<StoreError, Write>,
): Answer<void> | E.Either<StoreError, void> =>
  E.isLeft(write) ? write : store.log.append(write.right)
