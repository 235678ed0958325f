/**
 * Lines that stood half typed at the prompt and were set aside, so that nothing that is typed is appended
 * to them. None is run: they are kept, named in receipts and captures, and offered to the app until it
 * settles them.
 */
import type { Cancellation, Clock, RecoverySnapshot } from '@session-recovery/core'
import { heard } from './heard.js'
import type { Shell } from './shell.js'
import type { Waited } from './waiting.js'

/** What a session knows of them. */
export interface SetAside {
  /** Oldest first, until they are settled. */
  setAside: readonly string[]
  /** The line that `exec` typed last, as long as it was not seen running: the editor may still hold it. */
  typed: string | undefined
}

// The newest count; more, or larger ones, nobody would go through.
const linesLimit = 64
const charactersLimit = 262_144
const againAfterMs = 1_000

const newest = (lines: readonly string[]): readonly string[] => {
  let left = charactersLimit
  const kept = lines.slice(-linesLimit).toReversed()
  const end = kept.findIndex((line) => {
    left -= line.length
    return left < 0
  })
  return kept.slice(0, end < 0 ? kept.length : end).toReversed()
}

/** What a snapshot knows. */
export const setAsideIn = (snapshot: RecoverySnapshot): readonly string[] =>
  newest(snapshot.interactiveState?.setAside ?? [])

/**
 * Keeps a line that was taken out of the editor.
 *
 * @returns `false`: there was none, or it was one that `exec` typed and the shell refused and left there,
 * as fish does: that it did not run was said already.
 */
export const keepAside = (session: SetAside, text: string): boolean => {
  if (text === '') return false
  const isRefused = text === session.typed
  session.typed = undefined
  if (isRefused) return false
  session.setAside = newest([...session.setAside, text])
  return true
}

/** Somebody has dealt with one of them. @returns whether there was one. */
export const settleAside = (session: SetAside, line: string): boolean => {
  const at = session.setAside.indexOf(line)
  if (at >= 0) session.setAside = session.setAside.toSpliced(at, 1)
  return at >= 0
}

/** The lines as a person reads them behind other text; nothing, where there are none. */
export const asideText = (lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`set aside, not run: ${lines.join('; ')}`]

/**
 * Presses the second key at a prompt, which its caller has just looked at, and waits until the shell has said that its line editor is empty.
 * The line itself goes where all marks go. It is pressed once more where it was not answered: what ends a
 * search in the history may have taken it for its own.
 *
 * @returns whether it did, within `withinMs`.
 */
export const emptied = async (
  shell: Shell,
  clock: Clock,
  withinMs: number,
  bounds: {
    readonly signal?: Cancellation
    /** Looks whether the key may be pressed once more. */
    readonly isReady: () => Promise<boolean>
  },
): Promise<boolean> => {
  const first = await pressed(shell, clock, Math.min(againAfterMs, withinMs), bounds)
  const answer =
    first._tag === 'too-late' && withinMs > againAfterMs && (await bounds.isReady())
      ? await pressed(shell, clock, withinMs - againAfterMs, bounds)
      : first
  return answer._tag === 'seen' && answer.value === true
}

const pressed = (
  shell: Shell,
  clock: Clock,
  withinMs: number,
  bounds: { readonly signal?: Cancellation },
): Promise<Waited<true | 'gone'>> => {
  const count = shell.pressAside()
  return heard(
    shell,
    clock,
    withinMs,
    () => (shell.dialogue().setAsides >= count ? true : undefined),
    bounds,
  )
}
