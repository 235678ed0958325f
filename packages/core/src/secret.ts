/**
 * Secrets are references: what is declared secret or named like one, and its exact bytes wherever else
 * they turn up, is taken out of a snapshot before anything is stored or told, and put back on restore.
 */
import type { RecoverySnapshot } from './snapshot.js'

// ------------------------------------------------------------------------------------------ model

/** A snapshot without its secrets, and the secrets under the references that stand in their place. */
export interface Redacted {
  readonly snapshot: RecoverySnapshot
  readonly secrets: ReadonlyMap<string, string>
}

// ----------------------------------------------------------------------------------- constructors

const secretName =
  /pass(?:word|wd|phrase)?$|^pass|secret|token|api_?key|access_?key|private_?key|credential|auth(?:orization)?$|cookie|session_?key|signing_?key|encryption_?key|dsn$|_pwd$|^pgpass/i

const referencePrefix = 'session-recovery-secret:'

/** Whether a variable or field of this name holds a secret: by its looks, or because it is declared. */
export const isSecretName = (name: string, declared: readonly string[]): boolean =>
  declared.includes(name) || secretName.test(name)

/** The reference that stands for the secret `name` of a session. */
export const secretReference = (sessionId: string, name: string): string =>
  `${referencePrefix}${encodeURIComponent(sessionId)}/${encodeURIComponent(name)}`

/** Whether a value is a reference to a secret. */
export const isSecretReference = (value: string): boolean => value.startsWith(referencePrefix)

// ------------------------------------------------------------------------------------ combinators

// A shorter value would be found in innocent text; it is still taken out where its name says so.
const shortestSought = 6

/**
 * Takes the secrets out of `snapshot`: each becomes a reference where its name says so, and its exact
 * text is replaced in everything else that is kept.
 *
 * @param declared names that hold secrets, besides those that look like it.
 */
export const redact = (snapshot: RecoverySnapshot, declared: readonly string[]): Redacted => {
  const secrets = new Map<string, string>()
  const take = (name: string, value: string): string => {
    if (value === '' || isSecretReference(value)) return value
    const reference = secretReference(snapshot.sessionId, name)
    secrets.set(reference, value)
    return reference
  }
  const environment = Object.fromEntries(
    Object.entries(snapshot.environment).map(([name, value]) => [
      name,
      isSecretName(name, declared) ? take(name, value) : value,
    ]),
  )
  const taken = {
    ...snapshot,
    environment,
    sessionState: takenFrom(snapshot.sessionState, 'state', declared, take),
    sessionOptions: takenFrom(snapshot.sessionOptions, 'options', declared, take),
  }
  return { snapshot: scrubbed(taken, secrets), secrets }
}

type Take = (name: string, value: string) => string

const takenFrom = (
  value: unknown,
  path: string,
  declared: readonly string[],
  take: Take,
): unknown => {
  if (Array.isArray(value)) return value.map((v, i) => takenFrom(v, `${path}.${i}`, declared, take))
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      typeof inner === 'string' && isSecretName(key, declared)
        ? take(`${path}.${key}`, inner)
        : takenFrom(inner, `${path}.${key}`, declared, take),
    ]),
  )
}

/** `value` with the exact text of every known secret replaced. */
export const scrub = (value: string, secrets: ReadonlyMap<string, string>): string => {
  let clean = value
  for (const secret of secrets.values()) {
    if (secret.length >= shortestSought) clean = clean.replaceAll(secret, '[secret]')
  }
  return clean
}

const scrubbed = (
  snapshot: RecoverySnapshot,
  secrets: ReadonlyMap<string, string>,
): RecoverySnapshot => {
  if (secrets.size === 0) return snapshot
  const clean = (value: string) => scrub(value, secrets)
  const state = snapshot.interactiveState
  return {
    ...snapshot,
    environment: mapped(snapshot.environment, (v) => (isSecretReference(v) ? v : clean(v))),
    workingDirectory: clean(snapshot.workingDirectory),
    commandHistory: snapshot.commandHistory.map(clean),
    // A secret may be split over chunks: they are joined before it is sought.
    outputBuffer: snapshot.outputBuffer.length === 0 ? [] : [clean(snapshot.outputBuffer.join(''))],
    sessionState: deep(snapshot.sessionState, clean),
    sessionOptions: deep(snapshot.sessionOptions, clean),
    ...(snapshot.errorContext === undefined
      ? {}
      : {
          errorContext: {
            ...snapshot.errorContext,
            lastError: clean(snapshot.errorContext.lastError),
          },
        }),
    ...(state === undefined
      ? {}
      : {
          interactiveState: {
            ...state,
            pendingCommands: state.pendingCommands.map(clean),
            ...(state.promptType === undefined ? {} : { promptType: clean(state.promptType) }),
          },
        }),
  }
}

const mapped = (
  from: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Record<string, string> =>
  Object.fromEntries(Object.entries(from).map(([name, value]) => [name, change(value)]))

const deep = (value: unknown, clean: (text: string) => string): unknown => {
  if (typeof value === 'string') return isSecretReference(value) ? value : clean(value)
  if (Array.isArray(value)) return value.map((item) => deep(item, clean))
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, deep(inner, clean)]))
}

/** Plain data with the exact text of every known secret replaced, wherever it stands. */
export const scrubAll = <A>(value: A, secrets: ReadonlyMap<string, string>): A =>
  secrets.size === 0 ? value : (deep(value, (text) => scrub(text, secrets)) as A)

/** The references that occur in a snapshot, wherever they stand. */
export const referencesIn = (snapshot: RecoverySnapshot): readonly string[] => {
  const found = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value === 'string' && isSecretReference(value)) found.add(value)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit)
  }
  visit([snapshot.environment, snapshot.sessionState, snapshot.sessionOptions])
  return [...found]
}

/** Puts known secrets back; a reference nobody resolves leaves its environment variable out. */
export const withSecrets = (
  snapshot: RecoverySnapshot,
  known: ReadonlyMap<string, string>,
): RecoverySnapshot => {
  const put = (value: unknown): unknown => {
    if (typeof value === 'string') return known.get(value) ?? value
    if (Array.isArray(value)) return value.map(put)
    if (typeof value !== 'object' || value === null || value instanceof Date) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, put(inner)]))
  }
  return {
    ...snapshot,
    environment: Object.fromEntries(
      Object.entries(snapshot.environment).flatMap(([name, value]) => {
        const resolved = isSecretReference(value) ? known.get(value) : value
        return resolved === undefined ? [] : [[name, resolved]]
      }),
    ),
    sessionState: put(snapshot.sessionState),
    sessionOptions: put(snapshot.sessionOptions),
  }
}
