/** The torture row of the simulations: every law, under every fault, in runs that are told by their seed. */
import { notReached } from '@session-recovery/testkit'
import type { Row, Size, Trial } from './row.js'
import { simCampaign } from './sim-campaign.js'
import { commandOf, type SimGiven, sharesOf, simulationOf, storesOf } from './sim-plan.js'
import { coverageFromRuns, coverageLines } from './sim-show.js'

const forMs: Readonly<Record<Size, number>> = { ci: 60_000, soak: 0 }

const given: SimGiven = {}

export const simulationRow: Row = {
  name: 'simulation',
  promise: 'Every law holds in whatever happens: 100 events, every fault there is, any policy',
  tries: { ci: 3_000, soak: 1_000_000 },
  as: 'ordinary',
  run: async ({ tries, seed, size, progress }: Trial) => {
    // Seeds count on from here: all of them have to be some.
    const first = 1 + (seed % 2 ** 30)
    const sum = await simCampaign({
      seed: first,
      atLeastRuns: tries,
      forMs: tries < coverageFromRuns ? 0 : forMs[size],
      given,
      progress: ({ runs }) => progress(runs),
    })
    const stores = storesOf(first, sum.runs, given)
    const missing = sum.runs < coverageFromRuns ? [] : notReached(sum.coverage, stores)
    const broken = sum.failures.map(
      (failure) =>
        `${failure.breaches[0]}; again and shrunk: ${commandOf(simulationOf(failure.seed, given))}`,
    )
    return {
      tried: sum.runs,
      survived: sum.runs - sum.failures.length,
      lost: [...broken, ...missing.map((one) => `never reached: ${one}`)],
      notes: [...coverageLines(sum, stores).slice(0, 1), sharesOf(first, sum.runs, given)],
    }
  },
}
