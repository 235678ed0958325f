/** Where a leap over a session's bulk lands in a segment, and what is read where it does not land on a line. */
import { describe, expect, test } from 'vitest'
import { crcOf } from '../src/line.js'
import { recordOf, snapshotOf } from './sample.js'
import {
  bodyLine,
  checkpoint,
  commitLine,
  entryLine,
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

  test.each([
    ['with its body', whole],
    ['without one', [sessionHead('a', entries), ...entries]],
  ])('%s is counted line by line, also where it is leapt over', async (_, session) => {
    for (const [, nature] of natures) {
      const lines = [...session, sessionHead('b', []), rotten(commitA), checkpoint(), commitB]
      const { damages } = await readIn(lines, nature)
      expect(damages.map(({ line }) => line)).toEqual([session.length + 3])
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

  test('whose bulk does not end where it should is read line by line: what is sound of it counts, and the next one', async () => {
    // A byte more than was said: the leap lands within a line.
    const longer = Buffer.concat([entryLine('a', 1).subarray(0, -1), Buffer.from(' \n')])
    const lines = [whole[0]!, longer, entries[1]!, a, sessionHead('b', []), checkpoint()]
    const { held, damages, bytes, startOf } = await readIn(lines, { whole: true })
    expect(held('b')).toBeDefined()
    expect(held('a')?.record?.rev).toBe(2)
    expect(held('a')?.entries.map(({ offset }) => offset)).toEqual([startOf(entries[1]!)])
    expect(held('a')?.snapshot?.body.offset).toBe(startOf(a))
    expect(told(damages, bytes)).toMatchObject([{ line: 3, stretch: longer.toString() }])
    expect(damages[0]?.sessionId).toBe('a')
  })

  test('has lost nothing where blank lines came in between', async () => {
    const blank = Buffer.from('\n\n\n')
    const lines = [whole[0]!, entries[0]!, blank, entries[1]!, a, checkpoint()]
    const { held, damages } = await readIn(lines, { whole: true })
    expect(held('a')?.entries.length).toBe(2)
    expect(held('a')?.snapshot?.body.bytes).toBe(a.length)
    expect(damages).toMatchObject([{ line: 4, bytes: 3, sessionId: 'a' }])
  })

  test('that ends where its segment does is leapt over like any other: rot is found by who reads it', async () => {
    const lines = [sessionHead('a', entries, a), rotten(entries[0]!), entries[1]!, a]
    const { held, damages } = await readIn(lines, { durable: true, last: false })
    expect(damages).toEqual([])
    expect(held('a')?.entries.length).toBe(2)
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
