/**
 * The spread of a measurement. Machines are shared and noisy: what is quoted is a median, with its
 * quartiles, and ratios are of two things measured in turn in one run.
 */

export interface Spread {
  readonly lower: number
  readonly median: number
  readonly upper: number
}

/** The quartiles of at least one value. */
export const spreadOf = (values: readonly number[]): Spread => {
  if (values.length === 0) throw new Error('nothing was measured')
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): number => {
    const place = (sorted.length - 1) * share
    const below = sorted[Math.floor(place)] ?? 0
    const above = sorted[Math.ceil(place)] ?? below
    return below + (above - below) * (place - Math.floor(place))
  }
  return { lower: at(0.25), median: at(0.5), upper: at(0.75) }
}

/** A spread in words, e.g. `12.3 (11.9 to 13.0)`. */
export const shown = ({ lower, median, upper }: Spread, digits: number): string =>
  `${median.toFixed(digits)} (${lower.toFixed(digits)} to ${upper.toFixed(digits)})`
