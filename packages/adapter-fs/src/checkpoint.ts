/**
 * Starts the log afresh: one new segment with all that is live replaces all that came before.
 *
 * Most of it is written while commits go on; only the last part, in which what was appended meanwhile is
 * carried over and the new segment gets its name, runs alone. Until that name is on the medium the old
 * segments are the log, after it the new one is; they are removed only then.
 */
import {
  isResting,
  JournalEntry,
  type Json,
  type Logger,
  PlanningView,
  SessionRecord,
  type StoreError,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { resealed, snapshotPlace } from './body.js'
import { type Disk, unfinished } from './disk.js'
import { Draft, pieceBytes } from './draft.js'
import {
  bodyAt,
  entryAt,
  lineAt,
  rawEntry,
  type SegmentFiles,
  segmentFiles,
} from './extent-read.js'
import { bytesOf, crcOf, lineOf } from './line.js'
import { isFenced, type Log, type Result } from './log.js'
import { isDeeper, nestingLimit } from './nesting.js'
import { inTurns, type Turns } from './pace.js'
import type { SetAside } from './quarantine.js'
import { type Former, letGo, type SealedAnew } from './relocation.js'
import { RollDraft } from './roll-draft.js'
import type { Sealer } from './seal.js'
import { headerLine, segmentName } from './segment.js'
import type {
  Extent,
  HeldNow,
  HeldSnapshot,
  Image,
  SessionIndex,
  Unfolded,
} from './session-index.js'
import { notOpen, owned, tooDeep, tooLarge, unavailable } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

export interface CheckpointOptions extends Turns {
  readonly disk: Disk
  readonly directory: string
  readonly term: number
  readonly limitBytes: number
  readonly forgottenSessions: number
  readonly sealer: Sealer
  readonly logger: Logger
  readonly log: Log
  readonly index: SessionIndex
  /** Keeps what is found damaged. */
  readonly setAside: SetAside
  /** Whether the store is being closed. */
  readonly stopped: () => boolean
}

/** Where what was held stands in the new segment; `undefined`: it is retained no longer. */
interface Moved {
  readonly places: Map<Extent, Extent>
  /** The bodies that were sealed anew, by where they stood. */
  readonly sealed: Map<Extent, SealedAnew>
  readonly roll: RollDraft | undefined
}

// ------------------------------------------------------------------------------------- checkpoint

/**
 * Writes a checkpoint that carries `projection`, into which every entry up to `throughSeq` has been folded.
 * When it fails, the log goes on as it was.
 */
export const checkpoint = async (
  options: CheckpointOptions,
  projection: Json,
  throughSeq: number,
): Promise<Result> => {
  const { disk, directory, term, limitBytes, log, index } = options
  if (isDeeper(projection, nestingLimit)) return E.left(tooDeep('projection'))

  await inTurns(options, index.folded(), (sessionId) => void index.now(sessionId))
  // Taken in one go: what is acknowledged later is carried over as it is.
  const image = index.image()
  const tail = { index: log.closed.length, from: log.active?.bytes }
  const { latestMs, latestSeq, dropped: droppedSum } = index
  const taken = beyond(index, throughSeq)
  const { kept, dropped } = await retained(options, image)
  if (options.stopped()) return E.left(notOpen('checkpoint'))
  const unfolded = await entriesOf(options, taken)
  const last = lineOf('checkpoint', {
    projection,
    unfolded: unfolded.map((entry) => JournalEntry.encode(entry)),
    latestMs,
    latestSeq,
    dropped: droppedSum,
  })
  if (last.length > limitBytes) return E.left(tooLarge('projection', last.length, limitBytes))
  const opened = await log.alone('checkpoint', async () => {
    await log.ensureActive()
    return E.right(undefined)
  })
  if (E.isLeft(opened)) return opened

  const sequence = log.nextSequence()
  // One that is begun later has a higher number: were it left behind by a power cut, it would count.
  const written = log.active?.name
  const name = segmentName(term, sequence)
  const draftPath = `${directory}/${name}${unfinished}`
  const files = segmentFiles(disk, directory)
  const file = await disk.create(draftPath)
  const draft = new Draft(file, name)
  const isRolled = kept.length >= options.rollFrom
  const roll = isRolled ? new RollDraft(disk, directory, name) : undefined
  const moved: Moved = { places: new Map(), sealed: new Map(), roll }
  let done: Result = E.left(unavailable('checkpoint', new Error('it did not come to its end')))
  try {
    draft.add(headerLine({ term, sequence, limitBytes: log.limitBytes, whole: true, before: [] }))
    for (const [sessionId, held] of kept) {
      if (options.stopped()) return E.left(notOpen('checkpoint'))
      await writeSession(options, draft, files, sessionId, held, moved)
    }
    const end = { line: draft.lines + 1, crc: crcOf(last), ...draft.add(last) }
    await draft.flush(0)
    await file.sync()
    let former: Former | undefined
    done = await log.alone('checkpoint', async () => {
      const replaced = await replace(
        options,
        draft,
        draftPath,
        { ...tail, written, throughSeq },
        moved,
      )
      if (E.isRight(replaced)) former = replaced.right
      return E.map(() => undefined)(replaced)
    })
    if (E.isRight(done)) {
      if (former !== undefined) await letGo(options, former, moved.sealed)
      forgetDropped(index, dropped)
      const carried = new Set(taken.map(({ seq }) => seq))
      index.setUnfolded([
        ...unfolded.map((entry) => ({ seq: entry.seq, place: undefined, entry })),
        ...beyond(index, throughSeq).filter(({ seq }) => !carried.has(seq)),
      ])
      const problem = await roll?.keep(end)
      if (problem !== undefined) {
        options.logger('warn', 'without a roll: the next start reads the log', problem.error)
      }
    }
  } finally {
    await files.close()
    await roll?.discard()
    if (E.isLeft(done)) {
      await file.close().catch(() => undefined)
      await disk.remove(draftPath).catch(() => undefined)
    }
  }
  return done
}

const beyond = (index: SessionIndex, throughSeq: number): readonly Unfolded[] =>
  index.unfolded.filter(({ seq }) => seq > throughSeq)

const entriesOf = async (
  { disk, directory, setAside }: CheckpointOptions,
  unfolded: readonly Unfolded[],
): Promise<readonly JournalEntry[]> => {
  const files = segmentFiles(disk, directory)
  const entries: JournalEntry[] = []
  try {
    for (const { place, entry } of unfolded) {
      if (entry !== undefined) entries.push(entry)
      else if (place !== undefined) {
        const bytes = await files.bytes(place)
        const read = entryAt(bytes, place)
        if (E.isRight(read)) entries.push(read.right)
        else await setAside(place, bytes, read.left.problem, undefined)
      }
    }
  } finally {
    await files.close()
  }
  return entries
}

// What is live, and the newest of what was forgotten.
const retained = async (options: CheckpointOptions, image: ReadonlyMap<string, Image>) => {
  const live: (readonly [string, Image])[] = []
  const forgotten: (readonly [string, Image])[] = []
  await inTurns(options, image, (item) => {
    const [, { record, snapshot }] = item
    if (record !== undefined || snapshot !== undefined) live.push(item)
    else forgotten.push(item)
  })
  const first = Math.max(forgotten.length - options.forgottenSessions, 0)
  return { kept: [...live, ...forgotten.slice(first)], dropped: forgotten.slice(0, first) }
}

const forgetDropped = (index: SessionIndex, dropped: readonly (readonly [string, Image])[]) => {
  for (const [sessionId] of dropped) {
    const held = index.get(sessionId)
    if (held?.forgotten !== undefined && held.entries.length === 0) index.drop(sessionId)
  }
}

const writeSession = async (
  options: CheckpointOptions,
  draft: Draft,
  files: SegmentFiles,
  sessionId: string,
  held: Image,
  moved: Moved,
) => {
  const { setAside, index } = options
  const bulk: (readonly [Extent, Buffer])[] = []
  for (const extent of index.entriesOf(held)) {
    const bytes = await files.bytes(extent)
    const line = lineAt(bytes, extent, 'commit', 'entry')
    if (E.isLeft(line)) await setAside(extent, bytes, line.left, sessionId)
    else {
      const entry = line.right.kind === 'commit' ? lineOf('entry', rawEntry(line.right)) : bytes
      bulk.push([extent, entry])
    }
  }
  const entries = bulk.map(([, { length }]) => length)
  const body = await bodyOf(options, files, sessionId, held.snapshot)
  if (body !== undefined) {
    bulk.push([body.extent, body.bytes])
    moved.sealed.set(body.extent, { bodyCrc: body.crc, key: body.key })
  }
  const { record, forgotten, snapshot } = held
  const head = lineOf('session', {
    sessionId,
    entries,
    ...(record === undefined ? {} : { record: SessionRecord.encode(record) }),
    ...(forgotten === undefined ? {} : { forgotten }),
    ...(snapshot === undefined || body === undefined
      ? {}
      : {
          snapshot: {
            incarnation: snapshot.incarnation,
            view: PlanningView.encode(snapshot.view),
            body: {
              bytes: body.bytes.length,
              crc: body.crc,
              ...(body.key === undefined ? {} : { key: body.key }),
            },
          },
        }),
  })
  const place = draft.add(head)
  await moved.roll?.add(sessionId, head, place, isDue(held), body)
  for (const [extent, lines] of bulk) moved.places.set(extent, draft.add(lines))
  await draft.flush(pieceBytes)
}

/** Whether a session cannot wait to be read: the engine has to know it, or retention what it names. */
const isDue = ({ record, snapshot }: HeldNow): boolean =>
  record === undefined ||
  !isResting(record) ||
  record.control.lastEnd?.archive !== undefined ||
  snapshot?.view.interactive !== undefined

const bodyOf = async (
  { setAside, sealer }: CheckpointOptions,
  files: SegmentFiles,
  sessionId: string,
  snapshot: HeldSnapshot | undefined,
) => {
  if (snapshot === undefined) return undefined
  const bytes = await files.bytes(snapshot.body)
  const line = bodyAt(bytes, snapshot)
  if (E.isRight(line)) {
    const { bodyCrc, key, incarnation, view } = snapshot
    const place = snapshotPlace(sessionId, incarnation, view.generation)
    const anew = key === sealer.current ? undefined : resealed(sealer, bytes, place)
    return anew === undefined
      ? { extent: snapshot.body, bytes, crc: bodyCrc, key }
      : { extent: snapshot.body, bytes: bytesOf(anew.line), crc: anew.line.crc, key: anew.key }
  }
  await setAside(snapshot.body, bytes, line.left, sessionId)
  return undefined
}

// Runs alone. What throws here leaves it open which of the two logs the medium holds; the active segment
// is then given up, and the header of the one after it, being newer than both, says what counts.
const replace = async (
  { disk, directory, term, log, index }: CheckpointOptions,
  draft: Draft,
  draftPath: string,
  tail: {
    readonly index: number
    readonly from: number | undefined
    readonly written: string | undefined
    readonly throughSeq: number
  },
  moved: Moved,
): Promise<E.Either<StoreError, Former>> => {
  const active = log.active
  const isAsBefore = active?.name === tail.written && log.closed.length === tail.index
  if (active === undefined || !isAsBefore) {
    return E.left(unavailable('checkpoint', new Error('the disk failed meanwhile')))
  }
  if (await isFenced(disk, directory, term)) {
    return E.left(owned('another engine has taken the store over'))
  }
  const from = tail.from ?? active.headerBytes
  const shift = draft.bytes - from
  for (let at = from; at < active.bytes; at += pieceBytes) {
    draft.add(await active.file.read(at, Math.min(pieceBytes, active.bytes - at)))
    await draft.flush(pieceBytes)
  }
  await draft.flush(0)
  await draft.file.sync()
  await disk.rename(draftPath, `${directory}/${draft.name}`)
  await disk.syncDirectory(directory)
  const segments = new Set([...log.closed.map(({ name }) => name), active.name])
  const placeOf = (extent: Extent): Extent | undefined => {
    const { segment, offset, bytes } = extent
    if (!segments.has(segment)) return extent
    return segment === active.name && offset >= from
      ? { segment: draft.name, offset: offset + shift, bytes }
      : moved.places.get(extent)
  }
  index.setUnfolded(
    beyond(index, tail.throughSeq).map(({ seq, place, entry }) => ({
      seq,
      place: place === undefined ? undefined : (placeOf(place) ?? place),
      entry,
    })),
  )
  const { name, file, bytes } = draft
  log.restart({ name, file, bytes, writtenBytes: bytes, headerBytes: 0 })
  await active.file.close().catch(() => undefined)
  return E.right({ segments, placeOf })
}
