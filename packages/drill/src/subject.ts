/**
 * What the drill is run on: the shells and programs it knows, and how each is given work and asked about
 * it in its own words.
 */
import { execFileSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { SshKeeper } from '@session-recovery/adapter-ssh'
import type { ReceiptItemName } from '@session-recovery/core'
import { integrationOf, quoted } from '@session-recovery/shell'

// ------------------------------------------------------------------------------------------ model

/** A program a session can run. */
export interface Subject {
  readonly name: string
  /** It is sought under this name in PATH, and must be called so to be known for what it is. */
  readonly program: string
  readonly args: readonly string[]
  /** Makes it print where it really stands: what is found in PATH may be a script that starts it. */
  readonly itself?: readonly string[]
  readonly shell: boolean
  /** What its environment holds besides what every session's does. */
  readonly environment: Readonly<Record<string, string>>
  /** What the terminal shows when it waits for its first line; needed of one without marks. */
  readonly prompt: string
  readonly words: Words
  /** It stands on a remote host, and this keeps it when the connection is lost. */
  readonly keeper?: SshKeeper
  /** What it cannot bring back, by its nature. */
  readonly lacks?: readonly ReceiptItemName[]
  /** Other programs that are needed. */
  readonly needs?: readonly string[]
  /** Only these faults: in the others another subject stands for it. Absent: all that fit. */
  readonly faults?: readonly string[]
}

/** Lines in the language of a subject. */
export interface Words {
  /** Goes to the directory, exports the word, and makes whatever else a shell can hold. */
  readonly work: (directory: string, word: string) => readonly string[]
  /** Writes the directory and the word it has to the file, each on a line. */
  readonly tell: (file: string) => string
  /** Runs a script in the foreground. */
  readonly run: (script: string) => string
  readonly exit: (code: number) => string
  /** Takes our integration out, as a user's own set-up might. */
  readonly disarm?: string
  /** The beginning of a command that is not whole. */
  readonly openQuote?: string
  readonly hereDocument?: string
  /** Writes to the file what the function, the alias, the variable and the umask come to. */
  readonly tellState?: (file: string) => string
  readonly state?: readonly string[]
}

// ----------------------------------------------------------------------------------- constructors

/** What `DRILL_WORD` is exported as: quotes, spaces and what shells would expand. */
export const wordOf = (id: string): string => `${id} "two  words" $HOME *`

const posix: Words = {
  work: (directory, word) => [`cd ${quoted(directory)}`, `export DRILL_WORD=${quoted(word)}`],
  tell: (file) => `printf '%s\\n' "$PWD" "$DRILL_WORD" >${quoted(file)}`,
  run: (script) => `sh ${quoted(script)}`,
  exit: (code) => `exit ${code}`,
}

const withState: Words = {
  ...posix,
  work: (directory, word) => [
    ...posix.work(directory, word),
    'drill_function() { echo kept; }; alias drill_alias=drill_function; umask 027; drill_variable=unexported',
  ],
  tellState: (file) =>
    `{ eval 'drill_alias'; echo "$drill_variable" "$(umask)"; } >${quoted(file)}`,
  state: ['kept', 'unexported 0027'],
  openQuote: "echo 'an unclosed quote",
  hereDocument: 'cat <<END',
}

const fishWords: Words = {
  ...posix,
  work: (directory, word) => [
    `cd ${quoted(directory)}`,
    `set -gx DRILL_WORD ${quoted(word)}`,
    'function drill_function; echo kept; end; alias drill_alias drill_function; umask 027; set -g drill_variable unexported',
  ],
  tellState: (file) => `begin; drill_alias; echo "$drill_variable" (umask); end >${quoted(file)}`,
  state: ['kept', 'unexported 0027'],
  // A quote that is open is more lines in its editor, at its prompt: no command is not whole.
}

const text = (value: string): string => JSON.stringify(value)

const pythonWords: Words = {
  work: (directory, word) => [
    `import os; os.chdir(${text(directory)}); os.environ["DRILL_WORD"] = ${text(word)}`,
  ],
  tell: (file) =>
    `import os; _ = open(${text(file)}, "w").write(os.getcwd() + "\\n" + os.environ["DRILL_WORD"] + "\\n")`,
  run: (script) => `import subprocess; _ = subprocess.run(["sh", ${text(script)}])`,
  exit: (code) => `exit(${code})`,
}

const bash: Subject = {
  name: 'bash',
  program: 'bash',
  args: [],
  shell: true,
  environment: {},
  prompt: '$ ',
  words: { ...withState, disarm: 'unset PROMPT_COMMAND PS0' },
}

const zsh: Subject = {
  name: 'zsh',
  program: 'zsh',
  args: [],
  shell: true,
  environment: {},
  prompt: '% ',
  words: {
    ...withState,
    state: ['kept', 'unexported 027'],
    disarm: 'precmd_functions=(); preexec_functions=()',
  },
}

const fish: Subject = {
  name: 'fish',
  program: 'fish',
  args: [],
  shell: true,
  environment: {},
  prompt: '> ',
  words: fishWords,
  // It writes its own history when it likes, and before version 4 takes no lines for it.
  lacks: ['history'],
}

const overSsh = { keeper: 'dtach', needs: ['sshd', 'ssh-keygen', 'dtach'] } as const
// What breaks a connection or a server is the same for every shell: one of it, and one of the shell's own.
const ofEveryShell = ['child-killed', 'killed-in-command'] as const

/** Every subject: on this machine's terminals, and on a host that is reached over SSH. */
export const subjects: readonly Subject[] = [
  bash,
  zsh,
  fish,
  {
    name: 'dash',
    program: 'dash',
    args: ['-i'],
    shell: true,
    environment: { PS1: 'ready> ' },
    // What is exported in it nobody tells.
    lacks: ['env'],
    prompt: 'ready> ',
    words: posix,
  },
  {
    name: 'python3',
    program: 'python3',
    args: ['-q'],
    itself: ['-c', 'import sys; print(sys.executable)'],
    shell: false,
    environment: { PYTHON_BASIC_REPL: '1' },
    prompt: '>>> ',
    words: pythonWords,
  },
  { ...bash, ...overSsh, name: 'ssh-dtach' },
  { ...zsh, ...overSsh, name: 'ssh-zsh', faults: ofEveryShell },
  { ...fish, ...overSsh, name: 'ssh-fish', faults: ofEveryShell },
  { ...bash, name: 'ssh-tmux', keeper: 'tmux', needs: ['sshd', 'ssh-keygen', 'tmux'] },
  { ...bash, name: 'ssh-plain', keeper: 'none', needs: ['sshd', 'ssh-keygen'] },
]

// ------------------------------------------------------------------------------------ combinators

/** Whether it gives signed marks, so that what it does and holds is known. */
export const givesMarks = ({ program, args }: Subject): boolean =>
  integrationOf(program, args) !== undefined

/** Whether it stands on a remote host. */
export const isRemote = ({ keeper }: Subject): boolean => keeper !== undefined

/** The programs it needs that are not installed. */
export const missingFor = ({ program, needs = [] }: Subject): readonly string[] =>
  [program, ...needs].filter((name) => programPath(name) === undefined)

// Servers often stand where only root's PATH looks.
const serverPlaces = ['/usr/sbin', '/usr/local/sbin', '/sbin']

/** Where a program stands; `undefined` when it is not installed. */
export const programPath = (name: string): string | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), ...serverPlaces]
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find(isProgram)

/** Where a subject's program really stands; `undefined` when it is not installed. */
export const realPath = ({ program, itself }: Subject): string | undefined => {
  const path = programPath(program)
  return path === undefined || itself === undefined
    ? path
    : execFileSync(path, itself, { encoding: 'utf8' }).trim()
}

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
