/**
 * The confusion matrix: what each situation of the corpus truly is against what it was taken for.
 */
import type { ForegroundKind } from '@session-recovery/core'
import Table from 'cli-table3'
import type { SituationShell } from './situation.js'

// ------------------------------------------------------------------------------------------ model

/** One situation that was played. */
export interface Played {
  readonly name: string
  /** What it truly is. */
  readonly expected: ForegroundKind
  /** What it was taken for; absent: it did not come about. */
  readonly seen?: ForegroundKind
  readonly reasons: readonly string[]
  /** It is well as it is: nothing may interrupt it. */
  readonly healthy: boolean
  /** A trigger of the default policy would have fired within hours. */
  readonly fired: boolean
  readonly verdict: 'hit' | 'miss'
  /** Of a miss: what was wrong. */
  readonly detail?: string
}

/** A situation that was left out. */
export interface LeftOut {
  readonly name: string
  /** The programs that are missing. */
  readonly missing: readonly string[]
}

export interface ConfusionReport {
  readonly played: readonly Played[]
  readonly leftOut: readonly LeftOut[]
  readonly misses: readonly Played[]
}

export interface ConfusionOptions {
  /** Only the situations whose name holds this; default: all. */
  readonly only?: string
  /** The shell they are played in; default: bash. Only what it has words for is played. */
  readonly shell?: SituationShell
  /** How many sessions are open at once; default 6. */
  readonly sideBySide?: number
  readonly onProgress?: (played: Played, done: number, total: number) => void
}

const order: readonly ForegroundKind[] = [
  'at-prompt',
  'running',
  'waiting-for-line',
  'waiting-for-password',
  'full-screen',
  'pager',
  'stopped',
  'dead',
  'unknown',
]

// ------------------------------------------------------------------------------------ combinators

const spaced = (name: string): string => name.replaceAll('-', ' ')
const longestWord = (name: string): number =>
  Math.max(...name.split(' ').map(({ length }) => length))
const nameWidth = 9
// Of what did not come about.
const nothing = '–'

/** The matrix as text: a row for each kind that was played, a column for each that was seen. */
export const matrixText = ({ played, leftOut, misses }: ConfusionReport): string => {
  const rows = order.filter((kind) => played.some(({ expected }) => expected === kind))
  const columns = order.filter((kind) =>
    played.some(({ expected, seen }) => expected === kind || seen === kind),
  )
  const isNeverSeen = played.some(({ seen }) => seen === undefined)
  const heads = ['is, seen as', ...columns, ...(isNeverSeen ? [nothing] : [])].map(spaced)
  const table = new Table({
    head: heads,
    // It fits 80 columns: a name stands in as many lines as it has words.
    colWidths: heads.map((head, i) => (i === 0 ? nameWidth : longestWord(head))),
    colAligns: heads.map((_, i) => (i === 0 ? 'left' : 'right')),
    wordWrap: true,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  })
  const wanted = isNeverSeen ? [...columns, undefined] : columns
  for (const row of rows) {
    const counts = wanted.map(
      (column) => played.filter(({ expected, seen }) => expected === row && seen === column).length,
    )
    table.push([spaced(row), ...counts.map((count) => (count === 0 ? '·' : String(count)))])
  }
  const healthy = played.filter((one) => one.healthy)
  const lines = [
    table.toString(),
    `${played.length} situations, ${misses.length} missed; ${healthy.length} healthy ones, ` +
      `${healthy.filter(({ fired }) => fired).length} of them would be interrupted`,
    ...misses.map(({ name, detail }) => `missed: ${name}: ${detail ?? ''}`),
    ...leftOut.map(({ name, missing }) => `left out: ${name}: no ${missing.join(', no ')}`),
  ]
  return lines.join('\n')
}
