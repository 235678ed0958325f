/**
 * The faults of the drill on this machine: how each is brought about without a word to the engine, and
 * what state it leaves a session in.
 */
import type { Network } from './network.js'
import type { Place } from './place.js'
import { putLiar, returnProgram, takeProgram, timesBegun } from './place.js'
import { givesMarks, isRemote, type Subject } from './subject.js'
import { until } from './witness.js'

// ------------------------------------------------------------------------------------------ model

/**
 * What a fault leaves behind: no process; one that is stopped; a program that waits for input; a
 * command that is not whole; a shell at its prompt that tells nothing any more; one that cannot be
 * reached and lives on where something keeps it.
 */
export type Wreck = 'dead' | 'stopped' | 'waiting' | 'unfinished' | 'disarmed' | 'cut-off'

/** What a fault may do to a session. */
export interface Victim {
  readonly subject: Subject
  readonly place: Place
  readonly pid: number
  /** Of a session on a remote host. */
  readonly network?: Network
  /** Types a line; nobody waits for it. */
  readonly type: (line: string) => void
}

export interface Fault {
  readonly name: string
  readonly what: string
  readonly leaves: Wreck
  readonly fits: (subject: Subject) => boolean
  /** What the script does that runs in the foreground; absent: the session is at its prompt. */
  readonly hold?: string
  /** The script is begun before the fault, and seen running, or it is the fault. */
  readonly holdFirst?: true
  /** How long a command may take: past it one that waits for input is stuck. */
  readonly expectedMs?: number
  /** Nothing shows it: the app says this. */
  readonly reported?: string
  /** How what the terminal shows ends then, before the app can say anything. */
  readonly shows?: RegExp
  readonly strike: (victim: Victim) => Promise<void>
  /** Called when the first attempt has failed. */
  readonly relent?: (victim: Pick<Victim, 'place' | 'network'>) => Promise<void>
  /** Its host lets nobody in any more. */
  readonly closed?: true
  /** There is another host. */
  readonly pool?: true
  /** How long a shell may take to its first prompt: what never shows one is waited for no longer. */
  readonly promptTimeoutMs?: number
  /** Not a session is hit but the app that holds it. */
  readonly hitsApp?: true
}

// ----------------------------------------------------------------------------------- constructors

const here = (subject: Subject): boolean => !isRemote(subject)
// What happens to the shell alone is the same whatever keeps it.
const once = ({ keeper }: Subject): boolean => keeper === undefined || keeper === 'dtach'
const kill = (signal: NodeJS.Signals) => async (victim: Victim) => {
  process.kill(victim.pid, signal)
}

/** Begins the script and waits until it was counted. */
export const beginScript = async ({ subject, place, type }: Victim): Promise<void> => {
  type(subject.words.run(place.script))
  const begun = await until(20_000, () => (timesBegun(place) > 0 ? true : undefined))
  if (begun === undefined) throw new Error('the command was not begun within 20 s')
}

const waitsMs = 300
const stuckText = 'interactive prompt does not answer'

const killedWith =
  (act: (place: Place) => Promise<void>) =>
  async (victim: Victim): Promise<void> => {
    await act(victim.place)
    process.kill(victim.pid, 'SIGKILL')
  }

/** Every fault on this machine. */
export const localFaults: readonly Fault[] = [
  {
    name: 'killed-at-prompt',
    what: 'SIGKILL while the shell is at its prompt',
    leaves: 'dead',
    fits: once,
    strike: kill('SIGKILL'),
  },
  {
    name: 'killed-in-command',
    what: 'SIGKILL while a command runs',
    leaves: 'dead',
    fits: once,
    hold: 'sleep 300',
    holdFirst: true,
    strike: kill('SIGKILL'),
  },
  {
    name: 'exit-declared',
    what: 'an exit with a code that was declared a failure',
    leaves: 'dead',
    fits: here,
    strike: async ({ subject, type }) => type(subject.words.exit(failureExitCode)),
  },
  {
    name: 'stopped',
    what: 'SIGSTOP: it hangs',
    leaves: 'stopped',
    fits: once,
    strike: kill('SIGSTOP'),
  },
  {
    name: 'at-read',
    what: 'a script waits at read for a line nobody will give',
    leaves: 'waiting',
    fits: (subject) => givesMarks(subject) && once(subject),
    hold: 'read answer',
    expectedMs: waitsMs,
    strike: beginScript,
  },
  {
    name: 'at-password',
    what: 'a script waits for a password',
    leaves: 'waiting',
    fits: (subject) => givesMarks(subject) && here(subject),
    hold: "printf 'Password: '; stty -echo; read answer",
    expectedMs: waitsMs,
    strike: beginScript,
  },
  {
    name: 'open-quote',
    what: 'a quote was opened and not closed; the app reports it',
    leaves: 'unfinished',
    fits: (subject) => subject.words.openQuote !== undefined && once(subject),
    reported: stuckText,
    shows: />$/,
    strike: async ({ subject, type }) => type(subject.words.openQuote ?? ''),
  },
  {
    name: 'here-document',
    what: 'a here-document has no end; the app reports it',
    leaves: 'unfinished',
    fits: (subject) => subject.words.hereDocument !== undefined && here(subject),
    reported: stuckText,
    shows: />$/,
    strike: async ({ subject, type }) => type(subject.words.hereDocument ?? ''),
  },
  {
    name: 'disarmed',
    what: "the user's own set-up took the integration out; the app reports it",
    leaves: 'disarmed',
    fits: (subject) => subject.words.disarm !== undefined && once(subject),
    reported: stuckText,
    shows: /[#$%]$/,
    strike: async ({ subject, type }) => type(subject.words.disarm ?? ''),
  },
  {
    name: 'program-gone',
    what: 'SIGKILL, and the program cannot be started at first',
    leaves: 'dead',
    fits: here,
    strike: killedWith(takeProgram),
    relent: ({ place }) => returnProgram(place),
  },
  {
    name: 'liar-exits',
    what: 'SIGKILL, and what starts first prints a forged prompt and exits',
    leaves: 'dead',
    fits: (subject) => givesMarks(subject) && here(subject),
    strike: killedWith((place) => putLiar(place, 'exit 0')),
    relent: ({ place }) => returnProgram(place),
  },
  {
    name: 'liar-hangs',
    what: 'SIGKILL, and what starts first prints a forged prompt and hangs',
    leaves: 'dead',
    fits: (subject) => givesMarks(subject) && here(subject),
    promptTimeoutMs: 5_000,
    strike: killedWith((place) => putLiar(place, 'exec sleep 300')),
    relent: ({ place }) => returnProgram(place),
  },
  {
    name: 'app-killed',
    what: 'SIGKILL of the app with its engine and driver; a new one takes up the same store',
    leaves: 'dead',
    fits: here,
    hold: 'sleep 300',
    holdFirst: true,
    hitsApp: true,
    strike: kill('SIGKILL'),
  },
]

/** The exit code that every session of the drill declares a failure. */
export const failureExitCode = 137
