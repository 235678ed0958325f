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
  processNumbers,
  processNumbersAside,
  readStat,
  sendSignal,
} from './process.js'
import { givenSince, type NumberMark, type NumberState, numberState } from './process-number.js'

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

/** Tells of a leader that has just ended whether nobody is left of its session. */
export type LoneLook = (leader: ProcessIdentity, born: NumberMark) => Promise<boolean>

/** Looks at all that end together together, while the news of it are written down. */
export const loneLook = (): LoneLook => {
  let asked: ((there: There) => void)[] = []
  const look = async (): Promise<void> => {
    const told = asked
    asked = []
    const listing = processNumbersAside()
    const now = numberState()
    const there = thereIs(await listing, now)
    for (const tell of told) tell(there)
  }
  return (leader, born) =>
    new Promise((resolve) => {
      asked.push((there) => resolve(leftAmong(there, leader, born).length === 0))
      // A list that is being read already says nothing: it was begun before this leader ended.
      if (asked.length === 1) setImmediate(look)
    })
}

/** The processes of the session that `leader` led, but itself. */
const leftBy = (leader: ProcessIdentity, born: NumberMark): readonly ProcessStat[] =>
  leftAmong(thereIs(processNumbers(), numberState()), leader, born)

/** What processes there are, each looked at once. */
interface There {
  readonly numbers: readonly number[]
  /** While `numbers` were listed, or after it. */
  readonly now: NumberState | undefined
  readonly statOf: (pid: number) => ProcessStat | undefined
}

const thereIs = (numbers: readonly number[], now: NumberState | undefined): There => {
  const known = new Map<number, ProcessStat | undefined>()
  return {
    numbers,
    now,
    statOf: (pid) => {
      if (!known.has(pid)) known.set(pid, readStat(pid))
      return known.get(pid)
    },
  }
}

const leftAmong = (
  { numbers, now, statOf }: There,
  leader: ProcessIdentity,
  born: NumberMark,
): readonly ProcessStat[] => {
  // A number is free again only when nobody is left of the session it named.
  const reused = numbers.includes(leader.pid) ? statOf(leader.pid) : undefined
  if (reused !== undefined && reused.startTicks !== leader.startTicks) return []
  const isGiven = givenSince(born, now)
  return numbers.filter(isGiven).flatMap((pid) => {
    const stat = statOf(pid)
    const isLeft = stat?.session === leader.pid && pid !== leader.pid && stat.state !== 'Z'
    return stat !== undefined && isLeft ? [stat] : []
  })
}

const ignoresHangUp = (pid: number): boolean => ((ignoredSignals(pid) ?? 0n) & 1n) === 1n
