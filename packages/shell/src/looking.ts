/**
 * Looking at a session: what stands in its foreground now, whether it is late, and whether a shell at
 * its prompt answers the bound key.
 */
import {
  awaitsInput,
  type Cancellation,
  type Clock,
  type Foreground,
  foregroundOf,
} from '@session-recovery/core'
import { heard } from './heard.js'
import type { TerminalFlags } from './host.js'
import { integrationOf } from './integration-table.js'
import { livingShell, type Session } from './session.js'
import type { Shell } from './shell.js'
import { type Sight, sightOf } from './sight.js'
import { waitFor } from './waiting.js'

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
// Long enough for a shell that has just been woken on a machine that is at work.
const answerWithinMs = 5_000
const longestMs = 2 ** 31 - 1
const readyWithinMs = 500
// A shell that printed its prompt and does not read yet is busy with itself, and soon will.
const promptWithinMs = 3_000
const readyEveryMs = 5
const lineModeEveryMs = 50
const never: Cancellation = {
  aborted: false,
  addEventListener: () => {},
  removeEventListener: () => {},
}
const redrawnWithinMs = 500

// ------------------------------------------------------------------------------------ combinators

/** Looks at a session, and keeps since when it has been waiting or stopped. */
export const lookAt = async (session: Session, clock: Clock): Promise<Look> => {
  const shell = livingShell(session)
  if (shell === undefined) return kept(session, clock, { ...nothing, foreground: gone })
  // The terminal's flags matter only when something reads it that is not the shell's own prompt.
  const first = await glance(session, shell, undefined)
  if (first.sight?.seen.readsTerminal !== true || first.foreground.kind === 'at-prompt') {
    return kept(session, clock, first)
  }
  return kept(session, clock, await glance(session, shell, 'ask'))
}

const nothing = { sight: undefined, flags: undefined }

/** Looks once. @param flags how the terminal reads, as far as it is known already; `ask`: find out. */
export const glance = async (
  session: Session,
  shell: Shell,
  flags: TerminalFlags | 'ask' | undefined,
): Promise<Look> => {
  const fact = await shell.process.look(flags === 'ask')
  const known = fact.flags ?? (flags === 'ask' ? undefined : flags)
  const isOwnFile = integrationOf(session.spec.command, session.spec.args)?.isOwnFile
  const sight = sightOf(known === undefined ? fact : { ...fact, flags: known }, {
    mark: shell.dialogue().mark,
    alternateScreen: session.output.alternateScreen(),
    ...(isOwnFile === undefined ? {} : { isOwnFile }),
  })
  return { foreground: foregroundOf(sight.seen), sight, flags: known }
}

