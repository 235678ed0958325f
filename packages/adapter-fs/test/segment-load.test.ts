/**
 * What one segment says, line by line: where a leap over a session's bulk lands, and what is told of lines that
 * are missing, torn, or not where they belong.
 */
import type { JournalEntry } from '@session-recovery/core'
import { memoryDisk } from '@session-recovery/testkit'
import { describe, expect, test } from 'vitest'
import { crcOf, lineOf } from '../src/line.js'
import { lineReader } from '../src/line-reader.js'
import { type Damage, type Gathered, readSegment } from '../src/segment-load.js'
import { SessionIndex } from '../src/session-index.js'
import { commitOf, recordOf, snapshotOf } from './sample.js'

const name = '00000001-00000001.jsonl'
const header = lineOf('segment', {
  ...{ format: 1, term: 1, sequence: 1, limitBytes: 1_000, whole: false, before: [] },
})

const bodyLine = (sessionId: string, generation: number): Buffer =>
  lineOf('body', snapshotOf(sessionId, generation).body)

const placeOf = (body: Buffer) => ({ bytes: body.length, crc: crcOf(body) })

/** The head of a snapshot, without its body. */
const snapshotHead = (sessionId: string, generation: number, body: Buffer): Buffer => {
  const { incarnation, view } = snapshotOf(sessionId, generation)
  return lineOf('snapshot', { sessionId, incarnation, view, body: placeOf(body) })
}

const commitLine = (sessionId: string, rev: number): Buffer => {
  const { record, entry } = commitOf(sessionId, rev)
  return lineOf('commit', { record, entry })
}

const entryLine = (sessionId: string, rev: number): Buffer =>
  lineOf('entry', commitOf(sessionId, rev).entry)

/** The head of a session in a checkpoint, without what follows it. */
const sessionHead = (sessionId: string, entries: readonly Buffer[], body?: Buffer): Buffer => {
  const { incarnation, view } = snapshotOf(sessionId, 1)
  return lineOf('session', {
    ...{ sessionId, record: recordOf(sessionId, entries.length) },
    entries: entries.map((line) => line.length),
    ...(body === undefined ? {} : { snapshot: { incarnation, view, body: placeOf(body) } }),
  })
}

const checkpoint = (unfolded: readonly JournalEntry[] = []): Buffer =>
  lineOf('checkpoint', { projection: 'folded', unfolded, latestMs: 77_000, latestSeq: 99 })

/** The same bytes, one of them changed. */
const rotten = (line: Buffer, at = line.length - 5): Buffer => {
  const changed = Buffer.from(line)
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

interface Nature {
  readonly durable?: boolean
  readonly whole?: boolean
  readonly last?: boolean
}

/** Reads a segment made of `lines`, after its header. */
const readIn = async (lines: readonly Buffer[], nature: Nature = {}, limitBytes = 1 << 20) => {
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
const told = (damages: readonly Damage[], bytes: Buffer) =>
  damages.map(({ offset, bytes: length, line, problem, sessionId }) => ({
    ...{ line, problem, sessionId },
    stretch: bytes.subarray(offset, offset + length).toString(),
  }))

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

  test('says whose it is where that can be read', async () => {
    const { damages } = await readIn([
      lineOf('forget', { sessionId: 'a', incarnation: -1 }),
      commitB,
    ])
    expect(damages).toMatchObject([{ sessionId: 'a', problem: expect.stringContaining('forget') }])
  })
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
  expect(index.unfolded).toEqual([entry])
})

