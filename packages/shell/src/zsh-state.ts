/**
 * What zsh holds beside its environment: how it is made to tell it, without a fork, and how a new one is
 * made to hold it, without executing any of it.
 *
 * Of variables and functions only those are told that the start-up files did not make, or made otherwise:
 * the others a new shell has from its own. Zsh keeps all of it in variables (`zsh/parameter`), but for
 * traps, which it only prints, and the umask, which the kernel shows. The text of a function is assigned,
 * not evaluated: what is no body of a function is refused by zsh.
 */
import type { ShellState, ShellVariable } from '@session-recovery/core'
import type { RunningItem } from './integration.js'
import { returnable } from './last-exit.js'
import { quoted, readWord } from './quoting.js'
import { readToldState } from './told-state.js'

// ---------------------------------------------------------------------------------------- telling

const valueLimit = 65_536
const elementLimit = 4_096
const payloadLimit = 900_000

// Of the variables that zsh gives a meaning to, those that a person sets.
const settable = 'HISTSIZE SAVEHIST WORDCHARS IFS cdpath PS1 PS2 PS3 PS4 RPS1 RPS2 SPROMPT'.split(
  ' ',
)
const passing = 'match|mbegin|mend|MATCH|MBEGIN|MEND|REPLY|reply|ZSH_ARGZERO|signals|TTY|_'

/** Functions of the init file; they are called where options and locale are ours. */
export const zshTelling = String.raw`
# The variables by name, each as the entry that tells it.
__sr_hold_variables() {
  builtin local __sr_name __sr_type __sr_letters __sr_kind
  builtin local -a __sr_values
  __sr_variables=()
  for __sr_name in "\${(@k)parameters[(R)^*(export|special|undefined|hideval)*]}" ${settable.join(' ')}; do
    [[ $__sr_name == (__sr_*|${passing}) || -z $parameters[$__sr_name] ]] && continue
    __sr_type=$parameters[$__sr_name] __sr_letters=- __sr_kind=v
    case $__sr_type in
      *-(tied|left|right_blanks|right_zeros)*)
        [[ $__sr_type == *special* ]] || { __sr_variables[$__sr_name]="o shellVariables $__sr_name "; continue } ;;
    esac
    case $__sr_type in
      array*) __sr_letters+=a __sr_kind=a ;;
      association*) __sr_letters+=A __sr_kind=h ;;
      integer*) __sr_letters+=i ;;
      float*) __sr_letters+=F ;;
    esac
    [[ $__sr_type == *-unique* && $__sr_type != *special* ]] && __sr_letters+=U
    [[ $__sr_type == *-upper* ]] && __sr_letters+=u
    [[ $__sr_type == *-lower* ]] && __sr_letters+=l
    [[ $__sr_type == *-readonly* ]] && __sr_letters+=r
    case $__sr_kind in
      v) __sr_values=("\${(P)__sr_name}") ;;
      a) __sr_values=("\${(@P)__sr_name}")
        if [[ $__sr_name == (precmd|preexec)_functions ]]; then
          __sr_values=("\${(@)__sr_values:#__sr_*}")
          (($#__sr_values)) || continue
        fi ;;
      h) __sr_values=("\${(@kvP)__sr_name}") ;;
    esac
    if (($#__sr_values > ${elementLimit} || $#__sr_values[1] > ${valueLimit})); then
      __sr_variables[$__sr_name]="o shellVariables $__sr_name "
      continue
    fi
    __sr_quote "$__sr_name" "\${__sr_values[@]}"
    case $__sr_kind in
      a) __sr_words[1]+=" $__sr_letters -$#__sr_values" ;;
      h) __sr_words[1]+=" $__sr_letters -$(($#__sr_values / 2))" ;;
      v) __sr_words[1]+=" $__sr_letters" ;;
    esac
    __sr_variables[$__sr_name]="$__sr_kind $__sr_words "
  done
}

# What the start-up files made.
__sr_remember() {
  builtin local LC_ALL=C
  __sr_made_functions=("\${(@kv)functions_source}")
  __sr_hold_variables
  __sr_made_variables=("\${(@kv)__sr_variables}")
}

# $1: an item, $2: a name, $3: the entry that tells it.
__sr_hold() {
  if (($#__sr_held + $#3 > ${payloadLimit} || $#3 > ${4 * valueLimit})); then
    __sr_quote "$2"
    __sr_held+="o $1 $__sr_words[1] "
  else __sr_held+=$3
  fi
}

# $1: an item, $2: its letter, $3: a name, $4: its text.
__sr_hold_text() {
  __sr_quote "$3" "$4"
  __sr_hold $1 "$3" "$2 $__sr_words "
}

# Of a function that was loaded when it was first called only the place is known.
__sr_hold_functions() {
  builtin local __sr_name __sr_source __sr_text
  for __sr_name in "\${(@ok)functions}"; do
    [[ $__sr_name == __sr_* ]] && continue
    __sr_source=$functions_source[$__sr_name]
    if [[ -n $__sr_source ]] && (($+__sr_made_functions[$__sr_name])); then
      [[ -z $__sr_made_functions[$__sr_name] || $__sr_source == "$__sr_made_functions[$__sr_name]" ]] && continue
    fi
    __sr_text=$functions[$__sr_name]
    [[ $__sr_text == 'builtin autoload -'* ]] || __sr_hold_text functions f "$__sr_name" "$__sr_text"
  done
}

# What zsh only prints, written to a file without a name, in memory where there is such a place.
__sr_list_traps() {
  builtin local TMPPREFIX=/tmp/zsh __sr_file
  __sr_traps=
  [[ -d /proc/$$/fd ]] || builtin return
  [[ -w /dev/shm ]] && TMPPREFIX=/dev/shm/zsh
  builtin exec {__sr_file}<<<''
  builtin trap >/proc/$$/fd/$__sr_file
  __sr_traps=$(</proc/$$/fd/$__sr_file)
  builtin exec {__sr_file}<&-
}

# All that is held, when it changed since it was told.
__sr_tell_held() {
  builtin local LC_ALL=C __sr_name __sr_value
  __sr_held=
  __sr_hold_variables
  for __sr_name in "\${(@ok)__sr_variables}"; do
    [[ $__sr_variables[$__sr_name] == "$__sr_made_variables[$__sr_name]" ]] &&
      ((! $__sr_given_names[(Ie)$__sr_name])) && continue
    __sr_hold shellVariables "$__sr_name" "$__sr_variables[$__sr_name]"
  done
  __sr_hold_functions
  for __sr_name in "\${(@ok)aliases}"; do __sr_hold_text aliases l "$__sr_name" "$aliases[$__sr_name]"; done
  for __sr_name in "\${(@ok)galiases}"; do __sr_hold_text aliases l "-g $__sr_name" "$galiases[$__sr_name]"; done
  for __sr_name in "\${(@ok)saliases}"; do __sr_hold_text aliases l "-s $__sr_name" "$saliases[$__sr_name]"; done
  for __sr_name __sr_value in "\${__sr_options[@]}"; do __sr_held+="p $__sr_name $__sr_value "; done
  __sr_value=$(</proc/$$/status)
  __sr_value=\${\${__sr_value##*Umask:[[:space:]]}%%[^0-7]*}
  [[ -n $__sr_value ]] || __sr_value=$(builtin umask)
  __sr_held+="u $__sr_value "
  for __sr_name in "\${dirstack[@]}"; do __sr_quote "$__sr_name"; __sr_held+="d $__sr_words[1] "; done
  if [[ -d /proc/$$/fd ]]; then __sr_hold_text traps t '' "$__sr_traps"
  else __sr_held+="o traps $'(all)' "
  fi
  [[ $__sr_held == "$__sr_told" ]] && builtin return
  __sr_mark V "$__sr_held"
  __sr_told=$__sr_held
}
`.replaceAll('\\${', '${')

