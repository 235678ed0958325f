/**
 * Opens a store after a disaster and compares it with what was promised. What it then holds is promised
 * from there on: it was flushed before it was handed out.
 */
import { isDeepStrictEqual } from 'node:util'
import { type Disk, fileStore, realDisk } from '@session-recovery/adapter-fs'
import { type Loaded, loadedSessions, type Store, type StoreError } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import {
  type History,
  incarnationAt,
  isForgotten,
  noteSeq,
  placeOf,
  placesToBeFound,
  type Retention,
  retainedPlaces,
  sessionIds,
} from './store-history.js'
import { archiveAt, entryAt, recordAt, snapshotAt } from './store-value.js'

// ------------------------------------------------------------------------------------------ model

/** What was found. */
export interface Finding {
  /** What is not as it was promised; empty when all is. */
  readonly complaints: readonly string[]
  /** How many stretches were set aside: what was never acknowledged may be torn. */
  readonly setAside: number
}

type Complain = (complaint: string) => void

// ------------------------------------------------------------------------------------ combinators

/** Compares what stands in `directory` with `history`, and adds to it what is found. */
export const checkStore = async (
  directory: string,
  retention: Retention,
  history: History,
  disk: Disk = realDisk,
): Promise<Finding> => {
  const complaints: string[] = []
  const complain: Complain = (complaint) => complaints.push(complaint)
  const store = fileStore({ directory, rollFrom: 1, ...retention }, disk)
  const opened = await store.open()
  if (E.isLeft(opened)) {
    return { complaints: [`the store does not open: ${opened.left.message}`], setAside: 0 }
  }
  const loaded = opened.right
  try {
    const throughSeq = checkProjection(loaded, history, complain)
    for (const id of sessionIds) {
      const place = checkRecord(id, loaded, history, complain)
      checkEntries(id, place, loaded, throughSeq, history, complain)
      await checkJournal(id, place, store, retention, complain)
      await checkSnapshot(id, place, store, history, complain)
      history.places.set(id, place)
    }
    history.unsure.clear()
    for (const [location, { id, place }] of history.archives) {
      const read = await store.readArchive(location)()
      if (E.isLeft(read)) complain(`archive ${location}: ${read.left.message}`)
      else if (!isDeepStrictEqual(read.right, archiveAt(id, place)))
        complain(`archive ${location} is not the one that was kept`)
    }
    for (const stray of await straysIn(directory, disk)) complain(`${stray} was left lying about`)
  } finally {
    await store.close()
  }
  return { complaints, setAside: loaded.quarantined.length }
}

const folders = ['', '/log', '/archives', '/quarantine', '/imported']

const straysIn = async (directory: string, disk: Disk): Promise<readonly string[]> => {
  const strays: string[] = []
  for (const folder of folders)
    for (const name of await disk.list(`${directory}${folder}`))
      if (name.endsWith('.tmp')) strays.push(`${folder}/${name}`)
  return strays
}

const checkProjection = (loaded: Loaded, history: History, complain: Complain): number => {
  const number = loaded.projection === undefined ? 0 : Number(loaded.projection)
  const throughSeq = history.folds.get(number)
  if (number < history.folded) complain(`checkpoint ${history.folded} is gone, ${number} is there`)
  if (throughSeq === undefined) complain(`checkpoint ${number} was never written`)
  if (loaded.latestSeq < history.latestSeq) complain(`seq ${history.latestSeq} is forgotten`)
  // From here on this is the one that is there, whatever else was tried.
  history.folded = number
  history.folds.clear()
  history.folds.set(number, throughSeq ?? 0)
  return throughSeq ?? 0
}

