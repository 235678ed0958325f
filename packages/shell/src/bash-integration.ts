/**
 * The shell integration for bash: the text of an init file made for one process.
 *
 * It reads the user's own start-up file first, then makes the shell say, in signed marks and by builtins
 * alone, what it does. It forks in PS0, once a command: PS0 is the only place that sees the whole line
 * before it runs, subshells and pipelines included, and leaves the user's DEBUG trap alone; and once
 * behind a command for what bash only prints. A new shell's first prompt waits for neither, unless it is
 * to be compared with the shell before.
 * Nothing of it is exported: children know neither the nonce nor the functions.
 */
import { type BashRestoration, bashRestoration, nothingRestored } from './bash-restoration.js'
import { bashTelling, prefixes } from './bash-state.js'
import { readBashState } from './bash-told.js'
import type { IntegrationPlan, RunningItem, ShellIntegration } from './integration.js'
import { asideKey, asideLimit, boundKey, markCode } from './mark.js'
import { quoted } from './quoting.js'

// ----------------------------------------------------------------------------------- constructors

const key = boundKey.replace('\x1b', '\\e')
const aside = asideKey.replace('\x1b', '\\e')

const functions = String.raw`
__sr_ps0='\${__sr_none[__sr_ran=1]-}\${__sr_nonce:+$(__sr_start >/dev/tty 2>/dev/null)}'
__sr_ps1='\[\e]${markCode};\${__sr_nonce};A;0;;\${__sr_nonce}\a\]'
__sr_ps2='\[\e]${markCode};\${__sr_nonce};P;0;;\${__sr_nonce}\a\]'
__sr_hook='{ __sr_prompt "$?" "\${__sr_ran:+$('"$__sr_dumping"')}" >/dev/tty; } 2>/dev/null'
__sr_press='__sr_key "$?" "$('"$__sr_dumping"')"'
__sr_sent= __sr_state= __sr_answers=0 __sr_none=()

__sr_mark() { builtin printf '\e]${markCode};%s;%s;%d;%s;%s\a' "$__sr_nonce" "$1" "\${#2}" "$2" "$__sr_nonce"; }

# The exported variables, as words. What belongs to this file is left out of those it stands in.
__sr_read_state() {
  builtin local __sr_name __sr_value
  __sr_state=
  for __sr_name in ${prefixes}; do
    [[ \${!__sr_name@a} == *x* ]] || continue
    [[ $__sr_name == __sr_* || \${!__sr_name@a} == *[aA]* || -R $__sr_name ]] && continue
    __sr_value=\${!__sr_name}
    case $__sr_name in
      PS0) __sr_value=\${__sr_value#"$__sr_ps0"} ;;
      PS1) __sr_value=\${__sr_value%"$__sr_ps1"} ;;
      PS2) __sr_value=\${__sr_value%"$__sr_ps2"} ;;
    esac
    __sr_state+="$__sr_name=\${__sr_value@Q} "
  done
}

# $1: the kind of mark, $2: the exit code, $3: what was dumped, if it was, $4: the options that are on.
__sr_send() {
  __sr_mark "$1" "$2 \${HISTCMD:-0} \${PWD@Q}"
  __sr_read_state
  builtin test "$__sr_state" = "$__sr_sent" || __sr_mark E "$__sr_state"
  __sr_sent=$__sr_state
  [[ -z $3 ]] || __sr_tell_held "$3" "$4"
}

# The user may have changed a prompt; each carries the mark that it is shown.
__sr_arm_prompts() {
  [[ $PS0 == "$__sr_ps0"* ]] || PS0=$__sr_ps0$PS0
  [[ $PS1 == *"$__sr_ps1" ]] || PS1+=$__sr_ps1
  [[ $PS2 == *"$__sr_ps2" ]] || PS2+=$__sr_ps2
}

# Before each prompt; $1: the exit code, $2: what was dumped, after a command.
__sr_prompt() {
  builtin local __sr_on -
  __sr_on=$SHELLOPTS
  builtin set +eauxkTE
  __sr_ran=
  __sr_arm_prompts
  __sr_send D "$1" "$2" "$__sr_on"
}

# A line was entered; runs in a subshell of PS0.
__sr_start() {
  builtin local -
  builtin set +eauxTE
  __sr_state=$(HISTTIMEFORMAT= builtin history 1)
  __sr_mark C "\${__sr_state@Q}"
}

# The bound key: arms what was disarmed, says everything again, and answers.
__sr_key() {
  builtin local __sr_on -
  __sr_on=$SHELLOPTS
  builtin set +eauxkTE
  __sr_arm
  __sr_sent= __sr_told=
  { __sr_send S "$1" "$2" "$__sr_on"; __sr_mark K "$((++__sr_answers))"; } >/dev/tty 2>/dev/null
}

# The second key: the line that stands half typed is said and taken out of the editor.
__sr_aside() {
  builtin local -
  builtin set +eauxkTE
  ((\${#READLINE_LINE} <= ${asideLimit})) || builtin return 0
  __sr_mark L "\${READLINE_LINE@Q}" >/dev/tty 2>/dev/null
  READLINE_LINE= READLINE_POINT=0
}

__sr_arm() {
  builtin local __sr_one
  __sr_disarm
  PROMPT_COMMAND+=("$__sr_hook")
  __sr_arm_prompts
  for __sr_one in emacs-standard vi-insert vi-command; do
    builtin bind -m "$__sr_one" -x '"${key}": builtin eval "$__sr_press"' 2>/dev/null
    builtin bind -m "$__sr_one" -x '"${aside}": __sr_aside' 2>/dev/null
  done
  # What is typed next is to be text, not commands of the editor's.
  builtin bind -m vi-command '"${aside}": "i${aside}"' 2>/dev/null
}

__sr_keep() {
  builtin local __sr_name
  for __sr_name in "\${!__sr_given[@]}"; do
    # An assignment to what a start-up file made a number, an array or a reference would be evaluated.
    if [[ -R $__sr_name ]]; then builtin unset -n "$__sr_name"
    elif [[ \${!__sr_name@a} == *[aAi]* ]]; then builtin unset -v "$__sr_name"
    fi
    [[ \${!__sr_name-} == "\${__sr_given[$__sr_name]}" && \${!__sr_name@a} == *x* ]] ||
      builtin export "$__sr_name=\${__sr_given[$__sr_name]}"
  done 2>/dev/null
  builtin unset -v __sr_given __sr_kept
}

__sr_recall() {
  builtin local __sr_line HISTCONTROL= HISTIGNORE= HISTTIMEFORMAT=
  builtin history -r 2>/dev/null
  for __sr_line in "\${__sr_lines[@]}"; do builtin history -s -- "$__sr_line"; done
  __sr_line=$(builtin history "\${#__sr_lines[@]}")
  __sr_mark H "\${__sr_line@Q}" >/dev/tty
}
`.replaceAll('\\${', '${')

