/**
 * Looking at what stands in the foreground of a shell's terminal: which processes, in which state, and
 * whether they sleep in a read of the terminal. Core's `foregroundOf` draws the conclusion.
 */
import type { ForegroundSighting } from '@session-recovery/core'
import {
  lives,
  type ProcessIdentity,
  type ProcessStat,
  processesWhere,
  readStat,
  terminalOf,
  waitingOf,
} from './process.js'
import type { TerminalFlags } from './terminal-flag.js'

// ------------------------------------------------------------------------------------------ model

/** What the signed marks and the output of a session say at the moment of looking. */
export interface Shown {
  readonly mark: 'prompt' | 'command' | undefined
  readonly alternateScreen: boolean
}

/** A sighting, and the processes it is about, to act on. */
export interface Sight {
  readonly seen: ForegroundSighting
  /** The process group in the foreground; `undefined` where it cannot be seen. */
  readonly group: number | undefined
  readonly groupIsShell: boolean
  /** The process that leads the foreground, or one of its members when the leader is gone. */
  readonly foremost: number | undefined
}

// ------------------------------------------------------------------------------------ combinators

/** Looks once, without waiting for anything. */
export const sightOf = (
  shell: ProcessIdentity,
  shown: Shown,
  flags: TerminalFlags | undefined,
): Sight => {
  const alive = lives(shell)
  const stat = alive ? readStat(shell.pid) : undefined
  const base = {
    alive,
    ...(shown.mark === undefined ? {} : { mark: shown.mark }),
    // A program that was killed leaves its screen behind; the shell's own prompt is none of it.
    ...(shown.mark === 'prompt' ? {} : { alternateScreen: shown.alternateScreen }),
    ...(flags === undefined ? {} : { lineMode: flags.lineMode, echo: flags.echo }),
  }
  if (stat === undefined) {
    return { seen: base, group: undefined, groupIsShell: false, foremost: undefined }
  }
  const group = stat.foregroundGroup
  const groupIsShell = group === stat.group
  const members = groupIsShell ? [stat] : membersOf(group)
  const reads = readsTerminal(members, terminalOf(shell.pid))
  return {
    seen: {
      ...base,
      foregroundIsShell: groupIsShell,
      processState: stateOf([stat, ...members]),
      ...(reads === undefined ? {} : { readsTerminal: reads }),
    },
    group: group > 0 ? group : undefined,
    groupIsShell,
    foremost: (members.find((member) => member.pid === group) ?? members[0])?.pid,
  }
}

const membersOf = (group: number): readonly ProcessStat[] =>
  group > 0 ? processesWhere((stat) => stat.group === group && stat.state !== 'Z') : []

const isStopped = ({ state }: ProcessStat): boolean => state === 'T' || state === 't'

// Whoever is stopped, the shell or what it waits for, holds up the whole.
const stateOf = (processes: readonly ProcessStat[]): string =>
  (processes.find(isStopped) ?? processes.at(-1))?.state ?? ''

/**
 * Whether the foreground sleeps in a read of its terminal, and of nothing else: a program that waits for
 * its terminal among other things (a server with a console) may be well, so of it nothing is said.
 */
const readsTerminal = (
  members: readonly ProcessStat[],
  terminal: string | undefined,
): boolean | undefined => {
  if (terminal === undefined || members.length === 0) return undefined
  if (members.some(({ state }) => state === 'R' || state === 'D')) return false
  const isTerminal = (file: string): boolean => file === terminal || file === '/dev/tty'
  const verdicts = members.map((member): boolean | undefined => {
    const waiting = waitingOf(member.pid)
    if (waiting === undefined) return undefined
    if (waiting._tag === 'elsewhere' || !waiting.files.some(isTerminal)) return false
    return waiting.files.every(isTerminal) ? true : undefined
  })
  if (verdicts.includes(undefined)) return undefined
  return verdicts.includes(true)
}
