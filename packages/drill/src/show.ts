/**
 * Showing rows: one line of progress each while they are played, and the table of all at the end, which
 * fits the terminal it is shown on.
 */
import { styleText } from 'node:util'
import type { Receipt } from '@session-recovery/core'
import Table from 'cli-table3'
import type { Played } from './play.js'

// ------------------------------------------------------------------------------------------ cells

const ms = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(0))

/** Whether a row came out as expected. */
export const isMiss = ({ misses }: Played): boolean => misses.length > 0

/** How a row ended, in a word; `missed` when that was not expected. */
export const outcomeOf = (played: Played): string => {
  const end = played.end?._tag.replace('incident-', '') ?? 'no end'
  return isMiss(played) ? `MISS: ${end}` : end
}

/** What was tried, each with how it ended; what ended in the same way again is counted. */
export const triedText = ({ tried }: Played): string => {
  const counted: { readonly text: string; times: number }[] = []
  for (const { strategy, outcome } of tried) {
    const text = `${strategy}: ${outcome}`
    const last = counted.at(-1)
    if (last?.text === text) last.times += 1
    else counted.push({ text, times: 1 })
  }
  const parts = counted.map(({ text, times }) => (times > 1 ? `${text} ×${times}` : text))
  return parts.length === 0 ? 'fallback' : parts.join(', ')
}

const statuses = ['restored', 'lost', 'unknown'] as const

/** How many items of a receipt are restored, lost, and unknown, and which are lost. */
export const receiptText = ({ end }: Pick<Played, 'end'>): string => {
  if (end === undefined || end._tag === 'incident-cancelled') return '–'
  if (end._tag === 'incident-exhausted') return end.archive === undefined ? '–' : 'archive'
  return statuses.map((status) => namesOf(end.receipt, status).length).join('/')
}

const namesOf = ({ items }: Receipt, status: (typeof statuses)[number]): readonly string[] =>
  Object.entries(items).flatMap(([name, item]) => (item.status === status ? [name] : []))

const colourOf = (played: Played): 'red' | 'green' | 'yellow' => {
  if (isMiss(played)) return 'red'
  return played.end?._tag === 'incident-recovered' ? 'green' : 'yellow'
}

const styled = (colour: 'red' | 'green' | 'yellow' | 'dim', text: string): string =>
  styleText(colour, text, { stream: process.stdout })

// ----------------------------------------------------------------------------------------- progress

/** A row in one line, for where nothing can be redrawn. */
export const lineOf = (played: Played): string => {
  const { row, host, detectedMs, latencyMs } = played
  const mark = styled(colourOf(played), isMiss(played) ? '✗' : '✓')
  const misses = played.misses.map((miss) => `\n    ${miss}`).join('')
  return `${mark} ${row.subject.name}/${host}  ${row.fault.name}  ${triedText(played)}  ${outcomeOf(played)}  ${receiptText(played)}  detected ${ms(detectedMs)} ms, over ${ms(latencyMs)} ms${misses}`
}

// -------------------------------------------------------------------------------------------- table

interface Layout {
  readonly head: readonly string[]
  /** In columns, without borders; 0 gets the rest. */
  readonly widths: readonly number[]
  readonly padding: number
}

const wide: Layout = {
  head: ['shell / host', 'fault', 'detected ms', 'tried', 'outcome', 'receipt', 'over ms'],
  widths: [18, 19, 10, 0, 13, 9, 9],
  padding: 1,
}

const narrow: Layout = {
  head: ['shell / host', 'fault', 'seen ms', 'tried', 'outcome', 'receipt', 'over ms'],
  widths: [9, 17, 5, 0, 9, 7, 5],
  padding: 0,
}
const wideFrom = 110
const narrowest = 80

/** The table of all rows, at most `columns` wide; below 80 it stays as wide as that. */
export const tableOf = (rows: readonly Played[], columns: number): string => {
  const { head, widths, padding } = columns < wideFrom ? narrow : wide
  const borders = head.length + 1
  const fixed = widths.reduce((sum, width) => sum + width, 0) + borders
  const rest = Math.max(narrowest, columns) - fixed
  const table = new Table({
    head: [...head],
    colWidths: widths.map((width) => width || rest),
    colAligns: ['left', 'left', 'right', 'left', 'left', 'right', 'right'],
    wordWrap: true,
    wrapOnWordBoundary: true,
    style: {
      head: [],
      border: [],
      compact: true,
      'padding-left': padding,
      'padding-right': padding,
    },
  })
  for (const played of rows) {
    table.push([
      `${played.row.subject.name} / ${played.host}`,
      played.row.fault.name,
      ms(played.detectedMs),
      triedText(played),
      styled(colourOf(played), outcomeOf(played)),
      receiptText(played),
      ms(played.latencyMs),
    ])
  }
  return `${table.toString()}\n${styled('dim', 'receipt: items restored/lost/unknown, or the archive that was read back')}\n`
}

/** What was not as it should be, row by row; empty when all was. */
export const missesOf = (rows: readonly Played[]): string =>
  rows
    .filter(isMiss)
    .map(({ row, misses, tried, failure }) =>
      [
        `MISS ${row.subject.name} ${row.fault.name} ${row.strategy}`,
        ...misses.map((miss) => `  ${miss}`),
        ...tried.map((one) => `  tried ${one.strategy}: ${one.outcome}: ${one.detail}`),
        ...(failure === '' ? [] : [`  failure: ${failure}`]),
        '',
      ].join('\n'),
    )
    .join('')

/** A row as a machine reads it. */
export const jsonOf = (played: Played) => ({
  shell: played.row.subject.name,
  host: played.host,
  fault: played.row.fault.name,
  strategy: played.row.strategy,
  detectedMs: played.detectedMs ?? null,
  failure: played.failure,
  tried: played.tried,
  outcome: played.end?._tag.replace('incident-', '') ?? null,
  receipt: played.end?._tag === 'incident-recovered' ? played.end.receipt : null,
  archive: played.end?._tag === 'incident-exhausted' ? (played.end.archive ?? null) : null,
  latencyMs: played.latencyMs ?? null,
  misses: played.misses,
})
