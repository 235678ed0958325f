/**
 * The last line of defence against showing a secret: whatever is told to a viewer has the values taken
 * out that stand under a name that core calls secret, in fields or in text (`PASSWORD=...`), and the
 * exact text of those values wherever else it stands in the same telling.
 *
 * The engine lets no secret into journal or records; this does not rely on it.
 */
import {
  isSecretReference,
  type Json,
  redactedText,
  scrub,
  secretNames,
  withoutNamedSecrets,
} from '@session-recovery/core'

// ------------------------------------------------------------------------------------------ model

/** Deeper data is not shown; records and events are less than half as deep. */
const depthLimit = 24

type IsSecret = (name: string) => boolean
type Found = Map<string, string>

// ------------------------------------------------------------------------------------ combinators

/**
 * `values` as plain JSON (dates as ISO texts; functions and what is undefined left out), without secrets.
 * What one of them names a secret is taken out of the others, too.
 *
 * @param declared names that hold secrets, besides those that look like it.
 */
export const withoutSecrets = <K extends string>(
  values: Readonly<Record<K, unknown>>,
  declared: readonly string[],
): Readonly<Record<K, Json>> => {
  const isSecret = secretNames(declared)
  const found: Found = new Map()
  const names = Object.keys(values) as K[]
  for (const name of names) collect(values[name], false, isSecret, found, depthLimit)
  const cleaned = names.map((name) => [name, clean(values[name], isSecret, found, depthLimit)])
  return Object.fromEntries(cleaned)
}

const note = (found: Found, secret: string): void => {
  if (!isSecretReference(secret)) found.set(secret, secret)
}

/** Notes every secret in `value`; within a secret field everything is one. */
const collect = (
  value: unknown,
  within: boolean,
  isSecret: IsSecret,
  found: Found,
  depth: number,
): void => {
  if (typeof value === 'string') {
    if (within) note(found, value)
    else withoutNamedSecrets(value, isSecret, (secret) => note(found, secret))
  } else if (within && (typeof value === 'number' || typeof value === 'bigint')) {
    note(found, String(value))
  } else if (typeof value === 'object' && value !== null && depth > 0) {
    for (const [key, inner] of Object.entries(value)) {
      const secret = within || (!Array.isArray(value) && isSecret(key))
      collect(inner, secret, isSecret, found, depth - 1)
    }
  }
}

const covered = (value: unknown): Json => {
  if (typeof value === 'string' && (value === '' || isSecretReference(value))) return value
  // Yes, no and nothing are no secrets, and say what a viewer wants to know.
  return typeof value === 'boolean' || value === null ? value : redactedText
}

const clean = (value: unknown, isSecret: IsSecret, found: Found, depth: number): Json => {
  if (typeof value === 'string') {
    return isSecretReference(value) ? value : scrub(withoutNamedSecrets(value, isSecret), found)
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'boolean' || value === null) return value
  if (typeof value !== 'object') return typeof value === 'bigint' ? String(value) : null
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (depth === 0) return '…'
  if (Array.isArray(value)) return value.map((item) => clean(item, isSecret, found, depth - 1))
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined && typeof inner !== 'function')
      .map(([key, inner]) => [
        key,
        isSecret(key) ? covered(inner) : clean(inner, isSecret, found, depth - 1),
      ]),
  )
}
