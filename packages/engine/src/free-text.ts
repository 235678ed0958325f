/**
 * The free text in what comes from outside: reasons, details. It may hold secrets of the session and be
 * of any length; before anything is decided on it the secrets are taken out and it is cut.
 *
 * Only fields that hold free text are touched: a secret that happens to read like a tag, a token or a
 * kind must not change what is decided.
 */
import { scrubber, secretNames, withoutNamedSecrets } from '@session-recovery/core'

/** The longest free text kept, in characters: what a person reads, not a log. */
export const freeTextLimit = 4_096

const freeText: ReadonlySet<string> = new Set([
  'detail',
  'reason',
  'why',
  'unknownCommands',
  'setAside',
])

/** What is known to be secret: values by reference, and names besides those that look like it. */
export interface KnownSecrets {
  readonly secrets: ReadonlyMap<string, string>
  readonly declared: readonly string[]
}

/** One text without the secrets, and cut. */
export const cleanText = (text: string, known: KnownSecrets): string => cleaner(known)(text)

const cleaner = ({ secrets, declared }: KnownSecrets): ((text: string) => string) => {
  const scrubbed = scrubber(secrets)
  const isSecret = secretNames(declared)
  return (text) => scrubbed(withoutNamedSecrets(text, isSecret)).slice(0, freeTextLimit)
}

/** Plain data with every free text in it cleaned. */
export const cleaned = <A>(value: A, known: KnownSecrets): A => {
  const clean = cleaner(known)
  const visit = (inner: unknown, key: string): unknown => {
    if (typeof inner === 'string') return freeText.has(key) ? clean(inner) : inner
    if (Array.isArray(inner)) return inner.map((item) => visit(item, key))
    if (typeof inner !== 'object' || inner === null || inner instanceof Date) return inner
    // The names of variables stand there, and anything may be in a name.
    if (key === 'origins') {
      const named = Object.entries(inner).map(([name, item]) => [clean(name), visit(item, name)])
      return Object.fromEntries(named)
    }
    // A copy of the same shape, changed where it must be: every decision passes here.
    const copy: Record<string, unknown> = { ...inner }
    for (const name of Object.keys(copy)) {
      const item = copy[name]
      const done = visit(item, name)
      if (done !== item) copy[name] = done
    }
    return copy
  }
  return visit(value, '') as A
}
