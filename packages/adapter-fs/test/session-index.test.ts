/** What the index holds of a session: what is newest, of the life that is wanted, and no more than is kept. */
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import {
  type Extent,
  type Held,
  type HeldSnapshot,
  isWanted,
  SessionIndex,
} from '../src/session-index.js'
import { entryOf, recordOf } from './sample.js'

const placeOf = (offset: number): Extent => ({ segment: 'x', offset, bytes: 1 })
const snapshot = (incarnation: number, generation: number, capturedAtMs = 5): HeldSnapshot => ({
  incarnation,
  view: { generation, capturedAtMs },
  body: placeOf(generation),
  bodyCrc: 0,
  key: undefined,
})
const commit = (index: SessionIndex, rev: number, incarnation = 1, id = 'a') => {
  const record = recordOf(id, rev, incarnation)
  index.commit(record, placeOf(rev), entryOf(record))
  return record
}

test('a session is its latest record and the places of its last entries', () => {
  const index = new SessionIndex(2)
  expect(index.get('a')).toBeUndefined()
  commit(index, 1)
  expect(index.get('a')?.entries).toEqual([placeOf(1)])
  commit(index, 2)
  const record = commit(index, 3)
  expect(index.get('a')).toEqual({
    record,
    snapshot: undefined,
    entries: [placeOf(2), placeOf(3)],
    forgotten: undefined,
  })
  const none = new SessionIndex(0)
  commit(none, 1)
  expect(none.get('a')?.entries).toEqual([])
})

test('however many commits there were, the last are told, and a list that was told stays as it was', () => {
  for (const retained of [1, 3, 8]) {
    const index = new SessionIndex(retained)
    const told: (readonly Extent[])[] = []
    for (let rev = 1; rev <= 40; rev++) {
      commit(index, rev)
      told.push(index.get('a')?.entries ?? [])
    }
    const all = Array.from({ length: 40 }, (_, i) => placeOf(i + 1))
    expect(told).toEqual(all.map((_, i) => all.slice(Math.max(i + 1 - retained, 0), i + 1)))
  }
})

test('who was never there can be forgotten, and has no journal', () => {
  const index = new SessionIndex(2)
  index.forget('a', 3)
  expect(index.get('a')).toEqual({
    ...{ record: undefined, snapshot: undefined, entries: [], forgotten: 3 },
  })
})

test('an image tells what there was when it was made, whatever came after', () => {
  for (const retained of [1, 3, 8]) {
    const index = new SessionIndex(retained)
    const all = Array.from({ length: 40 }, (_, i) => placeOf(i + 1))
    const images = all.map((_, i) => {
      const record = commit(index, i + 1)
      if (i === 20) index.snapshot('a', snapshot(1, 1))
      return { record, image: index.image() }
    })
    commit(index, 1, 1, 'b')
    index.forget('a', 1)
    for (const [i, { record, image }] of images.entries()) {
      const [[id, held] = [], ...others] = image
      expect([id, held?.record, others]).toEqual(['a', record, []])
      expect(held?.snapshot).toEqual(i < 20 ? undefined : snapshot(1, 1))
      expect(held && index.entriesOf(held)).toEqual(all.slice(Math.max(i + 1 - retained, 0), i + 1))
    }
    expect([...index.image()].map(([id, { forgotten }]) => [id, forgotten])).toEqual([
      ...[['b', undefined] as const, ['a', 1] as const],
    ])
  }
})

test('times and places only grow, and what is unfolded is in the order it came', () => {
  const index = new SessionIndex(9)
  expect([index.latestMs, index.latestSeq, index.unfolded]).toEqual([0, 0, []])
  commit(index, 7)
  commit(index, 3)
  expect([index.latestMs, index.latestSeq]).toEqual([1_007, 7])
  expect(index.unfolded.map(({ entry }) => entry?.rev)).toEqual([7, 3])
  index.snapshot('a', snapshot(1, 1, 9_000))
  expect([index.latestMs, index.latestSeq]).toEqual([9_000, 7])
  index.hold('b', {
    record: undefined,
    snapshot: snapshot(1, 1, 9_500),
    entries: [],
    forgotten: undefined,
  })
  expect(index.latestMs).toBe(9_500)
  index.hold('c', { record: undefined, snapshot: undefined, entries: [], forgotten: 1 })
  expect(index.latestMs).toBe(9_500)
  index.note(1, 99)
  expect([index.latestMs, index.latestSeq]).toEqual([9_500, 99])
  index.handOn()
  commit(index, 4)
  expect(index.unfolded).toEqual([
    { seq: 7, place: placeOf(7), entry: undefined },
    { seq: 3, place: placeOf(3), entry: undefined },
    { seq: 4, place: placeOf(4), entry: undefined },
  ])
  const later = { seq: 8, place: undefined, entry: entryOf(recordOf('a', 8)) }
  const unfolded = [later]
  index.setUnfolded(unfolded)
  unfolded.length = 0
  expect(index.unfolded).toEqual([later])
  index.handOn()
  expect(index.unfolded).toEqual([later])
})

test('a later life takes the snapshot of the one before it away, a later record of the same does not', () => {
  const index = new SessionIndex(9)
  commit(index, 1)
  index.snapshot('a', snapshot(1, 1))
  commit(index, 2)
  expect(index.get('a')?.snapshot).toEqual(snapshot(1, 1))
  commit(index, 1, 2)
  expect(index.get('a')?.snapshot).toBeUndefined()
  index.snapshot('b', snapshot(2, 1))
  commit(index, 1, 2, 'b')
  expect(index.get('b')?.snapshot).toEqual(snapshot(2, 1))
})

