/**
 * The environment a new process is given, merged of three: the snapshot's, today's host's, and the list of
 * what belongs to a moment of the host (sockets, displays, process ids), where the snapshot's value is
 * stale. Where a variable can make programs run code by itself, only today's host is heard, unless the
 * policy names it; it also says where the home is, as that chooses the start-up files. Nothing is set of what belongs to the shell.
 */

import { type Policy, secretReference, storedBytes } from '@session-recovery/core'

// ------------------------------------------------------------------------------------------ model

export type Environment = Readonly<Record<string, string>>

/**
 * Where the value of a variable comes from. `refused`: the snapshot's can run code, today's host has the
 * say; `volatile`: the snapshot's was of another moment and today's host has none; `lost`: its secret is
 * gone, today's host has the say.
 */
export type Origin = 'snapshot' | 'host' | 'start-up files' | 'refused' | 'volatile' | 'lost'

export interface Merged {
  readonly environment: Environment
  /** Names whose value is the snapshot's. */
  readonly fromSnapshot: readonly string[]
  /** What the snapshot had that differs from the host and is not brought back: it can run code. */
  readonly refused: Environment
  readonly origins: Readonly<Record<string, Origin>>
}

/** How a snapshot's environment is taken. */
export interface MergeRule {
  /** The snapshot names every exported variable: what it lacks was unset. */
  readonly isWhole: boolean
  /** Variables whose values the snapshot had and nobody has any more: the host's stand in. */
  readonly lostNames: readonly string[]
  readonly policy: Pick<Policy, 'restoredExecutables' | 'volatileNames'>
}

/** How two environments compare, by name. */
export interface Comparison {
  readonly equal: readonly string[]
  readonly different: readonly string[]
}

// ----------------------------------------------------------------------------------- constructors

// What loaders, interpreters, shells and tools run without being asked, be it only by the place where they
// look for their start-up files, modules and settings. A program the user chose and starts by name (EDITOR,
// PAGER) is none of these, nor is what programs are found by (PATH).
const executing: readonly RegExp[] = [
  /^LD_/,
  /^DYLD_/,
  /^(BASH_ENV|ENV|PROMPT_COMMAND|PS[0-4]|MAILPATH|SHELLOPTS|BASHOPTS|BASH_LOADABLES_PATH|INPUTRC)$/,
  /^(R?PROMPT[2-4]?|RPS[12]|PSVAR|SPROMPT|POSTEDIT|READNULLCMD|NULLCMD|ZDOTDIR)$/,
  /^(fpath|module_path)$/i,
  /^BASH_FUNC_/,
  /^(XDG_(CONFIG|DATA)_(HOME|DIRS)|fish_(function|complete)_path)$/,
  /^NODE_(OPTIONS|PATH|REPL_EXTERNAL_MODULE)$/,
  /^PYTHON(STARTUP|PATH|HOME|BREAKPOINT|INSPECT|WARNINGS|USERBASE|EXECUTABLE|PLATLIBDIR|PYCACHEPREFIX)$/,
  /^(PERL|RUBY|GEM_|BUNDLE_)/,
  /^(_JAVA_OPTIONS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH|(JAVA|MAVEN|GRADLE|ANT|SBT)_(OPTS|ARGS))$/,
  /^(LUA_(INIT|PATH|CPATH)|JULIA_(LOAD|DEPOT)_PATH|PHPRC$|PHP_INI_SCAN_DIR$|R_(PROFILE|ENVIRON|LIBS))/,
  /^(DOTNET_(STARTUP_HOOKS|ADDITIONAL_DEPS)|GOFLAGS|GOENV|RUSTFLAGS|RUSTC(_WORKSPACE)?(_WRAPPER)?)$/,
  /^npm_config_/i,
  // All that git reads but who the author is and whether it may ask; a trace is written to any file.
  /^GIT_(?!(AUTHOR|COMMITTER)_(NAME|EMAIL|DATE)$|TERMINAL_PROMPT$)/,
  /^LESS(OPEN|CLOSE|ECHO|KEY|KEYIN|KEY_SYSTEM|KEY_CONTENT)?$/,
  /^(G?VIMINIT|EXINIT|MYVIMRC|VIM|VIMRUNTIME|NVIM_APPNAME|EMACSLOADPATH|SCREENRC|SYSSCREENRC)$/,
  /^((GNU)?MAKEFLAGS|MFLAGS|MAKEFILES|TAR_OPTIONS|ZIPOPT|RIPGREP_CONFIG_PATH|FZF_DEFAULT_(COMMAND|OPTS))$/,
  /^(RSYNC_(RSH|CONNECT_PROG)|CVS_RSH|SVN_SSH|HGRCPATH|(SSH|SUDO)_ASKPASS|WGETRC)$/,
  /^(OPENSSL_(CONF|MODULES|ENGINES)|GCONV_PATH|GTK\d?_MODULES|GTK_PATH|GIO_(EXTRA_MODULES|MODULE_DIR)|QT_PLUGIN_PATH)$/,
]

/** Whether a variable of this name can make programs run code that nobody asked for. */
export const canExecute = (name: string): boolean => executing.some((rule) => rule.test(name))

