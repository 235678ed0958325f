/**
 * What bash holds beside its environment: how it is made to tell it, by builtins alone.
 *
 * Traps, functions and the umask bash only prints: that takes one fork, at the first prompt after a
 * command. Once there, printing the rest costs next to nothing, while a loop over all variables took as
 * long as starting a shell. What is too large is named and left out.
 */

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
const searchLimit = 4_096

/** The names of all variables, by the letters they begin with: no other way lists them without a fork. */
export const prefixes = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_']
  .map((letter) => `"\${!${letter}@}"`)
  .join(' ')

// They say something else each time, and bash does not bring them back once they are unset.
const changing = ownNames.filter((name) => name !== 'BASH_ALIASES' && name !== 'DIRSTACK')

/**
 * Functions of the init file. `__sr_dumping` runs in a command substitution, `trap -p` before any function
 * is called: only there all traps are shown; and `declare -p` where none is: the lines of calls are
 * variables, too. What it unsets it unsets in that copy of the shell alone.
 *
 * @param functions the names of all functions of the init file.
 */
export const bashTelling = (functions: readonly string[]): string =>
  String.raw`
__sr_trimming= __sr_told=
__sr_dumping='\builtin printf "%s options\n" "$__sr_nonce"; \builtin set +o; \builtin shopt -p; \builtin set +eauxkTE; \builtin printf "%s traps\n" "$__sr_nonce"; \builtin trap -p; \builtin set -- "$__sr_nonce"; __sr_bare "$1"; \builtin declare -p; __sr_dump_functions "$1"'

# Leaves of the variables those that are not ours; $1: the nonce, which goes, too.
__sr_bare() {
  builtin printf '%s umask\n' "$1"; builtin umask
  [[ -n $__sr_trimming ]] && __sr_trim "$1"
  PS0=\${PS0#"$__sr_ps0"} PS1=\${PS1%"$__sr_ps1"} PS2=\${PS2%"$__sr_ps2"}
  __sr_disarm
  builtin unset -v "\${!__sr_@}" ${changing.join(' ')}
  # These two are made up when they are asked for.
  builtin : "\${BASH_ALIASES[@]}" "\${DIRSTACK[@]}"
  builtin printf '%s variables\n' "$1"
}

__sr_dump_functions() {
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

# Leaves of __sr_text what stands before the first $1. Halved until it is short: what bash cuts off by a
# pattern it looks for at every character, and each look takes as long as all that follows.
__sr_until() {
  builtin local __sr_rest="$__sr_text"
  builtin local -i __sr_before=0 __sr_half
  while ((\${#__sr_rest} > ${searchLimit})); do
    __sr_half=$((\${#__sr_rest} / 2))
    if [[ \${__sr_rest:0:__sr_half+\${#1}} == *"$1"* ]]; then __sr_rest=\${__sr_rest:0:__sr_half+\${#1}}
    else __sr_rest=\${__sr_rest:__sr_half} __sr_before+=__sr_half
    fi
  done
  __sr_rest=\${__sr_rest%%"$1"*}
  __sr_text=\${__sr_text:0:__sr_before+\${#__sr_rest}}
}

# $1: what was dumped, $2: the options that are on.
__sr_tell_held() {
  builtin local __sr_text="$1" __sr_held=
  if ((\${#__sr_text} > ${dumpLimit})); then
    # The next prompt tells it without what is too large by itself.
    [[ -n $__sr_trimming ]] || __sr_trimming=1 __sr_ran=1
    __sr_until "$__sr_nonce names"
    __sr_held="o functions '(all)' "
  fi
  if ((\${#__sr_text} > ${dumpLimit})); then
    __sr_until "$__sr_nonce variables"
    __sr_held+="o shellVariables '(all)' o aliases '(all)' o directoryStack '(all)' "
  fi
  __sr_held+="t \${__sr_text@Q} s \${2@Q} s \${BASHOPTS@Q} "
  builtin test "$__sr_held" = "$__sr_told" && builtin return
  __sr_mark V "$__sr_held"
  __sr_told=$__sr_held
}
`.replaceAll('\\${', '${')
