/**
 * The shell integration for zsh: the text of a `.zshenv` made for one process.
 *
 * Zsh reads it first, because `ZDOTDIR` names our directory. It puts `ZDOTDIR` back at once and reads the
 * user's own `.zshenv`; all other start-up files zsh then reads by itself, where it would without us. What
 * is left waits for the first prompt. Marks are made by builtins alone, without a fork: the line before it
 * runs by `preexec`, its end by `precmd`, and that the shell reads by `zle-line-init`, which tells a
 * prompt from the rest of a command. The user's hooks of these names are kept and called as before.
 */
import type { IntegrationPlan, ShellIntegration } from './integration.js'
import { asideKey, asideLimit, boundKey, markCode } from './mark.js'
import { quoted } from './quoting.js'
import {
  nothingRestoredInZsh,
  readZshState,
  type ZshRestoration,
  zshRestoration,
  zshRunsByItself,
  zshTelling,
} from './zsh-state.js'

// ----------------------------------------------------------------------------------- constructors

const key = boundKey.replace('\x1b', '\\e')
const aside = asideKey.replace('\x1b', '\\e')

// The user's options and traps do not reach into our functions, nor ours out of them.
const alone = `builtin emulate -L zsh
  builtin setopt no_xtrace no_err_exit no_err_return no_all_export no_warn_create_global extended_glob
  builtin trap - DEBUG ZERR`

// All options as the user has them, and the traps: where it can be seen that something ran.
const seen = `[[ -z $__sr_ran ]] || __sr_options=("\${(@kv)options[@]}")
  builtin emulate -L zsh
  [[ -z $__sr_ran ]] || __sr_list_traps`

