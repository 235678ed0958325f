/**
 * The benches there are, each with the bound that is promised for it.
 */

import { reattachmentFigures } from './reattachment.js'
import { type Figures, flushes } from './recovery.js'
import { respawnFigures } from './respawn.js'
import { shown } from './spread.js'

// ------------------------------------------------------------------------------------------ model

export interface Bench {
  readonly name: string
  readonly what: string
  readonly reference: string
  /** The median of the ratio may be no more. */
  readonly bound: number
  readonly measure: (
    directory: string,
    rounds: number,
    progress: (round: number) => void,
  ) => Promise<Figures>
}

// ----------------------------------------------------------------------------------- constructors

/** Every bench, in the order in which they are run. */
export const benches: readonly Bench[] = [
  {
    name: 'restart',
    what: 'SIGKILL to verified prompt by restart',
    reference: 'bare respawn',
    bound: 1.5,
    measure: (directory, rounds, progress) =>
      respawnFigures(directory, 'restart', rounds, progress),
  },
  {
    name: 'restore',
    what: 'SIGKILL to verified prompt by restore, with the whole state',
    reference: 'bare respawn',
    bound: 5,
    measure: (directory, rounds, progress) =>
      respawnFigures(directory, 'restore', rounds, progress),
  },
  {
    name: 'ssh',
    what: 'SSH child killed to the same remote shell verified by reconnect',
    reference: 'bare dial, dtach -a, echo',
    bound: 1.5,
    measure: reattachmentFigures,
  },
]

// ------------------------------------------------------------------------------------ combinators

/** Whether the promise is kept. */
export const isMet = ({ bound }: Bench, { ratio }: Figures): boolean => ratio.median <= bound

/** What was measured, for a person. */
export const reportOf = (bench: Bench, figures: Figures): string => {
  const { what, reference, bound } = bench
  const rows = [
    ['engine, durable and verified', `${shown(figures.recoveredMs, 1)} ms`],
    [`${reference}, ${flushes} fdatasyncs`, `${shown(figures.bareMs, 1)} ms`],
    ['ratio', shown(figures.ratio, 2)],
    ['bound', `${bound}: ${isMet(bench, figures) ? 'met' : 'NOT MET'}`],
  ]
  const lines = rows.map(([name = '', value = '']) => `  ${name.padEnd(42)}${value}\n`)
  return `${what}, ${figures.rounds} rounds in turn; medians with quartiles:\n${lines.join('')}`
}
