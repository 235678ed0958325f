/**
 * Secrets are references: what is declared secret or named like one, and its exact bytes wherever else
 * they turn up, is taken out of a snapshot before anything is stored or told, and put back on restore.
 */
import { isSecretReference, secretReference } from './secret-name.js'
import { isPlain, mapped, numberSuffix, type Path, withVariables } from './secret-place.js'
import { withoutSecrets, withoutSecretsOrRests } from './secret-span.js'
import { type IsSecretName, secretNames, withoutNamedSecrets } from './secret-text.js'
import type { ShellState } from './shell-state.js'
import type { RecoverySnapshot } from './snapshot.js'

// ------------------------------------------------------------------------------------------ model

/** A snapshot without its secrets, and the secrets under the references that stand in their place. */
export interface Redacted {
  readonly snapshot: RecoverySnapshot
  readonly secrets: ReadonlyMap<string, string>
  /** What lines gave to secret names: nothing stands for it, but it is to be sought from now on. */
  readonly spoken: readonly string[]
}

// ----------------------------------------------------------------------------------- constructors

/** An address with a password in it: `scheme://user:password@host`. */
const credentialAddress = /^[a-z][a-z\d+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/i

// ------------------------------------------------------------------------------------ combinators

// A shorter value would be found in innocent text; it is still taken out where its name says so.
const shortestSought = 6

/** What becomes of the text or number at `path`; `named`: a name on the way there says it is secret. */
type Change = (value: string | number, path: Path, named: boolean) => string | number

/**
 * Takes the secrets out of `snapshot`. Each becomes a reference where its name says that it is one, and
 * so does every variable and field of the app's that contains its exact text; in all else that is kept
 * (history, output, errors, names, functions, aliases, traps) that text is replaced. A command line that
 * gives a secret its value holds it before any variable does: it is found there by its name, too.
 *
 * A value that only looks like a reference is taken out like a secret: what a program writes into its
 * environment must not resolve to somebody else's secret.
 *
 * @param declared names that hold secrets, besides those that look like it.
 * @param known secrets taken out of this session before, under their references: sought, too.
 */
export const redact = (
  snapshot: RecoverySnapshot,
  declared: readonly string[],
  known: ReadonlyMap<string, string> = new Map(),
): Redacted => {
  const first = redactedOnce(snapshot, declared, known)
  const named = withCleanKeys(snapshot, first.sought)
  // A reference is made of the keys on the way to it: they must be clean before.
  return named === undefined ? first : redactedOnce(named, declared, known)
}

interface RedactedOnce extends Redacted {
  /** The texts that were looked for. */
  readonly sought: readonly string[]
}

const redactedOnce = (
  snapshot: RecoverySnapshot,
  declared: readonly string[],
  known: ReadonlyMap<string, string>,
): RedactedOnce => {
  const secrets = new Map<string, string>()
  const isSecret = secretNames(declared)
  const spoken: string[] = []
  const isOwn = (value: string | number, path: Path): boolean => {
    if (typeof value !== 'string' || !isSecretReference(value)) return false
    const reference = secretReference(snapshot.sessionId, ...path)
    return value === reference || value === reference + numberSuffix
  }
  const take = (value: string | number, path: Path): string => {
    const suffix = typeof value === 'number' ? numberSuffix : ''
    const reference = secretReference(snapshot.sessionId, ...path) + suffix
    secrets.set(reference, Object.is(value, -0) ? '-0' : String(value))
    return reference
  }
  const gives = (text: string): boolean =>
    withoutNamedSecrets(text, isSecret, (one) => spoken.push(one)) !== text
  const byName: Change = (value, path, named) => {
    if (value === '' || isOwn(value, path)) return value
    if (named) return take(value, path)
    const told =
      typeof value === 'string' &&
      (isSecretReference(value) || gives(value) || hasCredential(value))
    return told ? take(value, path) : value
  }
  const taken = changed(snapshot, isSecret, byName)
  for (const line of linesOf(snapshot)) gives(line)
  const sought = soughtIn([...known.values(), ...secrets.values(), ...spoken])
  const byText: Change = (value, path) =>
    !isOwn(value, path) && holdsOne(value, sought) ? take(value, path) : value
  // Where nothing is sought nothing is found: most sessions have no secret.
  const free = sought.length === 0 ? taken : changed(taken, isSecret, byText)
  const clean: Clean = (text) => withoutSecrets(text, sought)
  const cleanLine: Clean = (line) => clean(withoutNamedSecrets(line, isSecret))
  return { snapshot: scrubbed(free, sought, clean, cleanLine), secrets, spoken, sought }
}

/** Of a number only the whole may be a secret: a part of it means nothing. */
const holdsOne = (value: string | number, sought: readonly string[]): boolean =>
  typeof value === 'string'
    ? sought.some((text) => value.includes(text))
    : sought.includes(String(value))

/** `snapshot` with no sought text in a key of the app's or a variable's name; `undefined`: none is. */
const withCleanKeys = (
  snapshot: RecoverySnapshot,
  sought: readonly string[],
): RecoverySnapshot | undefined => {
  if (sought.length === 0) return undefined
  let found = false
  const clean: Clean = (key) => {
    const free = withoutSecrets(key, sought)
    found ||= free !== key
    return free
  }
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit)
    return isPlain(value) ? mapped(value, visit, clean) : value
  }
  const named = {
    ...snapshot,
    environment: visit(snapshot.environment) as Record<string, string>,
    sessionState: visit(snapshot.sessionState),
    sessionOptions: visit(snapshot.sessionOptions),
    ...(snapshot.shell === undefined
      ? {}
      : { shell: withVariables(snapshot.shell, (text) => text, clean) }),
  }
  return found ? named : undefined
}

