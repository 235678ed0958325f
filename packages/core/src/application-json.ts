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
import type { Json } from './codec.js'

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

const numbers: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-0': -0,
}

const unpack = (json: unknown): unknown => {
  if (Array.isArray(json)) return json.map(unpack)
  if (typeof json !== 'object' || json === null) return json
  const entries = Object.entries(json)
  const [only] = entries
  if (only !== undefined && entries.length === 1 && typeof only[1] === 'string') {
    const [key, value] = only
    if (key === '$date') return new Date(value)
    if (key === '$number') return numbers[value]
  }
  return Object.fromEntries(
    entries.map(([key, value]) => [key.startsWith('$$') ? key.slice(1) : key, unpack(value)]),
  )
}

/** A value of the app's own, stored as JSON with dates (and numbers JSON lacks) kept. */
export const applicationJson = new t.Type<unknown, Json, unknown>(
  'JSON with dates',
  (u): u is unknown => E.isRight(pack(u, [], new Set())),
  (u) => t.success(unpack(u)),
  (a) => {
    const packed = pack(a, [], new Set())
    return E.isRight(packed) ? (packed.right ?? null) : null
  },
)

/**
 * Where `value` holds something that cannot be stored, if it does.
 *
 * @returns the path to the first such place (`[]` is the value itself), or `undefined`.
 */
export const unstorable = (value: unknown): Path | undefined => {
  const packed = pack(value, [], new Set())
  return E.isLeft(packed) ? packed.left : undefined
}

const hasToJson = (value: object): value is { readonly toJSON: () => unknown } =>
  'toJSON' in value && typeof value.toJSON === 'function'
