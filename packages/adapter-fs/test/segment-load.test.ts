/** What one segment says, line by line, and what is told of lines that are missing, torn, or not where they belong. */
import { describe, expect, test } from 'vitest'
import { crcOf, lineOf } from '../src/line.js'
import { commitOf, snapshotOf } from './sample.js'
import {
  bodyLine,
  checkpoint,
  commitLine,
  header,
  type Nature,
  name,
  readIn,
  rotten,
  sessionHead,
  snapshotHead,
  told,
} from './segment-sample.js'

const a = bodyLine('a', 1)
const b = bodyLine('b', 1)
const commitA = commitLine('a', 1)
const commitB = commitLine('b', 1)

describe('a snapshot', () => {
  test('stands with its body, and the segment ends where its last good line does', async () => {
    const { held, damages, read, bytes, startOf } = await readIn([snapshotHead('a', 1, a), a])
    expect(held('a')).toEqual({
      ...{ record: undefined, entries: [], forgotten: undefined },
      snapshot: {
        ...{ incarnation: 1, view: snapshotOf('a', 1).view, bodyCrc: crcOf(a), key: undefined },
        body: { segment: name, offset: startOf(a), bytes: a.length },
      },
    })
    expect(damages).toEqual([])
    expect(read).toEqual({ end: bytes.length, says: true })
  })

  test('whose body is missing says nothing, is told, and hides nothing', async () => {
    const head = snapshotHead('a', 1, a)
    const { held, damages, bytes } = await readIn([head, commitB])
    expect(held('a')).toBeUndefined()
    expect(held('b')?.record?.rev).toBe(1)
    expect(told(damages, bytes)).toEqual([
      { line: 2, problem: 'body: missing', sessionId: 'a', stretch: head.toString() },
    ])
  })

  test('whose body is another’s says nothing', async () => {
    const head = snapshotHead('a', 1, a)
    const { held, damages, bytes } = await readIn([head, b, commitB])
    expect(held('a')).toBeUndefined()
    expect(told(damages, bytes)).toEqual([
      {
        ...{ line: 2, sessionId: 'a' },
        problem: 'body: body: the snapshot it belongs to is missing',
        stretch: `${head}${b}`,
      },
    ])
  })

  test('whose body is as it was said, but of another length, says nothing', async () => {
    const { incarnation, view } = snapshotOf('a', 1)
    const body = { bytes: a.length + 1, crc: crcOf(a) }
    const head = lineOf('snapshot', { sessionId: 'a', incarnation, view, body })
    expect((await readIn([head, a])).held('a')).toBeUndefined()
  })

  test('whose body rotted is told with it, as one', async () => {
    const head = snapshotHead('a', 1, a)
    const { damages, bytes } = await readIn([head, rotten(a), commitB])
    const [one, ...more] = told(damages, bytes)
    expect(more).toEqual([])
    expect(one).toMatchObject({ line: 2, sessionId: 'a', stretch: `${head}${rotten(a)}` })
    expect(one?.problem).toMatch(/^body: crc: expected/)
  })

  test('that was torn off at the end is no damage where a crash may have torn it', async () => {
    const lines = [commitA, snapshotHead('b', 1, b)]
    const torn = await readIn(lines)
    expect(torn.damages).toEqual([])
    expect(torn.read.end).toBe(header.length + commitA.length)
    const earlier = await readIn(lines, { last: false })
    expect(earlier.damages).toMatchObject([{ problem: 'body: missing', sessionId: 'b' }])
  })
})

describe('a body', () => {
  test('without a head is told', async () => {
    const { damages, bytes } = await readIn([a, commitB])
    expect(told(damages, bytes)).toEqual([
      {
        ...{ line: 2, sessionId: undefined },
        problem: 'body: the snapshot it belongs to is missing',
        stretch: a.toString(),
      },
    ])
  })

  test('counts once: a second one after the same head is told', async () => {
    const { held, damages } = await readIn([snapshotHead('a', 1, a), a, a, commitB])
    expect(held('a')?.snapshot).toBeDefined()
    expect(damages.length).toBe(1)
  })
})

test('a sealed body is a body like any other', async () => {
  const sealed = lineOf('sealed', { v: 1, key: 'k', nonce: '', text: '' })
  for (const nature of [{}, { durable: true }]) {
    const { held, damages } = await readIn([snapshotHead('a', 1, sealed), sealed], nature)
    expect(held('a')?.snapshot).toMatchObject({ bodyCrc: crcOf(sealed) })
    expect(damages).toEqual([])
  }
  const { damages } = await readIn([sealed, commitB])
  expect(damages).toMatchObject([{ problem: 'body: the snapshot it belongs to is missing' }])
})

