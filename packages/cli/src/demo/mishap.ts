/**
 * The mishaps of the demonstration: seven real shells, what work each is given, how it is broken without
 * a word to the engine, and what must come of it.
 */
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OpenOptions, PtySession } from '@session-recovery/adapter-pty'
import type { Registration } from '@session-recovery/engine'

// ------------------------------------------------------------------------------------------ model

/** Where one session of the demonstration lives. */
export interface Place {
  readonly sessionId: string
  /** Its working directory. */
  readonly workDirectory: string
  /** The shell it runs: a link of its own, so that it can be taken away. */
  readonly shellPath: string
}

export interface Mishap {
  readonly sessionId: string
  readonly what: string
  readonly ends: 'recovered' | 'exhausted'
  /** The living process must be kept: only its prompt was lost. */
  readonly keepsProcess: boolean
  readonly open?: Partial<OpenOptions>
  readonly registration?: Registration
  /** The command that runs when it happens; it is started, not awaited. */
  readonly running?: string
  readonly prepare?: (place: Place) => Promise<void>
  readonly strike: (session: PtySession, place: Place) => Promise<void>
  /** Called when the first attempt has failed. */
  readonly relent?: (place: Place) => Promise<void>
}

// ----------------------------------------------------------------------------------- constructors

const signal = (session: PtySession, name: NodeJS.Signals): void => {
  const pid = session.pid()
  if (pid === undefined) throw new Error(`${session.id} has no process to send ${name} to`)
  process.kill(pid, name)
}

const away = (place: Place): string => `${place.shellPath}.away`

const killed = async (session: PtySession): Promise<void> => signal(session, 'SIGKILL')

const killedWithoutShell = async (session: PtySession, place: Place): Promise<void> => {
  await rename(place.shellPath, away(place))
  signal(session, 'SIGKILL')
}

const nothing = async (): Promise<void> => {}

/** What is broken, and how. */
export const mishaps: readonly Mishap[] = [
  {
    sessionId: 'killed',
    what: 'the shell is killed with SIGKILL while a command runs',
    ends: 'recovered',
    keepsProcess: false,
    running: 'sleep 300',
    strike: killed,
  },
  {
    sessionId: 'exit-137',
    what: 'the shell exits with code 137, declared a failure',
    ends: 'recovered',
    keepsProcess: false,
    registration: { failureExitCodes: [137] },
    strike: async (session) => void session.write('exit 137\r'),
  },
  {
    sessionId: 'stopped',
    what: 'the shell is stopped with SIGSTOP and goes silent',
    ends: 'recovered',
    keepsProcess: true,
    strike: async (session) => signal(session, 'SIGSTOP'),
  },
  {
    sessionId: 'asking',
    what: 'a script waits at read -p for an answer nobody will give',
    ends: 'recovered',
    keepsProcess: true,
    open: { expectedMs: 500 },
    running: 'bash ./deploy.sh',
    prepare: ({ workDirectory }) =>
      writeFile(
        join(workDirectory, 'deploy.sh'),
        'read -r -p "Deploy? [y/N] " answer\necho "answer: $answer"\n',
      ),
    strike: nothing,
  },
  {
    sessionId: 'waiting',
    what: 'a cat waits for input for ever',
    ends: 'recovered',
    keepsProcess: true,
    open: { expectedMs: 500 },
    running: 'cat',
    strike: nothing,
  },
  {
    sessionId: 'second-try',
    what: 'killed, and its shell cannot be started at first',
    ends: 'recovered',
    keepsProcess: false,
    strike: killedWithoutShell,
    relent: (place) => rename(away(place), place.shellPath),
  },
  {
    sessionId: 'beyond-saving',
    what: 'killed, and its shell is gone for good',
    ends: 'exhausted',
    keepsProcess: false,
    strike: killedWithoutShell,
  },
]

/** Makes the place of a session under `directory`. */
export const placeOf = async (
  directory: string,
  sessionId: string,
  bashPath: string,
): Promise<Place> => {
  const workDirectory = join(directory, 'work', sessionId)
  const shellDirectory = join(directory, 'shells', sessionId)
  await mkdir(workDirectory, { recursive: true })
  await mkdir(shellDirectory, { recursive: true })
  const shellPath = join(shellDirectory, 'bash')
  await symlink(bashPath, shellPath)
  return { sessionId, workDirectory, shellPath }
}
