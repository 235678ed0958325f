/** One thread of the mutation row: changes files from one seed to another, and tells what came of it. */
import { parentPort, workerData } from 'node:worker_threads'
import { mutationOrigin, mutationTrial } from '@session-recovery/testkit'

/** Which seeds a thread tries, and what it tells. */
export interface MutationShare {
  readonly from: number
  readonly to: number
}

export interface MutationReport {
  readonly tried: number
  readonly lost: readonly string[]
  readonly broken: number
  readonly refused: number
  readonly kinds: Readonly<Record<string, number>>
}

const reportEvery = 250
const mostLosses = 20

const { from, to } = workerData as MutationShare
const origin = await mutationOrigin()
const kinds: Record<string, number> = {}
const lost: string[] = []
let [broken, refused] = [0, 0]
for (let seed = from; seed < to; seed++) {
  const outcome = await mutationTrial(origin, seed)
  if (outcome.complaints.length > 0) broken += 1
  if (lost.length < mostLosses) lost.push(...outcome.complaints)
  if (outcome.refused > 0) refused += 1
  kinds[outcome.kind] = (kinds[outcome.kind] ?? 0) + 1
  const tried = seed - from + 1
  if (tried % reportEvery === 0 || seed + 1 === to) {
    parentPort?.postMessage({ tried, lost, broken, refused, kinds } satisfies MutationReport)
  }
}
