/**
 * Random secrets of no recognisable shape, the names that make them secrets, and the forms in which one
 * would be found again where it must not be.
 */
import { sampled } from '@session-recovery/testkit'
import fc from 'fast-check'

// ------------------------------------------------------------------------------------------ model

export interface Secret {
  readonly name: string
  readonly value: string
  /** Letters and digits alone: it needs no quotes anywhere. */
  readonly isPlain: boolean
}

/** Names that look like nothing: a policy has to declare them. */
const plainNames = ['LAUNCH', 'geheim', 'KENNUNG', 'x'] as const

const lookingNames = [
  'DB_PASSWORD',
  'apiToken',
  'AWS_SECRET_ACCESS_KEY',
  'private_key',
  'GITHUB_TOKEN',
  'sessionKey',
  'MY_JWT',
  'credentials',
  'sudoPasswd',
  'COOKIE',
] as const

// Long enough that chance does not write one.
const shapes = [
  fc.stringMatching(/^[A-Za-z0-9]{10,40}$/),
  fc.stringMatching(/^[0-9]{12,15}$/),
  fc.stringMatching(/^[0-9a-f]{16,64}$/),
  fc.stringMatching(/^[a-z]{5,9}(-[a-z]{5,9}){1,3}$/),
] as const

const unruly = [
  fc.stringMatching(/^[A-Za-z0-9 "'\\$`{}()[\]<>|&;:,.?!*#%@^~+=/_-]{12,40}$/),
  fc.string({ unit: fc.constantFrom(...'aZ7äßéЖ漢字😀ﬁ\u0301€'), minLength: 10, maxLength: 24 }),
  fc.stringMatching(/^[a-z]{6,9} [a-z]{6,9}\n[A-Z0-9]{6,9}$/),
] as const

const name = fc.oneof(fc.constantFrom(...plainNames), fc.constantFrom(...lookingNames))

const secret: fc.Arbitrary<Secret> = fc.oneof(
  fc.record({ name, value: fc.oneof(...shapes), isPlain: fc.constant(true) }),
  fc.record({ name, value: fc.oneof(...unruly), isPlain: fc.constant(false) }),
)

// ----------------------------------------------------------------------------------- constructors

/** So many secrets, each under a name of its own; always the same for a seed. */
export const secretsOf = (count: number, seed: number): readonly Secret[] =>
  sampled(
    secret.filter(({ value }) => !value.includes('\0') && value.trim() === value),
    count,
    seed,
  ).map((one, i) => ({ ...one, name: `${one.name}_${i}` }))

/** The names that a policy has to declare. */
export const declaredIn = (secrets: readonly Secret[]): string[] =>
  secrets.flatMap(({ name }) => (plainNames.some((plain) => name.startsWith(plain)) ? [name] : []))

// ------------------------------------------------------------------------------------ combinators

/** How a value may stand in bytes: as it is, in JSON, in a JSON text within JSON, encoded, its end alone. */
export const formsOf = (value: string): readonly string[] => {
  const json = JSON.stringify(value).slice(1, -1)
  const bytes = Buffer.from(value)
  return [
    ...new Set([
      value,
      json,
      JSON.stringify(json).slice(1, -1),
      encodeURIComponent(value),
      bytes.toString('hex'),
      // Without the last characters, which depend on what comes after.
      bytes.toString('base64').replace(/.{0,3}=*$/, ''),
      bytes.toString('base64url').replace(/.{0,3}$/, ''),
      ...(/^[A-Za-z0-9-]{16,}$/.test(value) && /[a-z]/.test(value) ? [value.slice(-12)] : []),
    ]),
  ]
}
