/**
 * Opens a store: takes the directory and its ownership, reads the log, sets aside what cannot be used,
 * starts the segment of a new term, and takes over the seed's files.
 *
 * The order matters. A log of a later version is refused before anything in it is touched; nothing is
 * removed before the header that supersedes it is on the medium.
 */
import type { Json, Loaded, LoadedSession, Quarantined, StoreError } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { sealedIn, unlocked } from './body.js'
import type { Damage } from './damage.js'
import { type Disk, realDisk } from './disk.js'
import { type HeadIndex, headIndex } from './head.js'
import { type LoadedLog, loadLog } from './load.js'
import { Log } from './log.js'
import type { Settings } from './option.js'
import { type Ownership, type TakeOwnership, takeOwnership } from './ownership.js'
import { furnish, openPlace, type Place, sweepPlace } from './place.js'
import { quarantined, quarantineName, setAsideFile, setAsideStretch } from './quarantine.js'
import { rollName } from './roll.js'
import { importSeed } from './seed-import.js'
import type { HeldNow, SessionIndex } from './session-index.js'
import { unusable } from './store-error.js'
import { flushUnsure, takeOutTorn } from './unsure.js'
import { commitWrite, snapshotWrite } from './write.js'

// ------------------------------------------------------------------------------------------ model

/** A store that is open. */
export interface OpenStore {
  readonly disk: Disk
  readonly settings: Settings
  readonly place: Place
  readonly term: number
  readonly log: Log
  readonly index: SessionIndex
  readonly heads: HeadIndex
  readonly ownership: Ownership
  /** Told of damage that is come upon. */
  readonly tell: (found: Quarantined) => void
}

// ----------------------------------------------------------------------------------- constructors

export const openStore = async (
  settings: Settings,
  disk: Disk,
  own: TakeOwnership,
  tell: (found: Quarantined) => void,
): Promise<E.Either<StoreError, { readonly store: OpenStore; readonly loaded: Loaded }>> => {
  const place = await openPlace(disk, settings.directory, settings.logger)
  if (E.isLeft(place)) return place
  const ownership = await own(place.right, settings.logger)
  if (E.isLeft(ownership)) return ownership
  let opened: Awaited<ReturnType<typeof openOwned>> | undefined
  try {
    opened = await openOwned(settings, disk, place.right, ownership.right, own, tell)
    return opened
  } finally {
    if (opened === undefined || E.isLeft(opened)) await ownership.right.release()
  }
}

const openOwned = async (
  settings: Settings,
  disk: Disk,
  place: Place,
  ownership: Ownership,
  own: TakeOwnership,
  tell: (found: Quarantined) => void,
): Promise<E.Either<StoreError, { readonly store: OpenStore; readonly loaded: Loaded }>> => {
  const furnished = await furnish(disk, place, settings.logger)
  if (E.isLeft(furnished)) return furnished
  const read = await readOwned(settings, disk, place)
  if (E.isLeft(read)) return read
  const { found, aside } = read.right
  await flushUnsure(disk, place, found)
  const heads = headIndex(found.index)
  const term = found.term + 1
  const log = new Log({
    disk,
    directory: place.log,
    term,
    limitBytes: Math.max(found.limitBytes, settings.limitBytes),
    live: found.live,
    failed: heads.reset,
    // A disk or machine that is simulated has no time that passes by itself.
    ...(own === takeOwnership && disk === realDisk ? { monotonicMs: () => performance.now() } : {}),
  })
  const store: OpenStore = {
    disk,
    settings,
    place,
    term,
    log,
    index: found.index,
    heads,
    ownership,
    tell,
  }
  let started: Awaited<ReturnType<typeof startTerm>> | undefined
  try {
    started = await startTerm(store, found)
  } finally {
    if (started === undefined || E.isLeft(started)) await log.close()
  }
  if (E.isLeft(started)) return started
  const quarantine = [...aside, ...started.right.aside]
  for (const one of quarantine) settings.logger('warn', `set aside: ${one.source}`, one)
  const loaded = loadedOf(found, quarantine)
  found.index.handOn()
  found.index.unusable = setAsideLater(store)
  return E.right({ store, loaded })
}

