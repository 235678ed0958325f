/**
 * What bash holds beside its environment: how it is made to tell it, by builtins alone, and how that is
 * read.
 *
 * Variables, aliases, the directory stack and which options are on are in variables that bash keeps
 * itself. Functions, traps and the umask it only prints: that takes one fork, at the first prompt after a
 * command, and two more where one of these changed. What is too large is named and left out.
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
const variablesLimit = 262_144
const dumpLimit = 262_144
// Quoted, all of them together stay below what a mark may carry.
const payloadLimit = 1_000_000

/**
 * Functions of the init file. `__sr_dump` runs in a command substitution, behind `trap -p`, which shows
 * all traps only where no function is called; `__sr_tell_held` sends what is held when it changed.
 */
export const bashTelling = String.raw`
builtin declare -A __sr_own
__sr_own=(${ownNames.map((name) => `[${name}]=1`).join(' ')})
__sr_dumped= __sr_named= __sr_unnamed= __sr_told=
__sr_dumping='\builtin set +eauxTE; \builtin printf "%s traps\n" "$__sr_nonce"; \builtin trap -p; __sr_dump'

__sr_dump() {
  builtin printf '%s umask\n' "$__sr_nonce"; builtin umask
  builtin printf '%s options\n' "$__sr_nonce"; builtin set +o; builtin shopt -p
  builtin printf '%s functions\n' "$__sr_nonce"; builtin declare -f
}

# The functions again, each behind its name; what looks like the beginning of one may stand in another.
__sr_name_functions() {
  builtin local __sr_line IFS=$'\n'
  builtin set -f
  for __sr_line in $(builtin declare -F); do
    [[ \${__sr_line##* } == __sr_* ]] && continue
    builtin printf '%s function %s\n' "$__sr_nonce" "\${__sr_line##* }"
    builtin declare -f -- "\${__sr_line##* }"
  done
}

__sr_omit() { __sr_held+="o $1 \${2@Q} "; }

__sr_hold_array() {
  builtin local -n __sr_array=$1
  builtin local __sr_text
  ((\${#__sr_array[@]} > ${elementLimit})) && { __sr_omit shellVariables "$1"; builtin return; }
  __sr_text=\${__sr_array[@]@A}
  ((\${#__sr_text} > ${valueLimit})) && { __sr_omit shellVariables "$1"; builtin return; }
  __sr_held+="a $1 -\${__sr_array@a} \${__sr_text@Q} "
}

# $1: a name, $2: its letters, $3: its value.
__sr_hold() {
  [[ -n \${__sr_own[$1]} ]] && builtin return
  [[ $1 == PROMPT_COMMAND ]] && { __sr_hold_commands; builtin return; }
  ((\${#__sr_held} > ${variablesLimit})) && { __sr_omit shellVariables "$1"; builtin return; }
  [[ $1 == PS[012] && -z $3 ]] && builtin return
  case $2 in
    x) ;;
    *[aA]*) __sr_hold_array "$1" ;;
    *x*) __sr_held+="e $1 -$2 " ;;
    *)
      ((\${#3} > ${valueLimit})) && { __sr_omit shellVariables "$1"; builtin return; }
      __sr_held+="v $1 -$2 \${3@Q} "
      ;;
  esac
}

__sr_hold_commands() {
  builtin local -a __sr_commands
  builtin local __sr_one
  __sr_commands=()
  for __sr_one in "\${PROMPT_COMMAND[@]}"; do
    [[ $__sr_one == "$__sr_hook" || -z $__sr_one ]] || __sr_commands+=("$__sr_one")
  done
  ((\${#__sr_commands[@]})) || builtin return
  __sr_one=\${__sr_commands[@]@A}
  __sr_held+="a PROMPT_COMMAND -a \${__sr_one@Q} "
}

# $1: what was dumped, $2: the options that are on.
__sr_tell_held() {
  builtin local __sr_text __sr_one
  if ! builtin test "$1" = "$__sr_dumped"; then
    __sr_dumped=$1
    __sr_named=$(__sr_name_functions)
    __sr_text=\${1%%"$__sr_nonce functions"*}
    __sr_named=$__sr_text$__sr_named
    __sr_unnamed=
    ((\${#__sr_named} > ${dumpLimit})) && __sr_named=$__sr_text __sr_unnamed=1
  fi
  [[ -n $__sr_unnamed ]] && __sr_omit functions '(all)'
  __sr_held+="t \${__sr_named@Q} s \${2@Q} s \${BASHOPTS@Q} "
  if ((\${#BASH_ALIASES[@]} > ${elementLimit})); then __sr_omit aliases '(all)'
  else __sr_text=\${BASH_ALIASES[@]@A}; __sr_held+="l \${__sr_text@Q} "
  fi
  for __sr_one in "\${DIRSTACK[@]:1:${elementLimit}}"; do __sr_held+="d \${__sr_one@Q} "; done
  ((\${#__sr_held} > ${payloadLimit})) && __sr_held="o shellVariables '(all)' o functions '(all)' "
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

const lettersIn = (word: Told): string => (word ?? '').slice(1)

const entries: Readonly<Record<string, Entry>> = {
  v: {
    words: 3,
    read: (held, [name = '', letters, value]) => {
      if (value === undefined) omit(held, 'shellVariables', name)
      else held.variables.set(name, { attributes: lettersIn(letters), value })
    },
  },
  // An exported one: its value is told with the environment.
  e: {
    words: 2,
    read: (held, [name = '', letters]) => {
      held.variables.set(name, { attributes: lettersIn(letters) })
    },
  },
  a: {
    words: 3,
    read: (held, [name = '', letters, text]) => {
      const values = readArray(text)
      if (values === undefined) omit(held, 'shellVariables', name)
      else
        held.variables.set(name, {
          attributes: lettersIn(letters),
          values: Object.fromEntries(values),
        })
    },
  },
  l: {
    words: 1,
    read: (held, [text]) => {
      const aliases = readArray(text)
      if (aliases === undefined) omit(held, 'aliases', '(all)')
      else for (const [name, value] of aliases) held.aliases.set(name, value)
    },
  },
  d: {
    words: 1,
    read: (held, [path]) => {
      if (path === undefined) omit(held, 'directoryStack', '(one)')
      else held.directoryStack.push(path)
    },
  },
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
      else for (const item of ['functions', 'traps'] as const) omit(held, item, '(all)')
    },
  },
  o: {
    words: 2,
    read: (held, [item, name = '']) => omit(held, item as ShellStateItem, name),
  },
}

/** Reads `declare -a name=([0]="…" …)`; `undefined` where it is none, or no text. */
const readArray = (text: Told): ReadonlyMap<string, string> | undefined => {
  if (text === undefined) return undefined
  const values = new Map<string, string>()
  const start = text.indexOf('=(')
  if (start < 0) return values
  for (let at = start + 2; text[at] !== ')'; ) {
    if (text[at] === ' ') at++
    else {
      const element = readElement(text, at)
      if (element === undefined) return undefined
      values.set(element.key, element.value)
      at = element.end
    }
  }
  return values
}

const bareKey = /\[([^"'$\\\]]*)\]=/y

const readElement = (
  text: string,
  at: number,
): { readonly key: string; readonly value: string; readonly end: number } | undefined => {
  bareKey.lastIndex = at
  const bare = bareKey.exec(text)
  const key = bare === null ? readWord(text, at + 1, ']') : { text: bare[1], end: at }
  const from = bare === null ? (key?.end ?? 0) + 2 : bareKey.lastIndex
  if (bare === null && (key === undefined || !text.startsWith(']=', key.end))) return undefined
  const value = readWord(text, from, ')')
  if (key?.text === undefined || value?.text === undefined) return undefined
  return { key: key.text, value: value.text, end: value.end }
}

/** Reads what was dumped: parts behind lines that begin with the nonce. */
const readDump = (held: Held, text: string): void => {
  const nonce = /^(\S+) traps$/m.exec(text)?.[1]
  if (nonce === undefined) return
  // What a trap of the user's printed before the first part is not ours.
  for (const part of `\n${text}\n`.split(`\n${nonce} `).slice(1)) {
    const end = part.indexOf('\n')
    const title = part.slice(0, end < 0 ? part.length : end)
    const body = end < 0 ? '' : part.slice(end + 1)
    if (title === 'traps') readTraps(held, body)
    else if (title === 'umask') held.umask = body.trim()
    else if (title === 'options') readOptions(held, body)
    else if (title.startsWith('function ') && body !== '') {
      held.functions.set(title.slice('function '.length), body.replace(/\n+$/, ''))
    }
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
