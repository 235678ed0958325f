/**
 * What bash holds beside its environment: how it is made to tell it, by builtins alone, and how that is
 * read.
 *
 * Traps, functions and the umask bash only prints: that takes one fork, at the first prompt after a
 * command. Once there, printing the rest costs next to nothing, while a loop over all variables took as
 * long as starting a shell. What is too large is named and left out.
 */
import type { ShellState, ShellStateItem, ShellVariable } from '@session-recovery/core'
import { readWord } from './quoting.js'

// ---------------------------------------------------------------------------------------- telling

// The shell counts, sets or follows these itself, or they describe this very process.
const ownNames = [
  'BASH BASHOPTS BASHPID BASH_ALIASES BASH_ARGC BASH_ARGV BASH_ARGV0 BASH_CMDS BASH_COMMAND',
  'BASH_EXECUTION_STRING BASH_LINENO BASH_MONOSECONDS BASH_REMATCH BASH_SOURCE BASH_SUBSHELL',
  'BASH_TRAPSIG BASH_VERSINFO BASH_VERSION BASH_XTRACEFD COLUMNS COMP_CWORD COMP_KEY COMP_LINE',
  'COMP_POINT COMP_TYPE COMP_WORDS COPROC COPROC_PID DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID',
  'FUNCNAME GROUPS HISTCMD HOSTNAME HOSTTYPE LINENO LINES MACHTYPE OPTARG OPTIND OSTYPE PIPESTATUS',
  'PPID PWD RANDOM READLINE_ARGUMENT READLINE_LINE READLINE_MARK READLINE_POINT SECONDS SHELL',
  'SHELLOPTS SHLVL SRANDOM UID _',
].flatMap((line) => line.split(' '))

/** Whether bash sets a variable of this name by itself, so that it can neither be told nor set. */
export const isBashOwn = (name: string): boolean =>
  ownNames.includes(name) || name.startsWith('__sr_')

const valueLimit = 65_536
const elementLimit = 4_096
const dumpLimit = 262_144

/** The names of all variables, by the letters they begin with: no other way lists them without a fork. */
export const prefixes = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_']
  .map((letter) => `"\${!${letter}@}"`)
  .join(' ')

// They say something else each time, and bash does not bring them back once they are unset.
const changing = ownNames.filter((name) => name !== 'BASH_ALIASES' && name !== 'DIRSTACK')

/**
 * Functions of the init file. `__sr_dumping` runs in a command substitution, `trap -p` before any function
 * is called: only there all traps are shown. What it unsets it unsets in that copy of the shell alone.
 *
 * @param functions the names of all functions of the init file.
 */