// Start-up files are read where no function is called: what they declare is to be global. Behind them
// stands one word alone, which nothing that they define can stand in for.
const start = `
builtin declare -A __sr_given
for __sr_name in "\${__sr_kept[@]}"; do
  [[ -v $__sr_name ]] && __sr_given[$__sr_name]=\${!__sr_name}
done
builtin unset -v __sr_name
[[ -r ~/.bashrc ]] && . ~/.bashrc
__sr_begin
`

const begin = ({ restore, settle }: Pick<BashRestoration, 'restore' | 'settle'>): string => `
__sr_begin() {
  __sr_keep
${restore}
  ((\${#__sr_lines[@]})) && __sr_recall
  builtin unset -v __sr_lines
  builtin unset -f __sr_keep __sr_recall __sr_begin
  __sr_arm
${settle}
}
`

const list = (name: string, words: readonly string[]): string =>
  `${name}=(${words.map(quoted).join(' ')})\n`

const namesOf = (text: string): readonly string[] =>
  [...text.matchAll(/^(__sr_\w+)\(\) \{/gm)].map(([, name = '']) => name)

const bodyOf = (restoration: BashRestoration): string => {
  const own = [functions, restoration.functions, begin(restoration)].join('')
  return [bashTelling(namesOf(bashTelling([]) + own)), own, start].join('')
}

// Most shells are given nothing back, and a crowd of them waits for each.
const plainBody = bodyOf(nothingRestored)

/** The init file of one bash process; it holds the nonce and must be readable by its user alone. */
export const bashInitFile = ({ nonce, kept, historyLines, state }: IntegrationPlan): string =>
  [
    `__sr_nonce=${quoted(nonce)}\n`,
    list('__sr_kept', kept),
    list('__sr_lines', historyLines),
    state === undefined ? plainBody : bodyOf(bashRestoration(state)),
  ].join('')

// What runs without being called for; and what would stand in for the words of the init file.
const runsByItself = (item: RunningItem, name: string): boolean => {
  if (name.startsWith('__sr_')) return true
  if (item === 'aliases') return name === 'builtin' || name === '{'
  return item === 'functions' && (name === 'builtin' || name === 'command_not_found_handle')
}

/** How bash is made to tell. */
export const bashIntegration: ShellIntegration = {
  kind: 'bash',
  // With other arguments bash reads no init file, or shows no prompt.
  fits: (command, args) =>
    command.split('/').at(-1) === 'bash' && args.every((arg) => arg === '-i'),
  integrate: (plan) => ({
    nonce: plan.nonce,
    files: () => ({ init: bashInitFile(plan) }),
    args: (directory) => ['--init-file', `${directory}/init`],
    environment: () => ({}),
  }),
  readState: readBashState,
  runsByItself,
}