test('a body behind a session that has none, and a head behind a damaged line, are told once', async () => {
  const behind = await readIn([sessionHead('a', []), a, commitB])
  expect(behind.damages).toMatchObject([{ line: 3, sessionId: 'a' }])
  const head = snapshotHead('b', 1, b)
  const { damages, bytes } = await readIn([rotten(commitA), head, commitB])
  expect(told(damages, bytes)).toMatchObject([{ line: 2, stretch: rotten(commitA).toString() }])
})

describe('what is damaged', () => {
  test('side by side is one stretch, with the number and the problem of its first line', async () => {
    const lines = [commitA, rotten(commitB), rotten(commitLine('c', 1)), commitLine('d', 1)]
    const { damages, bytes, held } = await readIn(lines)
    expect(told(damages, bytes)).toMatchObject([
      { line: 3, stretch: `${rotten(commitB)}${rotten(commitLine('c', 1))}` },
    ])
    expect(held('d')?.record?.rev).toBe(1)
  })

  test('at the end of the newest segment is a torn tail, as long as it is one statement', async () => {
    const one = await readIn([commitA, rotten(commitB)])
    expect(one.damages).toEqual([])
    expect(one.read).toEqual({ end: header.length + commitA.length, says: true })
    const two = await readIn([commitA, rotten(commitB), rotten(commitB)])
    expect(two.damages.length).toBe(1)
    expect(two.read.end).toBe(one.read.end)
    const durable = await readIn([commitA, rotten(commitB)], { durable: true, last: false })
    expect(durable.damages.length).toBe(1)
  })

  test('is a line that is longer than any that was written', async () => {
    const long = lineOf('body', 'x'.repeat(3 << 20))
    const { damages, bytes } = await readIn([long, commitB], {}, 3_000)
    expect(told(damages, bytes)).toMatchObject([
      { line: 2, problem: 'the line is longer than any that was written' },
    ])
    expect(damages[0]?.bytes).toBe(long.length)
  })

  test('may be torn where not all was flushed: where it is read line by line, and nowhere else', async () => {
    const lines = [rotten(commitA), commitB]
    const isTorn = async (nature: Nature) =>
      (await readIn(lines, nature)).damages.map((one) => ('torn' in one ? one.torn : 'not'))
    expect(await isTorn({})).toEqual([true])
    expect(await isTorn({ last: false })).toEqual([true])
    expect(await isTorn({ whole: true })).toEqual(['not'])
    expect(await isTorn({ durable: true })).toEqual(['not'])
    const behind = await readIn([checkpoint(), ...lines], { whole: true })
    expect(behind.damages).toMatchObject([{ line: 3, torn: true }])
  })

  test('says whose it is where that can be read', async () => {
    const { damages } = await readIn([
      lineOf('forget', { sessionId: 'a', incarnation: -1 }),
      commitB,
    ])
    expect(damages).toMatchObject([{ sessionId: 'a', problem: expect.stringContaining('forget') }])
  })
})

test('what retention has dropped is known from the line that says it', async () => {
  const dropped = { archives: 1, archiveBytes: 20, quarantined: 3, quarantinedBytes: 40 }
  expect((await readIn([lineOf('dropped', dropped), commitLine('a', 1)])).index.dropped).toEqual(
    dropped,
  )
})

test('a segment with its header alone says nothing', async () => {
  expect((await readIn([])).read).toEqual({ end: header.length, says: false })
})

test('a line of a later version is named with its place, and nothing after it is read', async () => {
  const { record, entry } = commitOf('b', 1)
  const later = lineOf('commit', { record: { ...record, v: 9 }, entry })
  const { newer, held } = await readIn([commitA, later, commitLine('c', 1)])
  expect(newer).toBe(`${name}: line 3: commit: record.v: version 9, this program knows up to 1`)
  expect(held('c')).toBeUndefined()
})

test('what was forgotten is gone, and a checkpoint says what is folded', async () => {
  const forget = lineOf('forget', { sessionId: 'a', incarnation: 1 })
  const { entry } = commitOf('b', 5)
  const { held, index, projection } = await readIn([commitA, forget, checkpoint([entry])])
  expect(held('a')).toMatchObject({ record: undefined, forgotten: 1 })
  expect([projection, index.latestMs, index.latestSeq]).toEqual(['folded', 77_000, 99])
  expect(index.unfolded).toEqual([{ seq: entry.seq, place: undefined, entry }])
})
