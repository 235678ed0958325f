/**
 * Reads snapshots and journals back from the log, and checks them again: what was whole when it was
 * written may have rotted since.
 */
import type { JournalEntry, Quarantined, StoredSnapshot, StoreError } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { bodyIn, snapshotPlace } from './body.js'
import { writeAll, writeWhole } from './disk.js'
import { bodyAt, entryAt, placeName, type SegmentFiles, segmentFiles } from './extent-read.js'
import type { OpenStore } from './opening.js'
import { quarantined, quarantineName, type SetAside } from './quarantine.js'
import type { Scrubbed } from './scrub.js'
import type { Extent, SessionIndex } from './session-index.js'
import { codeOf, notFound, unusable } from './store-error.js'

// ------------------------------------------------------------------------------------ combinators

/** Keeps damaged lines in the store's quarantine; that this fails must not keep anybody from going on. */
export const setAsideIn =
  ({ disk, place, settings, tell }: OpenStore): SetAside =>
  async (extent, bytes, problem, sessionId) => {
    const name = `${extent.segment}.${extent.offset}`
    const source = `log/${placeName(extent)}`
    const one = quarantined(source, `${quarantineName}/${name}`, problem, sessionId)
    try {
      await writeWhole(disk, place.quarantine, name, (file) => writeAll(file, bytes, 0))
      settings.logger('warn', `set aside: ${source}`, one)
    } catch (error) {
      settings.logger('error', `damaged, and could not be set aside: ${source}`, error)
    }
    tell(one)
  }

/** Keeps what a scrub has found, as {@link setAsideIn} does, and says what it was. */
export const setAsideRot = async (
  store: OpenStore,
  { rot, unreadable }: Pick<Scrubbed, 'rot' | 'unreadable'>,
): Promise<readonly Quarantined[]> => {
  const { settings, tell } = store
  const damaged: Quarantined[] = []
  for (const { segment, offset, bytes, content, problem } of rot) {
    const extent = { segment, offset, bytes }
    const sessionId = ownerOfExtent(store.index, extent)
    const isKept = content !== undefined && bytes > 0
    const keptAs = isKept ? `${quarantineName}/${segment}.${offset}` : ''
    const one = quarantined(`log/${placeName(extent)}`, keptAs, problem, sessionId)
    damaged.push(one)
    if (isKept) {
      await setAsideIn(store)(extent, content, `${placeName(extent)}: ${problem}`, sessionId)
      continue
    }
    settings.logger('warn', `damaged: ${one.source}`, one)
    tell(one)
  }
  for (const { location, problem } of unreadable) {
    const one = quarantined(location, location, problem, undefined)
    settings.logger('warn', `damaged: ${location}`, one)
    tell(one)
    damaged.push(one)
  }
  return damaged
}

/** Whose line stands at `extent`, as far as anybody still refers to it. */
const ownerOfExtent = (index: SessionIndex, { segment, offset }: Extent): string | undefined => {
  const isHere = (other: Extent) => other.segment === segment && other.offset === offset
  for (const [sessionId, { snapshot, entries }] of index.entries()) {
    if ((snapshot !== undefined && isHere(snapshot.body)) || entries.some(isHere)) return sessionId
  }
  return undefined
}

/** The latest snapshot of a session; `StoreUnusable` when it is damaged. */
export const readSnapshotOf = (
  store: OpenStore,
  sessionId: string,
): Promise<E.Either<StoreError, StoredSnapshot>> =>
  reading(store, async (files) => {
    const snapshot = store.index.now(sessionId)?.snapshot
    if (snapshot === undefined) return E.left(notFound(`snapshot of session ${sessionId}`))
    const { incarnation, view, body: place } = snapshot
    const bytes = await files.bytes(place)
    const what = `snapshot of session ${sessionId}`
    const { sealer } = store.settings
    const sealPlace = snapshotPlace(sessionId, incarnation, view.generation)
    const line = bodyAt(bytes, snapshot)
    const body = E.isLeft(line)
      ? E.left({ _tag: 'damaged' as const, problem: line.left })
      : bodyIn(sealer, line.right, sealPlace, what)
    if (E.isRight(body)) return E.right({ sessionId, incarnation, view, body: body.right })
    const refused = body.left
    if (refused._tag === 'KeyMissing' && !sealer.isLost(refused.keyId)) return E.left(refused)
    const problem = refused._tag === 'damaged' ? refused.problem : refused.message
    await setAsideIn(store)(place, bytes, problem, sessionId)
    return E.left(refused._tag === 'SealBroken' ? refused : unusable(`${what}: log/${problem}`))
  })

/**
 * The retained journal of a session, oldest first, but for what is damaged. `StoreUnusable`: a later version
 * wrote in it, and it is left as it is.
 */
export const readJournalOf = (
  store: OpenStore,
  sessionId: string,
): Promise<E.Either<StoreError, readonly JournalEntry[]>> =>
  reading(store, async (files) => {
    const entries: JournalEntry[] = []
    for (const place of store.index.get(sessionId)?.entries ?? []) {
      const bytes = await files.bytes(place)
      const entry = entryAt(bytes, place, sessionId)
      if (E.isRight(entry)) entries.push(entry.right)
      else if (entry.left.newer) {
        return E.left(unusable(`journal of session ${sessionId}: log/${entry.left.problem}`))
      } else await setAsideIn(store)(place, bytes, entry.left.problem, sessionId)
    }
    return E.right(entries)
  })

// A checkpoint may remove a segment between the look at the index and the opening of the file; the index
// then knows the new place. Checkpoints that follow each other this fast are not read against for ever.
const tries = 5

const reading = async <A>(
  { disk, place }: OpenStore,
  read: (files: SegmentFiles) => Promise<E.Either<StoreError, A>>,
): Promise<E.Either<StoreError, A>> => {
  for (let left = tries; ; left--) {
    const files = segmentFiles(disk, place.log)
    try {
      return await read(files)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || left <= 1) throw error
    } finally {
      await files.close()
    }
  }
}
