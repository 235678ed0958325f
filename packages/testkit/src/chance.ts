/**
 * Seeded chance: the same seed gives the same choices, on every machine.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

export interface Chance {
  /** A whole number from `least` to `most`, both included. */
  readonly whole: (least: number, most: number) => number
  /** True in `percent` of a hundred cases. */
  readonly percent: (percent: number) => boolean
  readonly pick: <A>(choices: readonly [A, ...A[]]) => A
}

export const chance = (seed: number): Chance => {
  const generator = xoroshiro128plus(seed)
  const whole = (least: number, most: number) => uniformInt(generator, least, most)
  return {
    whole,
    percent: (percent) => whole(0, 99) < percent,
    pick: (choices) => choices[whole(0, choices.length - 1)] ?? choices[0],
  }
}