export const bashTelling = (functions: readonly string[]): string =>
  String.raw`
__sr_trimming= __sr_told=
__sr_dumping='\builtin printf "%s options\n" "$__sr_nonce"; \builtin set +o; \builtin shopt -p; \builtin set +eauxkTE; \builtin printf "%s traps\n" "$__sr_nonce"; \builtin trap -p; __sr_dump'

__sr_dump() {
  builtin set -- "$__sr_nonce"
  builtin printf '%s umask\n' "$1"; builtin umask
  [[ -n $__sr_trimming ]] && __sr_trim "$1"
  PS0=\${PS0#"$__sr_ps0"} PS1=\${PS1%"$__sr_ps1"} PS2=\${PS2%"$__sr_ps2"}
  __sr_disarm
  builtin unset -v "\${!__sr_@}" ${changing.join(' ')}
  # These two are made up when they are asked for.
  builtin : "\${BASH_ALIASES[@]}" "\${DIRSTACK[@]}"
  builtin printf '%s variables\n' "$1"; builtin declare -p
  builtin unset -f ${functions.join(' ')}
  builtin printf '%s names\n' "$1"; builtin declare -F
  builtin printf '%s functions\n' "$1"; builtin declare -f
}

__sr_disarm() {
  builtin local __sr_one
  builtin local -a __sr_others
  __sr_others=()
  for __sr_one in "\${PROMPT_COMMAND[@]}"; do
    [[ $__sr_one == "$__sr_hook" || -z $__sr_one ]] || __sr_others+=("$__sr_one")
  done
  builtin unset -v PROMPT_COMMAND
  ((\${#__sr_others[@]} == 0)) || PROMPT_COMMAND=("\${__sr_others[@]}")
}

# Leaves out what made a dump too large.
__sr_trim() {
  builtin local __sr_name
  for __sr_name in ${prefixes}; do
    [[ -R $__sr_name ]] || __sr_fits "$__sr_name" && continue
    builtin unset -v "$__sr_name"
    builtin printf '%s omitted %s\n' "$1" "$__sr_name"
  done
}

__sr_fits() {
  builtin local -n __sr_there=$1
  builtin local __sr_text
  ((\${#__sr_there[@]} <= ${elementLimit})) || builtin return
  __sr_text=\${__sr_there[*]}
  ((\${#__sr_text} <= ${valueLimit}))
}

# $1: what was dumped, $2: the options that are on.
__sr_tell_held() {
  builtin local __sr_text="$1" __sr_held=
  if ((\${#__sr_text} > ${dumpLimit})); then
    # The next prompt tells it without what is too large by itself.
    [[ -n $__sr_trimming ]] || __sr_trimming=1 __sr_ran=1
    __sr_text=\${1%%"$__sr_nonce names"*}
    __sr_held="o functions '(all)' "
  fi
  if ((\${#__sr_text} > ${dumpLimit})); then
    __sr_text=\${1%%"$__sr_nonce variables"*}
    __sr_held+="o shellVariables '(all)' o aliases '(all)' o directoryStack '(all)' "
  fi
  __sr_held+="t \${__sr_text@Q} s \${2@Q} s \${BASHOPTS@Q} "
  builtin test "$__sr_held" = "$__sr_told" && builtin return
  __sr_mark V "$__sr_held"
  __sr_told=$__sr_held
}
`.replaceAll('\\${', '${')

// ---------------------------------------------------------------------------------------- reading

interface Held {
  readonly variables: Map<string, ShellVariable>
  readonly functions: Map<string, string>
  readonly aliases: Map<string, string>
  readonly options: Map<string, boolean>
  readonly traps: Map<string, string>
  readonly directoryStack: string[]
  readonly omitted: Map<ShellStateItem, string[]>
  readonly on: Set<string>
  umask: string
}

/** Reads what a mark of the kind `shell-state` carries; `undefined` when it is not of bash. */
export const readBashState = (payload: string): ShellState | undefined => {
  const held: Held = {
    variables: new Map(),
    functions: new Map(),
    aliases: new Map(),
    options: new Map(),
    traps: new Map(),
    directoryStack: [],
    omitted: new Map(),
    on: new Set(),
    umask: '',
  }
  const words = wordsIn(payload)
  if (words === undefined) return undefined
  for (let at = 0; at < words.length; ) {
    const entry = entries[words[at] ?? '']
    if (entry === undefined || at + entry.words > words.length - 1) return undefined
    entry.read(held, words.slice(at + 1, at + 1 + entry.words))
    at += 1 + entry.words
  }
  return {
    shell: 'bash',
    variables: Object.fromEntries(held.variables),
    functions: Object.fromEntries(held.functions),
    aliases: Object.fromEntries(held.aliases),
    options: Object.fromEntries([...held.options.keys()].map((name) => [name, held.on.has(name)])),
    umask: held.umask,
    directoryStack: held.directoryStack,
    traps: Object.fromEntries(held.traps),
    lastExitCode: 0,
    ...(held.omitted.size === 0 ? {} : { omitted: Object.fromEntries(held.omitted) }),
  }
}

// A word whose bytes are no text.
type Told = string | undefined