// ---------------------------------------------------------------------------------------- reading

const trapStart = /^trap -- /gm

// As `trap` prints them; functions that are called on a signal stand in between, and are functions.
const readTraps = (listing: string): Readonly<Record<string, string>> => {
  const traps: Record<string, string> = {}
  trapStart.lastIndex = 0
  for (let found = trapStart.exec(listing); found !== null; found = trapStart.exec(listing)) {
    const word = readWord(listing, trapStart.lastIndex)
    if (word === undefined) break
    const line = listing.indexOf('\n', word.end)
    const event = listing.slice(word.end + 1, line < 0 ? listing.length : line)
    if (word.text !== undefined) traps[event] = word.text
    trapStart.lastIndex = word.end
  }
  return traps
}

/** Reads what a mark of the kind `shell-state` carries; `undefined` when it is not of zsh. */
export const readZshState = (payload: string): ShellState | undefined => {
  const told = readToldState('zsh', payload)
  return told === undefined ? undefined : { ...told, traps: readTraps(told.traps[''] ?? '') }
}

// What zsh calls by its name, or before a prompt.
const hook =
  /^((precmd|preexec|chpwd|periodic|zshexit|zshaddhistory|zsh_directory_name)(_functions)?|command_not_found_handler|TRAP[A-Z0-9]+|zle-.*|R?PS[1-6]|R?PROMPT[2-4]?|SPROMPT|POSTEDIT|PERIOD|READNULLCMD|NULLCMD)$/

/** Whether zsh runs what has this name without being asked for it. */
export const zshRunsByItself = (item: RunningItem, name: string): boolean =>
  name.startsWith('__sr_') || (item !== 'aliases' && item !== 'traps' && hook.test(name))

