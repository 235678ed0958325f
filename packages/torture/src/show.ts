/** What came of the torture, for people: the table of promise, tried, survived, lost; and the exit status. */
import Table from 'cli-table3'
import type { Played } from './play.js'

const usualColumns = 120
const numberColumns = 11

/** The table. */
export const tableOf = (played: readonly Played[], columns = usualColumns): string => {
  const name = Math.max(6, ...played.map(({ row }) => row.name.length)) + 2
  const promise = Math.max(20, columns - name - 4 * numberColumns - 7)
  const table = new Table({
    head: ['row', 'promise', 'tried', 'survived', 'lost', 'seconds'],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [name, promise, numberColumns, numberColumns, numberColumns, numberColumns],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right'],
  })
  for (const one of played) {
    const { row } = one
    if (one._tag === 'skipped')
      table.push([row.name, `${row.promise} (skipped: ${one.because})`, '-', '-', '-', '-'])
    else {
      const { tried, survived, lost } = one.tally
      table.push([
        row.name,
        row.promise,
        tried.toLocaleString('en'),
        survived.toLocaleString('en'),
        lost.length.toLocaleString('en'),
        one.seconds.toFixed(1),
      ])
    }
  }
  return `${table.toString()}\n`
}

/** A line for each note and each loss. */
export const remarksOf = (played: readonly Played[]): string =>
  played
    .flatMap((one) =>
      one._tag === 'skipped'
        ? [`${one.row.name}: skipped: ${one.because}`]
        : [
            ...(one.tally.notes ?? []).map((note) => `${one.row.name}: ${note}`),
            ...one.tally.lost.map((loss) => `${one.row.name}: LOST: ${loss}`),
          ],
    )
    .map((line) => `${line}\n`)
    .join('')

/** Whether a row kept its promise as often as it had to. */
export const isKept = (played: Played, tries: number, isCi: boolean): boolean =>
  played._tag === 'skipped'
    ? !isCi
    : played.tally.lost.length === 0 &&
      played.tally.tried >= tries &&
      played.tally.survived === played.tally.tried

/** The exit status: a promise that was broken, was tried too seldom, or not at all, is a 1. */
export const statusOf = (kept: readonly boolean[]): 0 | 1 =>
  kept.length > 0 && kept.every((one) => one) ? 0 : 1
