/**
 * Commands that were seen starting and not finishing. Whether they did their work nobody knows, so they
 * are never run again by themselves: they are kept, named in every receipt and every capture, and offered
 * to the app until it settles them.
 */
import type { RecoverySnapshot } from '@session-recovery/core'
import type { Shell } from './shell.js'

/** What a session knows of its commands. */
export interface Commands {
  shell: Shell | undefined
  /** Seen starting and not finishing, oldest first, until they are settled. */
  unknown: readonly string[]
  /** The process whose running command is among them already. */
  noted: Shell | undefined
}

// More than these nobody would go through; the newest count.
const unknownLimit = 64

/** What stands for a line that the shell keeps out of its history, and so does everybody else. */
export const unnamedCommand = '(a command kept out of the history)'

const newest = (lines: readonly string[]): readonly string[] => lines.slice(-unknownLimit)

/** What a snapshot knows: what ran when it was made may have finished since, and nobody saw it. */
export const unknownIn = (snapshot: RecoverySnapshot): readonly string[] => {
  const { unknownCommands = [], pendingCommands = [] } = snapshot.interactiveState ?? {}
  return newest([...unknownCommands, ...pendingCommands])
}

/** What runs, if it was not noted as unknown already; `undefined`: nothing. */
export const runningCommand = ({ shell, noted }: Commands): string | undefined => {
  const running = shell === noted ? undefined : shell?.dialogue().running
  return running === undefined ? undefined : (running.line ?? unnamedCommand)
}

/** The process is given up: what ran in it is not known to have finished, and never will be. */
export const noteUnknown = (session: Commands): void => {
  const line = runningCommand(session)
  session.noted = session.shell
  if (line !== undefined) session.unknown = newest([...session.unknown, line])
}

/** All of them: also what ran in a process that is gone, and that nobody has given up yet. */
export const unknownCommands = (session: Commands): readonly string[] => {
  const line = session.shell?.gone()?._tag === 'exited' ? runningCommand(session) : undefined
  return line === undefined ? session.unknown : newest([...session.unknown, line])
}

/** Somebody has dealt with one of them. @returns whether there was one. */
export const settle = (session: Commands, line: string): boolean => {
  if (session.shell?.gone()?._tag === 'exited') noteUnknown(session)
  const at = session.unknown.indexOf(line)
  if (at >= 0) session.unknown = session.unknown.toSpliced(at, 1)
  return at >= 0
}

/** A command that was to be run again did not succeed: it is as unknown as it was, unless it still runs. */
export const unsettle = (session: Commands, line: string): void => {
  if (runningCommand(session) === undefined) session.unknown = newest([...session.unknown, line])
}
