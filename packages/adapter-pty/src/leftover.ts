/**
 * What a shell leaves behind when it is gone: the processes of its terminal session. They are hung up,
 * as a terminal that closes does it, and forced after a bound; a process that ignores the hang-up asked
 * to outlive its terminal and is let be.
 */
import { readFileSync } from 'node:fs'
import type { Clock } from '@session-recovery/core'
import {
  commandLineOf,
  type ProcessIdentity,
  type ProcessStat,
  processesWhere,
  readStat,
  sendSignal,
} from './process.js'
import { waitFor } from './waiting.js'

/** What became of what was left. */
export interface Leftover {
  readonly ended: readonly string[]
  readonly letBe: readonly string[]
}

const hungUpWithinMs = 500
const lookEveryMs = 10

/** Ends what is left of the session that `leader`, which is gone, led. Linux only; elsewhere nothing. */
export const endLeftover = async (leader: ProcessIdentity, clock: Clock): Promise<Leftover> => {
  const left = membersOf(leader)
  if (left.length === 0) return { ended: [], letBe: [] }
  const staying = left.filter(({ pid }) => ignoresHangUp(pid))
  const going = left.filter((member) => !staying.includes(member))
  const named = (members: readonly ProcessStat[]): readonly string[] =>
    members.map(({ pid }) => `${commandLineOf(pid) || 'process'} (${pid})`)
  const result = { ended: named(going), letBe: named(staying) }
  for (const { pid } of going) {
    sendSignal(pid, 'SIGHUP')
    sendSignal(pid, 'SIGCONT')
  }
  const wait = { clock, withinMs: hungUpWithinMs, everyMs: lookEveryMs, wakeBy: () => () => {} }
  await waitFor(wait, () => (going.some(isThere) ? undefined : true))
  for (const member of going.filter(isThere)) sendSignal(member.pid, 'SIGKILL')
  return result
}

const membersOf = (leader: ProcessIdentity): readonly ProcessStat[] => {
  // A number is free again only when nobody is left of the session it named.
  const reused = readStat(leader.pid)
  if (reused !== undefined && reused.startTicks !== leader.startTicks) return []
  return processesWhere(
    (stat) => stat.session === leader.pid && stat.pid !== leader.pid && stat.state !== 'Z',
  )
}

const isThere = (member: ProcessStat): boolean => {
  const now = readStat(member.pid)
  return now !== undefined && now.startTicks === member.startTicks && now.state !== 'Z'
}

const ignoresHangUp = (pid: number): boolean => {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return mask !== undefined && (BigInt(`0x${mask}`) & 1n) === 1n
  } catch {
    return false
  }
}