const functions = String.raw`
# $1: the kind of mark, $2: its payload, of ASCII alone.
__sr_mark() { builtin print -rn -- $'\e]${markCode};'"$__sr_nonce;$1;\${#2};$2;$__sr_nonce"$'\a' >/dev/tty }

# As words, whatever bytes they hold: in this locale every byte that is not ASCII is written in octal.
__sr_quote() {
  [[ $LC_ALL == C || \${(t)LC_ALL} == *readonly* ]] || builtin local LC_ALL=C
  __sr_words=("\${(@qqqq)@}")
}

# The exported variables, as words. No environment holds a NUL.
__sr_read_state() {
  builtin local __sr_name __sr_value
  builtin local -a __sr_names __sr_values
  for __sr_name in "\${(@ok)parameters[(R)(scalar|integer|float)*-export*]}"; do
    [[ $__sr_name == __sr_* ]] && continue
    __sr_value=\${(P)__sr_name}
    __sr_names+=("$__sr_name") __sr_values+=("\${__sr_value%%$'\0'*}")
  done
  __sr_quote "\${__sr_values[@]}"
  __sr_state=
  builtin local -i __sr_at
  for ((__sr_at = 1; __sr_at <= $#__sr_names; __sr_at++)) {
    __sr_state+="$__sr_names[__sr_at]=$__sr_words[__sr_at] "
  }
}

# $1: the kind of mark.
__sr_send() {
  __sr_next=$HISTCMD
  __sr_quote "$PWD"
  __sr_mark "$1" "$__sr_code $__sr_next $__sr_words[1]"
  __sr_read_state
  if [[ $__sr_state != "$__sr_sent" ]]; then
    __sr_mark E "$__sr_state"
    __sr_sent=$__sr_state
  fi
  [[ -z $__sr_ran ]] || __sr_tell_held
  __sr_ran=
}

# What the user redefined is armed again, around what is there now.
__sr_arm() {
  builtin local __sr_map
  (($precmd_functions[(Ie)__sr_precmd])) || precmd_functions+=(__sr_precmd)
  (($preexec_functions[(Ie)__sr_preexec])) || preexec_functions+=(__sr_preexec)
  if [[ $widgets[zle-line-init] != user:__sr_line_init ]]; then
    __sr_before=
    [[ $widgets[zle-line-init] == user:* ]] && __sr_before=\${widgets[zle-line-init]#user:}
    builtin zle -N zle-line-init __sr_line_init
  fi
  [[ $widgets[__sr_key] == user:__sr_key ]] || builtin zle -N __sr_key
  [[ $widgets[__sr_aside] == user:__sr_aside ]] || builtin zle -N __sr_aside
  for __sr_map in main emacs viins vicmd; do
    builtin bindkey -M $__sr_map '${key}' __sr_key
    builtin bindkey -M $__sr_map '${aside}' __sr_aside
  done
}

# Before each prompt.
__sr_precmd() {
  __sr_code=$?
  ${seen}
  ${alone}
  __sr_arm
  __sr_send D
  # Without the line editor nothing else tells that the shell reads.
  [[ -o zle ]] || __sr_mark A ''
} 2>/dev/null

# A line was entered and begins to run.
__sr_preexec() {
  ${alone}
  __sr_ran=1
  builtin local __sr_payload=
  if ! __sr_withheld "$1"; then
    __sr_quote "$__sr_next  $1"
    __sr_payload=$__sr_words[1]
  fi
  __sr_mark C "$__sr_payload"
} 2>/dev/null

# Whether zsh keeps the line out of its history. What hooks of the user's decide cannot be seen.
__sr_withheld() {
  builtin local __sr_word
  [[ -z $1 ]] && builtin return 0
  (($+functions[zshaddhistory] || $#zshaddhistory_functions)) && builtin return 0
  [[ -n $HISTORY_IGNORE && $1 == \${~HISTORY_IGNORE} ]] && builtin return 0
  [[ -o hist_no_store && $1 == [[:space:]]#(history|fc)(|[[:space:]]*) ]] && builtin return 0
  [[ -o hist_no_functions && $1 == ([[:space:]]#function[[:space:]]|*'()')* ]] && builtin return 0
  [[ -o hist_ignore_space ]] || builtin return 1
  [[ $1 == ' '* ]] && builtin return 0
  for __sr_word in "\${(@z)1}"; do
    [[ $aliases[$__sr_word] == ' '* || $galiases[$__sr_word] == ' '* ]] && builtin return 0
  done
  builtin return 1
}

# The shell begins to read a line: at its prompt, or the rest of a command.
__sr_line_init() {
  [[ -z \${__sr_inside-} ]] || builtin return 0
  builtin local __sr_inside=1
  __sr_reading
  [[ -z $__sr_before ]] || "$__sr_before" "$@"
}
__sr_reading() {
  ${alone}
  __sr_arm
  case $CONTEXT in
    start) __sr_mark A '' ;;
    cont) __sr_mark P '' ;;
  esac
} 2>/dev/null

# The bound key: arms what was disarmed, says everything again, and answers.
__sr_key() {
  __sr_ran=1
  ${seen}
  ${alone}
  __sr_arm
  __sr_sent= __sr_told=
  __sr_send S
  __sr_mark K "$((++__sr_answers))"
} 2>/dev/null

# The second key: the line that stands half typed is said and taken out of the editor, which reads text
# next, not commands of its own.
__sr_aside() {
  ${alone}
  [[ $CONTEXT == start ]] && (($#BUFFER <= ${asideLimit})) || builtin return 0
  __sr_quote "$BUFFER"
  __sr_mark L "$__sr_words[1]"
  BUFFER= POSTDISPLAY= REGION_ACTIVE=0
  builtin zle -K main
} 2>/dev/null

# What the start-up files changed of the variables that were given is put back.
__sr_keep() {
  builtin local __sr_name __sr_value __sr_type
  for __sr_name __sr_value in "\${(@kv)__sr_given}"; do
    __sr_type=$parameters[$__sr_name]
    [[ $__sr_type == *-export* && \${(P)__sr_name} == "$__sr_value" ]] && continue
    case $__sr_type in
      *readonly*) continue ;;
      # Text that is assigned to a number would be evaluated.
      (integer|float)*special*) [[ $__sr_value == (|-)<-> ]] || continue ;;
      ''|scalar|scalar-export|*special*|*tied*) ;;
      *) builtin unset "$__sr_name" ;;
    esac
    { builtin typeset -gx "$__sr_name=$__sr_value" } always { TRY_BLOCK_ERROR=0 }
  done
}

# Written into a file of ours, the lines count as saved and never reach the user's.
__sr_recall() {
  builtin setopt no_hist_ignore_all_dups no_hist_reduce_blanks
  builtin local SAVEHIST=1000000 __sr_line __sr_listing=
  builtin local -i __sr_at
  for __sr_line in "\${__sr_lines[@]}"; do builtin print -rs -- "$__sr_line"; done
  builtin fc -AI "$__sr_directory/history"
  for ((__sr_at = HISTCMD - $#__sr_lines; __sr_at < HISTCMD; __sr_at++)) {
    builtin printf -v __sr_line '%5d  %s\n' $__sr_at "$history[$__sr_at]"
    __sr_listing+=$__sr_line
  }
  __sr_quote "\${__sr_listing%%$'\n'##}"
  __sr_mark H "$__sr_words[1]"
}

# All start-up files were read.
__sr_first() {
  ${alone}
  builtin setopt no_aliases
  __sr_keep
  (($#__sr_lines)) && __sr_recall
  [[ $functions[zsh-newuser-install] == *__sr_none* ]] && builtin unfunction zsh-newuser-install
  __sr_remember
  __sr_restore
} 2>/dev/null

# What was restored is told before the first prompt, for the comparison.
__sr_last() {
  ${seen}
  ${alone}
  __sr_arm
  __sr_send D
  [[ -o zle ]] || __sr_mark A ''
  builtin unset __sr_given __sr_lines __sr_directory
  builtin unfunction __sr_first __sr_last __sr_keep __sr_recall __sr_remember __sr_restore
  (($+functions[__sr_set])) && builtin unfunction __sr_set __sr_return
  builtin return $__sr_code
} 2>/dev/null

# It would ask its questions of nobody.
zsh-newuser-install() { : __sr_none }
`.replaceAll('\\${', '${')

