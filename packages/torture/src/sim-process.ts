/** A process that runs simulations, a batch at a time, and tells what came of each batch. */
import { addCoverage, type Law, noCoverage, simulate } from '@session-recovery/testkit'
import type { Batch, Batched } from './sim-campaign.js'
import { simulationOf } from './sim-plan.js'

// Simulated disks and drivers fail by the thousand, and nobody reads where: a run is told by its seed.
Error.stackTraceLimit = 0

const run = async ({ seed, runs, given }: Batch): Promise<Batched> => {
  let coverage = noCoverage
  let decisions = 0
  const checks = new Map<Law, number>()
  const failures: Batched['failures'][number][] = []
  for (let one = seed; one < seed + runs; one++) {
    const result = await simulate(simulationOf(one, given))
    coverage = addCoverage(coverage, result.coverage)
    decisions += result.decisions
    for (const [law, times] of result.checks) checks.set(law, (checks.get(law) ?? 0) + times)
    if (result.breaches.length > 0) failures.push({ seed: one, breaches: result.breaches })
  }
  return { runs, coverage, decisions, checks: [...checks], failures }
}

const tell = (batched: Batched): void => void process.send?.(batched)

process.on('message', (batch: Batch) => {
  run(batch).then(tell, (thrown: unknown) => {
    const breaches = [`the simulation itself failed: ${String(thrown)}`]
    tell({
      runs: 0,
      coverage: noCoverage,
      decisions: 0,
      checks: [],
      failures: [{ seed: batch.seed, breaches }],
    })
  })
})
