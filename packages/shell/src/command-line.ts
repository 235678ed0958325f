/**
 * A command line that is typed at the prompt. The foreground is looked at immediately before the first
 * key, as the marks may be silent about what took the prompt's place; the line itself is typed upon the
 * signed answer to that key.
 */
import type { Cancellation, Clock } from '@session-recovery/core'
import type { Dialogue } from './dialogue.js'
import { heard } from './heard.js'
import { unready } from './looking.js'
import { asideKey } from './mark.js'
import { type CommandOutcome, livingShell, type Session } from './session.js'
import { emptied } from './set-aside.js'
import type { Shell } from './shell.js'
import type { Waited } from './waiting.js'

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
  const before = shell.dialogue()
  // Once more, for what somebody typed meanwhile.
  shell.write(`${asideKey}${line}\r`)
  session.typed = line
  const done = await ended(session, shell, before, clock, { withinMs, ...until })
  if (done._tag === 'too-late') return { _tag: 'late' }
  if (done._tag !== 'seen' || done.value === 'gone') {
    return lost('the process ended before the command did')
  }
  if (done.value === 'nothing') return lost('the shell is back at its prompt and ran nothing of it')
  if (done.value === 'untold') {
    return lost('the shell is back at its prompt and did not tell the exit code')
  }
  const ran = lineAfter(shell, before)
  // What a shell refuses has a code of its own; whatever else ran was told to begin.
  if (ran === 'none' && done.value === 0 && line.trim() !== '') {
    return lost('the shell is back at its prompt and ran nothing of it')
  }
  return typeof ran === 'string' || isSameLine(line, ran.line)
    ? { _tag: 'finished', exitCode: done.value }
    : { _tag: 'altered', ran: ran.line, exitCode: done.value }
}

type End = number | 'untold' | 'nothing'
const startWithinMs = 500

// Where a history has no answer to a line, or leaves its own to be looked at, a prompt is shown and nothing
// else is told. A prompt that is drawn again looks the same: then the line begins, or still is in the editor.
const ended = async (
  session: Session,
  shell: Shell,
  before: Dialogue,
  clock: Clock,
  { withinMs, ...until }: { readonly withinMs: number; readonly signal?: Cancellation },
): Promise<Waited<End | 'gone'>> => {
  const endMs = clock.monotonicMs() + withinMs
  for (let prompts = before.prompts; ; prompts = shell.dialogue().prompts) {
    const look = (): End | undefined => endIn(shell.dialogue(), { ...before, prompts })
    const leftMs = Math.max(0, endMs - clock.monotonicMs())
    const end = await heard(shell, clock, leftMs, look, until)
    if (end._tag !== 'seen' || end.value !== 'nothing') return end
    const isBegun = () => shell.dialogue().starts > before.starts || undefined
    const begun = await heard(shell, clock, startWithinMs, isBegun, until)
    if (begun._tag === 'seen') continue
    const isReady = async () => (await unready(session, shell, clock, until)) === undefined
    const isEmpty =
      (await isReady()) && (await emptied(shell, clock, emptiedWithinMs, { ...until, isReady }))
    const isOver = endIn(shell.dialogue(), before) === 'nothing' && isBegun() === undefined
    if (isEmpty && isOver) return end
  }
}

const endIn = (now: Dialogue, before: Dialogue): End | undefined => {
  if (now.mark !== 'prompt') return undefined
  if (now.exitsTold > before.exitsTold) return now.lastExitCode
  if (now.exitsUntold > before.exitsUntold) return 'untold'
  return now.prompts > before.prompts && now.starts === before.starts ? 'nothing' : undefined
}

// The line that began since, as the shell told it; `untold`: it keeps it to itself, or there were more.
const lineAfter = (
  shell: Shell,
  before: Dialogue,
): { readonly line: string } | 'none' | 'untold' => {
  const { starts, startedLine: line } = shell.dialogue()
  if (starts === before.starts) return 'none'
  return starts > before.starts + 1 || line === undefined ? 'untold' : { line }
}

/**
 * Whether the line that ran is the one that was typed. A history may leave blanks out; of a text of several
 * lines it makes one.
 */
const isSameLine = (typed: string, ran: string): boolean =>
  typed.includes('\n') || inSingleBlanks(typed) === inSingleBlanks(ran)

const inSingleBlanks = (line: string): string => line.trim().replace(/\s+/g, ' ')

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
