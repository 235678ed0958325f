/** How deep a text nests is told from its bytes as it is from its value, wherever brackets stand in texts. */
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isDeeper, isNestedDeeper } from '../src/nesting.js'

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
    : 0

test('by the brackets outside of texts', () => {
  const deeper = (text: string, limit: number) => isNestedDeeper(Buffer.from(text), limit)
  for (const [text, depth] of [
    ['1', 0],
    ['"[[["', 0],
    ['"\\\\"', 0],
    ['"\\"[["', 0],
    ['[]', 1],
    ['[[],[]]', 2],
    ['{"[":[{}]}', 3],
    ['["\\\\",[1]]', 2],
    ['["\\\\\\"[[",[1]]', 2],
    ['{"a":{"b":1},"c":[2]}', 2],
    ['["', 1],
    ['["\\', 1],
  ] as const) {
    expect(deeper(text, depth), text).toBe(false)
    if (depth > 0) expect(deeper(text, depth - 1), text).toBe(true)
  }
})

test('by the value, which may have no end', () => {
  expect([0, 1].map((limit) => isDeeper([], limit))).toEqual([true, false])
  expect([1, 2].map((limit) => isDeeper({ a: 1, b: [null] }, limit))).toEqual([true, false])
  for (const plain of [null, undefined, 1, 'text']) expect(isDeeper(plain, 0)).toBe(false)
  const cycle: unknown[] = [1]
  cycle.push(cycle)
  expect(isDeeper(cycle, 100)).toBe(true)
})

test('both tell the same', () => {
  const text = fc.string({ unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', 'x') })
  const value = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 5 },
      text,
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(text, tie('any'), { maxKeys: 3 }),
    ),
  })).any
  holds(
    fc.property(value, fc.nat({ max: 6 }), (any, limit) => {
      const isDeep = depthOf(any) > limit
      expect(isDeeper(any, limit)).toBe(isDeep)
      expect(isNestedDeeper(Buffer.from(JSON.stringify(any)), limit)).toBe(isDeep)
    }),
  )
})