// Started by the clock at the first prompt, which no assignment to the hooks undoes.
const start = ({ settle, end }: Pick<ZshRestoration, 'settle' | 'end'>): string => {
  const begin = `__sr_first\n${settle}`
  return `
builtin zmodload zsh/parameter
if builtin zmodload zsh/sched 2>/dev/null; then
  builtin sched +00:00 ${quoted(`${begin}${end}__sr_last`)}
else
  __sr_begin() {
    ${begin}__sr_last
    precmd_functions=("\${(@)precmd_functions:#__sr_begin}")
  }
  precmd_functions+=(__sr_begin)
fi
[[ -n $__sr_aliases ]] && builtin setopt aliases
builtin unset __sr_aliases
`
}

const list = (name: string, words: readonly string[]): string =>
  `${name}=(${words.map(quoted).join(' ')})\n`

const givenOf = ({ kept, environment }: IntegrationPlan): readonly string[] =>
  kept.flatMap((name) => {
    const value = environment[name]
    return value === undefined ? [] : [name, value]
  })

/** The `.zshenv` of one zsh process; it holds the nonce and must be readable by its user alone. */
export const zshInitFile = (plan: IntegrationPlan, directory: string): string => {
  const { state } = plan
  const { ZDOTDIR } = plan.environment
  const restoration = state === undefined ? nothingRestoredInZsh : zshRestoration(state)
  // As one block it is read to its end before any of it, or of the user's files, changes the syntax.
  return `__sr_aliases=
[[ -o aliases ]] && __sr_aliases=1
\\builtin unsetopt aliases
{
builtin typeset -g __sr_nonce=${quoted(plan.nonce)} __sr_directory=${quoted(directory)} __sr_before= __sr_sent= __sr_state= __sr_held= __sr_told= __sr_traps= __sr_ran=${state === undefined ? '' : '1'}
builtin typeset -gi __sr_answers=0 __sr_code=0 __sr_next=0
builtin typeset -ga __sr_words __sr_lines __sr_options __sr_given_names
builtin typeset -gA __sr_given __sr_variables __sr_made_variables __sr_made_functions
${list('__sr_given', givenOf(plan))}${list('__sr_lines', plan.historyLines)}${functions}${zshTelling}${restoration.functions}${start(restoration)}
${ZDOTDIR === undefined ? 'builtin unset ZDOTDIR' : `builtin export ZDOTDIR=${quoted(ZDOTDIR)}`}
[[ -r \${ZDOTDIR-$HOME}/.zshenv ]] && builtin . "\${ZDOTDIR-$HOME}/.zshenv"
}
`
}

const interactiveArgs: ReadonlySet<string> = new Set(['-i', '-l', '-il', '-li', '--login'])

/** How zsh is made to tell. */
export const zshIntegration: ShellIntegration = {
  kind: 'zsh',
  // With other arguments zsh reads no start-up file, or shows no prompt.
  fits: (command, args) =>
    command.split('/').at(-1) === 'zsh' && args.every((arg) => interactiveArgs.has(arg)),
  integrate: (plan) => ({
    nonce: plan.nonce,
    files: (directory) => ({ '.zshenv': zshInitFile(plan, directory) }),
    args: () => [],
    environment: (directory) => ({ ZDOTDIR: directory }),
  }),
  readState: readZshState,
  runsByItself: zshRunsByItself,
}
