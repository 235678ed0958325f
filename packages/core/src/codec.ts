/**
 * The io-ts building blocks every type of the project is made of, and the one way to decode.
 *
 * io-ts accepts NaN as a number, keeps unknown fields and prints whole types in its errors; here are
 * the stricter numbers and instants, `struct`, and `decode`, whose error names the subject and the field.
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
  /** What stood there instead, cut to 80 characters. */
  readonly actual: string
  readonly message: string
}

// ----------------------------------------------------------------------------------- constructors

const refined = <A>(name: string, base: t.Type<A, A, unknown>, holds: (a: A) => boolean) =>
  new t.Type<A, A, unknown>(
    name,
    (u): u is A => base.is(u) && holds(u),
    (u, c) => (base.is(u) && holds(u) ? t.success(u) : t.failure(u, c)),
    t.identity,
  )

const largestDateMs = 8.64e15

/** A number that is neither NaN nor infinite. */
export const finite = refined('finite number', t.number, Number.isFinite)

/** A finite number of at least 0: durations, sizes. */
export const nonNegative = refined(
  'finite number of at least 0',
  t.number,
  (n) => Number.isFinite(n) && n >= 0,
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
  (n) => Number.isFinite(n) && Math.abs(n) <= largestDateMs,
)

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

const isoDate =
  /^(?:\d{4}|[+-]\d{6})-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/

/** One of a closed set of strings. */
export const oneOf = <K extends string>(
  name: string,
  ...members: readonly K[]
): t.Type<K, K, unknown> => {
  const known: ReadonlySet<string> = new Set(members)
  const type = new t.Type<K, K, unknown>(
    name,
    (u): u is K => typeof u === 'string' && known.has(u),
    (u, c) => (typeof u === 'string' && known.has(u) ? t.success(u as K) : t.failure(u, c)),
    t.identity,
  )
  return Object.assign(type, { members })
}

/** An object with required and optional fields; unknown fields are dropped. */
export const struct = <R extends t.Props, O extends t.Props = Record<never, never>>(
  name: string,
  required: R,
  optional?: O,
) => t.exact(t.intersection([t.type(required), t.partial(optional ?? ({} as O))]), name)

// ------------------------------------------------------------------------------------ combinators

/**
 * Reads `input` as `codec` says.
 *
 * @param subject what is being read, for the error: `config`, `session record`.
 * @returns the value, or a {@link DecodeError} that names the first field at fault.
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
    .filter((entry, i) => {
      const parent = context[i - 1]?.type
      return (
        i > 0 &&
        entry.key !== '' &&
        !(parent instanceof t.UnionType) &&
        !(parent instanceof t.IntersectionType) &&
        !(parent instanceof t.ExactType && parent.type instanceof t.IntersectionType)
      )
    })
    .map((entry) => entry.key)
    .join('.')

const shown = (value: unknown): string => {
  if (typeof value === 'number' || value === undefined) return String(value)
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  if (typeof value === 'function') return 'a function'
  try {
    const whole = JSON.stringify(value) ?? typeof value
    return whole.length > 80 ? `${whole.slice(0, 79)}…` : whole
  } catch {
    return 'a value that JSON cannot hold'
  }
}