// Sockets, displays, terminals, multiplexers and processes of one moment.
const momentary: readonly RegExp[] = [
  /^(SSH_(AUTH_SOCK|AGENT_PID|CONNECTION|CLIENT|TTY)|GPG_AGENT_INFO|GPG_TTY|KRB5CCNAME)$/,
  /^(DISPLAY|XAUTHORITY|WAYLAND_(DISPLAY|SOCKET)|WINDOWID|SESSION_MANAGER|DESKTOP_STARTUP_ID)$/,
  /^(DBUS_|XDG_SESSION_)/,
  /^(XDG_(RUNTIME_DIR|SEAT|VTNR|ACTIVATION_TOKEN)|INVOCATION_ID|JOURNAL_STREAM|LISTEN_FDS|NOTIFY_SOCKET)$/,
  /^(TMUX|TMUX_PANE|STY|WINDOW|ZELLIJ.*|VSCODE_IPC_HOOK.*|TTY)$/,
  /_PID$/,
]

/** Whether a variable of this name tells something of one moment of a host. */
export const isVolatile = (name: string, volatileNames: readonly string[]): boolean =>
  volatileNames.includes(name) || momentary.some((rule) => rule.test(name))

// Where start-up files are looked for. A shell cannot do without it: a snapshot's stands in for none.
const places: ReadonlySet<string> = new Set(['HOME'])

// The shell counts, sets and follows these itself.
const shellsOwn: ReadonlySet<string> = new Set(['_', 'SHLVL', 'PWD', 'COLUMNS', 'LINES'])

// Bash evaluates what stands where it expects a name: nothing else may be taken for one.
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/

// ------------------------------------------------------------------------------------ combinators

/** The variables whose secrets are lost, by their references; `path`: where in a snapshot they stand. */
export const lostNames = (
  sessionId: string,
  lostSecrets: readonly string[],
  path: readonly string[] = ['env'],
): readonly string[] => {
  const prefix = `${secretReference(sessionId, ...path)}/`
  const names = lostSecrets
    .filter((reference) => reference.startsWith(prefix))
    .map((reference) => reference.slice(prefix.length).split('/')[0] ?? '')
  return [...new Set(names)]
}

/** Merges a snapshot's environment with the host's. */
export const merged = (snapshot: Environment, host: Environment, rule: MergeRule): Merged => {
  const kept = new Map(Object.entries(snapshot))
  const todays = new Map(Object.entries(host))
  const environment = new Map<string, string>()
  const refused = new Map<string, string>()
  const origins = new Map<string, Origin>()
  for (const name of new Set([...todays.keys(), ...kept.keys()])) {
    const before = kept.get(name)
    const today = todays.get(name)
    const origin = originOf(name, before, today, rule)
    const value = origin === 'snapshot' ? before : origin === undefined ? undefined : today
    if (origin === 'refused' && before !== undefined) refused.set(name, before)
    if (origin !== undefined) origins.set(name, origin)
    if (value !== undefined) environment.set(name, value)
  }
  for (const name of rule.lostNames) origins.set(name, 'lost')
  return {
    environment: Object.fromEntries(environment),
    fromSnapshot: [...origins].filter(([, from]) => from === 'snapshot').map(([name]) => name),
    refused: Object.fromEntries(refused),
    origins: Object.fromEntries(origins),
  }
}

// `undefined`: nobody has it, or it was unset.
const originOf = (
  name: string,
  before: string | undefined,
  today: string | undefined,
  { isWhole, lostNames, policy }: MergeRule,
): Origin | undefined => {
  const host = today === undefined ? undefined : 'host'
  if (shellsOwn.has(name)) return isWhole ? undefined : host
  const isAllowed = policy.restoredExecutables.includes(name) && identifier.test(name)
  if (canExecute(name) && !isAllowed) {
    return before === undefined || before === today ? host : 'refused'
  }
  if (!identifier.test(name)) return host
  if (places.has(name) && today !== undefined && !isAllowed) return 'host'
  if (isVolatile(name, policy.volatileNames)) {
    return before !== undefined && today === undefined ? 'volatile' : host
  }
  if (before !== undefined) return 'snapshot'
  return !isWhole || lostNames.includes(name) ? host : undefined
}

/** Names of `is` that were not wanted and that the shell does not set by itself. */
export const unforeseen = (
  wanted: Environment,
  is: ReadonlyMap<string, string>,
): readonly string[] =>
  [...is.keys()].filter((name) => !shellsOwn.has(name) && !Object.hasOwn(wanted, name))

/** Compares what was wanted with what is, leaving out what the shell owns or cannot see. */
export const compared = (wanted: Environment, is: ReadonlyMap<string, string>): Comparison => {
  const names = Object.keys(wanted).filter((name) => !shellsOwn.has(name) && identifier.test(name))
  return {
    equal: names.filter((name) => is.get(name) === wanted[name]),
    different: names.filter((name) => is.get(name) !== wanted[name]),
  }
}

// Linux takes no longer entry than 32 pages, and no more in all than a quarter of the stack's usual limit.
const entryLimitBytes = 131_072 - 1
const entriesLimitBytes = 1_500_000

/**
 * What of an environment a program can be started with. A shell can export more than that; it would keep
 * every program, the new shell too, from starting. What is left out shows in the comparison.
 */
export const givable = (environment: Environment): Environment => {
  const sized = Object.entries(environment)
    .map(([name, value]) => ({ name, value, bytes: storedBytes(name) + storedBytes(value) + 2 }))
    .filter(({ bytes }) => bytes <= entryLimitBytes)
  const tooLong = new Set<string>()
  let leftBytes = entriesLimitBytes
  for (const { name, bytes } of sized.toSorted((a, b) => a.bytes - b.bytes)) {
    leftBytes -= bytes
    if (leftBytes < 0) tooLong.add(name)
  }
  return Object.fromEntries(
    sized.flatMap(({ name, value }) => (tooLong.has(name) ? [] : [[name, value]])),
  )
}
