/** The bench as a person runs it: which rows, progress, the table, the results that are kept. */
import { resolve } from 'node:path'
import { createLogUpdate } from 'log-update'
import { rows } from './catalogue.js'
import { play } from './play.js'
import { readResults, tablePathOf, thisMachine, withOutcomes, writeResults } from './result.js'
import type { Row } from './row.js'
import { remarksOf, tableOf } from './show.js'
import { isKept, type Outcome } from './summary.js'

// ------------------------------------------------------------------------------------------ model

/** What can be said on the command line. */
export interface BenchOptions {
  /** A module that exports the seed's class. */
  readonly baseline?: string
  /** Instead of each row's own number. */
  readonly rounds?: number
  /** Where the results are kept; their table is beside them. */
  readonly results: string
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

/** Runs `chosen`, one after the other; resolves to the exit status: 1 where a bound is missed. */
export const bench = async (
  chosen: readonly Row[],
  { results, ...options }: BenchOptions,
): Promise<0 | 1> => {
  const outcomes: Outcome[] = []
  for (const row of chosen) {
    const show = progressOn(process.stderr, row)
    const outcome = await play(row, {
      ...options,
      directory: resolve('data'),
      progress: show.progress,
    })
    show.end(outcome)
    outcomes.push(outcome)
  }
  process.stdout.write(tableOf(outcomes, process.stdout.columns))
  process.stdout.write(remarksOf(outcomes))
  const names = rows.map(({ name }) => name)
  const now = new Date().toISOString()
  const before = await readResults(results)
  await writeResults(results, withOutcomes(before, thisMachine(), outcomes, names, now))
  process.stdout.write(`results: ${results}, ${tablePathOf(results)}\n`)
  return outcomes.length > 0 && outcomes.every(isKept) ? 0 : 1
}

const progressOn = (stream: NodeJS.WriteStream, row: Row) => {
  const update = stream.isTTY ? createLogUpdate(stream) : undefined
  if (update === undefined) stream.write(`${row.name}: ${row.what} ...\n`)
  return {
    progress: (doing: string) => update?.(`${row.name}: ${doing}`),
    end: (outcome: Outcome) => {
      update?.clear()
      update?.done()
      stream.write(`${row.name}: ${endOf(outcome)}\n`)
    },
  }
}

const endOf = (outcome: Outcome): string => {
  if (outcome._tag === 'left-out') return `left out: ${outcome.because}`
  if (outcome._tag === 'broken') return 'BROKEN'
  const missed = outcome.figures.filter(({ verdict }) => verdict === 'missed').length
  const how = missed === 0 ? 'every bound met' : `${missed} bound${missed > 1 ? 's' : ''} MISSED`
  return `${how}, ${outcome.seconds.toFixed(1)} s`
}
