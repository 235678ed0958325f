/**
 * A hundred thousand streams of output that wants to pass for marks: wrong, old and cut nonces, lengths
 * that lie, other introducers and terminators, marks in the strings of other protocols, genuine marks into
 * which other output fell. None is trusted; what is genuine is read, and all other output kept to the letter.
 */
import { type Chance, chance, seedOf } from '@session-recovery/testkit'
import { expect, it } from 'vitest'
import { type Mark, markEnd, markStart } from '../src/mark.js'
import { scannerOf, type Token } from '../src/scanner.js'

const streams = 100_000

// ------------------------------------------------------------------------------------------ model

/** A piece of a stream, and what a scanner owes for it. */
type Piece =
  | { readonly _tag: 'output'; readonly text: string }
  | { readonly _tag: 'genuine'; readonly text: string; readonly mark: Mark }
  | { readonly _tag: 'torn'; readonly text: string }

interface Nonces {
  readonly own: string
  /** Of the process before. */
  readonly old: string
}

// ---------------------------------------------------------------------------------------- genuine

const said: readonly (readonly [kind: string, payload: string, mark: Mark])[] = [
  ['A', '', { _tag: 'prompt' }],
  ['K', '7', { _tag: 'answer', count: 7 }],
  ['C', "'  12  echo a'", { _tag: 'started', historyNumber: 12, line: 'echo a' }],
  [
    'D',
    "0 12 '/tmp/é 😀'",
    { _tag: 'finished', exitCode: 0, historyNumber: 12, workingDirectory: '/tmp/é 😀' },
  ],
  ['S', "130 3 '/'", { _tag: 'state', exitCode: 130, historyNumber: 3, workingDirectory: '/' }],
  [
    'E',
    "A='1 2' B=$'\\n\\a' C='😀' ",
    {
      _tag: 'environment',
      values: new Map([
        ['A', '1 2'],
        ['B', '\n\x07'],
        ['C', '😀'],
      ]),
      unreadable: [],
    },
  ],
  ['H', "'    1  ls'", { _tag: 'history', listing: '    1  ls' }],
]

const framed = (nonce: string, kind: string, payload: string, length = [...payload].length) =>
  `${markStart(nonce)}${kind};${length};${payload}${markEnd(nonce)}`

const genuine = ({ own }: Nonces, { whole }: Chance): Piece => {
  const [kind, payload, mark] = said[whole(0, said.length - 1)] ?? said[0] ?? never()
  return { _tag: 'genuine', text: framed(own, kind, payload), mark }
}

const never = (): never => {
  throw new Error('there is nothing to choose from')
}

// ----------------------------------------------------------------------------------------- forged

const letters = [
  ...[
    'a',
    'é',
    '😀',
    '\x1b',
    ']',
    '6',
    '6973',
    ';',
    '\x07',
    '\x9c',
    '\x9d',
    '\x1b\\',
    '\r\n',
    '$ ',
  ],
  ...['A;0;', 'K;1;9', '\x1bP', '\x1b]0;', '\x1b[?1049h', '\x1b]6973', '\x1b]6973;', '\x1b]633;A'],
] as const

const noise = ({ whole, pick }: Chance): string =>
  Array.from({ length: whole(0, 6) }, () => pick(letters)).join('')

const lyingLength = ({ pick }: Chance): string =>
  pick(['0', '1', '99', '999999999', '9999999999', '-1', '', '٣', '0x10'])

/** A nonce that is not the process's own. */
const wrongNonce = ({ own, old }: Nonces, { whole, pick }: Chance): string => {
  const at = whole(0, own.length - 1)
  const other = own[at] === 'a' ? 'b' : 'a'
  return pick([
    '',
    old,
    old,
    own.slice(0, at),
    own.slice(at + 1),
    `${own}0`,
    `0${own}`,
    `${own.slice(0, at)}${other}${own.slice(at + 1)}`,
    `${own.slice(0, at)}\x1b${own.slice(at)}`,
    own.split('').reverse().join('').concat('x'),
    own.toUpperCase().concat('X'),
    '%s',
    '*',
  ])
}

/** What would be a mark, were its nonce right. */
const forged = (nonces: Nonces, by: Chance): string => {
  const [kind, payload] = said[by.whole(0, said.length - 1)] ?? never()
  const wrong = wrongNonce(nonces, by)
  const length = by.percent(30) ? lyingLength(by) : String([...payload].length)
  const end = by.pick([
    `;${wrong}\x07`,
    `;${wrong}\x1b\\`,
    `;${wrong}\x9c`,
    `;${nonces.old}\x07`,
    '\x07',
    '',
  ])
  return `\x1b]6973;${wrong};${kind};${length};${payload}${end}`
}

/** The right nonce behind what is not quite the introducer of a mark. */
const misled = ({ own }: Nonces, { pick }: Chance): string => {
  const introducer = pick([
    '\x9d6973;',
    ']6973;',
    '\x1b[6973;',
    '\x1bP6973;',
    '\x1b]6974;',
    '\x1b]06973;',
    '\x1b]6973:',
    '\x1b ]6973;',
    '\x1b]\x006973;',
  ])
  // What stands before must not complete the introducer.
  return `.${introducer}${own};A;0;${markEnd(own)}`
}

