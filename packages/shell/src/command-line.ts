/**
 * A command line that is typed at the prompt. The foreground is looked at immediately before the first
 * key, as the marks may be silent about what took the prompt's place; the line itself is typed upon the
 * signed answer to that key.
 */
import type { Cancellation, Clock } from '@session-recovery/core'
import { heard } from './heard.js'
import { unready } from './looking.js'
import { asideKey } from './mark.js'
import { type CommandOutcome, livingShell, type Session } from './session.js'
import { emptied } from './set-aside.js'
import type { Shell } from './shell.js'

const promptWithinMs = 60_000
const emptiedWithinMs = 10_000
const longestMs = 2 ** 31 - 1
// To a line editor they are keys: they complete, delete, search. A newline enters what stands before it,
// as it does in a terminal: more than one whole line are more than one command.
const isKey = (code: number): boolean => (code < 0x20 && code !== 0x0a) || code === 0x7f

/**
 * Types a command line at the prompt and waits for its finish mark.
 *
 * @param bounds how long to wait for the end; without them as long as the process lives.
 */
export const exec = async (
  session: Session,
  line: string,
  clock: Clock,
  { withinMs = longestMs, signal }: { withinMs?: number; signal?: Cancellation } = {},
): Promise<CommandOutcome> => {
  const until = signal === undefined ? {} : { signal }
  const shell = livingShell(session)
  const lost = (detail: string): CommandOutcome => ({ _tag: 'lost', detail })
  if ([...line].some((character) => isKey(character.charCodeAt(0)))) {
    return lost('it holds a control character and cannot be typed: nothing was')
  }
  if (shell === undefined || session.fenced) return lost('there is no process')
  if (shell.shows.commands === 'nobody') return lost('the program gives no marks')
  const why = await untilEmpty(session, shell, clock, signal)
  if (why !== undefined) return lost(`${why}: nothing was typed`)
  const { exitsTold, exitsUntold } = shell.dialogue()
  // Once more, for what somebody typed meanwhile.
  shell.write(`${asideKey}${line}\r`)
  session.typed = line
  const ended = (): number | 'untold' | undefined => {
    const now = shell.dialogue()
    if (now.mark !== 'prompt') return undefined
    if (now.exitsTold > exitsTold) return now.lastExitCode
    return now.exitsUntold > exitsUntold ? 'untold' : undefined
  }
  const done = await heard(shell, clock, withinMs, ended, until)
  if (done._tag === 'too-late') return { _tag: 'late' }
  if (done._tag !== 'seen' || done.value === 'gone') {
    return lost('the process ended before the command did')
  }
  return done.value === 'untold'
    ? lost('the shell is back at its prompt and did not tell the exit code')
    : { _tag: 'finished', exitCode: done.value }
}

// Whatever stands in the line would become part of the command. Gives why it cannot be typed.
const untilEmpty = async (
  session: Session,
  shell: Shell,
  clock: Clock,
  signal: Cancellation | undefined,
): Promise<string | undefined> => {
  const until = signal === undefined ? {} : { signal }
  const isAtPrompt = (): boolean => shell.dialogue().mark === 'prompt'
  const endMs = clock.monotonicMs() + promptWithinMs
  let why: string | undefined
  do {
    const leftMs = Math.max(0, endMs - clock.monotonicMs())
    const atPrompt = await heard(shell, clock, leftMs, () => isAtPrompt() || undefined, until)
    if (atPrompt._tag !== 'seen' || atPrompt.value === 'gone') {
      return 'the shell did not show its prompt'
    }
    // How the terminal reads costs a fork: it is asked only where the marks alone may not tell the truth.
    const isDoubted = session.isDoubted || session.typed !== undefined
    // What is typed during the look raises the doubt again.
    session.isDoubted = false
    why = await unready(session, shell, clock, { ...until, flags: isDoubted ? 'ask' : 'spare' })
    session.isDoubted ||= isDoubted && why !== undefined
    // What was typed before has begun meanwhile.
  } while (!isAtPrompt())
  if (why !== undefined) return why
  const isReady = async () => (await unready(session, shell, clock, until)) === undefined
  const isEmpty = await emptied(shell, clock, emptiedWithinMs, { ...until, isReady })
  return isEmpty && isAtPrompt() && !session.fenced
    ? undefined
    : 'the shell did not say that its line is empty'
}
