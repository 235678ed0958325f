/**
 * By what a situation is known to have come about: what the terminal shows, which processes run in its
 * session, and that they lie still. None of it is what the classifier judges by.
 */
import { readFileSync } from 'node:fs'

/** A process of a session. */
export interface Member {
  readonly pid: number
  readonly commandLine: string
  readonly state: string
  /** How often it was put to sleep or woken: it has not moved while this stays the same. */
  readonly switches: string
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** The shell `leader` and all that it started, directly or not, that lives. */
export const membersOf = (leader: number): readonly Member[] => {
  const stat = read(`/proc/${leader}/stat`)
  const state = stat.slice(stat.lastIndexOf(')') + 2)[0] ?? ''
  if (state === '' || state === 'Z') return []
  return [memberOf(leader, state), ...childrenOf(leader).flatMap(membersOf)]
}

// A program with threads may have been started by any of them; none here does.
const childrenOf = (pid: number): readonly number[] =>
  read(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((child) => child !== '')
    .map(Number)

const memberOf = (pid: number, state: string): Member => ({
  pid,
  state,
  commandLine: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim(),
  switches: (
    read(`/proc/${pid}/status`).match(/^\w*voluntary_ctxt_switches:\s*\d+$/gm) ?? []
  ).join(),
})

/** Whether nobody moved between two looks. */
export const isStill = (before: readonly Member[], now: readonly Member[]): boolean =>
  before.length === now.length &&
  now.every(
    ({ pid, state, switches }, i) =>
      !'RD'.includes(state) && before[i]?.pid === pid && before[i]?.switches === switches,
  )
