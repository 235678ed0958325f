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
  /** Files of the shell's own, for which it waits beside its terminal when it reads a line. */
  readonly isOwnFile?: (file: string) => boolean
}

/** A sighting, and the processes it is about, to act on. */
export interface Sight {
  readonly seen: ForegroundSighting
  /** `false`: the host could not look; all that is told comes from marks and output. */
  readonly wasLooked: boolean
  /** The process group in the foreground; `undefined` where it cannot be seen. */
  readonly group: number | undefined
  readonly groupIsShell: boolean
  /** The process that leads the foreground, or one of its members when the leader is gone. */
  readonly foremost: ProcessFact | undefined
}

// ------------------------------------------------------------------------------------ combinators

/** The sighting in what a host shows. */
export const sightOf = (fact: TerminalFact, shown: Shown): Sight => {
  const { alive, flags, foregroundGroup: group } = fact
  const leader = withoutOwnFiles(fact.leader, shown)
  const wasLooked = alive !== undefined
  const base = {
    // What cannot be looked at is not called dead.
    alive: alive ?? true,
    ...(shown.mark === undefined ? {} : { mark: shown.mark }),
    // A program that was killed leaves its screen behind; the shell's own prompts are none of it.
    ...(shown.mark === 'prompt' || shown.mark === 'continuation'
      ? {}
      : { alternateScreen: shown.alternateScreen }),
    ...(flags === undefined ? {} : { lineMode: flags.lineMode, echo: flags.echo }),
  }
  if (leader === undefined || group === undefined) {
    const unseen = { group: undefined, groupIsShell: false, foremost: undefined }
    return { seen: base, wasLooked, ...unseen }
  }
  const groupIsShell = group === leader.group
  const members = membersOf(fact, leader, groupIsShell, shown.mark)
  return {
    seen: {
      ...base,
      foregroundIsShell: groupIsShell,
      processState: stateOf([leader, ...members]),
      ...readingOf(members, fact.terminal, groupIsShell && shown.mark !== 'command'),
    },
    wasLooked,
    group: group > 0 ? group : undefined,
    groupIsShell,
    foremost: members.find((member) => member.pid === group) ?? members[0],
  }
}

const withoutOwnFiles = (
  leader: ProcessFact | undefined,
  { isOwnFile }: Shown,
): ProcessFact | undefined => {
  if (isOwnFile === undefined || leader?.waiting?._tag !== 'reading') return leader
  const files = leader.waiting.files.filter((file) => !isOwnFile(file))
  return { ...leader, waiting: { ...leader.waiting, files } }
}

// While the shell itself is at a prompt, what else is in its group (what draws the prompt) says nothing.
const membersOf = (
  { foreground }: TerminalFact,
  leader: ProcessFact,
  groupIsShell: boolean,
  mark: Shown['mark'],
): readonly ProcessFact[] => {
  if (!groupIsShell) return foreground
  if (mark !== 'command') return [leader]
  return [leader, ...foreground.filter(({ pid }) => pid !== leader.pid)]
}

const isStopped = ({ state }: ProcessFact): boolean => state === 'T' || state === 't'

// Whoever is stopped, the shell or what it waits for, holds up the whole.
const stateOf = (processes: readonly ProcessFact[]): string =>
  (processes.find(isStopped) ?? processes.at(-1))?.state ?? ''

/** What one process is about: input alone, input for a while, others, or something of its own. */
type Business = 'input' | 'input-for-a-while' | 'others' | 'own' | 'unseen'

type Reading = Pick<
  ForegroundSighting,
  'readsTerminal' | 'readsForAWhile' | 'reader' | 'readerControlsJobs'
>

/**
 * Whether the foreground goes on by input alone: one of its processes sleeps in a read of the terminal
 * and of nothing else, and all others wait for each other. Where one of them has business of its own (a
 * server with a console, a build piped into a pager) the whole may be well, so nothing is said of it.
 */
const readingOf = (
  members: readonly ProcessFact[],
  terminal: string | undefined,
  isAtPrompt: boolean,
): Reading => {
  if (terminal === undefined || members.length === 0) return {}
  if (members.some(({ state }) => state === 'R' || state === 'D')) return { readsTerminal: false }
  const businesses = members.map((member) => businessOf(member, terminal, isAtPrompt))
  if (businesses.includes('unseen')) return {}
  const reader = members[businesses.indexOf('input')]
  if (reader === undefined) {
    return businesses.includes('input-for-a-while')
      ? { readsTerminal: false, readsForAWhile: true }
      : { readsTerminal: false }
  }
  if (businesses.includes('own') || businesses.includes('input-for-a-while')) return {}
  return {
    readsTerminal: true,
    reader: reader.name,
    ...(reader.ignoresStops === undefined ? {} : { readerControlsJobs: reader.ignoresStops }),
  }
}

const businessOf = ({ waiting }: ProcessFact, terminal: string, isAtPrompt: boolean): Business => {
  if (waiting === undefined) return 'unseen'
  if (waiting._tag === 'others') return 'others'
  if (waiting._tag === 'elsewhere') return 'own'
  const isTerminal = (file: string): boolean => file === terminal || file === '/dev/tty'
  // To hear of signals in this way is no more than every process does.
  const files = waiting.files.filter((file) => file !== 'anon_inode:[signalfd]')
  if (!files.some(isTerminal)) {
    return files.length > 0 && files.every((file) => file.startsWith('pipe:')) ? 'others' : 'own'
  }
  if (!files.every(isTerminal)) return 'unseen'
  // A shell with a time-out at its prompt (TMOUT) is at its prompt.
  return waiting.bounded && !isAtPrompt ? 'input-for-a-while' : 'input'
}
