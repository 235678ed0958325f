/**
 * Many simulations, on as many processes as the machine has cores for: so many runs at least, and for so
 * long at least. The first failure ends them all and is made shorter.
 */
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import {
  addCoverage,
  type Coverage,
  type Law,
  noCoverage,
  type Shrunk,
  shrink,
  simulate,
} from '@session-recovery/testkit'
import { type SimGiven, simulationOf } from './sim-plan.js'

// ------------------------------------------------------------------------------------------ model

export interface SimCampaign {
  readonly seed: number
  readonly atLeastRuns: number
  /** How long to go on, at least. Default: not at all. */
  readonly forMs?: number
  /** How many processes; as many as there are cores. */
  readonly jobs?: number
  readonly given: SimGiven
  readonly progress: (sum: SimSum) => void
}

/** What all simulations so far came to. */
export interface SimSum {
  readonly runs: number
  readonly decisions: number
  readonly coverage: Coverage
  readonly checks: ReadonlyMap<Law, number>
  /** Runs in which something was broken, by seed. */
  readonly failures: readonly SimFailure[]
}

export interface SimFailure {
  readonly seed: number
  readonly breaches: readonly string[]
}

/** What a process is told and tells. */
export interface Batch {
  readonly seed: number
  readonly runs: number
  readonly given: SimGiven
}

export interface Batched extends Omit<SimSum, 'checks'> {
  readonly checks: readonly (readonly [Law, number])[]
}

const batchRuns = 20

// Nearly all that a simulation makes dies young: room for it takes a sixth off the time. As many processes as there
// are cores leave none for threads that collect beside them: without those it takes another sixth less.
const collecting = ['--max-semi-space-size=64', '--single-threaded-gc']
const entry = fileURLToPath(new URL('./sim-process.js', import.meta.url))

// ------------------------------------------------------------------------------------ combinators

/** Runs them; resolves to what they came to. */
export const simCampaign = async (campaign: SimCampaign): Promise<SimSum> => {
  const { jobs = availableParallelism(), atLeastRuns, forMs = 0, seed, given } = campaign
  const beganMs = performance.now()
  let sum: SimSum = { runs: 0, decisions: 0, coverage: noCoverage, checks: new Map(), failures: [] }
  let handedOut = 0
  const next = (): Batch | undefined => {
    const isOver = handedOut >= atLeastRuns && performance.now() - beganMs >= forMs
    if (isOver || sum.failures.length > 0) return undefined
    // Where there is more time than runs that are asked for, batches are whole.
    const wanted = handedOut < atLeastRuns ? atLeastRuns - handedOut : batchRuns
    const batch = { seed: seed + handedOut, runs: Math.min(batchRuns, wanted), given }
    handedOut += batch.runs
    return batch
  }
  const heard = (batched: Batched) => {
    sum = added(sum, batched)
    campaign.progress(sum)
  }
  await Promise.all(Array.from({ length: jobs }, () => worker(next, heard)))
  return sum
}

/** One process that is given batches until there is none. */
const worker = (next: () => Batch | undefined, heard: (batched: Batched) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    let batch = next()
    if (batch === undefined) return resolve()
    const child = fork(entry, { serialization: 'advanced', execArgv: collecting })
    child.on('message', (batched: Batched) => {
      heard(batched)
      batch = next()
      if (batch === undefined) child.disconnect()
      else child.send(batch)
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (batch === undefined) resolve()
      else reject(new Error(`simulations from seed ${batch.seed} ended with ${signal ?? code}`))
    })
    child.send(batch)
  })

const added = (sum: SimSum, batched: Batched): SimSum => {
  const checks = new Map(sum.checks)
  for (const [law, times] of batched.checks) checks.set(law, (checks.get(law) ?? 0) + times)
  return {
    runs: sum.runs + batched.runs,
    decisions: sum.decisions + batched.decisions,
    coverage: addCoverage(sum.coverage, batched.coverage),
    checks,
    failures: [...sum.failures, ...batched.failures],
  }
}

/** The failing run of a seed, made as short as it gets; `undefined` if it does not fail again. */
export const shortest = async (seed: number, given: SimGiven): Promise<Shrunk | undefined> => {
  const options = simulationOf(seed, given)
  const result = await simulate(options)
  return result.breaches.length === 0 ? undefined : shrink(options, result)
}
