/** A uuid of a text is that of the library. */
import { anyCharacter, anyText, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { parse, v5 } from 'uuid'
import { expect, test } from 'vitest'
import { named } from '../src/named-uuid.js'

const namespace = parse('5b1d3c9e-2f6a-5c1e-9d0b-7a4e8f3c2b61')
const uuidOf = (text: string): string => v5(new TextEncoder().encode(text), namespace)

test('it is the uuid of the text in UTF-8, of halves of characters, too', () => {
  holds(
    fc.property(fc.oneof(anyText, fc.string({ unit: anyCharacter, maxLength: 300 })), (text) => {
      expect(named(text)).toBe(uuidOf(text))
    }),
    2_000,
  )
  for (const text of ['', '\ud800', 'a\udfffb', '\u{1f600}\u{1f600}', '\u0000']) {
    expect(named(text)).toBe(uuidOf(text))
  }
})

test('however long it is', () => {
  for (const length of [21_845, 21_846, 65_535, 65_536, 65_537, 100_000]) {
    for (const unit of ['x', '\u20ac', '\u{1f600}']) {
      const text = unit.repeat(Math.ceil(length / unit.length)).slice(0, length)
      expect(named(text)).toBe(uuidOf(text))
    }
  }
})