// Where the session is: at the last place that was acknowledged, or at the next, which was under way.
const checkRecord = (id: string, loaded: Loaded, history: History, complain: Complain): number => {
  const found = loadedSessions(loaded).find(({ record }) => record.control.sessionId === id)?.record
  const near = placesToBeFound(history, id)
  const place =
    found === undefined
      ? near.find(isForgotten)
      : near.find((one) => !isForgotten(one) && isDeepStrictEqual(found, recordAt(id, one)))
  if (place !== undefined) return place
  const what =
    found === undefined
      ? 'nothing'
      : `place ${placeOf({ incarnation: found.control.incarnation, rev: found.rev })}`
  complain(`session ${id}: place ${near[0]} was acknowledged, ${what} is there`)
  return near[0] ?? 0
}

// Exactly what the projection lacks is handed out: nothing twice, nothing left out.
const checkEntries = (
  id: string,
  place: number,
  loaded: Loaded,
  throughSeq: number,
  history: History,
  complain: Complain,
) => {
  const known = history.seqs.get(id) ?? new Map<number, number>()
  const wanted = [...known].filter(([, seq]) => seq > throughSeq)
  const found = loaded.entries
    .filter(({ sessionId }) => sessionId === id)
    .map((entry) => ({ entry, at: placeOf(entry) }))
  for (const { entry, at } of found) {
    if (entry.seq <= throughSeq) complain(`session ${id}: place ${at} is folded in twice`)
    if (!isDeepStrictEqual(entry, entryAt(id, at, entry.seq)))
      complain(`session ${id}: the entry of place ${at} is not the one that was written`)
  }
  const unsure = history.unsure.get(id)
  const extra = placesToBeFound(history, id).filter(
    (at, i) =>
      i > 0 && at <= place && !isForgotten(at) && (unsure?.get(at) ?? Infinity) > throughSeq,
  )
  const places = [...wanted.map(([at]) => at), ...extra]
  if (
    !isDeepStrictEqual(
      found.map(({ at }) => at),
      places,
    )
  )
    complain(`session ${id}: entries of places ${found.map(({ at }) => at)}, expected ${places}`)
  for (const [at, seq] of [...known]) if (seq <= throughSeq) known.delete(at)
  for (const { entry, at } of found) noteSeq(history, id, at, entry.seq)
}

const checkJournal = async (
  id: string,
  place: number,
  store: Store,
  retention: Retention,
  complain: Complain,
) => {
  const read = await store.readJournal(id)()
  if (E.isLeft(read)) {
    complain(`session ${id}: journal: ${read.left.message}`)
    return
  }
  const found = read.right.map(placeOf)
  const wanted = retainedPlaces(place, retention.journalEntriesPerSession)
  // A checkpoint may have dropped the journal while the session was forgotten.
  const mayBeDropped = retention.forgottenSessions < sessionIds.length
  const ofNow = (at: number) => !isForgotten(place) && incarnationAt(at) === incarnationAt(place)
  const least = mayBeDropped ? wanted.filter(ofNow).length : wanted.length
  if (found.length < least || !isDeepStrictEqual(found, wanted.slice(wanted.length - found.length)))
    complain(`session ${id}: journal of places ${found}, expected ${wanted}`)
}

const checkSnapshot = async (
  id: string,
  place: number,
  store: Store,
  history: History,
  complain: Complain,
) => {
  const saved = history.saved.get(id) ?? 0
  const isWanted = saved > 0 && !isForgotten(place) && incarnationAt(saved) === incarnationAt(place)
  const read: E.Either<StoreError, { readonly view: { readonly generation: number } }> =
    await store.readSnapshot(id)()
  if (E.isLeft(read)) {
    if (isWanted || read.left._tag !== 'NotFound')
      complain(`session ${id}: snapshot of place ${saved}: ${read.left.message}`)
    return
  }
  const at = read.right.view.generation
  if (isForgotten(place) || incarnationAt(at) !== incarnationAt(place))
    complain(`session ${id}: a snapshot of an incarnation that is over`)
  if (isWanted && at < saved) complain(`session ${id}: snapshot of place ${at}, not of ${saved}`)
  if (at > place || !isDeepStrictEqual(read.right, snapshotAt(id, at)))
    complain(`session ${id}: the snapshot of place ${at} is not the one that was written`)
  if (isWanted) history.saved.set(id, at)
}
