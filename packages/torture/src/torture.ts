/** The torture as a person runs it: which rows, progress, the table, what was lost. */
import { createLogUpdate } from 'log-update'
import { rows } from './catalogue.js'
import { type Played, play } from './play.js'
import type { Row, Size } from './row.js'
import { isKept, remarksOf, statusOf, tableOf } from './show.js'

// ------------------------------------------------------------------------------------------ model

/** What can be said on the command line. */
export interface TortureOptions {
  readonly size: Size
  readonly only: readonly string[]
  /** Instead of each row's own number. */
  readonly tries?: number
  readonly seed: number
  readonly json: boolean
}

// ------------------------------------------------------------------------------------ combinators

/** The rows that were named, or which name stands for none. */
export const chosenRows = (only: readonly string[]): readonly Row[] | string => {
  const unknown = only.find((name) => !rows.some((row) => row.name === name))
  if (unknown !== undefined) {
    const names = rows.map(({ name }) => name).join(', ')
    return `there is no row ${JSON.stringify(unknown)}; there are ${names}`
  }
  return only.length === 0 ? rows : rows.filter(({ name }) => only.includes(name))
}

/** Plays `chosen`, one after the other; resolves to the exit status. */
export const torture = async (
  chosen: readonly Row[],
  { size, tries, seed, json }: TortureOptions,
): Promise<number> => {
  const stream = json ? process.stderr : process.stdout
  const played: Played[] = []
  const kept: boolean[] = []
  for (const row of chosen) {
    const wanted = tries ?? row.tries[size]
    const show = progressOn(stream, row, wanted)
    const one = await play(row, { size, tries: wanted, seed, progress: show.progress })
    show.end(one)
    played.push(one)
    kept.push(isKept(one, wanted, process.env.CI === 'true'))
  }
  if (json) process.stdout.write(`${JSON.stringify({ size, seed, rows: played }, undefined, 2)}\n`)
  else {
    process.stdout.write(tableOf(played, process.stdout.columns))
    process.stdout.write(remarksOf(played))
    process.stdout.write(`seed ${seed}; one row again: --only NAME --seed ${seed}\n`)
  }
  return statusOf(kept)
}

const progressOn = (stream: NodeJS.WriteStream, row: Row, tries: number) => {
  const update = stream.isTTY ? createLogUpdate(stream) : undefined
  return {
    progress: (tried: number) => update?.(`${row.name}: ${tried} of ${tries}`),
    end: (played: Played) => {
      update?.clear()
      update?.done()
      const how =
        played._tag === 'skipped'
          ? `skipped: ${played.because}`
          : `${played.tally.tried} tried, ${played.tally.lost.length} lost, ${played.seconds.toFixed(1)} s`
      stream.write(`${row.name}: ${how}\n`)
    },
  }
}
