/** What is written by each call, what the index learns of it once it is on the medium, and what is too large. */
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { headIndex } from '../src/head.js'
import { bytesOf, crcOf, lineOf, readLine } from '../src/line.js'
import type { Write } from '../src/log.js'
import { sealerOf } from '../src/seal.js'
import { SessionIndex } from '../src/session-index.js'
import { commitWrite, droppedWrite, forgetWrite, snapshotWrite } from '../src/write.js'
import { commitOf, snapshotOf } from './sample.js'

const sealing = { current: 'k1', keys: { k1: Buffer.alloc(32, 1) } }

const context = (limitBytes = 1 << 20, sealer = sealerOf(undefined)) => {
  const index = new SessionIndex(10)
  return { settings: { limitBytes, sealer }, index, heads: headIndex(index) }
}

const right = (write: E.Either<unknown, Write>): Write => {
  if (E.isLeft(write)) throw new Error(JSON.stringify(write.left))
  return write.right
}

const linesOf = ({ lines }: Write) =>
  lines.map((line) => {
    const read = readLine(bytesOf(line))
    return E.isRight(read) ? [read.right.kind, read.right.payload()] : read
  })
const firstBytes = ({ lines }: Write): number => lines[0]?.length ?? 0

test('a commit counts at once for who follows, and in the index once it is written', () => {
  const all = context()
  const commit = commitOf('s', 1)
  const write = right(commitWrite(all, commit))
  expect(write.operation).toBe('commit')
  expect(write.latest).toBeUndefined()
  const { record, entry } = commit
  expect(linesOf(write)).toEqual([['commit', E.right({ record, entry })]])
  expect([all.heads.current('s'), all.index.get('s')]).toEqual([
    { incarnation: 1, rev: 1 },
    undefined,
  ])
  write.written({ segment: 'f', offset: 70 })
  expect(all.index.get('s')).toMatchObject({
    ...{ record, entries: [{ segment: 'f', offset: 70, bytes: firstBytes(write) }] },
  })
  all.heads.reset()
  expect(all.heads.current('s')).toEqual({ incarnation: 1, rev: 1 })
})

test('what its codec refuses is a broken invariant, of record and of entry', () => {
  const commit = commitOf('s', 1)
  const control = { ...commit.record.control, used: Number.NaN }
  const record = { ...commit.record, control }
  expect(() => commitWrite(context(), { ...commit, record })).toThrow(
    'commit: session record: control.used',
  )
  const entry = { ...commit.entry, seq: -1 }
  expect(() => commitWrite(context(), { ...commit, entry })).toThrow('commit: journal entry: seq')
  const snapshot = snapshotOf('s', 1)
  expect(() => snapshotWrite(context(), { ...snapshot, view: {} as never })).toThrow(
    'snapshot: no view',
  )
  expect(() => snapshotWrite(context(), { ...snapshot, body: undefined as never })).toThrow(
    'no body',
  )
})

test('a snapshot is a head and its body behind it, and the index knows where the body stands', () => {
  const all = context()
  const { view, body } = snapshotOf('s', 4, 2)
  const write = right(snapshotWrite(all, { sessionId: 's', incarnation: 2, view, body }))
  const line = lineOf('body', body)
  expect(write).toMatchObject({ operation: 'saveSnapshot', latest: { key: 's', rank: [2, 4] } })
  const place = { bytes: line.length, crc: crcOf(line) }
  const said = JSON.parse(JSON.stringify(view))
  expect(linesOf(write)).toEqual([
    ['snapshot', E.right({ sessionId: 's', incarnation: 2, view: said, body: place })],
    ['body', E.right(body)],
  ])
  write.written({ segment: 'f', offset: 70 })
  const offset = 70 + firstBytes(write)
  expect(all.index.get('s')?.snapshot).toEqual({
    ...{ incarnation: 2, view, bodyCrc: place.crc, key: undefined },
    body: { segment: 'f', offset, bytes: line.length },
  })
})

test('a sealed one says with which key, in its head and in the index', () => {
  const all = context(1 << 20, sealerOf(sealing))
  const write = right(snapshotWrite(all, snapshotOf('s', 1)))
  expect(linesOf(write)).toMatchObject([
    ['snapshot', E.right({ body: { key: 'k1' } })],
    ['sealed', E.right({ key: 'k1' })],
  ])
  write.written({ segment: 'f', offset: 0 })
  expect(all.index.get('s')?.snapshot?.key).toBe('k1')
})

