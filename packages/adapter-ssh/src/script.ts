/**
 * What is run on a remote host, as texts for its POSIX `sh`. Every value stands in single quotes; nothing
 * in it is expanded. Where there are many steps builtins do them: a fork costs a millisecond there, too.
 */
import {
  type Environment,
  type Integration,
  type KeptProcess,
  markCode,
  type ProcessIdentity,
  quoted,
} from '@session-recovery/shell'

// ------------------------------------------------------------------------------------------ model

/** What is started, and where its files stand. */
export interface RemoteStart {
  /** A directory of this start alone, to be made. */
  readonly directory: string
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly environment: Environment
  /** Signs what the scripts say on the program's terminal; known to them and us alone. */
  readonly frame: string
  readonly integration: Integration | undefined
  /** More files, by name. */
  readonly files?: Readonly<Record<string, string>>
}

// ----------------------------------------------------------------------------------------- survey

/**
 * Tells what there is on a host, each line NAME=VALUE, and after an empty line the environment, apart
 * by NULs. `served` is the server's process for this connection.
 */
export const surveyScript = `
place=
for d in /dev/shm "$XDG_RUNTIME_DIR" "$TMPDIR" /tmp; do
  case $d in /*) [ -d "$d" ] && [ -w "$d" ] && [ -x "$d" ] && place=$d && break;; esac
done
stat= boot=
{ read -r stat < /proc/$PPID/stat; read -r boot < /proc/sys/kernel/random/boot_id; } 2>/dev/null
set -- \${stat##*) }
printf '%s\\n' "place=$place" "machine=$(uname -m)" "served=$PPID \${20}" "boot=$boot"
for t in tmux dtach stty; do command -v $t >/dev/null && echo "$t=1"; done
# Many systems show the calls of a process to its ancestors alone: this asks for those of its parent.
cat /proc/$$/syscall >/dev/null 2>&1 && echo calls=1
echo
exec env -0
`

// ------------------------------------------------------------------------------------------ start

// Says a word of ours on the terminal, as a mark whose payload is $1.
const saying = (frame: string): string =>
  `say() { printf '\\033]${markCode};%s;V;%d;%s;%s\\007' ${quoted(frame)} "\${#1}" "$1" ${quoted(frame)}; }`

// The program's name: found as \`env\` would find it, so that one that is missing is told as such.
const finding = (command: string, path: string): string =>
  command.includes('/')
    ? `f=${quoted(command)}`
    : `f=
IFS=:
set -f
p=${quoted(path)}
for d in $p; do
  [ -n "$d" ] || d=.
  [ -f "$d"/${quoted(command)} ] && [ -x "$d"/${quoted(command)} ] && f=$d/${quoted(command)} && break
done
unset IFS`

// Names a shell gives a meaning of its own: it may refuse to set them, or change them. None is a secret.
const ofShells: ReadonlySet<string> = new Set(
  `_ PATH IFS PS1 PS2 PS3 PS4 ENV UID EUID GID EGID PPID SHLVL SHELLOPTS LINES COLUMNS LINENO RANDOM SRANDOM
  SECONDS EPOCHSECONDS EPOCHREALTIME OPTIND OPTARG OPTERR GROUPS FUNCNAME FUNCNEST DIRSTACK PIPESTATUS
  POSIXLY_CORRECT IGNOREEOF ignoreeof TIMEFORMAT TMOUT TZ MAIL MAILPATH MAILCHECK COMPREPLY COMP_CWORD COMP_KEY
  COMP_LINE COMP_POINT COMP_TYPE COMP_WORDBREAKS COMP_WORDS HISTCMD HISTCONTROL HISTFILE HISTFILESIZE HISTIGNORE
  HISTSIZE HISTTIMEFORMAT histchars BASH BASHOPTS BASHPID BASH_ALIASES BASH_ARGC BASH_ARGV BASH_ARGV0 BASH_CMDS
  BASH_COMMAND BASH_COMPAT BASH_ENV BASH_EXECUTION_STRING BASH_LINENO BASH_LOADABLES_PATH BASH_MONOSECONDS
  BASH_REMATCH BASH_SOURCE BASH_SUBSHELL BASH_TRAPSIG BASH_VERSINFO BASH_VERSION BASH_XTRACEFD`.split(
    /\s+/,
  ),
)

