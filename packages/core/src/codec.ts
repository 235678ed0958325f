/**
 * The io-ts building blocks every type of the project is made of, and the one way to decode.
 *
 * io-ts accepts NaN as a number, keeps unknown fields, lets a field named `__proto__` change what an
 * object inherits, and prints whole types in its errors. Here are the stricter numbers and instants;
 * `struct`, `dictionary` and `tagged`, which read own fields only and build what they return afresh, its
 * fields in the declared order; and `decode`, whose error names the subject and the field.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

// ------------------------------------------------------------------------------------------ model

/** Any value that JSON can hold. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

/** Input that does not have the promised form: what was read, where in it, and what was expected there. */
export interface DecodeError {
  readonly _tag: 'DecodeError'
  /** What was being read, e.g. `config` or `session record`. */
  readonly subject: string
  /** The field, as a path from the subject: `interactive.pendingSince`; empty for the whole. */
  readonly path: string
  readonly expected: string
  /** What stood there instead: a text cut to 80 characters, of an object only that it is one. */
  readonly actual: string
  readonly message: string
}

/** Codecs that can be walked: what each is made of is told by its `_tag`. */
export interface OneOfType<K extends string> extends t.Type<K, K, unknown> {
  readonly _tag: 'OneOf'
  readonly members: readonly K[]
}

export interface StructType<R extends t.Props, O extends t.Props>
  extends t.Type<
    { [K in keyof R]: t.TypeOf<R[K]> } & { [K in keyof O]?: t.TypeOf<O[K]> },
    { [K in keyof R]: t.OutputOf<R[K]> } & { [K in keyof O]?: t.OutputOf<O[K]> },
    unknown
  > {
  readonly _tag: 'Struct'
  readonly required: R
  readonly optional: O
}

export interface DictionaryType<C extends t.Mixed>
  extends t.Type<Record<string, t.TypeOf<C>>, Record<string, t.OutputOf<C>>, unknown> {
  readonly _tag: 'Dictionary'
  readonly values: C
}

export interface AddedType<C extends t.Mixed> extends t.Type<t.TypeOf<C>, t.OutputOf<C>, unknown> {
  readonly _tag: 'Added'
  readonly codec: C
}

interface AnyStruct extends t.Mixed {
  readonly _tag: 'Struct'
  readonly required: t.Props
  readonly optional: t.Props
}

/** `field`: what its members are told apart by. */
export interface TaggedType<M extends AnyStruct>
  extends t.Type<t.TypeOf<M>, t.OutputOf<M>, unknown> {
  readonly _tag: 'Tagged'
  readonly field: '_tag' | 'type'
  readonly members: readonly M[]
}

// ----------------------------------------------------------------------------------- constructors

const refined = <A>(name: string, base: t.Type<A, A, unknown>, holds: (a: A) => boolean) =>
  new t.Type<A, A, unknown>(
    name,
    (u): u is A => base.is(u) && holds(u),
    (u, c) => (base.is(u) && holds(u) ? t.success(u) : t.failure(u, c)),
    t.identity,
  )

/** The last instant a `Date` can hold, in milliseconds since the epoch: what "never" amounts to. */
export const lastInstantMs = 8.64e15

/** A number that is neither NaN nor infinite. */
export const finite = refined('finite number', t.number, Number.isFinite)

/** A finite number of at least 0: durations, sizes. */
export const nonNegative = refined(
  'finite number of at least 0',
  t.number,
  (n) => Number.isFinite(n) && n >= 0,
)

/** Below this what is done again and again is done without a pause. */
const leastPauseMs = 100

/** 0, or a finite number of at least 100: milliseconds between what is done again and again. */
export const intervalMs = refined(
  `0, or a finite number of at least ${leastPauseMs}`,
  t.number,
  (n) => n === 0 || (Number.isFinite(n) && n >= leastPauseMs),
)

/** A finite number of at least 1: multipliers. */
export const atLeastOne = refined(
  'finite number of at least 1',
  t.number,
  (n) => Number.isFinite(n) && n >= 1,
)

/** A number from 0 to 1, both included: shares. */
export const share = refined('number from 0 to 1', t.number, (n) => n >= 0 && n <= 1)

/** A whole number of at least 0 that a double holds exactly: counts, revisions. */
export const count = refined(
  'whole number of at least 0',
  t.number,
  (n) => Number.isSafeInteger(n) && n >= 0,
)

/** A whole number that fits a process's exit status or a signal number: 0 to 255. */
export const exitStatus = refined(
  'exit status from 0 to 255',
  t.number,
  (n) => Number.isInteger(n) && n >= 0 && n <= 255,
)

