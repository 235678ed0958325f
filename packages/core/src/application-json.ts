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

/** What cannot be represented. A class, so that no value of the app's is taken for one. */
class Unstorable {
  /** The keys on the way to it, the last first. */
  readonly keys: string[] = []
}

type Packed = Json | undefined | Unstorable

/** @param above what it stands in, itself not: every snapshot passes here, so one list serves all. */
const pack = (value: unknown, depth: number, above: object[]): Packed => {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return packNumber(value)
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') {
    return undefined
  }
  if (typeof value === 'bigint') return new Unstorable()
  if (depth > nestingLimit || above.includes(value)) return new Unstorable()
  if (value instanceof Date) {
    return Number.isFinite(value.getTime()) ? { $date: value.toISOString() } : new Unstorable()
  }
  above.push(value)
  const packed = packInside(value, depth, above)
  above.pop()
  return packed
}

const packInside = (value: object, depth: number, above: object[]): Packed => {
  if (Array.isArray(value)) return packArray(value, depth, above)
  if (hasToJson(value)) return pack(value.toJSON(), depth, above)
  return packObject(value, depth, above)
}

const packNumber = (value: number): Json =>
  Number.isFinite(value) && !Object.is(value, -0)
    ? value
    : { $number: Object.is(value, -0) ? '-0' : String(value) }

const packArray = (value: readonly unknown[], depth: number, above: object[]): Packed => {
  const packed: Json[] = []
  for (let i = 0; i < value.length; i++) {
    const one = pack(value[i], depth + 1, above)
    if (one instanceof Unstorable) return within(one, String(i))
    packed.push(one ?? null)
  }
  return packed
}

const packObject = (value: object, depth: number, above: object[]): Packed => {
  const packed: Record<string, Json> = {}
  for (const [key, item] of Object.entries(value)) {
    const one = pack(item, depth + 1, above)
    if (one instanceof Unstorable) return within(one, key)
    if (one === undefined) continue
    // Given as any other, this one would change what the object inherits.
    if (key === '__proto__') Object.defineProperty(packed, key, { ...plainField, value: one })
    else packed[key.startsWith('$') ? `$${key}` : key] = one
  }
  return packed
}

const plainField = { enumerable: true, writable: true, configurable: true } as const

const within = (found: Unstorable, key: string): Unstorable => {
  found.keys.push(key)
  return found
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
  (u): u is unknown => !(pack(u, 0, []) instanceof Unstorable),
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
    const packed = pack(a, 0, [])
    return packed instanceof Unstorable ? null : (packed ?? null)
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
  const packed = pack(value, 0, [])
  return packed instanceof Unstorable ? packed.keys.reverse() : undefined
}

const hasToJson = (value: object): value is { readonly toJSON: () => unknown } =>
  'toJSON' in value && typeof value.toJSON === 'function'
