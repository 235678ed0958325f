/**
 * Making a new bash hold what the one before held: the part of an init file that does it. Nothing of what
 * is restored is executed, whoever wrote it.
 *
 * Values are single-quoted words, assigned to variables that had their attributes taken off before: bash
 * evaluates what is assigned to an integer or to a reference. The text of a function stands between braces
 * of ours, and is first read, in a process that executes nothing, between parentheses: text that would
 * break out of the one cannot break out of the other. What is then no whole body is not defined.
 */
import type { ShellState, ShellVariable } from '@session-recovery/core'
import { isBashOwn } from './bash-state.js'
import { returnable } from './last-exit.js'
import { quoted } from './quoting.js'

/** Parts of an init file. */
export interface BashRestoration {
  readonly functions: string
  /** Behind the start-up files. */
  readonly restore: string
  /** Last of all: what would change how the lines before it are read. */
  readonly settle: string
}

// ----------------------------------------------------------------------------------- constructors

const functions = String.raw`
# $1: a name, $2: its letters. Makes way; fails where the name cannot be set.
__sr_clear() {
  if [[ -R $1 ]]; then builtin unset -n "$1"; builtin return; fi
  builtin local -n __sr_there=$1
  [[ \${__sr_there@a} == *r* ]] && builtin return 1
  [[ \${__sr_there@a} == "$2" && $2 != *[aA]* ]] && builtin return 0
  builtin unset -v "$1"
}

# $1: a name, $2: its letters, $3: its value, where it has one.
__sr_set() {
  __sr_clear "$1" "$2" || builtin return 0
  (($# < 3)) || builtin printf -v "$1" %s "$3"
  [[ -z $2 ]] || builtin declare -g "-$2" "$1"
}

# Reads each argument as the body of a function, executes nothing, and prints the places of those that are
# one, each with how bash prints it. Bash took most of them from its environment, where it takes nothing but
# functions: those are read again all at once, what it would not take there (for its patterns) one by one.
__sr_check='
LC_ALL=$0; shopt -s extglob; at=0 all= whole=
for text; do
  declare -F "f$at" >/dev/null && all+="(
$text
)
"
  at=$((at + 1))
done
(eval "set -n
$all") && whole=1
at=0
for text; do
  name=
  if [[ $whole ]] && declare -F "f$at" >/dev/null; then name=f$at
  elif (eval "set -n
(
$text
)"); then eval "function f () {
$text
}" && name=f
  fi
  [[ $name ]] && { printf "%s\036" "$at"; declare -f "$name"; printf "\036"; }
  at=$((at + 1))
done'

# What the start-up files made so already is let be; what would not be printed as it was is not defined:
# it would not do what it did.
__sr_define() {
  builtin local __sr_at __sr_locale="\${LC_ALL:-\${LC_CTYPE:-$LANG}}" IFS=$'\x1e'
  builtin local -a __sr_now __sr_bodies __sr_names __sr_reader
  __sr_bodies=() __sr_names=() __sr_reader=()
  builtin set -f
  __sr_now=($(for __sr_at in "\${__sr_wanted[@]}"; do builtin declare -f -- "$__sr_at"; builtin printf '\x1e'; done))
  for __sr_at in "\${!__sr_wanted[@]}"; do
    __sr_is_body "\${__sr_now[__sr_at]}" "\${__sr_texts[__sr_at]}" && continue
    __sr_names+=("\${__sr_wanted[__sr_at]}")
    __sr_bodies+=("\${__sr_texts[__sr_at]}")
  done
  builtin unset -v __sr_wanted __sr_texts
  ((\${#__sr_names[@]})) || builtin return 0
  if [[ -x /usr/bin/env ]]; then
    __sr_reader=(/usr/bin/env)
    for __sr_at in "\${!__sr_bodies[@]}"; do
      __sr_reader+=("BASH_FUNC_f$__sr_at%%=() {"$'\n'"\${__sr_bodies[__sr_at]}"$'\n}')
    done
  fi
  __sr_now=($(builtin exec -c "\${__sr_reader[@]}" "$BASH" --norc --noprofile -c "$__sr_check" "$__sr_locale" "\${__sr_bodies[@]}" </dev/null))
  builtin set -- "\${__sr_now[@]}"
  # As it was read there: aliases, patterns and comments decide what a text means.
  builtin shopt -u expand_aliases; builtin shopt -s extglob interactive_comments
  while (($# > 1)); do
    __sr_at=$1
    [[ $__sr_at == *[!0-9]* || -z $__sr_at ]] && builtin return
    __sr_is_body "$2" "\${__sr_bodies[__sr_at]}" && builtin eval "function \${__sr_names[__sr_at]} () {
\${__sr_bodies[__sr_at]}
}"
    builtin shift 2
  done
}

# Whether $1 is how bash prints a function of the body $2.
__sr_is_body() { builtin test "\${1#*$'\n'}" = $'{ \n'"$2"$'\n}\n'; }

# $1: set or shopt, $2: on or off, the rest: names. Only what is otherwise is set.
__sr_switch() {
  builtin local __sr_how=$1 __sr_to=$2 __sr_name __sr_is
  builtin shift 2
  for __sr_name; do
    __sr_is=off
    if [[ $__sr_how == set ]]; then [[ -o $__sr_name ]] && __sr_is=on
    else builtin shopt -q "$__sr_name" && __sr_is=on
    fi
    case $__sr_how-$__sr_is-$__sr_to in
      set-off-on) builtin set -o "$__sr_name" ;;
      set-on-off) builtin set +o "$__sr_name" ;;
      shopt-off-on) builtin shopt -s "$__sr_name" ;;
      shopt-on-off) builtin shopt -u "$__sr_name" ;;
    esac
  done
}
`.replaceAll('\\${', '${')

