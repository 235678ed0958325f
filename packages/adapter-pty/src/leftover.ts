/**
 * What a shell leaves behind when it is gone: the processes of its terminal session. They are hung up,
 * as a terminal that closes does it, and forced after a bound; a process that ignores the hang-up asked
 * to outlive its terminal and is let be.
 */
import type { Clock } from '@session-recovery/core'
import { type Leftover, type ProcessIdentity, waitFor } from '@session-recovery/shell'
import {
  commandLineOf,
  ignoredSignals,
  type ProcessStat,
  processesWhere,
  readStat,
  sendSignal,
} from './process.js'
import { givenSince, type NumberMark } from './process-number.js'

// For each of the two: a hang-up, and what cannot be refused.
const goneWithinMs = 500
const lookEveryMs = 20

/** Ends what is left of the session that `leader`, which is gone, led. Linux only; elsewhere nothing. */
export const endLeftover = async (
  leader: ProcessIdentity,
  born: NumberMark,
  clock: Clock,
): Promise<Leftover> => {
  const left = leftBy(leader, born)
  if (left.length === 0) return { ended: [], letBe: [] }
  const staying = left.filter(({ pid }) => ignoresHangUp(pid))
  const result = {
    ended: left.filter((member) => !staying.includes(member)).map(named),
    letBe: staying.map(named),
  }
  const wait = { clock, withinMs: goneWithinMs, everyMs: lookEveryMs, wakeBy: () => () => {} }
  // What is dying may start another process still: all is looked at anew each time.
  const signalled = (signals: readonly NodeJS.Signals[]) => {
    const going = leftBy(leader, born).filter(({ pid }) => !ignoresHangUp(pid))
    for (const { pid } of going) for (const signal of signals) sendSignal(pid, signal)
    return going.length === 0 ? true : undefined
  }
  signalled(['SIGHUP', 'SIGCONT'])
  if ((await waitFor(wait, () => signalled([])))._tag === 'seen') return result
  await waitFor(wait, () => signalled(['SIGKILL']))
  return result
}

const named = ({ pid }: ProcessStat): string => `${commandLineOf(pid) || 'process'} (${pid})`

/** The processes of the session that `leader` led, but itself. */
export const leftBy = (leader: ProcessIdentity, born: NumberMark): readonly ProcessStat[] => {
  // A number is free again only when nobody is left of the session it named.
  const reused = readStat(leader.pid)
  if (reused !== undefined && reused.startTicks !== leader.startTicks) return []
  return processesWhere(
    (stat) => stat.session === leader.pid && stat.pid !== leader.pid && stat.state !== 'Z',
    givenSince(born),
  )
}

const ignoresHangUp = (pid: number): boolean => ((ignoredSignals(pid) ?? 0n) & 1n) === 1n