describe('a session in a checkpoint', () => {
  const entries = [entryLine('a', 1), entryLine('a', 2)]
  const whole = [sessionHead('a', entries, a), ...entries, a]

  const natures: readonly (readonly [string, Nature])[] = [
    ['read line by line', {}],
    ['leapt over', { whole: true }],
    ['leapt over, as known to be on the medium', { durable: true, last: false }],
  ]
  test.each(natures)('%s has its record, its journal and its body', async (_, nature) => {
    const { held, damages, startOf, bytes, read } = await readIn(
      [...whole, checkpoint(), commitB],
      nature,
    )
    expect(damages).toEqual([])
    expect(read.end).toBe(bytes.length)
    expect(held('a')).toEqual({
      ...{ record: recordOf('a', 2), forgotten: undefined },
      entries: entries.map((line) => ({
        ...{ segment: name, bytes: line.length, offset: startOf(line) },
      })),
      snapshot: {
        ...{ incarnation: 1, view: snapshotOf('a', 1).view, bodyCrc: crcOf(a), key: undefined },
        body: { segment: name, offset: startOf(a), bytes: a.length },
      },
    })
    expect(held('b')?.record?.rev).toBe(1)
  })

  test('without journal and body is leapt over by nothing', async () => {
    const head = sessionHead('a', [])
    for (const [, nature] of natures) {
      const { held, damages, read, bytes } = await readIn([head, checkpoint()], nature)
      expect(held('a')).toMatchObject({ entries: [], snapshot: undefined })
      expect([damages, read.end]).toEqual([[], bytes.length])
    }
  })

  test('whose body is missing stands without it, and that is told', async () => {
    const lines = [sessionHead('a', entries, a), ...entries, sessionHead('b', []), checkpoint()]
    for (const [, nature] of natures) {
      const { held, damages } = await readIn(lines, nature)
      expect(held('a')?.record?.rev).toBe(2)
      expect(held('a')?.snapshot).toBeUndefined()
      expect(held('a')?.entries.length).toBe(2)
      expect(held('b')).toBeDefined()
      expect(damages).toMatchObject([{ problem: 'body: missing', sessionId: 'a' }])
    }
  })

  test('without a body that was promised none is missing one', async () => {
    const { damages } = await readIn([sessionHead('a', entries), ...entries, checkpoint()])
    expect(damages).toEqual([])
  })

  test('whose bulk does not end where it should is read as far as it is sound, and the next one whole', async () => {
    // A byte more than was said: the leap lands within a line.
    const longer = Buffer.concat([entryLine('a', 1).subarray(0, -1), Buffer.from(' \n')])
    const lines = [whole[0]!, longer, entries[1]!, a, sessionHead('b', []), checkpoint()]
    const { held, damages, bytes } = await readIn(lines, { whole: true })
    expect(held('b')).toBeDefined()
    expect(held('a')?.record?.rev).toBe(2)
    expect(told(damages, bytes)).toMatchObject([{ line: 3, stretch: `${longer}${entries[1]}${a}` }])
    expect(damages[0]?.sessionId).toBe('a')
  })

  test('that ends before its bulk does is read: its journal is there as far as it goes', async () => {
    const lines = [sessionHead('a', entries, a), ...entries]
    const { held, damages, read, bytes } = await readIn(lines, { whole: true })
    expect(held('a')).toMatchObject({ snapshot: undefined, record: { rev: 2 } })
    expect(held('a')?.entries.length).toBe(2)
    expect(read.end).toBe(bytes.length)
    expect(damages).toMatchObject([{ problem: 'body: missing', sessionId: 'a' }])
  })

  test('with the journal of another is told of, and has none of it', async () => {
    const stranger = entryLine('b', 1)
    const { held, damages } = await readIn([sessionHead('a', [stranger]), stranger, checkpoint()])
    expect(held('a')?.entries).toEqual([])
    expect(damages).toMatchObject([
      { line: 3, problem: 'entry: the session it belongs to is missing', sessionId: 'a' },
    ])
  })

  test('an entry outside of any is told, and whose it is', async () => {
    const { damages } = await readIn([entryLine('b', 1), snapshotHead('a', 1, a), a, commitA])
    expect(damages).toMatchObject([{ line: 2, sessionId: 'b' }])
    const inSnapshot = await readIn([snapshotHead('b', 1, b), entryLine('b', 1), commitA])
    expect(inSnapshot.damages).toMatchObject([
      { line: 2, problem: 'body: entry: the session it belongs to is missing', sessionId: 'b' },
    ])
  })
})

describe('what is leapt over', () => {
  const entries = [entryLine('a', 1), entryLine('a', 2)]

  test('is not looked at, though it be the last of the segment', async () => {
    const lines = [sessionHead('a', entries, a), ...entries, rotten(a)]
    const { held, damages } = await readIn(lines, { durable: true, last: false })
    expect(held('a')?.snapshot).toBeDefined()
    expect(damages).toEqual([])
  })

  test('counts as lines all the same', async () => {
    const bad = rotten(commitB)
    const lineOfDamage = async (lines: readonly Buffer[]) => {
      const { damages } = await readIn([...lines, bad, checkpoint()], { whole: true })
      return damages.map(({ line }) => line)
    }
    expect(await lineOfDamage([sessionHead('a', entries, a), ...entries, a])).toEqual([6])
    expect(await lineOfDamage([sessionHead('a', entries), ...entries])).toEqual([5])
    expect(await lineOfDamage([sessionHead('a', [], a), a])).toEqual([4])
  })

  test('is nothing where a session has no bulk: what is wrong behind it is not its own', async () => {
    const { damages } = await readIn([sessionHead('a', []), rotten(commitB), checkpoint()], {
      whole: true,
    })
    expect(damages).toMatchObject([{ line: 3 }])
    expect(Object.keys(damages[0] ?? {})).not.toContain('sessionId')
  })
})

describe('a snapshot that is leapt over', () => {
  test('counts', async () => {
    const { held, damages, startOf } = await readIn([snapshotHead('a', 1, a), a, commitB], {
      durable: true,
    })
    expect(held('a')?.snapshot?.body.offset).toBe(startOf(a))
    expect(damages).toEqual([])
  })

  test('and does not end where it should takes back what it said, also of a former one', async () => {
    const former = [snapshotHead('a', 1, a), a]
    const second = bodyLine('a', 2)
    const cut = second.subarray(3)
    const lines = [snapshotHead('a', 2, second), cut, commitB, commitLine('b', 2)]
    const fresh = await readIn(lines, { durable: true, last: false })
    expect(fresh.held('a')).toBeUndefined()
    expect(fresh.held('b')?.record?.rev).toBe(2)
    expect(told(fresh.damages, fresh.bytes)).toMatchObject([
      { line: 2, sessionId: 'a', stretch: `${lines[0]}${cut}` },
    ])
    const again = await readIn([...former, ...lines], { durable: true, last: false })
    expect(again.held('a')?.snapshot?.view.generation).toBe(1)
    expect(again.damages).toMatchObject([{ line: 4, sessionId: 'a' }])
  })

  test('and reaches beyond the end takes back what it said', async () => {
    const { held, damages, read } = await readIn(
      [commitB, snapshotHead('a', 1, a), a.subarray(0, -9)],
      { durable: true, last: false },
    )
    expect(held('a')).toBeUndefined()
    expect(read.end).toBe(header.length + commitB.length)
    expect(damages).toMatchObject([{ line: 3, sessionId: 'a', problem: /cut off/ }])
  })
})

test('behind a checkpoint that is not known to be on the medium nothing is leapt over', async () => {
  const lines = [checkpoint(), snapshotHead('a', 1, a), a.subarray(0, -9)]
  const { damages, held } = await readIn(lines, { whole: true })
  expect(damages).toEqual([])
  expect(held('a')).toBeUndefined()
})
