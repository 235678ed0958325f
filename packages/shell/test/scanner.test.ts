/** The scanner: our marks are taken out, everything else is output to the letter, however it is split. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { markEnd, markStart } from '../src/mark.js'
import { payloadLimit, scannerOf, type Token } from '../src/scanner.js'

const nonce = 'f00d'.repeat(8)
const marked = (kind: string, payload: string, length = [...payload].length) =>
  `${markStart(nonce)}${kind};${length};${payload}${markEnd(nonce)}`

const scanned = (chunks: readonly string[]): readonly Token[] => {
  const scan = scannerOf(nonce)
  return chunks.flatMap((chunk) => scan(chunk))
}
const outputOf = (tokens: readonly Token[]) =>
  tokens.map((token) => (token._tag === 'output' ? token.text : '')).join('')
const marksIn = (tokens: readonly Token[]) =>
  tokens.flatMap((token) => (token._tag === 'mark' ? [token.mark] : []))

const split = (text: string, cuts: readonly number[]): readonly string[] => {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, i) => text.slice(from, places[i]))
}

const noise = fc.string({
  unit: fc.constantFrom(
    'a',
    '\x1b',
    ']',
    '6',
    '6973',
    ';',
    '\x07',
    'é',
    '😀',
    '\x1b]6973;',
    'A;0;',
  ),
  maxLength: 12,
})
const forged = fc
  .tuple(fc.constantFrom('', 'f00d', 'F00D'.repeat(8), `${nonce}0`, nonce.slice(1)), noise)
  .map(([wrong, tail]) => `\x1b]6973;${wrong};A;0;\x07${tail}`)
const genuine = fc.constantFrom(
  marked('A', ''),
  marked('K', '7'),
  marked('D', "0 12 '/tmp/é 😀'"),
  marked('E', "A='1' B=$'\\n\\E' C='😀' "),
)

describe('the scanner', () => {
  it('gives the same tokens however the stream is split, and trusts no forged mark', () => {
    const part = fc.oneof(
      noise.map((text) => ({ text, isMark: false })),
      forged.map((text) => ({ text, isMark: false })),
      genuine.map((text) => ({ text, isMark: true })),
    )
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (parts, cuts) => {
          const stream = `${parts.map(({ text }) => text).join('')}.`
          const tokens = scanned(split(stream, cuts))
          const plain = parts.filter(({ isMark }) => !isMark).map(({ text }) => text)
          expect(outputOf(tokens)).toBe(`${plain.join('')}.`)
          expect(marksIn(tokens)).toHaveLength(parts.filter(({ isMark }) => isMark).length)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('holds back only what may be the beginning of a mark', () => {
    const scan = scannerOf(nonce)
    expect(outputOf(scan('abc\x1b]69'))).toBe('abc')
    expect(outputOf(scan('74;'))).toBe('\x1b]6974;')
    expect(outputOf(scan('x\x1b[0m'))).toBe('x\x1b[0m')
  })

  it('rejects a mark that other output fell into, and goes on behind it', () => {
    const mark = marked('D', "0 12 '/tmp'")
    const at = mark.indexOf('/tmp')
    for (const torn of ['job done', 'bell\x07', '😀']) {
      const tokens = scanned([`a${mark.slice(0, at)}${torn}${mark.slice(at)}b${marked('A', '')}`])
      expect(tokens.filter(({ _tag }) => _tag === 'rejected')).toHaveLength(1)
      expect(marksIn(tokens)).toEqual([{ _tag: 'prompt' }])
      expect(outputOf(tokens)).toBe('ab')
    }
  })

  it('keeps nothing of a mark that is too long, and shows none of it', () => {
    const long = marked('E', `A='${'x'.repeat(payloadLimit)}' `)
    const tokens = scanned([...split(`a${long}b`, [5, 70, 5_000, 900_000])])
    expect(outputOf(tokens)).toBe('ab')
    expect(marksIn(tokens)).toEqual([])
    expect(tokens.filter(({ _tag }) => _tag === 'rejected')).toHaveLength(1)
  })

  it('believes no mark that ends where other output wants it to', () => {
    const whole = marked('D', "0 12 '/tmp'")
    const at = whole.indexOf('/tmp')
    // As long as the payload should be, and a bell right behind it.
    const forged = `${whole.slice(0, at)}/etc'\x07${whole.slice(at)}`
    const tokens = scanned([`a${forged}b${marked('A', '')}`])
    expect(tokens.map(({ _tag }) => _tag)).toEqual(['output', 'rejected', 'output', 'mark'])
    expect(outputOf(tokens)).toBe('ab')
  })

  it('goes on at the next mark where the end of one was torn', () => {
    const torn = `${marked('D', "0 12 '/tmp'").slice(0, -1)}job done\x07`
    const tokens = scanned([`a${torn}`, `b${marked('A', '')}c`])
    expect(tokens.map(({ _tag }) => _tag)).toEqual(['output', 'rejected', 'mark', 'output'])
  })

  it('gives a mark without an end up', () => {
    const open = marked('D', "0 12 '/tmp'").slice(0, -1)
    const tokens = scanned([open, 'y'.repeat(100_000), 'z'])
    expect(tokens.map(({ _tag }) => _tag)).toEqual(['rejected', 'output'])
  })
})