/** Of an init file that restores nothing. */
export const nothingRestored: BashRestoration = { functions: '', restore: '', settle: '' }

/** What makes a new shell hold `state`. What cannot be set, or only by executing it, is left out. */
export const bashRestoration = (state: ShellState): BashRestoration => {
  const { functions: bodies, directoryStack, umask } = state
  const variables = Object.entries(state.variables).filter(isSettable)
  const lines = [
    'builtin local -',
    'builtin set +eauxkTE',
    ...variables.flatMap(([name, variable]) => setVariable(name, variable)),
    'builtin set +o posix',
    ...defineFunctions(bodies),
    ...Object.entries(state.aliases).flatMap(([name, text]) => setAlias(name, text)),
    ...(/^[0-7]{1,4}$/.test(umask) ? [`builtin umask ${umask}`] : []),
    'builtin dirs -c',
    ...[...directoryStack].reverse().flatMap(pushDirectory),
  ]
  const fixed = variables.filter(([, { attributes }]) => attributes.includes('r'))
  return {
    functions: `${functions}
__sr_restore() {
${lines.join('\n')}
}
__sr_settle() {
${settled(
  state,
  fixed.map(([name]) => name),
).join('\n')}
}
`,
    restore: '  __sr_restore >/dev/null 2>/dev/null',
    settle: '  __sr_settle 2>/dev/null',
  }
}

// ------------------------------------------------------------------------------------ combinators

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/
/** What stands between texts, and so in none. */
const separator = '\x1e'
const isBody = (text: string): boolean => isText(text) && !text.includes(separator)
const isText = (text: string): boolean => !text.includes('\0')

const number = /^-?\d{1,19}$/

const isSettable = ([name, { attributes, value, values }]: readonly [
  name: string,
  variable: ShellVariable,
]): boolean => {
  if (!identifier.test(name) || isBashOwn(name) || !/^[aAilnucrtx]*$/.test(attributes)) return false
  const keys = Object.keys(values ?? {})
  const texts = [...(value === undefined ? [] : [value]), ...Object.values(values ?? {})]
  if (!texts.every(isText) || !keys.every(isText) || keys.includes('')) return false
  if (attributes.includes('n')) return identifier.test(value ?? '') && !isBashOwn(value ?? '')
  if (attributes.includes('i') && !texts.every((text) => number.test(text))) return false
  return !attributes.includes('a') || keys.every((key) => /^\d{1,18}$/.test(key))
}

// Of an exported one only what it is besides: its value comes with the environment. What is to be
// read-only becomes so when nothing is to be set any more.
const setVariable = (
  name: string,
  { attributes, value, values }: ShellVariable,
): readonly string[] => {
  const letters = attributes.replaceAll(/[raA]/g, '')
  if (letters.includes('n')) return [`__sr_clear ${name} && builtin declare -gn ${name}=${value}`]
  if (attributes.includes('A')) return setArray(name, 'A', letters, values ?? {})
  if (attributes.includes('a')) return setArray(name, 'a', letters, values ?? {})
  if (value !== undefined) return [`__sr_set ${name} '${letters}' ${quoted(value)}`]
  const more = letters.replace('x', '')
  return more === '' ? [] : [`builtin declare -g -${more} ${name}`]
}

