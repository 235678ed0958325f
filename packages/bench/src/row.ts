/**
 * A row of the bench: one thing that is measured beside a reference in the same run, with the bound that is
 * promised. Rows are listed in `catalogue.ts`; each runs in a process of its own, so that none is helped or
 * hurt by what another left behind.
 */
import type { SeedClass } from './baseline.js'

// ------------------------------------------------------------------------------------------ model

/** What is measured and what it is measured beside, one after the other, in the figure's unit. */
export interface Pair {
  readonly measured: number
  readonly reference?: number
}

/** Of the ratio to the reference, or of the value itself where there is none: what its median may be. */
export interface Bound {
  readonly _tag: 'at-most' | 'at-least'
  readonly value: number
}

/** One figure: its samples as they were taken, at least one. */
export interface Figure {
  readonly what: string
  /** Of measured and reference alike: `ms`, `/s`, `bytes`. */
  readonly unit: string
  /** What it is measured beside; without one the figure stands for itself. */
  readonly reference?: string
  readonly pairs: readonly Pair[]
  /** Without one the figure is only printed. */
  readonly bound?: Bound
}

export interface Measured {
  readonly figures: readonly Figure[]
  /** What else is worth a line: where the time goes, what was left out. */
  readonly notes?: readonly string[]
}

/** What a row is given to work with. */
export interface Trial {
  /** How many pairs to take. */
  readonly rounds: number
  /** A new folder of its own on the disk the program was started on; removed afterwards. */
  readonly directory: string
  /** The seed's class, where a baseline was given. */
  readonly seed: SeedClass | undefined
  /** To be told now and then what is being done. */
  readonly progress: (doing: string) => void
}

export interface Row {
  /** For `--only`: short, in lower case, with hyphens. */
  readonly name: string
  /** What is measured, as a person would put it. */
  readonly what: string
  /** How many pairs are taken where nothing else is asked for. */
  readonly rounds: number
  /** It has no reference but the seed: without a baseline it is left out. */
  readonly needsSeed?: true
  readonly run: (trial: Trial) => Promise<Measured>
}

// ----------------------------------------------------------------------------------- constructors

export const atMost = (value: number): Bound => ({ _tag: 'at-most', value })

export const atLeast = (value: number): Bound => ({ _tag: 'at-least', value })
