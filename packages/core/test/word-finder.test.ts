/** Words are found in a text exactly where `includes` finds them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isFindable, wordFinder, wordLimit } from '../src/word-finder.js'

// Few letters, so that words overlap, repeat themselves and stand in one another.
const few = fc.string({
  unit: fc.constantFrom('a', 'b', 'n', 'B', 'N', 'k', 'é', 'K', 'İ'),
  maxLength: 30,
})
const word = fc.string({ unit: fc.constantFrom('a', 'b', 'n', 'k', 'i'), maxLength: 4 })

test('a word has its bit exactly when it stands in the text', () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: wordLimit }), few, (words, text) => {
      const seen = wordFinder(words)(text)
      for (const [bit, one] of words.entries()) {
        expect((seen & (1 << bit)) !== 0).toBe(text.toLowerCase().includes(one))
      }
    }),
    { numRuns: 2_000 },
  )
})

test('a word within another, and one that ends where another goes on, are found', () => {
  const seen = wordFinder(['banana', 'an', 'nab'])
  expect(seen('banab')).toBe(0b110)
  expect(seen('A Banana')).toBe(0b011)
  expect(seen('')).toBe(0)
})

test('only words of ASCII in lower case can be found', () => {
  expect(isFindable('timeout')).toBe(true)
  expect(isFindable('\x7f')).toBe(true)
  expect(isFindable('délai')).toBe(false)
  expect(isFindable('Timeout')).toBe(false)
})