// Sets a variable as a builtin: what another program is called with is shown to everybody there.
const exported = ([name, value]: readonly [string, string]): string =>
  `command export ${name}=${quoted(value)} 2>/dev/null`

/**
 * Tells who it is, then becomes the program. It starts anew with nothing of the login's environment, and
 * is gone itself before the program begins: it holds what may be secret. A name that is no identifier is
 * not handed on, as a shell could do so only for all to see; an exported function of bash is.
 */
const runFile = (start: RemoteStart): string => {
  const { command, args, cwd, environment, frame, integration, directory } = start
  const all: Environment = {
    TERM: 'xterm-256color',
    ...environment,
    ...integration?.environment(directory),
  }
  const named = Object.entries(all).filter(([name]) => name !== 'PWD')
  const isHandedOn = ([name]: readonly [string, string]) =>
    ofShells.has(name) || /^BASH_FUNC_[^=\0]+$/.test(name)
  const handed = named
    .filter(isHandedOn)
    .map(([name, value]) => quoted(`${name}=${value}`))
    .join(' ')
  const exports = named
    .filter((entry) => !isHandedOn(entry) && /^[A-Za-z_]\w*$/.test(entry[0]))
    .map(exported)
  const bare = all.PATH === undefined ? 'env -u PATH' : 'env'
  const own = quoted(`${directory}/run`)
  const words = [...(integration?.args(directory) ?? []), ...args].map(quoted)
  // A relative directory is one of the user's home, where a login begins.
  const wanted = cwd === '' || cwd.startsWith('/') ? cwd : `./${cwd}`
  return `[ "$1" = bare ] || exec env -i "HOME=$HOME" "PATH=$PATH" sh ${own} bare
{
rm -f ${own}
${saying(frame)}
boot= stat= up=0 c=${quoted(wanted)}
unset CDPATH
[ -n "$c" ] || c=$HOME
while ! cd -- "$c" 2>/dev/null; do
  case $c in
    /*/*) c=\${c%/*};;
    /*) c=/;;
    *) c=$HOME;;
  esac
  up=$((up + 1))
  [ $up -gt 500 ] && break
done
${finding(command, all.PATH ?? '/usr/local/bin:/usr/bin:/bin')}
[ -f "$f" ] && [ -x "$f" ] || { say 'N no such program'; exit 127; }
# \`env\` would take it for a variable.
case $f in *=*) say 'N the path of the program holds an equals sign'; exit 127;; esac
t=
{ read -r boot < /proc/sys/kernel/random/boot_id
read -r stat < /proc/$$/stat
set -- \${stat##*) }
session=$4 ticks=\${20}
read -r stat < /proc/$session/stat
set -- \${stat##*) }
t=\${20}; } 2>/dev/null
say "I $$ $up \${boot:--} \${ticks:--} \${session:--} \${t:--}"
set -- "$PWD" "$f"
unset OLDPWD HOME SHLVL
${exports.join('\n')}
# bash sets these for what it starts.
if [ -n "$BASH_VERSION" ]; then
  exec ${bare} -u _ -u SHLVL "PWD=$1" ${handed} "$2" ${words.join(' ')}
else
  exec ${bare} "PWD=$1" ${handed} "$2" ${words.join(' ')}
fi
}
`
}

// Stays with the program and tells its end, which what keeps the terminal would not. The shell itself
// writes a word to standard error when a signal ended the program, and none when it exited.
const startFile = ({ directory, frame }: RemoteStart): string => `{
${saying(frame)}
trap : INT QUIT TERM USR1 USR2 TSTP
exec 4>&2 2>${quoted(`${directory}/end`)} 3<${quoted(`${directory}/end`)}
(exec sh ${quoted(`${directory}/run`)} 2>&4 3<&- 4>&-)
code=$? line=
read -r line <&3
say "X $code \${line:+signal}"
rm -rf ${quoted(directory)}
}
`

