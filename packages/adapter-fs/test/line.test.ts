/** A line says what it was told to, or what is wrong with it; its checksum covers every byte behind it. */
import { crc32 } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { crcOf, lineOf, readLine } from '../src/line.js'

const hexOf = (said: string): string => crc32(said).toString(16).padStart(8, '0')

/** A line with a right checksum around `said`, whatever that is. */
const around = (said: string): Buffer =>
  Buffer.from(`{"crc":"${hexOf(said)}",${said}
`)
const refusal = (bytes: Buffer): string | undefined => {
  const line = readLine(bytes)
  return E.isLeft(line) ? line.left : undefined
}
const payload = (bytes: Buffer): unknown => {
  const line = readLine(bytes)
  if (E.isLeft(line)) throw new Error(line.left)
  return line.right.payload()
}

test('a line is plain JSON, and is read back with its kind and its checksum', () => {
  const said = { text: 'ä"\n', n: [1, null] }
  const bytes = lineOf('entry', said)
  expect(JSON.parse(bytes.toString())).toEqual({ crc: expect.any(String), entry: said })
  expect(bytes).toEqual(around(JSON.stringify({ entry: said }).slice(1)))
  const line = readLine(bytes)
  expect(E.isRight(line) && { kind: line.right.kind, crc: line.right.crc }).toEqual({
    kind: 'entry',
    crc: crcOf(bytes),
  })
  expect(payload(bytes)).toEqual(E.right(said))
})

test('a checksum that begins with zeros is written with them', () => {
  const numbers = Array.from({ length: 400 }, (_, i) => lineOf('n', i).toString())
  const short = numbers.filter((line) => line.startsWith('{"crc":"0'))
  expect(short.length).toBeGreaterThan(5)
  for (const line of short) expect(refusal(Buffer.from(line))).toBeUndefined()
})

test('every byte that is changed, and every end that is lost, is noticed', () => {
  const bytes = lineOf('entry', { a: 'some text' })
  for (let i = 0; i < bytes.length; i++) {
    const spoilt = Buffer.from(bytes)
    spoilt[i] = (spoilt[i] ?? 0) ^ 1
    expect(refusal(spoilt)).toBeDefined()
    expect(refusal(bytes.subarray(0, i))).toBe('the line is cut off')
  }
})

test('what is wrong is told', () => {
  expect(refusal(Buffer.from('{"entry":{}}\n'))).toBe('crc: no checksum')
  expect(refusal(Buffer.from('{"crc":"0000000G","entry":1}\n'))).toBe('crc: no checksum')
  expect(refusal(Buffer.from(' {"crc":"00000000","entry":1}\n'))).toBe('crc: no checksum')
  const right = hexOf('"entry":1}')
  expect(refusal(Buffer.from('{"crc":"00000000","entry":1}\n'))).toBe(
    `crc: expected ${right}, got 00000000`,
  )
  for (const said of ['}', '"Entry":1}', '"":1}', `"${'x'.repeat(17)}":1}`, ' "entry":1}'])
    expect(refusal(around(said))).toBe('the line says nothing')
  expect(refusal(around(`"${'x'.repeat(16)}":1}`))).toBeUndefined()
})

test('what is said and is no use is told when it is asked for', () => {
  expect(payload(around('"entry":'))).toEqual(E.left('entry: not JSON'))
  expect(payload(around('"entry":1}x'))).toEqual(E.left('entry: not JSON'))
  const twice = payload(around('"entry":1,"entry":2}'))
  expect(twice).toEqual(E.right(2))
  expect(payload(around('"entry":null}'))).toEqual(E.right(null))
})

test.each([10, 70_000])(
  'nesting without end is refused, in a line of more than %d bytes',
  (bytes) => {
    const deep = (levels: number) =>
      around(`"entry":${'['.repeat(levels)}"${'x'.repeat(bytes)}"${']'.repeat(levels)}}`)
    expect(E.isRight(payload(deep(100)) as E.Either<string, unknown>)).toBe(true)
    expect(payload(deep(5_000))).toMatchObject({
      _tag: 'Left',
      left: expect.stringMatching(/^entry: nested/),
    })
  },
)

test('what is no UTF-8 says nothing, although its checksum is right', () => {
  const said = Buffer.concat([Buffer.from('"entry":"'), Buffer.from([0xff]), Buffer.from('"}')])
  const hex = crc32(said).toString(16).padStart(8, '0')
  const bytes = Buffer.concat([Buffer.from(`{"crc":"${hex}",`), said, Buffer.from('\n')])
  expect(payload(bytes)).toEqual(E.left('entry: not UTF-8'))
})