/** Reads the log and sets aside what cannot be used; of what may be torn nothing is left in it. */
const readOwned = async (settings: Settings, disk: Disk, place: Place) => {
  const { limitBytes, journalEntriesPerSession } = settings
  const aside = new Map<string, Quarantined>()
  for (;;) {
    const how = { fromRoll: true }
    const read = await loadLog(disk, place.log, limitBytes, journalEntriesPerSession, how)
    if (E.isLeft(read)) return E.left(unusable(`${place.log}/${read.left}`))
    const found = read.right
    const sealed = [...(found.roll?.keys ?? []), ...sealedIn(found.index)]
    const unlockedByKeys = unlocked(sealed, settings.sealer)
    if (E.isLeft(unlockedByKeys)) return unlockedByKeys
    if (found.rollProblem !== undefined) {
      settings.logger('warn', 'the roll cannot be used, the log is read', found.rollProblem)
    }
    for (const one of await setAsideFound(disk, place, found)) aside.set(one.source, one)
    await sweepPlace(disk, place)
    if (await takeOutTorn(disk, place, found)) continue
    return E.right({ found, aside: [...aside.values()] })
  }
}

// Sets the new term's header on the medium, imports, and only then removes what counts no longer.
const startTerm = async (store: OpenStore, found: LoadedLog) => {
  const { disk, log, place, settings, index } = store
  const started = await log.alone('open', async () => {
    await log.ensureActive()
    return E.right(undefined)
  })
  if (E.isLeft(started)) return started
  let seq = index.latestSeq
  const aside = await importSeed(disk, place, settings, {
    // A snapshot alone is what a power cut left of an import: it is done again.
    has: (sessionId) => {
      const held = index.now(sessionId)
      return held?.record !== undefined || held?.forgotten !== undefined
    },
    nextSeq: () => {
      seq += 1
      return seq
    },
    store: async ({ record, entry, snapshot }) => {
      const body = snapshotWrite(store, snapshot)
      if (E.isLeft(body)) return body
      const write = commitWrite(store, { record, expectedRev: 0, entry })
      if (E.isLeft(write)) return write
      // In this order: a session that is there has its snapshot.
      const [kept, stored] = await Promise.all([log.append(body.right), log.append(write.right)])
      return E.isLeft(kept) ? kept : stored
    },
  })
  if (E.isLeft(aside)) return aside
  const counting = new Set(found.live.map(({ name }) => rollName(name)))
  const rolls = found.rolls.filter((name) => !counting.has(name))
  for (const name of [...found.superseded, ...rolls]) {
    await disk.remove(`${place.log}/${name}`).catch(() => undefined)
  }
  return E.right({ aside: aside.right })
}

// ------------------------------------------------------------------------------------ combinators

const setAsideFound = async (disk: Disk, place: Place, found: LoadedLog) => {
  const aside: Quarantined[] = []
  for (const damage of found.damages) {
    aside.push(await setAsideStretch(disk, place.log, place.quarantine, damage))
  }
  const into = { path: place.quarantine, name: quarantineName }
  for (const name of found.foreign) {
    const keptAs = await setAsideFile(disk, place.log, name, into)
    aside.push(quarantined(`log/${name}`, keptAs, 'not a regular file of its own', undefined))
  }
  if (aside.length > 0) await disk.syncDirectory(place.quarantine)
  if (found.foreign.length > 0) await disk.syncDirectory(place.log)
  return aside
}

const loadedOf = ({ index, projection }: LoadedLog, aside: readonly Quarantined[]): Loaded => ({
  sessions: [...index.asked()].flatMap(([, held]) => loadedSession(held) ?? []),
  ...restingIn(index),
  projection: projection as Json | undefined,
  entries: index.unfolded.flatMap(({ entry }) => entry ?? []).sort((a, b) => a.seq - b.seq),
  quarantined: aside,
  latestMs: index.latestMs,
  latestSeq: index.latestSeq,
})

const restingIn = (index: SessionIndex): Pick<Loaded, 'resting'> => {
  const ids = index.folded()
  const read = (sessionId: string) => loadedSession(index.now(sessionId))
  return ids.length === 0 ? {} : { resting: { ids, read } }
}

const loadedSession = (held: HeldNow | undefined): LoadedSession | undefined => {
  if (held?.record === undefined) return undefined
  const { record, snapshot } = held
  const isOfThisLife = snapshot?.incarnation === record.control.incarnation
  return { record, view: isOfThisLife ? snapshot.view : undefined }
}

/** Keeps a head that nobody could make sense of once it was asked for. */
const setAsideLater =
  (store: OpenStore) =>
  (damage: Damage): void => {
    const { disk, place, settings, tell } = store
    setAsideStretch(disk, place.log, place.quarantine, damage).then(
      (one) => {
        settings.logger('warn', `set aside: ${one.source}`, one)
        tell(one)
      },
      (error: unknown) => settings.logger('error', 'damaged, and could not be set aside', error),
    )
  }