/** An instant in milliseconds since the epoch, within what a `Date` can hold. */
export const epochMs = refined(
  'milliseconds since the epoch',
  t.number,
  (n) => Number.isFinite(n) && Math.abs(n) <= lastInstantMs,
)

/** The instant `durationMs` after `atMs`, or the last there is where that is later. */
export const laterMs = (atMs: number, durationMs: number): number =>
  Math.min(atMs + durationMs, lastInstantMs)

/** Text of at least one character. */
export const text = refined('non-empty text', t.string, (s) => s.length > 0)

/** A `Date` in memory, ISO 8601 text when stored. Invalid dates are refused on both sides. */
export const instant = new t.Type<Date, string, unknown>(
  'date',
  (u): u is Date => u instanceof Date && Number.isFinite(u.getTime()),
  (u, c) => {
    const date =
      u instanceof Date ? u : typeof u === 'string' && isoDate.test(u) ? new Date(u) : undefined
    return date !== undefined && Number.isFinite(date.getTime()) ? t.success(date) : t.failure(u, c)
  },
  (date) => date.toISOString(),
)

// A time without an offset would mean another instant on another machine.
const isoDate =
  /^(?:\d{4}|[+-]\d{6})-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/

/** One of a closed set of strings. */
export const oneOf = <K extends string>(name: string, ...members: readonly K[]): OneOfType<K> => {
  const known: ReadonlySet<unknown> = new Set(members)
  const is = (u: unknown): u is K => known.has(u)
  const type = new t.Type<K, K, unknown>(
    `${name} (${members.join(', ')})`,
    is,
    (u, c) => (is(u) ? t.success(u) : t.failure(u, c)),
    t.identity,
  )
  return Object.assign(type, { _tag: 'OneOf' as const, members })
}