/** A forged mark within the strings of other protocols. */
const nested = (nonces: Nonces, by: Chance): string => {
  const inner = forged(nonces, by)
  return by.pick([
    `\x1bP${inner}\x1b\\`,
    `\x1bPtmux;${inner.replaceAll('\x1b', '\x1b\x1b')}\x1b\\`,
    `\x1b]0;${inner}\x07`,
    `\x1b]8;;${inner}\x1b\\`,
    `\x1b_G${inner}\x1b\\`,
    `\x9d${inner}\x9c`,
    `\x1b]6973;${inner}`,
  ])
}

const output = (nonces: Nonces, by: Chance): Piece => {
  const text = by.pick([noise, noise, forged, forged, misled, nested] as const)
  return {
    _tag: 'output',
    text: text === noise ? noise(by) : (text as typeof forged)(nonces, by),
  }
}

/** A genuine mark into which other output fell, behind its header: that much is always written at once. */
const torn = (nonces: Nonces, by: Chance): Piece => {
  const [kind, payload] = said[by.whole(0, said.length - 1)] ?? never()
  const text = framed(nonces.own, kind, payload)
  const from = text.length - markEnd(nonces.own).length - payload.length
  const at = by.whole(from, text.length - 2)
  const left = Math.max(0, [...payload].length - [...text.slice(from, at)].length)
  // Some of it as long as to fill the payload up and end it there.
  const filled = `${'x'.repeat(left)}${by.pick(['\x07', '\x1b\\', `;${nonces.old}\x07`, ';\x07'])}`
  const fallen = by.percent(50) ? filled : `.${by.percent(50) ? forged(nonces, by) : noise(by)}`
  return { _tag: 'torn', text: `${text.slice(0, at)}${fallen}${text.slice(at)}` }
}

// ---------------------------------------------------------------------------------------- streams

const hexadecimal = ({ whole }: Chance): string =>
  Array.from({ length: 4 }, () => whole(0, 0xff_ff_ff_ff).toString(16).padStart(8, '0')).join('')

const pieces = (nonces: Nonces, by: Chance): readonly Piece[] => {
  const some = Array.from({ length: by.whole(1, 8) }, (): Piece => {
    const percent = by.whole(0, 99)
    return percent < 65 ? output(nonces, by) : percent < 85 ? genuine(nonces, by) : torn(nonces, by)
  })
  return [...some, genuine(nonces, by), { _tag: 'output', text: '.' }]
}

/** Cut anywhere, surrogate pairs too: whole, into single characters, or at some places. */
const cut = (text: string, { whole, percent }: Chance): readonly string[] => {
  if (percent(20)) return [text]
  if (percent(10)) return text.split('')
  const places = Array.from({ length: whole(1, 6) }, () => whole(0, text.length))
  const sorted = [0, ...places.sort((a, b) => a - b), text.length]
  return sorted.slice(1).map((to, i) => text.slice(sorted[i], to))
}

const textIn = (tokens: readonly Token[]): string =>
  tokens.map((token) => (token._tag === 'output' ? token.text : '')).join('')

it(`trusts none of the forged marks in ${streams} streams, and misses no genuine one`, () => {
  const first = seedOf()
  const count = { output: 0, genuine: 0, torn: 0, bytes: 0 }
  for (let run = 0; run < streams; run++) {
    const by = chance((first + run) % 2 ** 31)
    const nonces = { own: hexadecimal(by), old: hexadecimal(by) }
    const parts = pieces(nonces, by)
    const stream = parts.map(({ text }) => text).join('')
    const scan = scannerOf(nonces.own)
    const tokens = cut(stream, by).flatMap((chunk) => scan(chunk))
    const marks = tokens.flatMap((token) => (token._tag === 'mark' ? [token.mark] : []))
    const rejected = tokens.filter(({ _tag }) => _tag === 'rejected').length
    const expected = parts.flatMap((part) => (part._tag === 'genuine' ? [part.mark] : []))
    const isTorn = parts.some(({ _tag }) => _tag === 'torn')
    const plain = parts.map((part) => (part._tag === 'output' ? part.text : '')).join('')
    const why = `${JSON.stringify(stream)}\nReplay: SEED=${first + run} npm test -- packages/shell/test/forgery.test.ts`
    if (!isTorn && textIn(tokens) !== plain) expect(textIn(tokens), why).toBe(plain)
    if (!same(marks, expected)) expect(marks, why).toEqual(expected)
    const tears = parts.filter(({ _tag }) => _tag === 'torn').length
    if (rejected !== tears) expect(rejected, why).toBe(tears)
    // Of what was torn nothing is shown that would let the next one pass.
    const shown = timesIn(textIn(tokens), nonces.own)
    if (shown > timesIn(plain, nonces.own)) expect(textIn(tokens), why).toBe(plain)
    for (const { _tag } of parts) count[_tag] += 1
    count.bytes += stream.length
  }
  const { output: outputs, genuine: believed, torn: tears, bytes } = count
  expect(tears).toBeGreaterThan(streams / 4)
  process.stdout.write(
    `${streams} streams, ${bytes} characters, ${outputs} pieces of forged and other output, ` +
      `${tears} torn marks, ${believed} genuine: all told apart, seed ${first}\n`,
  )
}, 120_000)

/** Cheap, since it is done so often; what differs is then compared in words. */
const same = (marks: readonly Mark[], expected: readonly Mark[]): boolean =>
  marks.length === expected.length &&
  marks.every((mark, i) => {
    const other = expected[i]
    return mark._tag === other?._tag && keyOf(mark) === keyOf(other)
  })

const keyOf = (mark: Mark): string =>
  JSON.stringify(mark, (_, value) => (value instanceof Map ? [...value] : value))

const timesIn = (text: string, part: string): number => text.split(part).length - 1