/** The words of `source`; `undefined` when it is not made of words. */
const wordsIn = (source: string): readonly Told[] | undefined => {
  const words: Told[] = []
  for (let at = 0; at < source.length; ) {
    if (source[at] === ' ') {
      at++
      continue
    }
    const word = readWord(source, at)
    if (word === undefined) return undefined
    words.push(word.text)
    at = word.end
  }
  return words
}

const omit = ({ omitted }: Held, item: ShellStateItem, name: string): void => {
  omitted.set(item, [...(omitted.get(item) ?? []), name])
}

interface Entry {
  /** How many words stand behind the letter. */
  readonly words: number
  readonly read: (held: Held, words: readonly Told[]) => void
}

const entries: Readonly<Record<string, Entry>> = {
  s: {
    words: 1,
    read: (held, [names = '']) => {
      for (const name of names.split(':')) held.on.add(name)
    },
  },
  t: {
    words: 1,
    read: (held, [text]) => {
      if (text !== undefined) readDump(held, text)
      // One byte that is no text: where, only bash could say.
      else for (const item of ['shellVariables', 'functions'] as const) omit(held, item, '(all)')
    },
  },
  o: {
    words: 2,
    read: (held, [item, name = '']) => omit(held, item as ShellStateItem, name),
  },
}

/** Reads what was dumped: parts behind lines that begin with the nonce. */
const readDump = (held: Held, text: string): void => {
  const nonce = /^(\S+) options$/m.exec(text)?.[1]
  if (nonce === undefined) return
  let names: readonly string[] = []
  // What a trap of the user's printed before the first part is not ours.
  for (const part of `\n${text}\n`.split(`\n${nonce} `).slice(1)) {
    const end = part.indexOf('\n')
    const title = part.slice(0, end < 0 ? part.length : end)
    const body = end < 0 ? '' : part.slice(end + 1)
    if (title === 'traps') readTraps(held, body)
    else if (title === 'umask') held.umask = body.trim()
    else if (title === 'options') readOptions(held, body)
    else if (title === 'variables') readVariables(held, body)
    else if (title === 'names') names = readNames(body)
    else if (title === 'functions') readFunctions(held, names, body)
    else if (title.startsWith('omitted ')) omit(held, 'shellVariables', title.slice(8))
  }
}

const readOptions = ({ options }: Held, body: string): void => {
  for (const [, name = ''] of body.matchAll(/^(?:set [-+]o|shopt -[su]) (\S+)$/gm)) {
    options.set(name, false)
  }
}

const trapStart = 'trap -- '

// A command may be of several lines: each trap is read to the end of its word.
const readTraps = (held: Held, body: string): void => {
  for (let at = body.indexOf(trapStart); at >= 0; at = body.indexOf(trapStart, at)) {
    const word = readWord(body, at + trapStart.length)
    if (word === undefined) return
    const line = body.indexOf('\n', word.end)
    const end = line < 0 ? body.length : line
    const event = body.slice(word.end + 1, end)
    if (word.text === undefined) omit(held, 'traps', event)
    else held.traps.set(event, word.text)
    at = end
  }
}

// -------------------------------------------------------------------------------------- variables

