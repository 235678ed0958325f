/**
 * The way back of secrets: which references a snapshot holds, what they stood for, and what is remembered
 * of those that were seen.
 */
import { isSecretReference } from './secret-name.js'
import { isPlain, mapped, numberSuffix, withVariables } from './secret-place.js'
import type { RecoverySnapshot } from './snapshot.js'

// ------------------------------------------------------------------------------------ combinators

/**
 * Remembers that `reference` stands for `value`. A former value may still show up in what a program says:
 * it is sought from now on, too.
 */
export const rememberSecret = (
  known: Map<string, string>,
  reference: string,
  value: string,
): void => {
  const former = known.get(reference)
  known.set(reference, value)
  if (former === undefined || former === value || [...known.values()].includes(former)) return
  known.set(`${reference}#former ${known.size}`, former)
}

/** Longer than any session's list of secrets in command lines; the oldest are forgotten first. */
const spokenLimit = 1_000

/** Remembers values for which no reference stands, to be sought in what is said later. */
export const rememberSpoken = (known: Map<string, string>, spoken: readonly string[]): void => {
  const values = new Set(known.values())
  const isNew = (value: string) => !values.has(value)
  for (const value of new Set(spoken.filter(isNew))) known.set(`${spokenPrefix}${value}`, value)
  const keys = [...known.keys()].filter((key) => key.startsWith(spokenPrefix))
  for (const key of keys.slice(0, Math.max(keys.length - spokenLimit, 0))) known.delete(key)
}

const spokenPrefix = '#spoken '

/** The references that occur in a snapshot, wherever they stand. */
export const referencesIn = (snapshot: RecoverySnapshot): readonly string[] => {
  const found = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value === 'string' && isSecretReference(value)) found.add(value)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit)
  }
  visit([
    snapshot.environment,
    snapshot.sessionState,
    snapshot.sessionOptions,
    snapshot.shell?.variables,
  ])
  return [...found]
}

/**
 * Puts known secrets back. A reference nobody resolves leaves its environment variable out; elsewhere it
 * stays, so that it can be told what is lost.
 */
export const withSecrets = (
  snapshot: RecoverySnapshot,
  known: ReadonlyMap<string, string>,
): RecoverySnapshot => {
  const put = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(put)
    if (typeof value !== 'string') return isPlain(value) ? mapped(value, put) : value
    const secret = known.get(value)
    return secret !== undefined && value.endsWith(numberSuffix) ? Number(secret) : (secret ?? value)
  }
  const resolved = Object.entries(snapshot.environment).filter(
    ([, value]) => !isSecretReference(value) || known.has(value),
  )
  return {
    ...snapshot,
    environment: put(Object.fromEntries(resolved)) as Record<string, string>,
    sessionState: put(snapshot.sessionState),
    sessionOptions: put(snapshot.sessionOptions),
    ...(snapshot.shell === undefined
      ? {}
      : { shell: withVariables(snapshot.shell, (text) => known.get(text) ?? text) }),
  }
}