const kept = (session: Session, clock: Clock, look: Look): Look => {
  const { kind } = look.foreground
  const nowMs = clock.wallMs()
  session.waitingSinceMs = awaitsInput(look.foreground)
    ? (session.waitingSinceMs ?? nowMs)
    : undefined
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

/** Looks every few milliseconds until `wanted` holds of what is seen; gives what was seen last. */
export const lookUntil = async (
  session: Session,
  shell: Shell,
  clock: Clock,
  bounds: {
    readonly withinMs: number
    readonly everyMs: number
    readonly flags?: TerminalFlags | undefined
    readonly signal: Cancellation
  },
  wanted: (look: Look) => boolean,
): Promise<Look> => {
  const endMs = clock.monotonicMs() + bounds.withinMs
  for (;;) {
    const look = await glance(session, shell, bounds.flags)
    const over = clock.monotonicMs() >= endMs || bounds.signal.aborted
    if (wanted(look) || over || shell.gone() !== undefined) return look
    await nextChange(shell, clock, bounds.everyMs, bounds.signal)
  }
}

// Until something is heard, or `withinMs` have passed.
const nextChange = async (
  shell: Shell,
  clock: Clock,
  withinMs: number,
  signal: Cancellation,
): Promise<void> => {
  let heardSome = false
  const wakeBy = (wake: () => void) =>
    shell.onChange(() => {
      heardSome = true
      wake()
    })
  await waitFor({ clock, withinMs, signal, wakeBy }, () => (heardSome ? true : undefined))
}

/**
 * Presses the bound key and waits for the signed answer. The foreground is looked at immediately before
 * the key is written; what happens in between, some microseconds here and a round trip on a remote host,
 * cannot be seen.
 */
export const ask = async (
  session: Session,
  clock: Clock,
  signal: Cancellation,
  /** How long an answer may take; 0: as long as nobody calls it off. */
  { withinMs = answerWithinMs }: { readonly withinMs?: number } = {},
): Promise<Answer> => {
  const shell = livingShell(session)
  const silent = (detail: string): Answer => ({ _tag: 'silent', detail })
  if (shell === undefined) return silent('there is no process')
  if (shell.shows.prompt === 'nobody') {
    return silent('the program gives no marks and has no bound key')
  }
  if (signal.aborted) return silent('called off')
  const why = await unready(session, shell, clock, { signal })
  if (why !== undefined) return silent(why)
  const count = shell.press()
  const answer = await heard(
    shell,
    clock,
    withinMs || longestMs,
    () => (shell.dialogue().answers >= count ? count : undefined),
    { signal },
  )
  if (answer._tag === 'seen' && answer.value !== 'gone') return { _tag: 'answered', count }
  return silent(`the bound key was pressed at the prompt and not answered within ${withinMs} ms`)
}

/**
 * Looks until a key that is bound at the prompt may be pressed; what presses it does so at once.
 *
 * @param flags `spare`: the marks and who reads suffice, which spares a fork.
 * @returns why it may not.
 */
export const unready = async (
  session: Session,
  shell: Shell,
  clock: Clock,
  {
    signal = never,
    flags = 'ask',
  }: { readonly signal?: Cancellation; readonly flags?: 'ask' | 'spare' } = {},
): Promise<string | undefined> => {
  const asked = flags === 'ask' ? 'ask' : undefined
  const endMs = clock.monotonicMs() + promptWithinMs
  const noEditorByMs = clock.monotonicMs() + readyWithinMs
  for (;;) {
    const look = await glance(session, shell, asked)
    const isReading = mayPress(shell, look)
    // A shell that reads a line for a command of its own looks the same, but for the line mode.
    if (isReading && look.flags?.lineMode !== true) return undefined
    // The mode was read a moment before the rest: what had it may be over.
    if (isReading && clock.monotonicMs() < noEditorByMs && !signal.aborted) {
      await nextChange(shell, clock, lineModeEveryMs, signal)
      continue
    }
    if (isReading) return 'the shell reads, but it does not edit a line at its prompt'
    const ready = await untilReady(session, shell, clock, signal)
    const isReady = mayPress(shell, ready)
    if (isReady && asked === undefined) return undefined
    if (!isReady || clock.monotonicMs() >= endMs) {
      const { kind, reasons } = ready.foreground
      return `the shell is not at its prompt: ${kind} (${reasons.join(', ')})`
    }
  }
}

// Until the key may be pressed, or the shell is seen elsewhere for a while.
const untilReady = (
  session: Session,
  shell: Shell,
  clock: Clock,
  signal: Cancellation,
): Promise<Look> => {
  const bounds = { withinMs: promptWithinMs, everyMs: readyEveryMs, signal }
  const elsewhereByMs = clock.monotonicMs() + readyWithinMs
  return lookUntil(
    session,
    shell,
    clock,
    bounds,
    (seen) =>
      mayPress(shell, seen) ||
      (seen.foreground.kind !== 'at-prompt' && clock.monotonicMs() >= elsewhereByMs),
  )
}

/**
 * Where the kernel shows it, the shell must be reading, so that nobody else gets the key. A shell that
 * was attached to has not said yet where it is: it must be seen to read, and to be in the foreground.
 */
const mayPress = (shell: Shell, { foreground, sight }: Look): boolean => {
  const seen = sight?.seen
  return shell.dialogue().mark === undefined
    ? isLikelyPrompt(shell, sight) && seen?.readsTerminal === true
    : foreground.kind === 'at-prompt' && seen?.readsTerminal !== false
}

/**
 * Of a shell that has not said yet where it is: whether it is likely at its prompt. Where a command ran
 * when it was heard last, the command itself may be what reads (`read -n 1`, say), and looks the same.
 */
export const isLikelyPrompt = (shell: Shell, sight: Sight | undefined): boolean => {
  const { mark, running } = shell.dialogue()
  return mark === undefined && running === undefined && sight?.groupIsShell === true
}

/**
 * Has a shell whose running command may have ended unheard draw its prompt again, with its mark, by
 * another size of its terminal and then its own: nothing is typed. What is not at its prompt shows none.
 */
export const redrawn = async (session: Session, shell: Shell, clock: Clock): Promise<void> => {
  const { size } = session
  for (const to of [{ ...size, rows: size.rows + 1 }, size]) {
    shell.process.resize(to)
    await heard(shell, clock, redrawnWithinMs, () => shell.dialogue().mark)
  }
}
