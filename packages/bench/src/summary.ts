/**
 * What came of the rows: each figure's medians with quartiles, its ratio, and whether its bound is met.
 */
import type { Bound, Figure, Row } from './row.js'
import { type Spread, spreadOf } from './spread.js'

// ------------------------------------------------------------------------------------------ model

/** `printed`: nothing is promised of it. */
export type Verdict = 'met' | 'missed' | 'printed'

export interface FigureSummary {
  readonly what: string
  readonly unit: string
  readonly samples: number
  readonly measured: Spread
  readonly reference?: { readonly what: string; readonly value: Spread }
  /** Measured to reference, of each pair. */
  readonly ratio?: Spread
  readonly bound?: Bound
  readonly verdict: Verdict
}

export interface Ran {
  readonly _tag: 'ran'
  readonly name: string
  readonly what: string
  readonly seconds: number
  readonly figures: readonly FigureSummary[]
  readonly notes: readonly string[]
}

/** What came of a row. */
export type Outcome =
  | Ran
  | {
      readonly _tag: 'left-out'
      readonly name: string
      readonly what: string
      readonly because: string
    }
  | { readonly _tag: 'broken'; readonly name: string; readonly what: string; readonly why: string }

// ----------------------------------------------------------------------------------- constructors

export const ran = (
  { name, what }: Row,
  seconds: number,
  figures: readonly Figure[],
  notes: readonly string[] = [],
): Ran => ({ _tag: 'ran', name, what, seconds, figures: figures.map(summaryOf), notes })

/** The medians and quartiles of a figure, and what is to be said of its bound. */
export const summaryOf = ({ what, unit, reference, pairs, bound }: Figure): FigureSummary => {
  const measured = spreadOf(pairs.map((pair) => pair.measured))
  const shared = { what, unit, samples: pairs.length, measured }
  const limit = bound === undefined ? {} : { bound }
  if (reference === undefined) {
    return { ...shared, ...limit, verdict: verdictOf(bound, measured) }
  }
  const references = pairs.map((pair) => pair.reference ?? Number.NaN)
  const ratio = spreadOf(pairs.map((pair, i) => pair.measured / (references[i] ?? Number.NaN)))
  return {
    ...shared,
    reference: { what: reference, value: spreadOf(references) },
    ratio,
    ...limit,
    verdict: verdictOf(bound, ratio),
  }
}

const verdictOf = (bound: Bound | undefined, { median }: Spread): Verdict => {
  if (bound === undefined) return 'printed'
  // What is no number meets no bound.
  const isMet = bound._tag === 'at-most' ? median <= bound.value : median >= bound.value
  return isMet ? 'met' : 'missed'
}

// ------------------------------------------------------------------------------------ combinators

/** Whether a row kept what is promised; one that is left out promises nothing. */
export const isKept = (outcome: Outcome): boolean =>
  outcome._tag === 'left-out' ||
  (outcome._tag === 'ran' && outcome.figures.every(({ verdict }) => verdict !== 'missed'))
