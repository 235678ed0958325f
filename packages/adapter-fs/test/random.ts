/** Seeds and the time of random suites: each runs for a while and prints what replays it. */

/** `SEED` replays a run; without it each run has its own. */
export const seedOf = (): number => Number(process.env.SEED ?? Date.now() % 2 ** 31)

export const replayOf = (seed: number, file: string): string =>
  `seed ${seed}; replay: SEED=${seed} npx vitest run --config vitest.workspace.ts --project adapter-fs ${file}`

/** `SOAK_MS` makes them run longer. */
const whileMs = Number(process.env.SOAK_MS ?? 5_000)

/** How long one may take on a machine that is very busy. */
export const longestMs = whileMs + 120_000

/** Answers whether there is still time, counted from this call. */
export const forAWhile = (): (() => boolean) => {
  const startedAtMs = performance.now()
  return () => performance.now() - startedAtMs < whileMs
}
