/**
 * The one way properties are run: a failure names its seed and the command that replays it.
 */
import fc from 'fast-check'

/** How many values a property is tried with unless it says otherwise. */
export const usualRuns = 200

/** How many values are tried where `wanted` are wanted: `RUNS` is the most. */
const runsOf = (wanted: number): number => Math.min(wanted, Number(process.env.RUNS ?? wanted))

/** The seed of this run: `SEED`, or any. What replays a run depends on it alone. */
export const seedOf = (): number => {
  const given = process.env.SEED
  if (given === undefined || given === '') return Math.trunc(Math.random() * 2 ** 31)
  const seed = Number(given)
  if (!Number.isSafeInteger(seed)) throw new Error(`SEED must be a whole number, not ${given}`)
  return seed
}

/** The test file that asked, as the stack tells it; the whole suite where it does not. */
const callingTest = (): string =>
  /packages\/[^/\s]+\/test\/[^\s:)]+\.test\.ts/.exec(new Error('where').stack ?? '')?.[0] ?? ''

/**
 * Tries `property` and throws where it does not hold, with the counterexample and how to replay it.
 * The environment variable `SEED` fixes the seed, `RUNS` bounds the number of values.
 */
export const holds = <Ts extends [unknown, ...unknown[]]>(
  property: fc.IProperty<Ts>,
  numRuns: number = usualRuns,
): void => {
  const seed = seedOf()
  const result = fc.check(property, { seed, numRuns: runsOf(numRuns) })
  if (result.failed) throw failure(fc.defaultReportMessage(result), seed, result.errorInstance)
}

/** As {@link holds}, of a property that is asynchronous. */
export const holdsAsync = async <Ts extends [unknown, ...unknown[]]>(
  property: fc.IAsyncProperty<Ts>,
  numRuns: number = usualRuns,
): Promise<void> => {
  const seed = seedOf()
  const file = callingTest()
  const result = await fc.check(property, { seed, numRuns: runsOf(numRuns) })
  if (result.failed)
    throw failure(fc.defaultReportMessage(result), seed, result.errorInstance, file)
}

/** The error of a property that does not hold, with the command that shows the same again. */
export const failure = (
  report: string | undefined,
  seed: number,
  cause: unknown,
  file = callingTest(),
): Error => new Error(`${report ?? ''}\n\nReplay: SEED=${seed} npm test -- ${file}`, { cause })
