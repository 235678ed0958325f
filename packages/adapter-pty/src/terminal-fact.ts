/**
 * What the kernel shows of a process and of its terminal: read from Linux's /proc; the terminal's flags
 * are asked of `stty`.
 */
import type { ProcessFact, ProcessIdentity, TerminalFact } from '@session-recovery/shell'
import {
  ignoresStopsOf,
  lives,
  nameOf,
  type ProcessStat,
  processesWhere,
  readStat,
  terminalOf,
  waitingOf,
} from './process.js'
import { terminalFlags } from './terminal-flag.js'

/** Looks once. @param flags also asks how the terminal reads, which costs a fork. */
export const terminalFactOf = async (
  identity: ProcessIdentity,
  flags: boolean,
): Promise<TerminalFact> => {
  const terminal = terminalOf(identity.pid)
  const asked = flags && terminal !== undefined ? await terminalFlags(terminal) : undefined
  const alive = lives(identity)
  const stat = alive ? readStat(identity.pid) : undefined
  return {
    alive,
    ...(terminal === undefined ? {} : { terminal }),
    ...(asked === undefined ? {} : { flags: asked }),
    ...(stat === undefined ? { foreground: [] } : foregroundOf(stat)),
  }
}

const foregroundOf = (
  leader: ProcessStat,
): Pick<TerminalFact, 'leader' | 'foregroundGroup' | 'foreground'> => {
  const group = leader.foregroundGroup
  const first = factOf(leader)
  // Of a shell that reads or computes the members of its group say no more; finding them takes a while.
  const isEnough = group === leader.group && (leader.state === 'R' || readsTerminal(first))
  const members =
    isEnough || group <= 0
      ? []
      : processesWhere(
          (stat) => stat.group === group && stat.pid !== leader.pid && stat.state !== 'Z',
        )
  return {
    leader: first,
    foregroundGroup: group,
    foreground: [...(group === leader.group ? [first] : []), ...members.map(factOf)],
  }
}

const readsTerminal = ({ waiting }: ProcessFact): boolean =>
  waiting?._tag === 'reading' && waiting.files.some((file) => file.startsWith('/dev/'))

const factOf = ({ pid, state, group }: ProcessStat): ProcessFact => {
  const waiting = waitingOf(pid)
  const ignoresStops = ignoresStopsOf(pid)
  return {
    pid,
    name: nameOf(pid),
    state,
    group,
    ...(waiting === undefined ? {} : { waiting }),
    ...(ignoresStops === undefined ? {} : { ignoresStops }),
  }
}