/** Makes the directory and the files of a start. */
export const prepareScript = (start: RemoteStart): string => {
  const { directory, integration } = start
  const files = {
    ...integration?.files(directory),
    ...start.files,
    run: runFile(start),
    start: startFile(start),
  }
  const writes = Object.entries(files).map(
    ([name, text]) => `printf %s ${quoted(text)} > ${quoted(`${directory}/${name}`)} || fail`,
  )
  const d = quoted(directory)
  return `umask 077\nmkdir -m 700 ${d} || exit 1\nfail() { rm -rf ${d}; exit 1; }\n${writes.join('\n')}`
}

/** Removes the files of a start, but sockets; the directory only when nothing else stands there. */
export const forgetScript = (directory: string): string => {
  const d = quoted(directory)
  return `cd ${d} && { for f in * .[!.]*; do [ -f "$f" ] && set -- "$@" "$f"; done
[ $# -gt 0 ] && rm -f -- "$@"; cd / && rmdir ${d}; }`
}

// ----------------------------------------------------------------------------------------- living

/** Leaves with 3 unless the process is the one that is meant, not a later one of the same number. */
export const sameProcess = (
  { pid, startTicks, bootId }: ProcessIdentity,
  leave: 'exit' | 'return' = 'exit',
): string =>
  startTicks === undefined
    ? `kill -0 ${pid} || ${leave} 3`
    : `p=${pid}
read -r b < /proc/sys/kernel/random/boot_id
[ "$b" = ${quoted(bootId ?? '')} ] || ${leave} 3
read -r s < /proc/$p/stat || ${leave} 3
set -- \${s##*) }
[ "\${20}" = ${startTicks} ] || ${leave} 3`

/** Sends a signal to the process, or to a group that still is its terminal's foreground. */
export const signalScript = (
  identity: ProcessIdentity,
  to: 'process' | { readonly group: number },
  name: string,
): string => {
  const signal = name.replace(/^SIG/, '')
  return to === 'process'
    ? `${sameProcess(identity)}\nkill -${signal} ${identity.pid}`
    : `${sameProcess(identity)}\n[ "$6" = ${to.group} ] || exit 4\nkill -${signal} -${to.group}`
}

/** Tells the directory of a process and the environment it was started with, apart by a NUL. */
export const surroundingsScript = (identity: ProcessIdentity): string =>
  `${sameProcess(identity)}
printf '%s\\0' "$(readlink /proc/$p/cwd)"
cat /proc/$p/environ`

/** Tells the server's process for this connection; the body of a function. */
export const servedScript = `read -r s < /proc/$PPID/stat || return 0
set -- \${s##*) }
echo "served=$PPID \${20}"`

/** Ends what served a connection that was lost, and what ran on it. */
export const forsakeScript = (served: ProcessIdentity): string =>
  `[ $PPID = ${served.pid} ] || (\n${sameProcess(served)}\nkill ${served.pid}\n)`

/** Where what keeps a terminal listens: nothing else of ours runs with this in its command line. */
export const socketIn = (directory: string): string => `${directory}/keep`

/**
 * Ends whatever was started from `directory`, known or not, and removes it.
 *
 * @param path what the command line of all that is to be ended holds.
 */
export const eraseScript = (directory: string, path: string = directory): string => {
  const d = quoted(directory)
  return `each() {
  found=
  for n in $(grep -laF ${quoted(path)} /proc/[0-9]*/cmdline); do
    n=\${n#/proc/}
    kill $1 \${n%/cmdline} && found=1
  done
}
each -HUP
[ -z "$found" ] || { sleep 0.1; each -KILL; }
rm -rf ${d}`
}

/** A process to be ended. */
export interface RemoteEnd {
  readonly identity: ProcessIdentity
  /** What leads its kernel session: itself, or what stays with it. */
  readonly leader: ProcessIdentity
  readonly directory: string
  /** What it is found by again; what keeps it ends with it. */
  readonly kept?: KeptProcess | undefined
}

