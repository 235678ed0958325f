/**
 * Stores of which one file was changed, in every way a file can be: bytes that rot, are lost, or come in
 * between, lines twice, and lines that are whole and say what they must not. What a file store makes of one
 * is judged here, for a test and for however long a soak goes on.
 */
import { crc32 } from 'node:zlib'
import { fileStore, type TakeOwnership } from '@session-recovery/adapter-fs'
import type { Loaded, Store, StoreError } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { type Chance, chance } from './chance.js'
import { same, sure } from './conformance/store-scene.js'
import { fieldChanged, seedText } from './field-change.js'
import { type MemoryDisk, memoryDisk } from './memory-disk.js'
import { sampleArchive, sampleCommit, sampleRecord, sampleSnapshot } from './store-sample.js'

// ------------------------------------------------------------------------------------------ model

/** What came of one changed file. */
export interface MutationOutcome {
  /** What is wrong with what the store made of it; empty: nothing. */
  readonly complaints: readonly string[]
  /** How many stretches, files or archives were refused. */
  readonly refused: number
  readonly kind: string
}

/** Stores that are whole, to be changed. */
export interface MutationOrigin {
  readonly disk: MemoryDisk
  readonly files: readonly (readonly [string, Buffer])[]
  readonly archive: string
}

const directory = '/store'
const ids = ['a', 'b', 'c'] as const
const unguarded: TakeOwnership = async () => E.right({ release: async () => {} })
const storeOn = (disk: MemoryDisk): Store => fileStore({ directory }, disk, unguarded)
const seedName = `${directory}/seed.snapshot.json`

const must = async <A>(call: TE.TaskEither<StoreError, A>): Promise<A> => {
  const answer = await call()
  if (E.isRight(answer)) return answer.right
  throw new Error(`${answer.left._tag}: ${answer.left.message}`)
}

// ----------------------------------------------------------------------------------- constructors

/** A store with two segments, an archive, and a snapshot file of format 0 that waits to be imported. */
export const mutationOrigin = async (): Promise<MutationOrigin> => {
  const disk = memoryDisk()
  const store = storeOn(disk)
  await must(store.open)
  let seq = 0
  for (const rev of [1, 2, 3]) {
    for (const id of ids) {
      seq += 1
      await must(store.commit(sampleCommit(id, rev, 1, seq)))
    }
    if (rev === 1) for (const id of ids) await must(store.saveSnapshot(sampleSnapshot(id, 1)))
    if (rev === 2) {
      await must(store.checkpoint({ folded: 2 }, seq))
      await store.close()
      await must(store.open)
    }
  }
  for (const id of ids) await must(store.saveSnapshot(sampleSnapshot(id, 2)))
  const archive = await must(store.archive(sampleArchive('a', 'token')))
  await store.close()
  disk.put(seedName, Buffer.from(seedText))
  const files = [...disk.files()].filter(([path]) => /\.jsonl?$/.test(path)).sort()
  return { disk, files, archive }
}

const kinds = [
  'byte',
  'zeros',
  'lost',
  'added',
  'cut',
  'doubled',
  'field',
  'field',
  'newer',
] as const
type Kind = (typeof kinds)[number]

const longestStretch = 60

const changed = (bytes: Buffer, kind: Kind, random: Chance): Buffer => {
  const at = random.whole(0, Math.max(0, bytes.length - 1))
  const length = random.whole(1, longestStretch)
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (kind) {
    case 'byte':
      return Buffer.concat([before, Buffer.from([random.whole(0, 255)]), after.subarray(1)])
    case 'zeros':
      return Buffer.concat([
        before,
        Buffer.alloc(Math.min(length, after.length)),
        after.subarray(length),
      ])
    case 'lost':
      return Buffer.concat([before, after.subarray(length)])
    case 'added':
      return Buffer.concat([before, Buffer.alloc(length, random.whole(0, 255)), after])
    case 'cut':
      return before
    case 'doubled':
      return withLine(bytes, at, (line) => [line, line])
    default:
      return withLine(bytes, at, (line) => [said(line, kind === 'newer', random)])
  }
}

/** Puts something else where the line stands that byte `at` is in. */
const withLine = (
  bytes: Buffer,
  at: number,
  change: (line: Buffer) => readonly Buffer[],
): Buffer => {
  const start = at === 0 ? 0 : bytes.lastIndexOf(0x0a, at - 1) + 1
  const found = bytes.indexOf(0x0a, at)
  const end = found < 0 ? bytes.length : found + 1
  return Buffer.concat([
    bytes.subarray(0, start),
    ...change(bytes.subarray(start, end)),
    bytes.subarray(end),
  ])
}

const prefixBytes = '{"crc":"00000000",'.length

/** A line, or a file of format 0, that says something else, and is whole. */
const said = (line: Buffer, newer: boolean, random: Chance): Buffer => {
  const text = line.toString('utf8').trimEnd()
  let parsed: Readonly<Record<string, unknown>>
  try {
    parsed = JSON.parse(text)
  } catch {
    return line
  }
  const { crc, ...rest } = parsed
  const again = JSON.stringify(fieldChanged(rest, newer, random))
  if (crc === undefined) return Buffer.from(again)
  const whole = Buffer.from(`{"crc":"00000000",${again.slice(1)}\n`)
  const sum = crc32(whole.subarray(prefixBytes, -1)).toString(16).padStart(8, '0')
  whole.write(sum, '{"crc":"'.length, 'latin1')
  return whole
}

// ------------------------------------------------------------------------------------------ trial

