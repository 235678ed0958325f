/**
 * What the kernel shows of a process and of its terminal: read from Linux's /proc; the terminal's flags
 * are asked of `stty`.
 */
import type { ProcessFact, ProcessIdentity, TerminalFact } from '@session-recovery/shell'
import {
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
  const members =
    group === leader.group
      ? [leader]
      : group > 0
        ? processesWhere((stat) => stat.group === group && stat.state !== 'Z')
        : []
  return {
    leader: factOf(leader),
    foregroundGroup: group,
    foreground: members.map(factOf),
  }
}

const factOf = ({ pid, state, group }: ProcessStat): ProcessFact => {
  const waiting = waitingOf(pid)
  return { pid, name: nameOf(pid), state, group, ...(waiting === undefined ? {} : { waiting }) }
}
