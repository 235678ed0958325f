/**
 * Looking at a remote process and its terminal, in one round trip: a script that prints what the kernel
 * shows, and the reading of it.
 */
import type {
  ProcessFact,
  ProcessIdentity,
  TerminalFact,
  TerminalFlags,
} from '@session-recovery/shell'
import { sameProcess } from './script.js'
import { ignoresStopsIn, type Machine, type Shown, waitingIn } from './waiting.js'

// ------------------------------------------------------------------------------------------ model

interface Stat {
  readonly pid: number
  readonly name: string
  readonly state: string
  readonly group: number
  readonly foregroundGroup: number
  /** The signals it ignores, as a mask in hexadecimal digits. */
  readonly ignored: string
}

// ----------------------------------------------------------------------------------------- script

/**
 * Shows a process, its terminal, and the processes in the terminal's foreground; the body of a function.
 * A shell at its prompt, which is what is looked at most, costs no fork; the flags cost one program.
 */
export const probeScript = (identity: ProcessIdentity, flags: boolean): string =>
  identity.startTicks === undefined
    ? sameProcess(identity, 'return')
    : `${sameProcess(identity, 'return')}
printf 'leader %s\\n' "$s"
g=$6 l="$1 $3" t=
# The device number of its terminal, as the kernel writes it: 136 is the kind of /dev/pts.
[ $((($5 >> 8) & 4095)) = 136 ] && t=/dev/pts/$((($5 & 255) | (($5 >> 12) & 1048320)))
printf 'terminal %s\\n' "$t"
flags() { [ -n "$t" ] && { echo flags; LC_ALL=C stty -F "$t" -a; echo; }; }
${flags ? 'flags' : ''}
memory() {
  [ $2 -gt 65535 ] && [ $3 -gt 0 ] && [ $3 -le 8192 ] || return
  echo "memory $1 $2 $3"
  dd if=/proc/$1/mem bs=$3 iflag=skip_bytes skip=$2 count=1
  echo " $?"
}
ours() { [ -n "$t" ] && [ /proc/$1/fd/$2 -ef "$t" ] && echo "link $1 $2 $t"; }
links() {
  LC_ALL=C ls -l /proc/$1/fd | while read -r m l o w z d h i f a x; do
    [ "$a" = "->" ] && printf 'link %s %s %s\\n' $1 "$f" "$x"
  done
}
show() {
  # Many systems show a process's calls to its ancestors alone, but where in the kernel it sleeps.
  read -r y < /proc/$1/syscall || { read -r y < /proc/$1/wchan; echo "asleep $1 $y"; ${flags ? '' : '[ $1 = $p ] && flags; '}return; }
  echo "call $1 $y"
  for h in /proc/$1/task/*; do
    [ \${h##*/} = $1 ] || { read -r v < $h/syscall && echo "thread $1 $v"; }
  done
  set -- $1 $y
  case $2 in
    *[!0-9]*|'') ;;
    0|19|63|65) ours $1 $(($3)) || links $1;;
    23|270|72) [ $(($3)) = 1 ] && ours $1 0 || { links $1; memory $1 $(($4)) 128; };;
    1|20|64|66) links $1;;
    7|271|73) links $1; memory $1 $(($3)) $((8 * $4));;
    232|281|22|441)
      links $1
      while read -r k v w; do
        [ "$k" = tfd: ] && echo "watched $1 $(($3)) $v"
      done < /proc/$1/fdinfo/$(($3));;
  esac
}
set -- $l
if [ "$g" = "$2" ]; then show $p; elif [ "$g" -gt 0 ]; then
  # A shell reads byte by byte: what is read is chosen by one program.
  for d in $(grep -l ") [^Z] [0-9]* $g " /proc/[0-9]*/stat); do
    read -r s < $d || continue
    set -- \${s##*) }
    [ "$3" = "$g" ] && [ "$1" != Z ] || continue
    printf 'member %s\\n' "$s"
    d=\${d#/proc/}
    show \${d%/stat}
  done
fi
return 0`

// ---------------------------------------------------------------------------------------- reading

/** Reads what the probe printed; `code` is its exit code. */
export const factIn = (
  bytes: Buffer,
  code: number,
  identity: ProcessIdentity,
  machine: Machine,
): TerminalFact => {
  if (code !== 0) return { alive: false, foreground: [] }
  if (identity.startTicks === undefined) return { alive: true, foreground: [] }
  const { lines, memory } = partsIn(bytes)
  const leader = lines.map((line) => statIn(line, 'leader ')).find((stat) => stat !== undefined)
  if (leader === undefined || leader.state === 'Z') return { alive: false, foreground: [] }
  const shown = shownIn(lines, memory)
  const terminal = lines.find((line) => line.startsWith('terminal '))?.slice('terminal '.length)
  const flags = flagsIn(lines)
  const factOf = (stat: Stat): ProcessFact => {
    const { pid, name, state, group } = stat
    const waiting =
      waitingIn(shown, pid, machine) ??
      (stat === leader && seemsAtPrompt(leader, lines, flags) && terminal !== undefined
        ? { _tag: 'reading', files: [terminal], bounded: false }
        : undefined)
    const ignoresStops = ignoresStopsIn(shown, pid)
    return {
      pid,
      name,
      state,
      group,
      ...(waiting === undefined ? {} : { waiting }),
      ...(ignoresStops === undefined ? {} : { ignoresStops }),
    }
  }
  const members =
    leader.foregroundGroup === leader.group
      ? [leader]
      : lines.flatMap((line) => {
          const member = statIn(line, 'member ')
          return member === undefined ? [] : [member]
        })
  return {
    alive: true,
    leader: factOf(leader),
    foregroundGroup: leader.foregroundGroup,
    foreground: members.map(factOf),
    ...(terminal?.startsWith('/dev/pts/') === true ? { terminal } : {}),
    ...(flags === undefined ? {} : { flags }),
  }
}

