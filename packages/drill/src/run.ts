/**
 * Plays many rows, a few at once, and tells of each as it begins and ends.
 */
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Played, play } from './play.js'
import type { Row } from './row.js'

export interface RunOptions {
  /** How many rows are played at once; at least 1. */
  readonly jobs: number
  /** What the rows left on disk is kept. */
  readonly keep: boolean
  /** Asked before each row: whether no more are to be begun. */
  readonly isCalledOff?: () => boolean
  readonly began: (row: Row) => void
  readonly ended: (played: Played) => void
}

export interface Ran {
  readonly rows: readonly Played[]
  /** Where everything was; there only if it was kept. */
  readonly directory: string
}

/** Plays the rows; gives what came of them in their order. */
export const run = async (
  rows: readonly Row[],
  { jobs, keep, isCalledOff = () => false, began, ended }: RunOptions,
): Promise<Ran> => {
  // A path as people have them: what is quoted wrongly does not come back from it.
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'session drill-')))
  const played: Played[] = []
  const waiting = rows.map((row, index) => ({ row, index }))
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (isCalledOff()) return
      began(next.row)
      const one = await play(next.row, `row-${process.pid}-${next.index}`, directory)
      played[next.index] = one
      ended(one)
    }
  }
  try {
    await Promise.all(Array.from({ length: jobs }, work))
  } finally {
    if (!keep) await rm(directory, { recursive: true, force: true })
  }
  return { rows: played.filter((one) => one !== undefined), directory }
}
