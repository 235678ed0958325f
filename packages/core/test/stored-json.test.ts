/** JSON in one pass, at its edges; that it is what codecs encode is a property of all of them. */
import { count, instant, jsonOf, struct, tagged, variant } from '@session-recovery/core'
import * as t from 'io-ts'
import { expect, test } from 'vitest'
import { onceInARow } from '../src/stored-json.js'

const Open = struct('open', {}, { b: count, a: t.string })
const Either = tagged('either', '_tag', [variant('left', { n: count }), variant('right', {})])

test('what the codec refuses has no JSON, wherever in it that stands', () => {
  const refused: readonly (readonly [t.Mixed, unknown])[] = [
    ...[5, null, undefined, {}, ['a']].map((value) => [t.string, value] as const),
    ...[{ length: 0 }, { length: 1, 0: 1 }, 'ab', null, [-1], [1, -1], [undefined]].map(
      (value) => [t.array(count), value] as const,
    ),
    ...[5, 'a', null, undefined, { a: 5 }, { b: -1 }].map((value) => [Open, value] as const),
    ...[5, null, undefined, {}, { _tag: 'none' }, { _tag: 'left' }, { _tag: 'left', n: 0.5 }].map(
      (value) => [Either, value] as const,
    ),
    ...[5, new Date(Number.NaN)].map((value) => [instant, value] as const),
  ]
  for (const [codec, value] of refused) expect(jsonOf(codec)(value)).toBeUndefined()
})

test('fields stand by their names, and those that say nothing do not stand there', () => {
  const written = [{}, { b: 1 }, { b: 1, a: 'x' }, { a: undefined, b: 0, c: 1 }].map(jsonOf(Open))
  expect(written).toEqual(['{}', '{"b":1}', '{"a":"x","b":1}', '{"b":0}'])
  expect(jsonOf(t.array(Open))([{}, { a: '"\u0001é\ud800' }])).toBe(
    '[{},{"a":"\\"\\u0001é\\ud800"}]',
  )
  expect(jsonOf(t.array(Open))([])).toBe('[]')
  expect(jsonOf(Either)({ n: 1, _tag: 'left' })).toBe('{"_tag":"left","n":1}')
  expect(jsonOf(Either)({ _tag: 'right', n: 1 })).toBe('{"_tag":"right"}')
  expect(jsonOf(instant)(new Date(5))).toBe('"1970-01-01T00:00:00.005Z"')
})

test('the same value is written once, while no other comes in between', () => {
  const asked: unknown[] = []
  const json = onceInARow((value) => {
    asked.push(value)
    return value === 3 ? undefined : `${value}`
  })
  expect([1, 1, 2, 1, 3, 3].map(json)).toEqual(['1', '1', '2', '1', undefined, undefined])
  expect(asked).toEqual([1, 2, 1, 3])
})
