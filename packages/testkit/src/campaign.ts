/**
 * A campaign: a random property tried for a fixed time, but at least so many times, that says how many
 * tries it made and from which seed, and, when it fails, how to see the same failure again.
 */
import fc from 'fast-check'
import { failure, seedOf } from './property.js'

export interface Campaign {
  readonly name: string
  /** The file of the test, for the command that replays a failure. */
  readonly file: string
  readonly atLeastRuns: number
  readonly forMs: number
}

const batchRuns = 100

/**
 * Runs the campaign. `SEED` fixes the seed: a failing batch prints the seed that replays it first.
 *
 * @returns how many times the property was tried.
 */
export const campaign = async <Ts>(
  { name, file, atLeastRuns, forMs }: Campaign,
  property: fc.IAsyncProperty<Ts>,
): Promise<number> => {
  const firstSeed = seedOf()
  const beganMs = performance.now()
  let runs = 0
  while (runs < atLeastRuns || performance.now() - beganMs < forMs) {
    const seed = (firstSeed + runs) % 2 ** 31
    const result = await fc.check(property, { seed, numRuns: batchRuns })
    if (result.failed) {
      throw failure(fc.defaultReportMessage(result), seed, result.errorInstance, file)
    }
    runs += result.numRuns
  }
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(1)
  process.stdout.write(`${name}: ${runs} runs in ${seconds} s, seed ${firstSeed}\n`)
  return runs
}