// -------------------------------------------------------------------------------------- restoring

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/
const numeral = /^-?(\d+|0x[0-9a-f]+|\d+#[0-9a-z]+|\d+\.\d*(e[-+]?\d+)?)$/i
const event = /^[A-Z0-9]+$/

// Changing these would change what kind of shell it is.
const fixedOptions: ReadonlySet<string> = new Set(
  'exec globalrcs interactive login monitor privileged rcs restricted shinstdin singlecommand stdin zle'.split(
    ' ',
  ),
)

/** Parts of an init file. */
export interface ZshRestoration {
  /** Functions: `__sr_restore` makes the shell hold what is not read by itself. */
  readonly functions: string
  /** Commands for the top level: options and traps set in a function may be its own. */
  readonly settle: string
  /** The last of them, which ends with the code of the last command of the shell before. */
  readonly end: string
}

export const nothingRestoredInZsh: ZshRestoration = {
  functions: '__sr_restore() { : }\n',
  settle: '',
  end: '',
}

const words = (texts: readonly string[]): string => texts.map(quoted).join(' ')

// $1: a name, $2: its letters, then its value or values. What is there makes way: assigned to a number,
// text would be evaluated.
const setting = String.raw`
__sr_set() {
  builtin local __sr_name=$1 __sr_letters=$2
  builtin shift 2
  case $parameters[$__sr_name] in
    *readonly*) builtin return ;;
    *special*) [[ $__sr_name == (${settable.join('|')}) ]] || builtin return ;;
    ?*) builtin unset "$__sr_name" ;;
  esac
  case $__sr_letters in
    *[aA]*)
      [[ $parameters[$__sr_name] == *special* ]] || builtin typeset -g"\${__sr_letters//r/}" "$__sr_name"
      builtin set -A "$__sr_name" "$@" ;;
    *) builtin typeset -g"\${__sr_letters//r/}" "$__sr_name=$1" ;;
  esac
  [[ $__sr_letters == *r* ]] && builtin typeset -gr "$__sr_name"
}
# A start-up file may have made a trap for codes that tell of an error.
__sr_return() { (($+functions[TRAPZERR])) || builtin return $1 }
`.replaceAll('\\${', '${')

const variableCommand = (name: string, { attributes, value, values }: ShellVariable): string => {
  const isNumber = /[iF]/.test(attributes) || /^(HISTSIZE|SAVEHIST)$/.test(name)
  const isSafe = value === undefined || !isNumber || numeral.test(value)
  if (!identifier.test(name) || !/^[aAiFUulr]*$/.test(attributes) || !isSafe) return ''
  const pairs = Object.entries(values ?? {})
  const given =
    values === undefined
      ? [value ?? '']
      : attributes.includes('A')
        ? pairs.flat()
        : [...pairs].sort(([a], [b]) => Number(a) - Number(b)).map(([, one]) => one)
  return `{ __sr_set ${words([name, attributes, ...given])} } always { TRY_BLOCK_ERROR=0 }\n`
}

const aliasCommand = ([name, text]: readonly [string, string]): string => {
  const [, option = '', own = ''] = /^(?:(-[gs]) )?([\s\S]*)$/.exec(name) ?? []
  return own === '' || own.includes('=')
    ? ''
    : `builtin alias ${option} -- ${quoted(`${own}=${text}`)}\n`
}

/** What makes a new zsh hold `state`. */
export const zshRestoration = (state: ShellState): ZshRestoration => {
  const options = Object.entries(state.options).filter(
    ([name]) => /^[a-z]+$/.test(name) && !fixedOptions.has(name),
  )
  const switched = (on: boolean): string => {
    const names = options.filter(([, is]) => is === on).map(([name]) => name)
    return names.length === 0 ? '' : `\\builtin ${on ? 'setopt' : 'unsetopt'} ${names.join(' ')}\n`
  }
  const traps = Object.entries(state.traps).filter(([name]) => event.test(name))
  return {
    functions: `${setting}
__sr_restore() {
  builtin local __sr_name __sr_text
  __sr_given_names=(${words(Object.keys(state.variables))})
  for __sr_name __sr_text in ${words(Object.entries(state.functions).flat())}; do
    { functions[$__sr_name]=$__sr_text } always { TRY_BLOCK_ERROR=0 }
  done
${Object.entries(state.aliases).map(aliasCommand).join('')}
${Object.entries(state.variables)
  .map(([name, variable]) => variableCommand(name, variable))
  .join('')}
${/^[0-7]{3,4}$/.test(state.umask) ? `builtin umask ${state.umask}` : ''}
dirstack=(${words(state.directoryStack)})
}
`,
    end: `__sr_return ${returnable(state)}\n__sr_code=$?\n`,
    settle: [
      switched(true),
      switched(false),
      ...traps.map(([name, command]) => `\\builtin trap -- ${quoted(command)} ${name}\n`),
    ].join(''),
  }
}
