/** What arbitraries are for: every value is one its codec accepts, and every part of it varies. */
import { oneOf, struct, tagged, variant } from '@session-recovery/core'
import { arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import * as t from 'io-ts'
import { expect, test } from 'vitest'

const codecs: Readonly<Record<string, t.Mixed>> = {
  interface: t.type({ a: t.string, b: t.boolean }),
  partial: t.partial({ a: t.string }),
  exact: t.exact(t.type({ a: t.string })),
  intersection: t.intersection([t.type({ a: t.string }), t.partial({ b: t.boolean })]),
  union: t.union([t.literal('x'), t.boolean]),
  array: t.array(t.string),
  record: t.record(t.string, t.boolean),
  tuple: t.tuple([t.string, t.boolean]),
  refinement: t.refinement(t.string, (value) => value.length > 1, 'long text'),
  oneOf: oneOf('colour', 'red', 'green'),
  struct: struct('point', { a: t.string }, { b: t.boolean }),
  tagged: tagged('shape', '_tag', [variant('dot', {}), variant('line', { to: t.string })]),
}

test.each(Object.entries(codecs))('%s: what is generated is accepted, and varies', (_, codec) => {
  const seen = new Set<string>()
  holds(
    fc.property(arbitraryOf(codec), (value) => {
      seen.add(JSON.stringify(value))
      expect(codec.is(value)).toBe(true)
    }),
  )
  expect(seen.size).toBeGreaterThan(1)
})

test('a codec that cannot be walked is refused by its name', () => {
  const blob = new t.Type<unknown>('blob', t.unknown.is, t.success, t.identity)
  expect(() => arbitraryOf(struct('holder', { inside: t.array(blob) }))).toThrow(
    'there is no arbitrary for the codec blob',
  )
})

test('optional fields are sometimes there and sometimes not', () => {
  const values = fc.sample(arbitraryOf(t.partial({ a: t.string })), 100)
  const given = values.filter((value) => Object.hasOwn(value, 'a')).length
  expect(given).toBeGreaterThan(0)
  expect(given).toBeLessThan(100)
})