const inSelectOrRead = /select|poll|tty_read|wait_woken/

/**
 * Whether a shell whose calls are not shown edits a line: it has the terminal, has switched its line mode
 * and its echo off, as a shell does at its prompt and undoes for its commands, and sleeps where one waits
 * for input.
 */
const seemsAtPrompt = (
  { pid, state, group, foregroundGroup }: Stat,
  lines: readonly string[],
  flags: TerminalFlags | undefined,
): boolean => {
  const prefix = `asleep ${pid} `
  const place = lines.find((line) => line.startsWith(prefix))?.slice(prefix.length)
  return (
    place !== undefined &&
    inSelectOrRead.test(place) &&
    group === foregroundGroup &&
    state === 'S' &&
    flags?.lineMode === false &&
    !flags.echo
  )
}

const statIn = (line: string, kind: string): Stat | undefined => {
  if (!line.startsWith(kind)) return undefined
  const open = line.indexOf('(')
  // The name may hold anything, parentheses and spaces included.
  const close = line.lastIndexOf(')')
  const fields = line.slice(close + 2).split(' ')
  return {
    pid: Number(line.slice(kind.length, open)),
    name: line.slice(open + 1, close),
    state: fields[0] ?? '',
    group: Number(fields[2]),
    foregroundGroup: Number(fields[5]),
    ignored: /^\d+$/.test(fields[30] ?? '') ? BigInt(fields[30] ?? 0).toString(16) : '',
  }
}

// Behind a line of their own, up to an empty one, as `stty` writes them.
const flagsIn = (lines: readonly string[]): TerminalFlags | undefined => {
  const at = lines.indexOf('flags')
  const told = at < 0 ? [] : lines.slice(at + 1, lines.indexOf('', at))
  const words = new Set(told.join(' ').split(/[\s;]+/))
  return words.has('icanon') || words.has('-icanon')
    ? { lineMode: words.has('icanon'), echo: words.has('echo'), signals: words.has('isig') }
    : undefined
}

interface Parts {
  readonly lines: readonly string[]
  /** By process and address. */
  readonly memory: ReadonlyMap<string, Buffer>
}

const lineFeed = 10
const copied = Buffer.from(' 0\n')

// Lines of text, and in between, behind a line that tells its length, memory as it is.
const partsIn = (bytes: Buffer): Parts => {
  const lines: string[] = []
  const memory = new Map<string, Buffer>()
  let at = 0
  while (at < bytes.length) {
    const end = bytes.indexOf(lineFeed, at)
    const line = bytes.subarray(at, end < 0 ? bytes.length : end).toString('utf8')
    at = end < 0 ? bytes.length : end + 1
    const [kind, pid = '', address = '', length = ''] = line.split(' ')
    const after = at + Number(length)
    if (kind !== 'memory') lines.push(line)
    else if (bytes.subarray(after, after + copied.length).equals(copied)) {
      memory.set(`${pid} ${address}`, bytes.subarray(at, after))
      at = after + copied.length
    }
  }
  return { lines, memory }
}

const shownIn = (lines: readonly string[], memory: ReadonlyMap<string, Buffer>): Shown => {
  const calls = new Map<number, string>()
  const threads = new Map<number, readonly string[]>()
  const ignored = new Map<number, string>()
  const links = new Map<string, string>()
  const watched: (readonly [number, number, number])[] = []
  for (const line of lines) {
    const [kind, pid = '', second = '', ...rest] = line.split(' ')
    if (kind === 'call') calls.set(Number(pid), line.slice(`call ${pid} `.length))
    if (kind === 'thread') {
      const others = threads.get(Number(pid)) ?? []
      threads.set(Number(pid), [...others, line.slice(`thread ${pid} `.length)])
    }
    const stat = statIn(line, 'leader ') ?? statIn(line, 'member ')
    if (stat !== undefined) ignored.set(stat.pid, stat.ignored)
    if (kind === 'link') links.set(`${pid} ${second}`, rest.join(' '))
    if (kind === 'watched') watched.push([Number(pid), Number(second), Number(rest[0])])
  }
  return {
    call: (pid) => calls.get(pid),
    threads: (pid) => threads.get(pid) ?? [],
    ignored: (pid) => ignored.get(pid),
    link: (pid, descriptor) => links.get(`${pid} ${descriptor}`),
    memory: (pid, address) => memory.get(`${pid} ${address}`),
    watched: (pid, descriptor) =>
      watched.filter(([of, by]) => of === pid && by === descriptor).map(([, , target]) => target),
  }
}
