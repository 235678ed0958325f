/**
 * Looking at a session: what stands in its foreground now, whether it is late, and whether a shell at
 * its prompt answers the bound key.
 */
import {
  type Cancellation,
  type Clock,
  type Foreground,
  foregroundOf,
} from '@session-recovery/core'
import { heard, livingShell, type Session } from './session.js'
import type { Shell } from './shell.js'
import { type Sight, sightOf } from './sight.js'
import { type TerminalFlags, terminalFlags } from './terminal-flag.js'

// ------------------------------------------------------------------------------------------ model

/** What was seen, and what it means. */
export interface Look {
  readonly foreground: Foreground
  readonly sight: Sight | undefined
  readonly flags: TerminalFlags | undefined
}

/** Whether a shell at its prompt answered; if not, why. */
export type Answer =
  | { readonly _tag: 'answered'; readonly count: number }
  | { readonly _tag: 'silent'; readonly detail: string }

const gone: Foreground = { kind: 'dead', reasons: ['there is no process'] }
const answerWithinMs = 2_000
const readyWithinMs = 500
const readyEveryMs = 5

// ------------------------------------------------------------------------------------ combinators

/** Looks at a session, and keeps since when it has been waiting or stopped. */
export const lookAt = async (session: Session, clock: Clock): Promise<Look> => {
  const shell = livingShell(session)
  if (shell === undefined) return kept(session, clock, { ...nothing, foreground: gone })
  // The terminal's flags matter only when something reads it that is not the shell's own prompt.
  const first = glance(session, shell, undefined)
  if (first.sight?.seen.readsTerminal !== true || first.foreground.kind === 'at-prompt') {
    return kept(session, clock, first)
  }
  const path = shell.terminal()
  const flags = path === undefined ? undefined : await terminalFlags(path)
  return kept(session, clock, glance(session, shell, flags))
}

const nothing = { sight: undefined, flags: undefined }

/** Looks at once, by what is known of the terminal's flags. */
export const glance = (session: Session, shell: Shell, flags: TerminalFlags | undefined): Look => {
  const sight = sightOf(
    shell.identity,
    { mark: shell.dialogue().mark, alternateScreen: session.output.alternateScreen() },
    flags,
  )
  return { foreground: foregroundOf(sight.seen), sight, flags }
}

const kept = (session: Session, clock: Clock, look: Look): Look => {
  const { kind } = look.foreground
  const nowMs = clock.wallMs()
  const waits = kind === 'waiting-for-line' || kind === 'waiting-for-password'
  session.waitingSinceMs = waits ? (session.waitingSinceMs ?? nowMs) : undefined
  session.stoppedSinceMs = kind === 'stopped' ? (session.stoppedSinceMs ?? nowMs) : undefined
  return look
}

/** When the running command is late; `undefined` when none runs or nobody knows how long it may take. */
export const lateAtMs = (session: Session): number | undefined => {
  const running = session.shell?.dialogue().running
  const { expectedMs } = session.spec
  return running === undefined || expectedMs === undefined
    ? undefined
    : running.startedAtMs + expectedMs
}

/**
 * Presses the bound key and waits for the signed answer. The foreground is looked at immediately before
 * the key is written; what happens in between, some microseconds, cannot be seen.
 */
export const ask = async (
  session: Session,
  clock: Clock,
  signal: Cancellation,
): Promise<Answer> => {
  const shell = livingShell(session)
  const silent = (detail: string): Answer => ({ _tag: 'silent', detail })
  if (shell === undefined) return silent('there is no process')
  if (!shell.integrated) return silent('the program gives no marks and has no bound key')
  if (signal.aborted) return silent('called off')
  const ready = await heard(
    shell,
    clock,
    readyWithinMs,
    () => (mayPress(glance(session, shell, undefined)) ? true : undefined),
    { signal, everyMs: readyEveryMs },
  )
  if (ready._tag !== 'seen' || ready.value === 'exited') {
    const { kind, reasons } = glance(session, shell, undefined).foreground
    return silent(`the shell is not at its prompt: ${kind} (${reasons.join(', ')})`)
  }
  // A shell that reads a line for a command of its own looks the same, but for the line mode.
  const path = shell.terminal()
  const flags = path === undefined ? undefined : await terminalFlags(path)
  if (flags?.lineMode === true || !mayPress(glance(session, shell, flags))) {
    return silent('the shell reads, but it does not edit a line at its prompt')
  }
  const count = shell.press()
  const answer = await heard(
    shell,
    clock,
    answerWithinMs,
    () => (shell.dialogue().answers >= count ? count : undefined),
    { signal },
  )
  if (answer._tag === 'seen' && answer.value !== 'exited') return { _tag: 'answered', count }
  return silent(
    `the bound key was pressed at the prompt and not answered within ${answerWithinMs} ms`,
  )
}

// Where the kernel shows it, the shell must be reading, so that nobody else gets the key.
const mayPress = ({ foreground, sight }: Look): boolean =>
  foreground.kind === 'at-prompt' && sight?.seen.readsTerminal !== false
