/**
 * Secrets are references: what is declared secret or named like one, and its exact bytes wherever else
 * they turn up, is taken out of a snapshot before anything is stored or told, and put back on restore.
 */
import { isSecretName, isSecretReference, redactedText, secretReference } from './secret-name.js'
import { secretNames, withoutNamedSecrets } from './secret-text.js'
import type { ShellState, ShellVariable } from './shell-state.js'
import type { RecoverySnapshot } from './snapshot.js'

// ------------------------------------------------------------------------------------------ model

/** A snapshot without its secrets, and the secrets under the references that stand in their place. */
export interface Redacted {
  readonly snapshot: RecoverySnapshot
  readonly secrets: ReadonlyMap<string, string>
}

// ----------------------------------------------------------------------------------- constructors

/** An address with a password in it: `scheme://user:password@host`. */
const credentialAddress = /^[a-z][a-z\d+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/i

const numberSuffix = '#number'

// ------------------------------------------------------------------------------------ combinators

// A shorter value would be found in innocent text; it is still taken out where its name says so.
const shortestSought = 6

type Path = readonly string[]
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
  const secrets = new Map<string, string>()
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
  const byName: Change = (value, path, named) => {
    if (value === '' || isOwn(value, path)) return value
    if (named) return take(value, path)
    const told = typeof value === 'string' && (isSecretReference(value) || hasCredential(value))
    return told ? take(value, path) : value
  }
  const taken = changed(snapshot, declared, byName)
  const isSecret = secretNames(declared)
  const spoken: string[] = []
  for (const line of linesOf(snapshot))
    withoutNamedSecrets(line, isSecret, (one) => spoken.push(one))
  const sought = soughtIn([...known.values(), ...secrets.values(), ...spoken])
  const byText: Change = (value, path) =>
    typeof value === 'string' && !isOwn(value, path) && sought.some((text) => value.includes(text))
      ? take(value, path)
      : value
  const free = changed(taken, declared, byText)
  const clean: Clean = (text) => cleaned(text, sought)
  const cleanLine: Clean = (line) => clean(withoutNamedSecrets(line, isSecret))
  return { snapshot: scrubbed(free, clean, cleanLine), secrets }
}

// Everything that somebody said to a shell, or of it.
const linesOf = ({ commandHistory, interactiveState, errorContext }: RecoverySnapshot) => [
  ...commandHistory,
  ...(interactiveState?.pendingCommands ?? []),
  ...(interactiveState?.unknownCommands ?? []),
  ...(interactiveState?.setAside ?? []),
  ...(errorContext === undefined ? [] : [errorContext.lastError]),
]

const hasCredential = (value: string): boolean => credentialAddress.test(value)

/** The variables and the app's own data, changed text by text. */
const changed = (
  snapshot: RecoverySnapshot,
  declared: readonly string[],
  change: Change,
): RecoverySnapshot => {
  const visit = (value: unknown, path: Path, named: boolean): unknown => {
    if (typeof value === 'string' || typeof value === 'number') return change(value, path, named)
    if (Array.isArray(value))
      return value.map((item, i) => visit(item, [...path, String(i)], named))
    return isPlain(value)
      ? mapped(value, (item, key) =>
          visit(item, [...path, key], named || isSecretName(key, declared)),
        )
      : value
  }
  const visitShell = (text: string, path: Path): string => {
    const named = path.some((name) => isSecretName(name, declared))
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

/** The values of a shell's variables, changed text by text; the path is a name, or a name and a key. */
const withVariables = (
  state: ShellState,
  change: (text: string, path: Path) => string,
  rename?: (name: string) => string,
): ShellState => {
  const changedVariable = ({ attributes, value, values }: ShellVariable, name: string) => ({
    attributes,
    ...(value === undefined ? {} : { value: change(value, [name]) }),
    ...(values === undefined
      ? {}
      : { values: mapped(values, (text, key) => change(text as string, [name, key]), rename) }),
  })
  return {
    ...state,
    variables: mapped(
      state.variables,
      (variable, name) => changedVariable(variable as ShellVariable, name),
      rename,
    ) as Record<string, ShellVariable>,
  }
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !(value instanceof Date)

const mapped = (
  from: Readonly<Record<string, unknown>>,
  change: (value: unknown, key: string) => unknown,
  rename: (key: string) => string = (key) => key,
): Record<string, unknown> =>
  Object.fromEntries(Object.entries(from).map(([key, item]) => [rename(key), change(item, key)]))

/** The texts to look for, the longest first: one may contain another. */
const soughtIn = (secrets: Iterable<string>): readonly string[] =>
  [...new Set(secrets)]
    .filter((secret) => secret.length >= shortestSought)
    .sort((a, b) => b.length - a.length)

const cleaned = (value: string, sought: readonly string[]): string =>
  sought.reduce((clean, secret) => clean.replaceAll(secret, redactedText), value)

/** `value` with the exact text of every known secret replaced. */
export const scrub = (value: string, secrets: ReadonlyMap<string, string>): string =>
  scrubber(secrets)(value)

/** What scrubs many a text of the same secrets: they are put in order once. */
export const scrubber = (secrets: ReadonlyMap<string, string>): ((value: string) => string) => {
  const sought = soughtIn(secrets.values())
  return (value) => cleaned(value, sought)
}

type Clean = (text: string) => string

const scrubbed = (snapshot: RecoverySnapshot, clean: Clean, cleanLine: Clean): RecoverySnapshot => {
  const state = snapshot.interactiveState
  const error = snapshot.errorContext
  return {
    ...snapshot,
    environment: deep(snapshot.environment, clean) as Record<string, string>,
    workingDirectory: clean(snapshot.workingDirectory),
    commandHistory: snapshot.commandHistory.map(cleanLine),
    outputBuffer: scrubbedChunks(snapshot.outputBuffer, clean),
    sessionState: deep(snapshot.sessionState, clean),
    sessionOptions: deep(snapshot.sessionOptions, clean),
    ...(snapshot.shell === undefined ? {} : { shell: scrubbedShell(snapshot.shell, clean) }),
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

const scrubbedShell = (state: ShellState, clean: Clean): ShellState => {
  const texts = (from: Readonly<Record<string, string>>) =>
    mapped(from, (text) => clean(text as string), clean) as Record<string, string>
  const { omitted } = state
  return {
    ...withVariables(state, (text) => (isSecretReference(text) ? text : clean(text)), clean),
    functions: texts(state.functions),
    aliases: texts(state.aliases),
    traps: texts(state.traps),
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
const scrubbedChunks = (chunks: readonly string[], clean: Clean): string[] => {
  const whole = chunks.join('')
  const free = clean(whole)
  return free === whole ? [...chunks] : [free]
}

const deep = (value: unknown, clean: Clean): unknown => {
  if (typeof value === 'string') return isSecretReference(value) ? value : clean(value)
  if (Array.isArray(value)) return value.map((item) => deep(item, clean))
  return isPlain(value) ? mapped(value, (item) => deep(item, clean), clean) : value
}

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
