/**
 * Arbitraries derived from codecs: whatever a codec promises is generated, so that a field that is added
 * to a type is varied by every property from then on. A codec this cannot walk is refused by its name.
 *
 * Values stay small and texts are awkward on purpose: quotes, newlines, escape sequences, lone
 * surrogates, `__proto__` as a key.
 */
import {
  type AddedType,
  applicationJson,
  atLeastOne,
  count,
  type DictionaryType,
  epochMs,
  exitStatus,
  finite,
  instant,
  intervalMs,
  nonNegative,
  type OneOfType,
  type StructType,
  share,
  type TaggedType,
  text,
} from '@session-recovery/core'
import fc from 'fast-check'
import * as t from 'io-ts'

// ------------------------------------------------------------------------------------------ model

/** How many items a generated list holds at most. */
export const longestList = 3

const awkwardTexts = [
  '',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toJSON',
  '$date',
  '$$',
  '"',
  "'; rm -rf /",
  'first\nsecond\r\n',
  '\u001b[31mred\u001b[0m',
  '\u0000',
  'na\u00efve \u6f22\u5b57 \ud83d\ude80',
  '\ud800',
  'x\udfff',
  '\u2028',
]

// ----------------------------------------------------------------------------------- constructors

const surrogates = { from: 0xd800, count: 0x800 }

/**
 * Any character of Unicode. What the library has for it makes a table of all of them whenever it is asked for,
 * which took every program that only imports this a second.
 */
export const anyCharacter = fc
  .nat(0x10ffff - surrogates.count)
  .map((n) => String.fromCodePoint(n < surrogates.from ? n : n + surrogates.count))

/** Any text, the awkward ones often. */
export const anyText = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 12 }),
  fc.string({ maxLength: 12 }),
  fc.constantFrom(...awkwardTexts),
)

const largestDateMs = 8.64e15

// JSON has no -0: a number that is stored is never one.
const double = (constraints: fc.DoubleConstraints) =>
  fc.double({ noNaN: true, noDefaultInfinity: true, ...constraints }).map((n) => n + 0 || 0)

const counts = fc.oneof(fc.nat(10), fc.maxSafeNat())

const instants = fc.date({ noInvalidDate: true })

/** Durations and sizes: small, plausible, and as large as a double holds. */
const durations = fc.oneof(fc.nat(100), fc.nat(300_000), double({ min: 0 }))

const anyKey = fc.oneof(anyText, fc.constantFrom('$number', '$date', '__proto__', '$$date', 'a'))

/** What an app may keep of its own: JSON, dates, the numbers JSON lacks, keys that look like marks. */
const applicationValues: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      anyText,
      fc.boolean(),
      fc.constant(null),
      fc.double(),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0),
      instants,
    ),
    fc.array(tie('value'), { maxLength: longestList }),
    fc.dictionary(anyKey, tie('value'), { maxKeys: longestList, noNullPrototype: true }),
  ),
})).value

const known = new Map<t.Mixed, fc.Arbitrary<unknown>>([
  [t.string, anyText],
  [t.boolean, fc.boolean()],
  [finite, double({})],
  [nonNegative, durations],
  [
    intervalMs,
    fc.oneof(
      fc.constant(0),
      durations.map((n) => n + 100),
    ),
  ],
  [
    atLeastOne,
    fc.oneof(
      fc.nat(4).map((n) => n + 1),
      double({ min: 1 }),
    ),
  ],
  [share, double({ min: 0, max: 1 })],
  [count, counts],
  [exitStatus, fc.nat(255)],
  [
    epochMs,
    fc.oneof(fc.nat(2_000_000_000_000), double({ min: -largestDateMs, max: largestDateMs })),
  ],
  [text, anyText.filter((value) => value !== '')],
  [instant, instants],
  [applicationJson, applicationValues],
])

const fields = (props: t.Props) =>
  Object.fromEntries(Object.entries(props).map(([key, codec]) => [key, walk(codec)]))

const struct = (required: t.Props, optional: t.Props) =>
  fc.record(
    { ...fields(required), ...fields(optional) },
    { requiredKeys: Object.keys(required), noNullPrototype: true },
  )

const dictionary = (values: t.Mixed) =>
  fc.dictionary(anyKey, walk(values), { maxKeys: longestList, noNullPrototype: true })

type Walkable =
  | t.ArrayType<t.Mixed>
  | t.DictionaryType<t.Mixed, t.Mixed>
  | t.ExactType<t.Mixed>
  | t.InterfaceType<t.Props>
  | t.IntersectionType<t.Mixed[]>
  | t.LiteralType<string | number | boolean>
  | t.PartialType<t.Props>
  | t.RefinementType<t.Mixed>
  | t.TupleType<t.Mixed[]>
  | t.UnionType<t.Mixed[]>
  | OneOfType<string>
  | StructType<t.Props, t.Props>
  | DictionaryType<t.Mixed>
  | TaggedType<StructType<t.Props, t.Props>>
  | AddedType<t.Mixed>

const walk = (codec: t.Mixed): fc.Arbitrary<unknown> => {
  const leaf = known.get(codec)
  if (leaf !== undefined) return leaf
  const walkable = codec as Walkable
  switch (walkable._tag) {
    case 'OneOf':
      return fc.constantFrom(...walkable.members)
    case 'Struct':
      return struct(walkable.required, walkable.optional)
    case 'Tagged':
      return fc.oneof(...walkable.members.map(walk))
    case 'Dictionary':
      return dictionary(walkable.values)
    case 'Added':
      return walk(walkable.codec)
    case 'LiteralType':
      return fc.constant(walkable.value)
    case 'ArrayType':
      return fc.array(walk(walkable.type), { maxLength: longestList })
    case 'TupleType':
      return fc.tuple(...walkable.types.map(walk))
    case 'UnionType':
      return fc.oneof(...walkable.types.map(walk))
    case 'IntersectionType':
      return fc.tuple(...walkable.types.map(walk)).map((parts) => Object.assign({}, ...parts))
    case 'InterfaceType':
      return struct(walkable.props, {})
    case 'PartialType':
      return struct({}, walkable.props)
    case 'DictionaryType':
      return dictionary(walkable.codomain)
    case 'ExactType':
      return walk(walkable.type)
    case 'RefinementType':
      return walk(walkable.type).filter((value) => walkable.is(value))
    default:
      throw new Error(`there is no arbitrary for the codec ${codec.name}`)
  }
}

// ------------------------------------------------------------------------------------ combinators

/**
 * Values of `codec`'s type, each of which it accepts.
 *
 * Throws where the codec is made of something this does not know, naming it.
 */
export const arbitraryOf = <A, O>(codec: t.Type<A, O, unknown>): fc.Arbitrary<A> =>
  walk(codec) as fc.Arbitrary<A>