const setArray = (
  name: string,
  kind: 'a' | 'A',
  letters: string,
  values: Readonly<Record<string, string>>,
): readonly string[] => {
  const elements = Object.entries(values).map(([key, text]) => `[${quoted(key)}]=${quoted(text)}`)
  const declared = `builtin declare -g${kind} ${name} && ${name}=(${elements.join(' ')})`
  const more = letters === '' ? '' : ` && builtin declare -g -${letters} ${name}`
  return [`__sr_clear ${name} ${kind} && ${declared}${more}`]
}

// Nothing of these is expanded where the name of a function stands.
const functionName = /^[\p{L}\p{N}_.:@%^,/+!-][\p{L}\p{N}_.:@%^,/+!#-]*$/u
const argumentLimitBytes = 100_000
const opening = /^(?:function )?\S+ \(\) \n\{ \n/
const closing = '\n}'

const defineFunctions = (functions: Readonly<Record<string, string>>): readonly string[] => {
  const wanted = Object.entries(functions).flatMap(([name, text]) => {
    const start = opening.exec(text)?.[0]
    const isWhole = start !== undefined && text.endsWith(closing)
    const fits = functionName.test(name) && isBody(text) && text.length < argumentLimitBytes
    return isWhole && fits ? [{ name, body: text.slice(start.length, -closing.length) }] : []
  })
  if (wanted.length === 0) return []
  return [
    `__sr_wanted=(${wanted.map(({ name }) => quoted(name)).join(' ')})`,
    `__sr_texts=(${wanted.map(({ body }) => quoted(body)).join(' ')})`,
    'builtin local __sr_shopts=$BASHOPTS',
    '__sr_define',
    ...['expand_aliases', 'extglob', 'interactive_comments'].map(
      (name) =>
        `case :$__sr_shopts: in *:${name}:*) builtin shopt -s ${name} ;; *) builtin shopt -u ${name} ;; esac`,
    ),
  ]
}

const aliasName = /^[^\s'"\\$`/=|&;()<>]+$/

const setAlias = (name: string, text: string): readonly string[] =>
  aliasName.test(name) && isText(text) ? [`builtin alias -- ${quoted(`${name}=${text}`)}`] : []

const pushDirectory = (path: string): readonly string[] =>
  path.startsWith('/') && isText(path) ? [`builtin pushd -n -- ${quoted(path)}`] : []

// Read-only, or would end the shell, stop it from executing, load a debugger or read the history again.
const letBe = new Set(['privileged', 'onecmd', 'noexec', 'login_shell', 'extdebug'])

// Those of `set -o`; all others are of `shopt`.
const setNames = new Set(
  [
    'allexport braceexpand emacs errexit errtrace functrace hashall histexpand history ignoreeof',
    'interactive-comments keyword monitor noclobber noglob nolog notify nounset physical pipefail',
    'posix verbose vi xtrace',
  ].flatMap((line) => line.split(' ')),
)

const settled = (state: ShellState, fixed: readonly string[]): readonly string[] => {
  const { options, traps } = state
  const names = Object.keys(options).filter(
    (name) =>
      /^[a-z_0-9-]+$/.test(name) &&
      !letBe.has(name) &&
      !(name === 'history' && options[name] === true),
  )
  const listed = (isSet: boolean, on: boolean): string =>
    names.filter((name) => isSet === setNames.has(name) && options[name] === on).join(' ')
  return [
    ...(fixed.length === 0 ? [] : [`builtin declare -gr ${fixed.join(' ')}`]),
    `__sr_switch shopt off ${listed(false, false)}`,
    `__sr_switch shopt on ${listed(false, true)}`,
    'builtin unset -v __sr_check',
    'builtin unset -f __sr_clear __sr_set __sr_define __sr_is_body __sr_restore',
    '__sr_ran=1',
    `__sr_switch set off ${listed(true, false)}`,
    `__sr_switch set on ${listed(true, true)}`,
    'builtin unset -f __sr_switch __sr_settle',
    ...Object.entries(traps).flatMap(([event, text]) => setTrap(event, text)),
    `builtin return ${returnable(state)}`,
  ]
}

const setTrap = (event: string, text: string): readonly string[] =>
  /^[A-Z0-9+-]+$/.test(event) && isText(text) ? [`builtin trap -- ${quoted(text)} ${event}`] : []
