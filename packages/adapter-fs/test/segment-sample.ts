/** The lines of a segment, made one by one for tests, and the reading of a segment that is made of them. */
import type { JournalEntry } from '@session-recovery/core'
import { memoryDisk } from '@session-recovery/testkit'
import type { Damage } from '../src/damage.js'
import { crcOf, lineOf } from '../src/line.js'
import { lineReader } from '../src/line-reader.js'
import { type Gathered, readSegment } from '../src/segment-load.js'
import { SessionIndex } from '../src/session-index.js'
import { commitOf, recordOf, snapshotOf } from './sample.js'

export const name = '00000001-00000001.jsonl'
export const header = lineOf('segment', {
  ...{ format: 1, term: 1, sequence: 1, limitBytes: 1_000, whole: false, before: [] },
})

export const bodyLine = (sessionId: string, generation: number): Buffer =>
  lineOf('body', snapshotOf(sessionId, generation).body)

export const placeOf = (body: Buffer) => ({ bytes: body.length, crc: crcOf(body) })

/** The head of a snapshot, without its body. */
export const snapshotHead = (sessionId: string, generation: number, body: Buffer): Buffer => {
  const { incarnation, view } = snapshotOf(sessionId, generation)
  return lineOf('snapshot', { sessionId, incarnation, view, body: placeOf(body) })
}

export const commitLine = (sessionId: string, rev: number): Buffer => {
  const { record, entry } = commitOf(sessionId, rev)
  return lineOf('commit', { record, entry })
}

export const entryLine = (sessionId: string, rev: number): Buffer =>
  lineOf('entry', commitOf(sessionId, rev).entry)

/** The head of a session in a checkpoint, without what follows it. */
export const sessionHead = (
  sessionId: string,
  entries: readonly Buffer[],
  body?: Buffer,
): Buffer => {
  const { incarnation, view } = snapshotOf(sessionId, 1)
  return lineOf('session', {
    ...{ sessionId, record: recordOf(sessionId, entries.length) },
    entries: entries.map((line) => line.length),
    ...(body === undefined ? {} : { snapshot: { incarnation, view, body: placeOf(body) } }),
  })
}

export const checkpoint = (unfolded: readonly JournalEntry[] = []): Buffer =>
  lineOf('checkpoint', { projection: 'folded', unfolded, latestMs: 77_000, latestSeq: 99 })

/** The same bytes, one of them changed. */
export const rotten = (line: Buffer, at = line.length - 5): Buffer => {
  const changed = Buffer.from(line)
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

export interface Nature {
  readonly durable?: boolean
  readonly whole?: boolean
  readonly last?: boolean
}

/** Reads a segment made of `lines`, after its header. */
export const readIn = async (
  lines: readonly Buffer[],
  nature: Nature = {},
  limitBytes = 1 << 20,
) => {
  const bytes = Buffer.concat([header, ...lines])
  const disk = memoryDisk()
  await disk.makeDirectory('/log')
  disk.put('/log/it', bytes)
  const into: Gathered = {
    index: new SessionIndex(10),
    ...{ projection: undefined, damages: [], newer: undefined },
  }
  const how = { durable: false, whole: false, last: true, ...nature }
  const reader = lineReader(await disk.open('/log/it'), bytes.length, limitBytes)
  const read = await readSegment(name, reader, bytes.length, how, into)
  const startOf = (line: Buffer): number => bytes.indexOf(line)
  return { ...into, read, bytes, startOf, held: (id: string) => into.index.get(id) }
}

/** What a damage says, with the stretch as it stands there. */
export const told = (damages: readonly Damage[], bytes: Buffer) =>
  damages.map(({ offset, bytes: length, line, problem, sessionId }) => ({
    ...{ line, problem, sessionId },
    stretch: bytes.subarray(offset, offset + length).toString(),
  }))
