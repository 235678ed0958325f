/**
 * The last line of defence against showing a secret: whatever is told to a viewer has the values taken
 * out that stand under a name that core calls secret, in fields or in text (`PASSWORD=...`), and the
 * exact text of those values wherever else it stands in the same telling.
 *
 * The engine lets no secret into journal or records; this does not rely on it.
 */
import { isSecretName, isSecretReference, type Json, scrub } from '@session-recovery/core'

// ------------------------------------------------------------------------------------------ model

/** What stands where a secret was. */
export const secretMark = '[secret]'

/** Deeper data is not shown; records and events are less than half as deep. */
const depthLimit = 24

type IsSecret = (name: string) => boolean
type Found = Map<string, string>

// A name that is given a value: `NAME=`, `"name": `, `--name `. No match can begin within a name, so that
// looking takes no longer than the text is.
const naming = /(?<![\w.-])(?:-{0,2}([a-z_][\w.-]*)\\?["']?\s*[=:]\s*|--([a-z_][\w-]*)\s+(?!-))/gi
const given = /(?:bearer|basic)\s+\S+|"[^"]*"?|'[^']*'?|\S+/iy
const inAddress = /(:\/\/[^\s/:@]{0,256}:)([^\s/@]+)(?=@)/g

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
  const isSecret: IsSecret = (name) =>
    isSecretName(name, declared) || isSecretName(name.replaceAll('-', '_'), declared)
  const found: Found = new Map()
  const names = Object.keys(values) as K[]
  for (const name of names) collect(values[name], false, isSecret, found, depthLimit)
  const cleaned = names.map((name) => [name, clean(values[name], isSecret, found, depthLimit)])
  return Object.fromEntries(cleaned)
}

const note = (found: Found, secret: string): void => {
  const bare = secret.replace(/^(?:bearer|basic)\s+/i, '').replace(/^["']|["'.,;)\]}]+$/g, '')
  for (const text of [secret, bare]) if (!isSecretReference(text)) found.set(text, text)
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
    else cleanText(value, isSecret, (secret) => note(found, secret))
  } else if (within && (typeof value === 'number' || typeof value === 'bigint')) {
    note(found, String(value))
  } else if (typeof value === 'object' && value !== null && depth > 0) {
    for (const [key, inner] of Object.entries(value)) {
      const secret = within || (!Array.isArray(value) && isSecret(key))
      collect(inner, secret, isSecret, found, depth - 1)
    }
  }
}

/** `text` without what it gives to secret names; `take` is told each value. */
const cleanText = (text: string, isSecret: IsSecret, take: (secret: string) => void): string => {
  const addressed = text.replace(inAddress, (_, before: string, value: string) => {
    take(value)
    return `${before}${secretMark}`
  })
  let out = ''
  let doneTo = 0
  for (const match of addressed.matchAll(naming)) {
    const start = match.index + match[0].length
    if (match.index < doneTo || !isSecret(match[1] ?? match[2] ?? '')) continue
    given.lastIndex = start
    const value = given.exec(addressed)?.[0]
    if (value === undefined || isSecretReference(value)) continue
    take(value)
    out += `${addressed.slice(doneTo, start)}${secretMark}`
    doneTo = start + value.length
  }
  return out + addressed.slice(doneTo)
}

const covered = (value: unknown): Json => {
  if (typeof value === 'string' && (value === '' || isSecretReference(value))) return value
  // Yes, no and nothing are no secrets, and say what a viewer wants to know.
  return typeof value === 'boolean' || value === null ? value : secretMark
}

const clean = (value: unknown, isSecret: IsSecret, found: Found, depth: number): Json => {
  if (typeof value === 'string') {
    return isSecretReference(value)
      ? value
      : scrub(
          cleanText(value, isSecret, () => {}),
          found,
        )
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