/** Changes one file of `origin`, all of it following from `seed`, and judges what a store makes of it. */
export const mutationTrial = async (
  { disk, files, archive }: MutationOrigin,
  seed: number,
): Promise<MutationOutcome> => {
  const random = chance(seed)
  const which = random.whole(0, files.length - 1)
  const [path, bytes] = files[which] ?? ['', Buffer.alloc(0)]
  const kind = random.pick([...kinds])
  const spoilt = changed(bytes, kind, random)
  const place = disk.copy()
  place.put(path, spoilt)
  const store = storeOn(place)
  try {
    const opened = await store.open()
    if (E.isLeft(opened)) {
      refusedWhole(opened.left, path, disk, place, spoilt)
      return { complaints: [], refused: 1, kind }
    }
    const isLast = files.filter(([one]) => one.includes('/log/')).at(-1)?.[0] === path
    // Of a segment that is not the newest only as many bytes count as it had.
    const counted = path.includes('/log/') && !isLast ? spoilt.subarray(0, bytes.length) : spoilt
    const refusals = await judged(store, opened.right, place, untouched(bytes, counted, path))
    if (kind !== 'field' && kind !== 'newer') await nothingInvented(store, opened.right)
    const lostArchive = await archiveJudged(store, archive, path)
    return { complaints: [], refused: refusals + lostArchive, kind }
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    return { complaints: [`seed ${seed}: ${kind} in ${path}: ${what}`], refused: 0, kind }
  } finally {
    await store.close()
  }
}

/** A store is refused whole because it is newer alone, and is then as it was, byte for byte. */
const refusedWhole = (
  error: StoreError,
  path: string,
  before: MemoryDisk,
  after: MemoryDisk,
  spoilt: Buffer,
) => {
  same('why it is refused', error._tag, 'StoreUnusable')
  sure(`it names the file and the field: ${error.message}`, newerProblem.test(error.message))
  const expected = new Map(before.files())
  expected.set(path, spoilt)
  same('what was refused', hexOf(after.files()), hexOf(expected))
}

const hexOf = (files: ReadonlyMap<string, Buffer>) =>
  [...files].map(([path, bytes]) => [path, bytes.toString('hex')]).sort()

const newerProblem = /log\/\d+-\d+\.jsonl: (line \d+: )?[a-z]+: [\w.]+: version \d+/
const logPlace = /^log\/\d+-\d+\.jsonl: (line|byte) \d+$/
/** A field, or what is wrong with the line or file as such. */
const namedProblem =
  /^([a-z ]+(: [\w$.-]+)*: .+|the line (is cut off|says nothing|is longer .+)|\d+ bytes are missing|recovery snapshot: .+)$/

/** The sessions of which no line was changed: they must load as they were. */
const untouched = (before: Buffer, after: Buffer, path: string): readonly string[] => {
  if (!path.includes('/log/')) return ids
  const lines = (bytes: Buffer) => bytes.toString('latin1').split(/(?<=\n)/)
  const counts = new Map<string, number>()
  for (const line of lines(after)) counts.set(line, (counts.get(line) ?? 0) + 1)
  return ids.filter((id) =>
    lines(before).every((line) => !line.includes(`"sessionId":"${id}"`) || counts.get(line) === 1),
  )
}

const judged = async (
  store: Store,
  { sessions, quarantined }: Loaded,
  place: MemoryDisk,
  whole: readonly string[],
): Promise<number> => {
  for (const { source, problem, keptAs } of quarantined) {
    sure(`it names the place: ${source}`, logPlace.test(source) || source === 'seed.snapshot.json')
    sure(`it names the field: ${problem}`, namedProblem.test(problem))
    if (keptAs !== '') sure('it is kept', place.files().has(`${directory}/${keptAs}`))
  }
  const records = new Map(sessions.map(({ record }) => [record.control.sessionId, record]))
  for (const id of whole) {
    same(`the record of ${id}`, records.get(id), sampleRecord(id, 3))
    same(`the snapshot of ${id}`, await must(store.readSnapshot(id)), sampleSnapshot(id, 2))
    const revs = (await must(store.readJournal(id))).map(({ rev }) => rev)
    same(`the journal of ${id}`, revs, [1, 2, 3])
  }
  let refusals = quarantined.length
  for (const id of ids) {
    if (E.isLeft(await store.readSnapshot(id)())) refusals += 1
    await store.readJournal(id)()
  }
  return refusals
}

/** What no checksum covers is not taken: all that was read was stored once, as it is. */
const nothingInvented = async (store: Store, { sessions }: Loaded) => {
  for (const { record } of sessions) {
    const { sessionId } = record.control
    if (sessionId === 'seed') continue
    sure(`it knows ${sessionId}`, (ids as readonly string[]).includes(sessionId))
    same('a record', record, sampleRecord(sessionId, Math.min(3, record.rev)))
    const snapshot = await store.readSnapshot(sessionId)()
    if (E.isLeft(snapshot)) continue
    const { generation } = snapshot.right.view
    same('a snapshot', snapshot.right, sampleSnapshot(sessionId, Math.min(2, generation)))
  }
}

const archiveJudged = async (store: Store, location: string, path: string): Promise<number> => {
  const read = await store.readArchive(location)()
  if (!path.endsWith(location)) {
    same('the archive', E.isRight(read) && read.right, sampleArchive('a', 'token'))
    return 0
  }
  if (E.isRight(read)) return 0
  same('why the archive is refused', read.left._tag, 'StoreUnusable')
  sure('it names the archive', read.left.message.startsWith(`${location}: `))
  return 1
}
