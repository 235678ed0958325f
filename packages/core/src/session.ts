/**
 * What is declared of a session when it is registered, and the few fields the engine reads of the app's
 * own options to know it.
 */
import * as t from 'io-ts'
import { added, count, dictionary, exitStatus, oneOf, struct, text } from './codec.js'

export type SessionKind = 'local' | 'ssh'
export const SessionKind = oneOf<SessionKind>('session kind', 'local', 'ssh')

/** What is declared of a session; it binds what may be done to it. */
export const Traits = struct(
  'session traits',
  {
    kind: SessionKind,
    /** Somebody sits at it: it is recovered from death and disconnection only, and never typed at. */
    attended: t.boolean,
    /** Its process is a shell, which may be started again; other commands only if `rerunnable`. */
    shell: t.boolean,
    rerunnable: t.boolean,
    /** Exit codes that are failures; any other exit with a code is an end. */
    failureExitCodes: t.array(exitStatus),
    /** Command lines, to the letter, that may be run again although it is not known whether they ran. */
    idempotentCommands: added(t.array(text), []),
  },
  {
    /** What it shares with others and fails together with them by; each once, in their order. */
    domains: t.array(text),
  },
)
export type Traits = t.TypeOf<typeof Traits>

/**
 * Gives of traits that are alike one and the same value: of a hundred thousand sessions most are declared
 * alike, and what is declared never changes.
 */
export const traitPool = (): ((traits: Traits) => Traits) => {
  const known = new Map<string, Traits>()
  return (traits) => {
    const said = JSON.stringify(traits)
    const same = known.get(said)
    if (same !== undefined || known.size >= mostKindsOfTraits) return same ?? traits
    const shared = frozen(traits)
    known.set(said, shared)
    return shared
  }
}

/** The same, so that it cannot change, which makes its digests quicker: the lists may be the app's own. */
const frozen = (traits: Traits): Traits => {
  const { failureExitCodes, idempotentCommands, domains } = traits
  return Object.freeze({
    ...traits,
    failureExitCodes: frozenList(failureExitCodes),
    idempotentCommands: frozenList(idempotentCommands),
    ...(domains === undefined ? {} : { domains: frozenList(domains) }),
  })
}

// The codec's type is that of a list that can be changed.
const frozenList = <A>(list: readonly A[]): A[] => Object.freeze([...list]) as A[]

/** Beyond it each has its own: where all differ, there is nothing to share. */
const mostKindsOfTraits = 1_024

/** The life of a session whose place another has taken: it is owned no more from then on. */
export const Replaced = struct('replaced session', { sessionId: text, incarnation: count })
export type Replaced = t.TypeOf<typeof Replaced>

/** What the engine reads of the app's session options. Everything else is the app's own. */
export interface KnownOptions {
  readonly kind: SessionKind
  readonly command: string | undefined
  readonly workingDirectory: string
  readonly environment: Readonly<Record<string, string>>
}

const field = (options: unknown, name: string): unknown =>
  typeof options === 'object' && options !== null && Object.hasOwn(options, name)
    ? (options as Record<string, unknown>)[name]
    : undefined

const strings = dictionary('environment', t.string)

/**
 * Reads the fields the engine knows: `command`, `cwd`, `env` or `environment`, `sshOptions`.
 * What is missing or of another type stays unknown (an empty directory, an empty environment): the
 * engine's own directory says nothing about a session's.
 *
 * @example
 * knownOptions({ cwd: '/srv', sshOptions: { host: 'h' } }).kind // => 'ssh'
 * knownOptions({}).workingDirectory // => ''
 */
export const knownOptions = (options: unknown): KnownOptions => {
  const cwd = field(options, 'cwd')
  const command = field(options, 'command')
  const environment = {
    ...recordOf(field(options, 'environment')),
    ...recordOf(field(options, 'env')),
  }
  const ssh = field(options, 'sshOptions')
  return {
    kind: ssh === undefined || ssh === null || ssh === false ? 'local' : 'ssh',
    command: typeof command === 'string' ? command : undefined,
    workingDirectory: typeof cwd === 'string' ? cwd : '',
    environment,
  }
}

const recordOf = (value: unknown): Readonly<Record<string, string>> =>
  strings.is(value) ? value : {}

const shells: ReadonlySet<string> = new Set([
  'sh',
  'bash',
  'zsh',
  'fish',
  'dash',
  'ash',
  'ksh',
  'mksh',
  'csh',
  'tcsh',
  'nu',
  'pwsh',
  'cmd.exe',
])

/**
 * Whether `command` (a name or a path, with its arguments) is a shell; no command means the default shell.
 *
 * @example
 * isShellCommand('/bin/bash -l') // => true
 * isShellCommand('node server.js') // => false
 */
export const isShellCommand = (command: string | undefined): boolean => {
  const program = command?.trim().split(/\s+/)[0] ?? ''
  const name = program.split(/[\\/]/).at(-1) ?? ''
  return command === undefined || shells.has(name.replace(/^-/, ''))
}