/**
 * The same over another connection, or later. Where the kernel tells no more of a process than its number
 * that may be another's by then: only what names our directory is ended.
 */
export const endLaterScript = (end: RemoteEnd): string =>
  end.identity.startTicks === undefined ? eraseScript(end.directory) : endScript(end)

/**
 * Ends a process and all of its kernel session, asked first, then forced; what ignores the hang-up asked
 * to outlive its terminal and is let be. Tells `ended NAME (PID)` and `let-be NAME (PID)`.
 */
export const endScript = (end: RemoteEnd): string => {
  const { pid, startTicks } = end.leader
  return endingScript(end, `${pid}`, `${startTicks ?? end.identity.startTicks}`)
}

/** It is the process that is meant, and it was let be all the same. */
export const stillThere = 4

/**
 * Ends a process of which nothing is known but who it is, as `endScript` does. Leaves with 3 when there
 * is no such process, with `stillThere` when it does not end.
 */
export const endKeptScript = (end: Omit<RemoteEnd, 'leader'>): string => {
  const { pid, startTicks } = end.identity
  return `${sameProcess(end.identity)}
l=$4
read -r s < /proc/$l/stat || exit ${stillThere}
set -- \${s##*) }
t=\${20}
(${endingScript(end, '$l', '$t')}
)
read -r s < /proc/${pid}/stat || exit 0
set -- \${s##*) }
[ "\${20}" != ${startTicks} ] || [ "$1" = Z ] || exit ${stillThere}
exit 0`
}

// The leader is given in words of the script.
const endingScript = (
  { identity, directory, kept }: Omit<RemoteEnd, 'leader'>,
  leader: string,
  leaderTicks: string,
): string => {
  const { pid, startTicks, bootId } = identity
  // tmux waits for ever for a client that nobody reads from. What is let be is no part of it.
  const isTmux = kept?.name.startsWith('tmux:') === true
  const removal = isTmux
    ? eraseScript(directory, socketIn(directory))
    : `rm -rf ${quoted(directory)}`
  if (startTicks === undefined) {
    return `kill -HUP ${pid} && { kill -CONT ${pid}; sleep 0.3; kill -KILL ${pid}; }\n${removal}`
  }
  return `
read -r b < /proc/sys/kernel/random/boot_id
[ "$b" = ${quoted(bootId ?? '')} ] || exit 0
same() { read -r s < /proc/$1/stat && set -- $2 \${s##*) } && [ "\${21}" = $1 ]; }
members() {
  going= staying=
  # A number is free again only when nobody is left of the session it named.
  [ ! -d /proc/${leader} ] || same ${leader} ${leaderTicks} || return
  for d in $(grep -l ") [^Z] [0-9]* [0-9]* ${leader} " /proc/[0-9]*/stat); do
    d=\${d%/stat}
    read -r s < $d/stat || continue
    n=\${d#/proc/}
    set -- \${s##*) }
    [ "$4" = ${leader} ] && [ "$1" != Z ] || continue
    # The signals it ignores, of which the first is the hang-up.
    case \${31} in *[13579]) staying="$staying $n";; *) going="$going $n";; esac
  done
}
named() {
  for n in $2; do
    case $n in ${pid}|${leader}) continue;; esac
    c=$(tr '\\0\\n' '  ' < /proc/$n/cmdline)
    [ -n "$c" ] && printf '%s %s (%s)\\n' $1 "\${c% }" $n
  done
}
members
named ended "$going"
named let-be "$staying"
if [ -n "$going" ]; then
  kill -HUP $going
  kill -CONT $going
  i=0
  while sleep 0.01; members; [ -n "$going" ] && [ $i -lt 25 ]; do i=$((i + 1)); done
  [ -n "$going" ] && kill -KILL $going
  i=0
  while [ -n "$going" ] && [ $i -lt 50 ]; do sleep 0.02; members; i=$((i + 1)); done
fi
${removal}
exit 0`
}
