/**
 * A line of the log: JSON with its own checksum in front.
 *
 * `{"crc":"9ae0daaf","KIND":…}` is plain JSON to a person and to `jq`; the checksum is crc32 over every
 * byte between it and the end of the line. Checksum and kind are read without parsing the rest.
 */
import { isUtf8 } from 'node:buffer'
import { crc32 } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { isDeeper, isNestedDeeper, lineNestingLimit } from './nesting.js'

// ------------------------------------------------------------------------------------------ model

/** A line whose checksum is right. */
export interface Line {
  readonly kind: string
  readonly crc: number
  /** What the line says, parsed when it is asked for. */
  readonly payload: () => E.Either<string, unknown>
}

/**
 * A line that is not yet in bytes: it is put into a buffer that is there already. A buffer of its own for each,
 * outside the heap, had the collector look through all of it.
 */
export interface LineText {
  /** All before its JSON. */
  readonly start: string
  readonly json: string
  readonly crc: number
  /** In bytes. */
  readonly length: number
}

const prefixBytes = '{"crc":"00000000",'.length
const newline = 0x0a
const end = '}'

// ----------------------------------------------------------------------------------- constructors

/** A line that says `payload`, with the newline that ends it. */
export const lineOf = (kind: string, payload: unknown): Buffer =>
  bytesOf(lineText(kind, JSON.stringify(payload)))

/** A line whose payload is this JSON, to be put into bytes later. */
export const lineText = (kind: string, json: string): LineText => {
  const said = `"${kind}":`
  const crc = crc32(end, crc32(json, crc32(said)))
  const length = prefixBytes + said.length + Buffer.byteLength(json) + 2
  return { start: `{"crc":"${hex(crc)}",${said}`, json, crc, length }
}

export const bytesOf = (line: LineText): Buffer => {
  const bytes = Buffer.allocUnsafe(line.length)
  put(line, bytes, 0)
  return bytes
}

/** Puts a line into `bytes`, where there is room for it; returns where it ends. */
export const put = ({ start, json, length }: LineText, bytes: Buffer, at: number): number => {
  bytes.write(start, at, 'latin1')
  bytes.write(json, at + start.length)
  bytes.write(`${end}\n`, at + length - 2, 'latin1')
  return at + length
}

const hex = (crc: number): string => crc.toString(16).padStart(8, '0')

/** The checksum of a line that ends in its newline. */
export const crcOf = (line: Buffer): number => crc32(line.subarray(prefixBytes, -1))

// ------------------------------------------------------------------------------------ combinators

const prefix = /^\{"crc":"([0-9a-f]{8})",$/
const kindAtStart = /^"([a-z]{1,16})":/

/**
 * Reads a line (with its newline).
 *
 * @returns the line, or what is wrong with it: it was cut off, has no checksum, or a wrong one.
 */
export const readLine = (bytes: Buffer): E.Either<string, Line> => {
  if (bytes.at(-1) !== newline) return E.left('the line is cut off')
  const found = prefix.exec(bytes.toString('latin1', 0, prefixBytes))?.[1]
  if (found === undefined) return E.left('crc: no checksum')
  const crc = crcOf(bytes)
  if (found !== hex(crc)) return E.left(`crc: expected ${hex(crc)}, got ${found}`)
  const kind = kindAtStart.exec(bytes.toString('latin1', prefixBytes, prefixBytes + 20))?.[1]
  if (kind === undefined) return E.left('the line says nothing')
  return E.right({ kind, crc, payload: () => payloadOf(bytes, kind) })
}

/** A line up to this size is parsed before its nesting is looked at, which is faster. */
const harmlessBytes = 64 << 10

const payloadOf = (bytes: Buffer, kind: string): E.Either<string, unknown> => {
  const isDeep = E.left(`${kind}: nested deeper than ${lineNestingLimit}`)
  if (bytes.length > harmlessBytes && isNestedDeeper(bytes, lineNestingLimit)) return isDeep
  // Read leniently, two texts that differ on the medium would be one.
  if (!isUtf8(bytes)) return E.left(`${kind}: not UTF-8`)
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'))
    if (isDeeper(parsed, lineNestingLimit)) return isDeep
    return typeof parsed === 'object' && parsed !== null && Object.hasOwn(parsed, kind)
      ? E.right((parsed as Record<string, unknown>)[kind])
      : E.left(`${kind}: nothing is said`)
  } catch {
    return E.left(`${kind}: not JSON`)
  }
}
