/** Ids and digests are functions of what they are for, and of all of it. */
import { isDeepStrictEqual } from 'node:util'
import { digest, idOf, replicaId } from '@session-recovery/core'
import { anyText, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { parse, v5 } from 'uuid'
import { expect, test } from 'vitest'

const anyParts = fc.array(fc.oneof(anyText, fc.nat()), { maxLength: 4 })

test('an id is the same for the same parts and different for others', () => {
  holds(
    fc.property(anyParts, anyParts, (a, b) => {
      expect(idOf(...a)).toMatch(/^[\da-f]{8}-[\da-f]{4}-5[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
      expect(idOf(...a) === idOf(...b)).toBe(JSON.stringify(a) === JSON.stringify(b))
    }),
    1_000,
  )
})

test('parts do not run into each other, and a number is not its text', () => {
  const ids = [idOf('a', 'b'), idOf('ab'), idOf('a,b'), idOf('a', '', 'b'), idOf('1'), idOf(1)]
  expect(new Set(ids).size).toBe(ids.length)
})

test('ids that were stored stay what they are', () => {
  expect(idOf('s', 1, 'run', 2)).toBe('934d0f44-3c60-5685-9e2e-6dd7cfcf2958')
  expect(digest({ b: [1, { d: null, c: 'x' }], a: true })).toBe(
    '1a29f7d8-2a21-572d-85ff-fff5c5ceed5b',
  )
})

test('a digest is that of the JSON, whatever stands in it', () => {
  const odd = [
    '"',
    '\\',
    '\u0000',
    '\u001f',
    '\u007f',
    '\u2028',
    '\ud800',
    '\udfff',
    '\u{1f600}',
    'é',
  ]
  const values = [...odd, -0, 1e21, 5e-324, Number.NaN, Number.POSITIVE_INFINITY, null, true]
  for (const value of [...values, ...odd.map((text) => ({ [text]: text }))]) {
    // A field alone has no order: then JSON as everybody writes it is what the digest is of.
    expect(digest([value])).toBe(digestOfText(JSON.stringify([value])))
  }
  expect(digest([() => 1, undefined])).toBe(digestOfText('[null,null]'))
  expect(digest({ a: undefined, b: [] })).toBe(digestOfText('{"b":[]}'))
})

const namespace = parse('5b1d3c9e-2f6a-5c1e-9d0b-7a4e8f3c2b61')
const digestOfText = (text: string): string => v5(new TextEncoder().encode(text), namespace)

/** The same data with the fields of every object in another order. */
const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, shuffled(item)]),
  )
}

test('a digest does not depend on the order of fields, but on everything else, and takes what is missing for null', () => {
  holds(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(digest(shuffled(a))).toBe(digest(a))
      expect(digest(a) === digest(b)).toBe(isDeepStrictEqual(a, b))
    }),
    1_000,
  )
  expect(digest([1, 2])).not.toBe(digest([2, 1]))
  expect(digest({ a: 1 })).not.toBe(digest({ a: 2 }))
  expect(digest({ a: 1 })).not.toBe(digest({ b: 1 }))
  expect(digest(undefined)).not.toBe(digest(null))
  expect(digest([undefined])).toBe(digest([null]))
  expect(digest([undefined])).not.toBe(digest([]))
  expect(digest([undefined, undefined])).toBe(digest([null, null]))
})

test('a replica is named after its session and the run that makes it', () => {
  expect(replicaId('s', 'run')).toMatch(/^s-replica-[0-9a-f-]{36}$/)
  expect(replicaId('s', 'run')).toBe(replicaId('s', 'run'))
  expect(replicaId('s', 'run')).not.toBe(replicaId('s', 'run-2'))
})
