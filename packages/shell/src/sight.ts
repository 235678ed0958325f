/**
 * What a host shows of a terminal, turned into the sighting that core's `foregroundOf` judges, and the
 * processes it is about, to act on.
 */
import type { ForegroundSighting } from '@session-recovery/core'
import type { ProcessFact, TerminalFact } from './host.js'

// ------------------------------------------------------------------------------------------ model

/** What the signed marks and the output of a session say at the moment of looking. */
export interface Shown {
  readonly mark: ForegroundSighting['mark']
  readonly alternateScreen: boolean
}

/** A sighting, and the processes it is about, to act on. */
export interface Sight {
  readonly seen: ForegroundSighting
  /** The process group in the foreground; `undefined` where it cannot be seen. */
  readonly group: number | undefined
  readonly groupIsShell: boolean
  /** The process that leads the foreground, or one of its members when the leader is gone. */
  readonly foremost: ProcessFact | undefined
}

// ------------------------------------------------------------------------------------ combinators

/** The sighting in what a host shows. */
export const sightOf = (fact: TerminalFact, shown: Shown): Sight => {
  const { alive, leader, flags, foregroundGroup: group } = fact
  const base = {
    alive,
    ...(shown.mark === undefined ? {} : { mark: shown.mark }),
    // A program that was killed leaves its screen behind; the shell's own prompts are none of it.
    ...(shown.mark === 'prompt' || shown.mark === 'continuation'
      ? {}
      : { alternateScreen: shown.alternateScreen }),
    ...(flags === undefined ? {} : { lineMode: flags.lineMode, echo: flags.echo }),
  }
  if (leader === undefined || group === undefined) {
    return { seen: base, group: undefined, groupIsShell: false, foremost: undefined }
  }
  const groupIsShell = group === leader.group
  const members = groupIsShell ? [leader] : fact.foreground
  const reads = readsTerminal(members, fact.terminal)
  return {
    seen: {
      ...base,
      foregroundIsShell: groupIsShell,
      processState: stateOf([leader, ...members]),
      ...(reads === undefined ? {} : { readsTerminal: reads }),
    },
    group: group > 0 ? group : undefined,
    groupIsShell,
    foremost: members.find((member) => member.pid === group) ?? members[0],
  }
}

const isStopped = ({ state }: ProcessFact): boolean => state === 'T' || state === 't'

// Whoever is stopped, the shell or what it waits for, holds up the whole.
const stateOf = (processes: readonly ProcessFact[]): string =>
  (processes.find(isStopped) ?? processes.at(-1))?.state ?? ''

/**
 * Whether the foreground sleeps in a read of its terminal, and of nothing else: a program that waits for
 * its terminal among other things (a server with a console) may be well, so of it nothing is said.
 */
const readsTerminal = (
  members: readonly ProcessFact[],
  terminal: string | undefined,
): boolean | undefined => {
  if (terminal === undefined || members.length === 0) return undefined
  if (members.some(({ state }) => state === 'R' || state === 'D')) return false
  const isTerminal = (file: string): boolean => file === terminal || file === '/dev/tty'
  const verdicts = members.map(({ waiting }): boolean | undefined => {
    if (waiting === undefined) return undefined
    if (waiting._tag === 'elsewhere' || !waiting.files.some(isTerminal)) return false
    return waiting.files.every(isTerminal) ? true : undefined
  })
  if (verdicts.includes(undefined)) return undefined
  return verdicts.includes(true)
}
