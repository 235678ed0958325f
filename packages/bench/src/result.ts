/**
 * The results, kept: what each row gave when it was last run on this machine, as JSON for machines and as
 * Markdown for the docs.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os'
import { markdownOf } from './show.js'
import type { Outcome } from './summary.js'

// ------------------------------------------------------------------------------------------ model

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
}

/** A row's outcome with the time it was measured at, ISO 8601. */
export type Result = Outcome & { readonly measuredAt: string }

export interface Results {
  readonly v: 1
  readonly machine: Machine
  readonly rows: readonly Result[]
}

// ----------------------------------------------------------------------------------- constructors

export const thisMachine = (): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${platform()} ${release()} ${arch()}`,
  node: process.version,
})

/** The results with what was measured now in the place of what the same rows gave before. */
export const withOutcomes = (
  before: Results | undefined,
  machine: Machine,
  outcomes: readonly Outcome[],
  names: readonly string[],
  measuredAt: string,
): Results => {
  // Figures of two machines have no place in one table.
  const isSame = JSON.stringify(before?.machine) === JSON.stringify(machine)
  const kept = isSame ? (before?.rows ?? []) : []
  const rows = names.flatMap((name) => {
    const now = outcomes.find((outcome) => outcome.name === name)
    if (now !== undefined) return [{ ...now, measuredAt }]
    return kept.filter((result) => result.name === name)
  })
  return { v: 1, machine, rows }
}

/** What stands at `path`; `undefined` where nothing does that could be read. */
export const readResults = async (path: string): Promise<Results | undefined> => {
  try {
    const read = JSON.parse(await readFile(path, 'utf8')) as Results
    return read.v === 1 && Array.isArray(read.rows) ? read : undefined
  } catch {
    return undefined
  }
}

/** Writes the results to `path`, and their table beside it. */
export const writeResults = async (path: string, results: Results): Promise<void> => {
  const { cpu, cores, memoryGiB, system, node } = results.machine
  const machine = `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}.`
  await writeFile(path, `${JSON.stringify(results, undefined, 2)}\n`)
  await writeFile(tablePathOf(path), markdownOf(results.rows, machine))
}

export const tablePathOf = (path: string): string => path.replace(/(\.json)?$/, '.md')