// Everything that somebody said to a shell, or of it.
const linesOf = ({ commandHistory, interactiveState, errorContext, shell }: RecoverySnapshot) => [
  ...commandHistory,
  ...(interactiveState?.pendingCommands ?? []),
  ...(interactiveState?.unknownCommands ?? []),
  ...(interactiveState?.setAside ?? []),
  ...(errorContext === undefined ? [] : [errorContext.lastError]),
  ...Object.values(shell?.aliases ?? {}),
  ...Object.values(shell?.traps ?? {}),
]

const hasCredential = (value: string): boolean => credentialAddress.test(value)

/** The variables and the app's own data, changed text by text. */
const changed = (
  snapshot: RecoverySnapshot,
  isSecret: IsSecretName,
  change: Change,
): RecoverySnapshot => {
  const visit = (value: unknown, path: Path, named: boolean): unknown => {
    if (typeof value === 'string' || typeof value === 'number') return change(value, path, named)
    if (Array.isArray(value))
      return value.map((item, i) =>
        visit(item, [...path, String(i)], named || isGivenBy(value[i - 1], isSecret)),
      )
    return isPlain(value)
      ? mapped(value, (item, key) => visit(item, [...path, key], named || isSecret(key)))
      : value
  }
  const visitShell = (text: string, path: Path): string => {
    const named = path.some(isSecret)
    return change(text, ['shell', 'variables', ...path], named) as string
  }
  return {
    ...snapshot,
    environment: visit(snapshot.environment, ['env'], false) as Record<string, string>,
    sessionState: visit(snapshot.sessionState, ['state'], false),
    sessionOptions: visit(snapshot.sessionOptions, ['options'], false),
    ...(snapshot.shell === undefined ? {} : { shell: withVariables(snapshot.shell, visitShell) }),
  }
}

/** Among arguments: `--password`, which is followed by one. */
const isGivenBy = (before: unknown, isSecret: IsSecretName): boolean => {
  const option = typeof before === 'string' ? /^--?([a-z][\w-]*)$/i.exec(before)?.[1] : undefined
  return option !== undefined && isSecret(option)
}

/** The texts to look for, the longest first: one may contain another. */
const soughtIn = (secrets: Iterable<string>): readonly string[] =>
  [...new Set(secrets)]
    .filter((secret) => secret.length >= shortestSought)
    .sort((a, b) => b.length - a.length)

/** `value` with the exact text of every known secret replaced. */
export const scrub = (value: string, secrets: ReadonlyMap<string, string>): string =>
  scrubber(secrets)(value)

/** What scrubs many a text of the same secrets: they are put in order once. */
export const scrubber = (secrets: ReadonlyMap<string, string>): ((value: string) => string) => {
  if (secrets.size === 0) return (value) => value
  const sought = soughtIn(secrets.values())
  return (value) => withoutSecrets(value, sought)
}

type Clean = (text: string) => string

const scrubbed = (
  snapshot: RecoverySnapshot,
  sought: readonly string[],
  clean: Clean,
  cleanLine: Clean,
): RecoverySnapshot => {
  const state = snapshot.interactiveState
  const error = snapshot.errorContext
  const data = (value: unknown) => (sought.length === 0 ? value : deep(value, clean))
  return {
    ...snapshot,
    environment: data(snapshot.environment) as Record<string, string>,
    workingDirectory: clean(snapshot.workingDirectory),
    commandHistory: snapshot.commandHistory.map(cleanLine),
    outputBuffer: scrubbedChunks(snapshot.outputBuffer, sought),
    sessionState: data(snapshot.sessionState),
    sessionOptions: data(snapshot.sessionOptions),
    ...(snapshot.shell === undefined
      ? {}
      : { shell: scrubbedShell(snapshot.shell, clean, cleanLine) }),
    ...(error === undefined
      ? {}
      : { errorContext: { ...error, lastError: cleanLine(error.lastError) } }),
    ...(state === undefined
      ? {}
      : {
          interactiveState: {
            ...state,
            pendingCommands: state.pendingCommands.map(cleanLine),
            ...(state.unknownCommands === undefined
              ? {}
              : { unknownCommands: state.unknownCommands.map(cleanLine) }),
            ...(state.setAside === undefined ? {} : { setAside: state.setAside.map(cleanLine) }),
            ...(state.promptType === undefined ? {} : { promptType: clean(state.promptType) }),
          },
        }),
  }
}

const scrubbedShell = (state: ShellState, clean: Clean, cleanLine: Clean): ShellState => {
  const texts = (from: Readonly<Record<string, string>>, by: Clean) =>
    mapped(from, (text) => by(text as string), clean) as Record<string, string>
  const { omitted } = state
  return {
    ...withVariables(state, (text) => (isSecretReference(text) ? text : clean(text)), clean),
    functions: texts(state.functions, clean),
    aliases: texts(state.aliases, cleanLine),
    traps: texts(state.traps, cleanLine),
    directoryStack: state.directoryStack.map(clean),
    ...(omitted === undefined
      ? {}
      : {
          omitted: mapped(omitted, (names) => (names as string[]).map(clean)) as Record<
            string,
            string[]
          >,
        }),
  }
}

// A secret may be split over chunks: they are joined before it is sought.
const scrubbedChunks = (chunks: readonly string[], sought: readonly string[]): string[] => {
  if (sought.length === 0) return [...chunks]
  const whole = chunks.join('')
  const free = withoutSecretsOrRests(whole, sought)
  return free === whole ? [...chunks] : [free]
}

const deep = (value: unknown, clean: Clean): unknown => {
  if (typeof value === 'string') return isSecretReference(value) ? value : clean(value)
  if (Array.isArray(value)) return value.map((item) => deep(item, clean))
  return isPlain(value) ? mapped(value, (item) => deep(item, clean), clean) : value
}
