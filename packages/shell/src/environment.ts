/**
 * The environment a new process is given: the snapshot's, today's host's where a variable can make
 * programs run code by itself, and nothing of what belongs to the shell.
 */

import { secretReference } from '@session-recovery/core'

// ------------------------------------------------------------------------------------------ model

export type Environment = Readonly<Record<string, string>>

export interface Merged {
  readonly environment: Environment
  /** Names whose value is the snapshot's. */
  readonly fromSnapshot: readonly string[]
  /** What the snapshot had that differs from the host and is not brought back: it can run code. */
  readonly refused: Environment
}

/** How two environments compare, by name. */
export interface Comparison {
  readonly equal: readonly string[]
  readonly different: readonly string[]
}

// ----------------------------------------------------------------------------------- constructors

// What loaders, interpreters and tools run without being asked. A program the user chose and starts
// by name (EDITOR, PAGER) is none of these.
const executing: readonly RegExp[] = [
  /^LD_/,
  /^DYLD_/,
  /^(BASH_ENV|ENV|PROMPT_COMMAND|PS0|PS1|PS2|PS4|SHELLOPTS|BASHOPTS|ZDOTDIR)$/,
  /^BASH_FUNC_/,
  /^NODE_(OPTIONS|PATH|REPL_EXTERNAL_MODULE)$/,
  /^(PYTHON(STARTUP|PATH|HOME|BREAKPOINT|INSPECT)|PERL5?(OPT|LIB|DB)|RUBY(OPT|LIB))$/,
  /^(_JAVA_OPTIONS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS)$/,
  /^GIT_(CONFIG|SSH|EXTERNAL_DIFF|ASKPASS|PROXY_COMMAND|EXEC_PATH|TEMPLATE_DIR|EDITOR|PAGER|SEQUENCE_EDITOR)/,
  /^(LESSOPEN|LESSCLOSE|SSH_ASKPASS|SUDO_ASKPASS|RUSTC_WRAPPER|GCONV_PATH)$/,
]

/** Whether a variable of this name can make programs run code that nobody asked for. */
export const canExecute = (name: string): boolean => executing.some((rule) => rule.test(name))

// The shell counts, sets and follows these itself.
const shellsOwn: ReadonlySet<string> = new Set(['_', 'SHLVL', 'PWD', 'COLUMNS', 'LINES'])

// Bash evaluates what stands where it expects a name: nothing else may be taken for one.
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/

// ------------------------------------------------------------------------------------ combinators

/** The variables whose secrets are lost, by their references. */
export const lostNames = (sessionId: string, lostSecrets: readonly string[]): readonly string[] => {
  const prefix = `${secretReference(sessionId, 'env')}/`
  return lostSecrets
    .filter((reference) => reference.startsWith(prefix))
    .map((reference) => reference.slice(prefix.length))
}

/**
 * Merges a snapshot's environment with the host's.
 *
 * @param isWhole the snapshot names every exported variable: what it lacks was unset.
 * @param lostNames variables whose values the snapshot had and nobody has any more: the host's stand in.
 */
export const merged = (
  snapshot: Environment,
  host: Environment,
  { isWhole, lostNames }: { readonly isWhole: boolean; readonly lostNames: readonly string[] },
): Merged => {
  const taken = Object.entries(snapshot).filter(
    ([name]) => identifier.test(name) && !shellsOwn.has(name) && !canExecute(name),
  )
  const refused = Object.entries(snapshot).filter(
    ([name, value]) => canExecute(name) && host[name] !== value,
  )
  const hosts = Object.entries(host).filter(
    ([name]) => !isWhole || canExecute(name) || lostNames.includes(name) || !identifier.test(name),
  )
  return {
    environment: Object.fromEntries([...hosts, ...taken]),
    fromSnapshot: taken.map(([name]) => name),
    refused: Object.fromEntries(refused),
  }
}

/** Names of `is` that were not wanted and that the shell does not set by itself. */
export const unforeseen = (
  wanted: Environment,
  is: ReadonlyMap<string, string>,
): readonly string[] => [...is.keys()].filter((name) => !shellsOwn.has(name) && !(name in wanted))

/** Compares what was wanted with what is, leaving out what the shell owns or cannot see. */
export const compared = (wanted: Environment, is: ReadonlyMap<string, string>): Comparison => {
  const names = Object.keys(wanted).filter((name) => !shellsOwn.has(name) && identifier.test(name))
  return {
    equal: names.filter((name) => is.get(name) === wanted[name]),
    different: names.filter((name) => is.get(name) !== wanted[name]),
  }
}
