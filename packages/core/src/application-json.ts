/**
 * The default codec for the app's own session state and options: JSON in which dates survive.
 *
 * `SessionState` and `SessionOptions` belong to the embedding app; the engine names only the few fields
 * it reads. Plain JSON turns dates into strings and NaN into null; here they travel as `{"$date": …}`
 * and `{"$number": …}`, and a key of the app's own that starts with `$` is escaped by one more `$`.
 * As in JSON, functions, symbols and `undefined` are left out; what cannot be represented at all
 * (a bigint, a cycle, nesting deeper than {@link nestingLimit}) is refused with its path.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { instant, type Json } from './codec.js'

/** How deep a value may nest before it is refused. */
export const nestingLimit = 64

type Path = readonly string[]
type Packed = E.Either<Path, Json | undefined>

const pack = (value: unknown, path: Path, above: ReadonlySet<object>): Packed => {
  if (value === null || typeof value === 'string' || typeof value === 'boolean')
    return E.right(value)
  if (typeof value === 'number') return E.right(packNumber(value))
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') {
    return E.right(undefined)
  }
  if (typeof value === 'bigint') return E.left(path)
  if (above.has(value) || path.length > nestingLimit) return E.left(path)
  if (value instanceof Date) {
    return Number.isFinite(value.getTime()) ? E.right({ $date: value.toISOString() }) : E.left(path)
  }
  const inside = new Set(above).add(value)
  if (Array.isArray(value)) return packArray(value, path, inside)
  if (hasToJson(value)) {
    return pack(value.toJSON(), path, inside)
  }
  return packObject(value, path, inside)
}

const packNumber = (value: number): Json =>
  Number.isFinite(value) && !Object.is(value, -0)
    ? value
    : { $number: Object.is(value, -0) ? '-0' : String(value) }

const packArray = (value: readonly unknown[], path: Path, above: ReadonlySet<object>): Packed => {
  const packed: Json[] = []
  for (const [i, item] of value.entries()) {
    const one = pack(item, [...path, String(i)], above)
    if (E.isLeft(one)) return one
    packed.push(one.right ?? null)
  }
  return E.right(packed)
}

const packObject = (value: object, path: Path, above: ReadonlySet<object>): Packed => {
  const packed: [string, Json][] = []
  for (const [key, item] of Object.entries(value)) {
    const one = pack(item, [...path, key], above)
    if (E.isLeft(one)) return one
    if (one.right !== undefined) packed.push([key.startsWith('$') ? `$${key}` : key, one.right])
  }
  return E.right(Object.fromEntries(packed))
}

const specialNumbers: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
])

const unpackNumber = (name: unknown, path: Path): E.Either<Path, number> => {
  const number = specialNumbers.get(name)
  return number === undefined ? E.left(path) : E.right(number)
}

const unpackDate = (value: unknown, path: Path): E.Either<Path, Date> => {
  const date = instant.decode(value)
  return E.isRight(date) ? date : E.left(path)
}

// What bears a mark of `pack` and makes no sense is refused; what bears none is kept as it is.
const unpack = (json: unknown, path: Path): E.Either<Path, unknown> => {
  if (json instanceof Date) return unpackDate(json, path)
  if (typeof json === 'bigint') return E.left(path)
  if (typeof json !== 'object' || json === null) return E.right(json)
  if (path.length > nestingLimit) return E.left(path)
  if (Array.isArray(json)) {
    const items = unpackAll(
      json.map((item, i) => [String(i), item]),
      path,
    )
    return E.isLeft(items) ? items : E.right(items.right.map(([, item]) => item))
  }
  const entries = Object.entries(json)
  const [only] = entries
  if (only !== undefined && entries.length === 1) {
    const [key, value] = only
    if (key === '$date') return unpackDate(value, path)
    if (key === '$number') return unpackNumber(value, path)
  }
  const fields = unpackAll(entries, path)
  if (E.isLeft(fields)) return fields
  return E.right(
    Object.fromEntries(
      fields.right.map(([key, value]) => [key.startsWith('$$') ? key.slice(1) : key, value]),
    ),
  )
}

const unpackAll = (
  entries: readonly (readonly [string, unknown])[],
  path: Path,
): E.Either<Path, readonly (readonly [string, unknown])[]> => {
  const unpacked: (readonly [string, unknown])[] = []
  for (const [key, value] of entries) {
    const one = unpack(value, [...path, key])
    if (E.isLeft(one)) return one
    unpacked.push([key, one.right])
  }
  return E.right(unpacked)
}

/** A value of the app's own, stored as JSON with dates (and numbers JSON lacks) kept. */
export const applicationJson: t.Type<unknown, Json, unknown> = new t.Type<unknown, Json, unknown>(
  'JSON with dates',
  (u): u is unknown => E.isRight(pack(u, [], new Set())),
  (u, c) => {
    if (u === undefined) return t.failure(u, c)
    const unpacked = unpack(u, [])
    if (E.isRight(unpacked)) return unpacked
    return t.failure(
      u,
      unpacked.left.reduce((inner, key) => t.appendContext(inner, key, applicationJson), c),
    )
  },
  (a) => {
    const packed = pack(a, [], new Set())
    return E.isRight(packed) ? (packed.right ?? null) : null
  },
)

/**
 * Where `value` holds something that cannot be stored, if it does.
 *
 * @returns the path to the first such place (`[]` is the value itself), or `undefined`.
 *
 * @example
 * unstorable({ at: new Date(0), n: NaN }) // => undefined
 * unstorable({ a: { b: 1n } }) // => ['a', 'b']
 */
export const unstorable = (value: unknown): Path | undefined => {
  const packed = pack(value, [], new Set())
  return E.isLeft(packed) ? packed.left : undefined
}

const hasToJson = (value: object): value is { readonly toJSON: () => unknown } =>
  'toJSON' in value && typeof value.toJSON === 'function'
