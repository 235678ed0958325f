/** Ids and digests are functions of what they are for, and of all of it. */
import { isDeepStrictEqual } from 'node:util'
import { digest, idOf, replicaId } from '@session-recovery/core'
import { anyText, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
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

test('a digest does not depend on the order of fields, but on everything else', () => {
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
  expect(replicaId('s', 'run')).toBe('s-replica-run')
})