const declared = /declare -([-a-zA-Z]+) ([A-Za-z_][A-Za-z0-9_]*)(=\(|=|(?=\n|$))/y

/** Reads `declare -p`; where it cannot be read, what stands behind is named as left out. */
const readVariables = (held: Held, body: string): void => {
  for (let at = 0; at < body.length; ) {
    if (body[at] === '\n') {
      at++
      continue
    }
    declared.lastIndex = at
    const found = declared.exec(body)
    if (found === null) {
      omit(held, 'shellVariables', '(some)')
      return
    }
    const [, letters = '', name = '', sign = ''] = found
    const read = readValue(body, declared.lastIndex, sign)
    if (read === undefined) {
      omit(held, 'shellVariables', name)
      return
    }
    hold(held, name, letters.replaceAll('-', ''), read)
    at = read.end
  }
}

interface Value {
  readonly value?: string
  readonly values?: ReadonlyMap<string, string>
  readonly end: number
  /** Bytes of it are no text. */
  readonly isUnreadable?: boolean
}

const readValue = (body: string, at: number, sign: string): Value | undefined => {
  if (sign === '') return { end: at }
  if (sign === '=(') return readArray(body, at)
  const word = readWord(body, at, '\n')
  if (word === undefined) return undefined
  return word.text === undefined
    ? { end: word.end, isUnreadable: true }
    : { value: word.text, end: word.end }
}

const prompts: ReadonlySet<string> = new Set(['PS0', 'PS1', 'PS2'])

const hold = (
  held: Held,
  name: string,
  letters: string,
  { value, values, isUnreadable }: Value,
): void => {
  if (name === 'BASH_ALIASES')
    for (const [alias, text] of values ?? []) held.aliases.set(alias, text)
  if (name === 'DIRSTACK')
    held.directoryStack.push(...[...(values ?? [])].slice(1).map(([, path]) => path))
  if (isBashOwn(name) || (prompts.has(name) && value === '')) return
  // The value of an exported one is told with the environment.
  const isExported = letters.includes('x') && !/[aA]/.test(letters)
  if (isExported && letters === 'x') return
  if (isUnreadable === true && !isExported) omit(held, 'shellVariables', name)
  else {
    held.variables.set(name, {
      attributes: letters,
      ...(value === undefined || isExported ? {} : { value }),
      ...(values === undefined ? {} : { values: Object.fromEntries(values) }),
    })
  }
}

/** Reads `[0]="…" …)` behind the parenthesis; `undefined` where it is no such list. */
const readArray = (text: string, start: number): Value | undefined => {
  const values = new Map<string, string>()
  let isUnreadable = false
  let at = start
  while (text[at] !== ')') {
    if (text[at] === ' ') at++
    else {
      const element = readElement(text, at)
      if (element === undefined) return undefined
      const { key, value, end } = element
      if (key === undefined || value === undefined) isUnreadable = true
      else values.set(key, value)
      at = end
    }
  }
  return { values, end: at + 1, isUnreadable }
}

interface Element {
  readonly key: Told
  readonly value: Told
  readonly end: number
}

const bareKey = /\[([^"'$\\\]]*)\]=/y

const readElement = (text: string, at: number): Element | undefined => {
  bareKey.lastIndex = at
  const bare = bareKey.exec(text)
  const key = bare === null ? readWord(text, at + 1, ']') : { text: bare[1], end: at }
  if (key === undefined) return undefined
  if (bare === null && !text.startsWith(']=', key.end)) return undefined
  const value = readWord(text, bare === null ? key.end + 2 : bareKey.lastIndex, ')')
  return value === undefined ? undefined : { key: key.text, value: value.text, end: value.end }
}

// -------------------------------------------------------------------------------------- functions

// `declare -f NAME`, with further letters where it is more.
const readNames = (body: string): readonly string[] =>
  [...body.matchAll(/^declare -\S+ (\S+)$/gm)].map(([, name = '']) => name)

/**
 * Takes `declare -f` apart at the names, which stand in the same order. Where the text of one holds what
 * looks like the beginning of the next, nobody can say which is which, and both are left out.
 */
const readFunctions = (held: Held, names: readonly string[], body: string): void => {
  let at = 0
  let isSure = true
  for (const [i, name] of names.entries()) {
    const next = names[i + 1]
    const places = next === undefined ? [body.length] : beginnings(body, at, next)
    const end = places[0] ?? body.length
    const isOne = places.length === 1
    if (isSure && isOne) held.functions.set(name, body.slice(at, end).replace(/\n+$/, ''))
    else omit(held, 'functions', name)
    isSure = isOne
    at = end
  }
}

const beginnings = (body: string, from: number, name: string): readonly number[] =>
  [`\n${name} () \n{ \n`, `\nfunction ${name} () \n{ \n`].flatMap((start) => {
    const places: number[] = []
    for (let at = body.indexOf(start, from); at >= 0; at = body.indexOf(start, at + 1)) {
      places.push(at + 1)
    }
    return places
  })
