/** What came of the bench, for people: a table on the terminal, and the same in Markdown. */
import Table from 'cli-table3'
import type { Bound } from './row.js'
import type { Spread } from './spread.js'
import type { FigureSummary, Outcome } from './summary.js'

const heads = ['row', 'what', 'measured', 'beside', 'ratio', 'bound', ''] as const
const usualColumns = 160
const shares = [12, 34, 24, 36, 22, 9, 9] as const

// ------------------------------------------------------------------------------------------ cells

const scales = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e4, 'k'],
] as const

/** Three digits that count: `1.23`, `45.6`, `789`, `12.3 k`. */
const numeral = (value: number): string => {
  const scale = scales.find(([size]) => Math.abs(value) >= size)
  if (scale !== undefined) {
    const [size, letter] = scale
    return `${numeral(value / (letter === 'k' ? 1e3 : size))} ${letter}`
  }
  const size = Math.abs(value)
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 4)
}

/** A median with its quartiles, e.g. `12.3 (11.9 to 13.0) ms`. */
export const shownSpread = ({ lower, median, upper }: Spread, unit: string): string =>
  lower === upper
    ? `${numeral(median)}${unit}`
    : `${numeral(median)}${unit} (${numeral(lower)} to ${numeral(upper)})`

const unitOf = (unit: string): string => (unit === '' || unit.startsWith('/') ? unit : ` ${unit}`)

const shownBound = (bound: Bound | undefined): string =>
  bound === undefined ? '-' : `${bound._tag === 'at-most' ? '≤' : '≥'} ${bound.value}`

const verdicts = { met: 'met', missed: 'MISSED', printed: '' } as const

const cellsOf = (name: string, figure: FigureSummary): readonly string[] => {
  const { what, unit, measured, reference, ratio, bound, verdict } = figure
  return [
    name,
    what,
    shownSpread(measured, unitOf(unit)),
    reference === undefined
      ? '-'
      : `${reference.what}: ${shownSpread(reference.value, unitOf(unit))}`,
    ratio === undefined ? '-' : shownSpread(ratio, ' ×'),
    shownBound(bound),
    verdicts[verdict],
  ]
}

const rowsOf = (outcome: Outcome): readonly (readonly string[])[] => {
  const { name, what } = outcome
  switch (outcome._tag) {
    case 'ran':
      return outcome.figures.map((figure) => cellsOf(name, figure))
    case 'left-out':
      return [[name, what, '-', `left out: ${outcome.because}`, '-', '-', '']]
    case 'broken':
      return [[name, what, '-', outcome.why.split('\n')[0] ?? '', '-', '-', 'BROKEN']]
  }
}

// ------------------------------------------------------------------------------------------ tables

/** The table for a terminal of so many columns. */
export const tableOf = (outcomes: readonly Outcome[], columns = usualColumns): string => {
  const wide = Math.max(usualColumns, columns)
  const whole = shares.reduce((sum, share) => sum + share, 0)
  const table = new Table({
    head: [...heads],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: shares.map((share) => Math.floor(((wide - shares.length - 1) * share) / whole)),
  })
  for (const row of outcomes.flatMap(rowsOf)) table.push([...row])
  return `${table.toString()}\n`
}

/** A line for each note and for each row that broke. */
export const remarksOf = (outcomes: readonly Outcome[]): string =>
  outcomes
    .flatMap((outcome) => {
      if (outcome._tag === 'broken') return [`${outcome.name}: BROKEN: ${outcome.why}`]
      return outcome._tag === 'ran'
        ? outcome.notes.map((note) => `${outcome.name}: ${note}`)
        : [`${outcome.name}: left out: ${outcome.because}`]
    })
    .map((line) => `${line}\n`)
    .join('')

/** The table in Markdown, with the notes under it. */
export const markdownOf = (outcomes: readonly Outcome[], machine: string): string => {
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |\n`
  const rows = outcomes.flatMap(rowsOf).map(line).join('')
  const notes = remarksOf(outcomes).replaceAll(/^(?=.)/gm, '- ')
  const head = `${line(heads)}${line(heads.map(() => '---'))}`
  const intro = `Medians with quartiles, each beside its reference in the same run. ${machine}\n\n`
  return `${intro}${head}${rows}${notes === '' ? '' : `\n${notes}`}`
}
