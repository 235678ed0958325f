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

/** Chance that can be begun anew: what follows does not depend on how often it was asked before. */
export interface RestartedChance extends Chance {
  readonly restart: (seed: number) => void
}

/** The least and the most a seed may be. */
export const seeds = { least: 1, most: 2 ** 31 - 1 } as const

export const chance = (seed: number): RestartedChance => {
  let generator = xoroshiro128plus(seed)
  const whole = (least: number, most: number) => uniformInt(generator, least, most)
  return {
    whole,
    percent: (percent) => whole(0, 9_999) < 100 * percent,
    pick: (choices) => choices[whole(0, choices.length - 1)] ?? choices[0],
    restart: (next) => {
      generator = xoroshiro128plus(next)
    },
  }
}
