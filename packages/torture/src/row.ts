/**
 * A row of the torture: one promise, and a way to try to break it as often as is asked for. Rows are
 * listed in `catalogue.ts`; each runs in a process of its own, so that none is helped or hurt by another.
 */

// ------------------------------------------------------------------------------------------ model

/** How much is tried: `ci` fits a CI run, `soak` goes on for hours. */
export type Size = 'ci' | 'soak'

export const sizes: readonly Size[] = ['ci', 'soak']

/** What a row is given to work with. */
export interface Trial {
  /** How often to try, at least. */
  readonly tries: number
  /** Everything random follows from it. */
  readonly seed: number
  /** A new folder of its own, removed afterwards. */
  readonly directory: string
  readonly size: Size
  /** To be told now and then how many tries were made. */
  readonly progress: (tried: number) => void
}

/** What came of a row. */
export interface Tally {
  readonly tried: number
  /** Tries after which the promise held. */
  readonly survived: number
  /** What was found broken, each with what replays it; empty in a sound run. */
  readonly lost: readonly string[]
  /** What else is worth a line: coverage, what the tries did. */
  readonly notes?: readonly string[]
}

export interface Row {
  /** For `--only`: short, in lower case, with hyphens. */
  readonly name: string
  /** The promise that is to be broken, as a person would put it. */
  readonly promise: string
  readonly tries: Readonly<Record<Size, number>>
  /**
   * `root`: needs what only root may do, and is skipped for others with a message. `ordinary`: runs without
   * root's privileges even when root runs the torture, as to root no file is forbidden.
   */
  readonly as: 'root' | 'ordinary'
  /** What must be there: why it cannot run here, or `undefined`. In CI a row that cannot run has failed. */
  readonly missing?: () => string | undefined
  readonly run: (trial: Trial) => Promise<Tally>
}