describe('a snapshot is wanted', () => {
  const held = {
    record: recordOf('a', 1, 2),
    snapshot: undefined,
    entries: [],
    forgotten: undefined,
  }
  test('of a session of which nothing is held', () => {
    expect(isWanted(undefined, snapshot(1, 1))).toBe(true)
  })
  test('of this life or a later one', () => {
    expect([1, 2, 3].map((life) => isWanted(held, snapshot(life, 1)))).toEqual([false, true, true])
  })
  test('of a life that was not forgotten', () => {
    const forgotten = { ...held, record: undefined, forgotten: 2 }
    expect([1, 2, 3].map((life) => isWanted(forgotten, snapshot(life, 1)))).toEqual([
      false,
      false,
      true,
    ])
  })
  test('if it is not older than the one that is held', () => {
    const with2 = { ...held, snapshot: snapshot(2, 2) }
    expect([1, 2, 3].map((generation) => isWanted(with2, snapshot(2, generation)))).toEqual([
      false,
      true,
      true,
    ])
    expect(isWanted(with2, snapshot(3, 1))).toBe(true)
    const ofLater = { ...held, record: undefined, snapshot: snapshot(3, 1) }
    expect(isWanted(ofLater, snapshot(2, 9))).toBe(false)
  })
  test('and is kept only then', () => {
    const index = new SessionIndex(9)
    commit(index, 1, 2)
    index.snapshot('a', snapshot(1, 1))
    expect(index.get('a')?.snapshot).toBeUndefined()
    index.snapshot('a', snapshot(2, 1))
    expect(index.get('a')?.snapshot).toEqual(snapshot(2, 1))
  })
})

describe('what is forgotten', () => {
  test('is gone but for its journal, and stands behind what was forgotten before it', () => {
    const index = new SessionIndex(9)
    for (const id of ['a', 'b']) commit(index, 1, 1, id)
    index.forget('a', 1)
    expect([...index.entries()].map(([id]) => id)).toEqual(['b', 'a'])
    expect(index.get('a')).toEqual({
      record: undefined,
      snapshot: undefined,
      entries: [placeOf(1)],
      forgotten: 1,
    })
    index.drop('b')
    expect([...index.entries()].map(([id]) => id)).toEqual(['a'])
  })

  test('takes of a later life only what is of an earlier one', () => {
    const index = new SessionIndex(9)
    const record = commit(index, 1, 2)
    index.hold('a', {
      record,
      snapshot: snapshot(1, 1),
      entries: [placeOf(1)],
      forgotten: undefined,
    })
    index.forget('a', 1)
    expect(index.get('a')).toEqual({
      record,
      snapshot: undefined,
      entries: [placeOf(1)],
      forgotten: undefined,
    })
    index.snapshot('a', snapshot(2, 1))
    index.forget('a', 1)
    expect(index.get('a')?.snapshot).toEqual(snapshot(2, 1))
    index.forget('a', 2)
    expect(index.get('a')?.record).toBeUndefined()
  })
})

test('a life that was refused leaves no snapshot in the way of the one that goes on or begins anew', () => {
  const index = new SessionIndex(9)
  commit(index, 1)
  index.snapshot('a', snapshot(2, 7))
  expect(isWanted(index.get('a'), snapshot(1, 1))).toBe(false)
  commit(index, 2)
  expect(index.get('a')?.snapshot).toBeUndefined()
  expect(isWanted(index.get('a'), snapshot(1, 1))).toBe(true)

  const anew = new SessionIndex(9)
  anew.snapshot('a', snapshot(2, 7))
  commit(anew, 1)
  expect(isWanted(anew.get('a'), snapshot(1, 1))).toBe(true)
})

describe('what is looked into only when it is asked for', () => {
  const held = (more: Partial<Held> = {}): Held => ({
    ...{ record: undefined, snapshot: undefined, entries: [], forgotten: undefined },
    ...more,
  })
  const damage = { segment: 'x', offset: 1, bytes: 2, line: 0, problem: 'rot', sessionId: 'bad' }

  test('is held from then on, be it a session that lives or one that was forgotten', () => {
    const index = new SessionIndex(9)
    let looks = 0
    const record = recordOf('a', 3)
    index.fold('a', {
      get held() {
        looks += 1
        return E.right(held({ record }))
      },
    })
    index.fold('gone', { held: E.right(held({ forgotten: 2 })) })
    commit(index, 1, 1, 'b')
    expect([index.folded(), [...index.asked()].map(([id]) => id)]).toEqual([['a', 'gone'], ['b']])
    expect(looks).toBe(0)
    for (let time = 0; time < 2; time++) expect(index.get('a')?.record).toBe(record)
    expect(looks).toBe(1)
    expect(index.get('gone')).toEqual(held({ forgotten: 2 }))
    expect([index.folded(), [...index.asked()].map(([id]) => id)]).toEqual([
      ...[[], ['a', 'gone', 'b']],
    ])
  })

  test('shares what it has in common with the others', () => {
    const index = new SessionIndex(9)
    for (const id of ['a', 'b'])
      index.fold(id, { held: E.right(held({ record: recordOf(id, 1) })) })
    const traits = ['a', 'b'].map((id) => index.get(id)?.record?.control.traits)
    expect(traits[0]).toBe(traits[1])
  })

  test('and cannot be used is told once, and is none of the sessions', () => {
    const index = new SessionIndex(9)
    const told: unknown[] = []
    index.unusable = (one) => told.push(one)
    for (const id of ['bad', 'worse']) index.fold(id, { held: E.left(damage) })
    commit(index, 1)
    expect(index.get('bad')).toBeUndefined()
    expect([...index.entries()].map(([id]) => id)).toEqual(['a'])
    expect([index.get('bad'), index.get('worse'), index.folded()]).toEqual([
      ...[undefined, undefined, []],
    ])
    expect(told).toEqual([damage, damage])
  })
})
