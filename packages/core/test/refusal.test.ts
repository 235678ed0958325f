/** What a refusal says of what it refuses: the field, what was expected, and no more of a value than may be told. */
import {
  type DecodeError,
  decode,
  fieldAtFault,
  finite,
  instant,
  lastInstantMs,
  laterMs,
  struct,
  withoutValue,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'

const refusal = (codec: t.Mixed, input: unknown): DecodeError => {
  const result = decode(codec, 'it')(input)
  if (E.isRight(result)) throw new Error('it was accepted')
  return result.left
}

describe('what stood in place of what was expected', () => {
  test.each<readonly [unknown, string]>([
    ['short', '"short"'],
    ['x'.repeat(80), `"${'x'.repeat(80)}"`],
    ['x'.repeat(81), `"${'x'.repeat(79)}…"`],
    [[1, 2], 'an array of 2'],
    [{ a: 1 }, 'an object'],
    [new Date(0), 'an invalid date'],
    [() => 1, 'a function'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
  ])('%j is told as %s', (input, actual) => {
    expect(refusal(finite, input)).toMatchObject({
      path: '',
      actual,
      message: `it: expected finite number, got ${actual}`,
    })
  })
})

test('of several fields at fault the deepest is named, and of equally deep ones the first', () => {
  const codec = struct('pair', {
    a: finite,
    b: struct('inner', { c: finite, d: finite }),
    e: finite,
  })
  expect(refusal(codec, { a: 'x', b: { c: 'x', d: 'x' }, e: 'x' }).path).toBe('b.c')
  expect(refusal(codec, { a: 'x', b: { c: 1, d: 1 }, e: 'x' }).path).toBe('a')
})

test('a codec that refuses without a word is an error all the same', () => {
  const silent = new t.Type<string, string, unknown>(
    'silent',
    t.string.is,
    () => E.left([]),
    t.identity,
  )
  expect(refusal(silent, 'x')).toEqual({
    _tag: 'DecodeError',
    subject: 'it',
    path: '',
    expected: 'something else',
    actual: 'undefined',
    message: 'it: expected something else, got undefined',
  })
})

test('for a log, the field is named without what stood there', () => {
  const whole = refusal(finite, 'hunter2')
  const inside = refusal(struct('pair', { a: finite }), { a: 'hunter2' })
  expect(fieldAtFault(whole)).toBe('it: expected finite number')
  expect(fieldAtFault(inside)).toBe('it: a: expected finite number')
  expect(withoutValue(inside)).toEqual({
    ...inside,
    actual: 'something else',
    message: 'it: a: expected finite number',
  })
})

test('an optional field is checked where it is given', () => {
  const codec = struct('point', { x: finite }, { seen: instant })
  expect(codec.is({ x: 1 })).toBe(true)
  expect(codec.is({ x: 1, seen: undefined })).toBe(true)
  expect(codec.is({ x: 1, seen: 'today' })).toBe(false)
})

test('an instant later than there is time is the last one', () => {
  expect(laterMs(5, 10)).toBe(15)
  expect(laterMs(lastInstantMs - 1, 1)).toBe(lastInstantMs)
  expect(laterMs(lastInstantMs - 1, 2)).toBe(lastInstantMs)
})
