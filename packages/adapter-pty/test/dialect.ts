/**
 * The shells besides bash that give marks, and how each says what the tests have to say to all of them.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'vitest'
import type { OpenOptions, PtyOptions, PtySession } from '../src/index.js'
import { has, type Rig, rigOf } from './rig.js'

// ------------------------------------------------------------------------------------------ model

export interface Dialect {
  readonly shell: 'zsh' | 'fish'
  /** The user's own start-up file, below the home. */
  readonly startUpFile: string
  /** Sets variables that are exported, or unsets one. */
  readonly exports: (values: Readonly<Record<string, string>>) => string
  readonly unset: (name: string) => string
  /** Runs nothing and ends with that code. */
  readonly exitsWith: (code: number) => string
  /** Ends with code 0 if the two words are equal, which the shell expands. */
  readonly isEqual: (left: string, right: string) => string
  readonly readsLine: string
  readonly readsPassword: string
  /** Takes out of the shell what tells the exit codes. */
  readonly tearOut: string
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'"'"'`)}'`
const fishQuoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

export const dialects: readonly Dialect[] = [
  {
    shell: 'zsh',
    startUpFile: '.zshrc',
    exports: (values) =>
      Object.entries(values)
        .map(([name, value]) => `export ${name}=${quoted(value)}`)
        .join('; '),
    unset: (name) => `unset ${name}`,
    exitsWith: (code) => `(exit ${code})`,
    isEqual: (left, right) => `[[ "${left}" == "${right}" ]]`,
    readsLine: 'read -r "x?? "',
    readsPassword: 'read -rs x',
    tearOut: 'precmd_functions=() preexec_functions=(); bindkey -r "\\e[6973~"; bindkey -d',
  },
  {
    shell: 'fish',
    startUpFile: '.config/fish/config.fish',
    exports: (values) =>
      Object.entries(values)
        .map(([name, value]) => `set -gx ${name} ${fishQuoted(value)}`)
        .join('; '),
    unset: (name) => `set -e ${name}`,
    exitsWith: (code) => `sh -c 'exit ${code}'`,
    isEqual: (left, right) => `test "${left}" = "${right}"`,
    readsLine: 'sh -c "read x"',
    readsPassword: 'sh -c "stty -echo; read x"',
    tearOut: 'functions -e __sr_prompt __sr_started; bind --erase --all',
  },
]

// ------------------------------------------------------------------------------------ combinators

export interface DialectRig extends Rig {
  readonly openShell: (id: string, options?: Partial<OpenOptions>) => Promise<PtySession>
  readonly writeStartUp: (text: string) => void
}

/** Without this the first fish of a home makes completions in the background, by a python of its own. */
export const quieten = (home: string): void => {
  mkdirSync(join(home, '.local/share/fish/generated_completions'), { recursive: true })
  mkdirSync(join(home, '.config/fish'), { recursive: true })
}

/** A driver on shells of the dialect, in a home in which their start-up finds nothing left to do. */
export const dialectRig = (dialect: Dialect, options: Partial<PtyOptions> = {}): DialectRig => {
  const rig = rigOf({ promptTimeoutMs: 60_000, ...options })
  quieten(rig.home)
  return {
    ...rig,
    openShell: (id, more) => rig.open(id, { command: dialect.shell, ...more }),
    writeStartUp: (text) => writeFileSync(join(rig.home, dialect.startUpFile), text),
  }
}

/** Says that a test needs a program: it is left out where that is missing, but in CI it fails. */
export const needing = (program: string): typeof it => {
  if (has(program) || process.env.CI === 'true') return it
  return it.runIf(false) as typeof it
}