const own = (object: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(object, key) ? object[key] : undefined

/** An object with required and optional fields; unknown and undefined fields are dropped. */
export const struct = <R extends t.Props, O extends t.Props = Record<never, never>>(
  name: string,
  required: R,
  optional?: O,
): StructType<R, O> => {
  type A = t.TypeOf<StructType<R, O>>
  const fields = [
    ...Object.entries(required).map(([key, codec]) => ({ key, codec, needed: true })),
    ...Object.entries(optional ?? {}).map(([key, codec]) => ({ key, codec, needed: false })),
  ]
  const type = new t.Type<A, t.OutputOf<StructType<R, O>>, unknown>(
    name,
    (u): u is A => {
      if (!t.UnknownRecord.is(u)) return false
      // Every decision is checked before it is stored: a loop, as it is the quickest.
      for (const field of fields) {
        const value = own(u, field.key)
        if ((field.needed || value !== undefined) && !field.codec.is(value)) return false
      }
      return true
    },
    (u, c) => {
      if (!t.UnknownRecord.is(u)) return t.failure(u, c)
      const errors: t.ValidationError[] = []
      const read: Record<string, unknown> = {}
      for (const { key, codec, needed } of fields) {
        const value = own(u, key)
        if (value === undefined && !needed) continue
        const result = codec.validate(value, t.appendContext(c, key, codec, value))
        if (E.isLeft(result)) errors.push(...result.left)
        else read[key] = result.right
      }
      return errors.length > 0 ? t.failures(errors) : t.success(read as A)
    },
    (a) => {
      const written: Record<string, unknown> = {}
      for (const { key, codec, needed } of fields) {
        const value = own(a, key)
        if (!needed && value === undefined) continue
        written[key] = codec.encode === t.identity ? value : codec.encode(value)
      }
      return written as t.OutputOf<StructType<R, O>>
    },
  )
  return Object.assign(type, {
    _tag: 'Struct' as const,
    required,
    optional: optional ?? ({} as O),
  })
}

/**
 * A field that is required, and that what was stored earlier does not have: where it is missing, it reads
 * as `before`. What was kept stays readable when a type grows.
 */
export const added = <C extends t.Mixed>(codec: C, before: t.TypeOf<C>): AddedType<C> => {
  const type = new t.Type<t.TypeOf<C>, t.OutputOf<C>, unknown>(
    codec.name,
    codec.is,
    (u, c) => (u === undefined ? t.success(before) : codec.validate(u, c)),
    codec.encode,
  )
  return Object.assign(type, { _tag: 'Added' as const, codec })
}

/** An object whose keys are the data's own, such as an environment; `__proto__` is a key like any other. */
export const dictionary = <C extends t.Mixed>(name: string, values: C): DictionaryType<C> => {
  type A = t.TypeOf<DictionaryType<C>>
  const isOfTexts = (values as t.Mixed) === t.string
  const type = new t.Type<A, t.OutputOf<DictionaryType<C>>, unknown>(
    name,
    (u): u is A => t.UnknownRecord.is(u) && Object.values(u).every(values.is),
    (u, c) => {
      if (!t.UnknownRecord.is(u)) return t.failure(u, c)
      // An environment: of texts there is nothing to read, and the place of each would have to be told.
      if (isOfTexts) {
        // Of the copy: what the app gives may answer otherwise when it is asked again.
        const copy = { ...u }
        if (Object.values(copy).every(values.is)) return t.success(copy)
      }
      const errors: t.ValidationError[] = []
      const read: [string, t.TypeOf<C>][] = []
      for (const [key, value] of Object.entries(u)) {
        const result = values.validate(value, t.appendContext(c, key, values, value))
        if (E.isLeft(result)) errors.push(...result.left)
        else read.push([key, result.right])
      }
      return errors.length > 0 ? t.failures(errors) : t.success(Object.fromEntries(read))
    },
    (a) =>
      values.encode === t.identity
        ? { ...a }
        : Object.fromEntries(Object.entries(a).map(([key, value]) => [key, values.encode(value)])),
  )
  return Object.assign(type, { _tag: 'Dictionary' as const, values })
}

/** A {@link struct} that is known by its `_tag`. */
export const variant = <
  T extends string,
  R extends t.Props,
  O extends t.Props = Record<never, never>,
>(
  tag: T,
  required: R,
  optional?: O,
) => struct(tag, { _tag: t.literal(tag), ...required }, optional)

/**
 * One of several structs, told apart by the literal in their field `field`: only the one that is meant
 * is read, and only its errors are reported.
 */
export const tagged = <M extends AnyStruct>(
  name: string,
  field: '_tag' | 'type',
  members: readonly M[],
): TaggedType<M> => {
  type A = t.TypeOf<M>
  const byTag = new Map(
    members.map((member) => [(member.required[field] as t.LiteralC<string>).value, member]),
  )
  const Tag = oneOf(field, ...byTag.keys())
  const memberOf = (u: unknown): M | undefined =>
    t.UnknownRecord.is(u) ? byTag.get(own(u, field) as string) : undefined
  const type = new t.Type<A, t.OutputOf<M>, unknown>(
    name,
    (u): u is A => memberOf(u)?.is(u) === true,
    (u, c) => {
      if (!t.UnknownRecord.is(u)) return t.failure(u, c)
      const tag = own(u, field)
      return memberOf(u)?.validate(u, c) ?? t.failure(tag, t.appendContext(c, field, Tag, tag))
    },
    (a) => memberOf(a)?.encode(a),
  )
  return Object.assign(type, { _tag: 'Tagged' as const, field, members })
}

// ------------------------------------------------------------------------------------ combinators

/**
 * Reads `input` as `codec` says.
 *
 * @param subject what is being read, for the error: `config`, `session record`.
 * @returns the value, or a {@link DecodeError} that names the field at fault (of several, the deepest).
 */
export const decode =
  <A, O>(codec: t.Type<A, O, unknown>, subject: string) =>
  (input: unknown): E.Either<DecodeError, A> => {
    const result = codec.decode(input)
    return E.isRight(result) ? result : E.left(decodeError(subject, result.left))
  }

const decodeError = (subject: string, errors: t.Errors): DecodeError => {
  const deepest = errors.reduce<t.ValidationError | undefined>(
    (best, e) => (best === undefined || e.context.length > best.context.length ? e : best),
    undefined,
  )
  const context = deepest?.context ?? []
  const path = pathOf(context)
  const expected = context.at(-1)?.type.name ?? 'something else'
  const actual = shown(deepest?.value)
  const where = path === '' ? subject : `${subject}: ${path}`
  return {
    _tag: 'DecodeError',
    subject,
    path,
    expected,
    actual,
    message: `${where}: expected ${expected}, got ${actual}`,
  }
}

// The members of unions and intersections appear in a context under their number; they are no fields.
const pathOf = (context: t.Context): string =>
  context
    .filter((_entry, i) => {
      const parent = context[i - 1]?.type
      return i > 0 && !(parent instanceof t.UnionType) && !(parent instanceof t.IntersectionType)
    })
    .map((entry) => entry.key)
    .join('.')

/** Names the field at fault without what stands there, which may be a secret. */
export const fieldAtFault = ({ subject, path, expected }: DecodeError): string =>
  `${path === '' ? subject : `${subject}: ${path}`}: expected ${expected}`

/** The error without what stood there: for logs, which must hold no secret. */
export const withoutValue = (error: DecodeError): DecodeError => ({
  ...error,
  actual: 'something else',
  message: fieldAtFault(error),
})

// What stands inside an object is not told: a message ends up in logs, and it may hold a secret.
const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(cut(value))
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (value instanceof Date) return 'an invalid date'
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

const cut = (value: string): string => (value.length > 80 ? `${value.slice(0, 79)}…` : value)
