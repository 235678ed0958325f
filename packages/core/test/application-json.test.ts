/** The app's own values come back as they were, or are refused with the place at fault. */
import { deepStrictEqual } from 'node:assert/strict'
import { applicationJson, decode, nestingLimit, unstorable } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'

const stored = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(applicationJson.encode(value)))

const refusedPath = (input: unknown): string => {
  const result = decode(applicationJson, 'state')(input)
  return E.isLeft(result) ? result.left.path : 'it was accepted'
}

const read = (input: unknown): unknown => {
  const result = decode(applicationJson, 'state')(input)
  return E.isRight(result) ? result.right : result.left
}

const roundTrip = (value: unknown): unknown => read(stored(value))

test('keeps dates, the numbers JSON lacks and keys that look like marks', () => {
  const value = {
    when: [new Date(0), { later: new Date(1) }],
    numbers: [Number.NaN, Infinity, -Infinity, -0, 0],
    $date: 'no date',
    marks: { $date: '1970-01-01T00:00:00.000Z' },
    more: { $number: 'NaN' },
    escaped: { $$date: { $$$: 1 } },
  }
  deepStrictEqual(roundTrip(value), value)
})

test('leaves out what JSON leaves out', () => {
  deepStrictEqual(roundTrip({ a: undefined, b: () => 1, c: Symbol('c'), d: [undefined] }), {
    d: [null],
  })
  deepStrictEqual(roundTrip(undefined), null)
})

const cycle: Record<string, unknown> = {}
cycle.self = { cycle }
test.each([
  [{ a: [1n] }, ['a', '0']],
  [cycle, ['self', 'cycle']],
  [{ when: new Date(Number.NaN) }, ['when']],
])('refuses what cannot be stored, with its path: case %#', (value, path) => {
  expect(unstorable(value)).toEqual(path)
  expect(applicationJson.is(value)).toBe(false)
})

const nested = (depth: number): unknown => {
  let value: unknown = 'deep'
  for (let i = 0; i < depth; i++) value = { a: value }
  return value
}

test('refuses nesting deeper than its limit, on both sides, and no sooner', () => {
  deepStrictEqual(roundTrip(nested(nestingLimit + 1)), nested(nestingLimit + 1))
  expect(unstorable(nested(nestingLimit + 2))).toHaveLength(nestingLimit + 1)
  expect(refusedPath(nested(nestingLimit + 2))).toMatch(/^a(\.a)+$/)
  expect(E.isLeft(applicationJson.decode(nested(10_000)))).toBe(true)
})

test.each([
  { $date: 'yesterday' },
  { $date: 5 },
  { $number: 'toString' },
  { $number: '__proto__' },
  { $number: 'twelve' },
])('refuses a mark that makes no sense: %j', (mark) => {
  expect(refusedPath({ a: [mark] })).toBe('a.0')
})

test('the same thing twice is no cycle', () => {
  const shared = { x: 1 }
  deepStrictEqual(roundTrip({ a: shared, b: shared }), { a: { x: 1 }, b: { x: 1 } })
})

test('a live date stays a date, and what cannot be stored is refused when it is read, too', () => {
  deepStrictEqual(read({ when: new Date(5) }), { when: new Date(5) })
  expect(refusedPath({ a: { b: 1n } })).toBe('a.b')
  expect(refusedPath({ when: new Date(Number.NaN) })).toBe('when')
})

test('what says how it is stored is stored as it says', () => {
  class Money {
    toJSON() {
      return { cents: 5, at: new Date(0) }
    }
  }
  deepStrictEqual(roundTrip([new Money()]), [{ cents: 5, at: new Date(0) }])
  deepStrictEqual(roundTrip({ toJSON: 'no function' }), { toJSON: 'no function' })
  expect(unstorable({ toJSON: () => 1n })).toEqual([])
})

test('what is left out leaves no key behind', () => {
  deepStrictEqual(applicationJson.encode({ a: undefined, b: [() => 1], c: 1 }), { b: [null], c: 1 })
})

test('every kind of plain value is storable, and is itself again', () => {
  for (const value of [null, true, false, '', 'text', 0, 5, [], {}]) {
    expect(unstorable(value)).toBeUndefined()
    deepStrictEqual(roundTrip(value), value)
  }
  deepStrictEqual(read({ $date: '1970-01-01T00:00:00.000Z', more: 1 }), {
    $date: '1970-01-01T00:00:00.000Z',
    more: 1,
  })
  expect(refusedPath(undefined)).toBe('')
})

test('what is storable up to the limit of nesting is such a value, and no deeper', () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
  // What stands in the innermost list is no level.
  expect(applicationJson.is(nested(nestingLimit + 1))).toBe(true)
  expect(applicationJson.is(nested(nestingLimit + 2))).toBe(false)
})