test('the limit is on what is kept, each to the byte, and names the session in short', () => {
  const sizeOf = (write: E.Either<unknown, Write>) => firstBytes(right(write))
  const id = 's'.repeat(100)
  const commit = sizeOf(commitWrite(context(), commitOf(id, 1)))
  expect(E.isRight(commitWrite(context(commit), commitOf(id, 1)))).toBe(true)
  expect(commitWrite(context(commit - 1), commitOf(id, 1))).toMatchObject({
    left: {
      ...{ _tag: 'TooLarge', what: `commit of session ${'s'.repeat(64)}`, bytes: commit },
      limitBytes: commit - 1,
    },
  })
  const forget = sizeOf(forgetWrite(context(), id, 1))
  expect(E.isRight(forgetWrite(context(forget), id, 1))).toBe(true)
  expect(forgetWrite(context(forget - 1), id, 1)).toMatchObject({
    left: { what: `forget of session ${'s'.repeat(64)}` },
  })
  const large = snapshotOf('s', 1, 1, 'x'.repeat(1_000))
  const body = lineOf('body', large.body).length
  expect(E.isRight(snapshotWrite(context(body), large))).toBe(true)
  expect(snapshotWrite(context(body - 1), large)).toMatchObject({
    left: { what: 'snapshot of session s', bytes: body },
  })
  // A head can be too long by itself: of an id that is.
  expect(snapshotWrite(context(150), { ...snapshotOf(id, 1), body: 1 })).toMatchObject({
    left: { _tag: 'TooLarge', what: `snapshot of session ${'s'.repeat(64)}` },
  })
  // Sealed, it is longer: what counts is how long it is in clear.
  const clear = Buffer.byteLength(JSON.stringify(large.body))
  const sealed = context(clear, sealerOf(sealing))
  expect(E.isRight(snapshotWrite(sealed, large))).toBe(true)
  expect(E.isLeft(snapshotWrite(context(clear - 1, sealerOf(sealing)), large))).toBe(true)
})

test('what nests too deep is refused', () => {
  const deep = JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`)
  expect(snapshotWrite(context(), { ...snapshotOf('s', 1), body: deep })).toMatchObject({
    left: { _tag: 'TooLarge', what: 'snapshot of session s', limitDepth: expect.any(Number) },
  })
})

test('what is forgotten is gone for who follows, unless a later life has begun', () => {
  const all = context()
  const commit = right(commitWrite(all, commitOf('s', 1, 2)))
  commit.written({ segment: 'f', offset: 0 })
  const older = right(forgetWrite(all, 's', 1))
  expect(older.operation).toBe('forget')
  expect(linesOf(older)).toEqual([['forget', E.right({ sessionId: 's', incarnation: 1 })]])
  expect(all.heads.current('s')).toEqual({ incarnation: 2, rev: 1 })
  older.written({ segment: 'f', offset: 9 })
  expect(all.index.get('s')?.record).toBeDefined()
  const same = right(forgetWrite(all, 's', 2))
  expect(all.heads.current('s')).toEqual({ incarnation: 0, rev: 0 })
  same.written({ segment: 'f', offset: 9 })
  expect(all.index.get('s')?.record).toBeUndefined()
  // Another life that waits behind it is not taken for the one that is gone.
  const next = right(commitWrite(all, commitOf('s', 1, 3)))
  right(forgetWrite(all, 't', 1)).written({ segment: 'f', offset: 9 })
  expect(all.heads.current('s')).toEqual({ incarnation: 3, rev: 1 })
  next.written({ segment: 'f', offset: 9 })
  expect(all.index.get('s')?.record?.control.incarnation).toBe(3)
})

test('what was dropped is a line, too', () => {
  const sum = { archives: 1, archiveBytes: 2, quarantined: 3, quarantinedBytes: 4 }
  const write = droppedWrite(sum)
  expect(write.operation).toBe('retain')
  expect(linesOf(write)).toEqual([['dropped', E.right(sum)]])
  write.written({ segment: 'f', offset: 0 })
})
