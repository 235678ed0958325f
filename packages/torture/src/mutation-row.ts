/** Stores of which one file was changed: none crashes the store, and none takes another session with it. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { MutationReport, MutationShare } from './mutation-worker.js'
import type { Row, Tally, Trial } from './row.js'

const program = new URL('../dist/mutation-worker.js', import.meta.url)

const run = async ({ tries, seed, progress }: Trial): Promise<Tally> => {
  const threads = Math.min(availableParallelism(), tries)
  const each = Math.ceil(tries / threads)
  const reports: MutationReport[] = []
  const total = (of: (report: MutationReport) => number) =>
    reports.reduce((sum, report) => sum + (report === undefined ? 0 : of(report)), 0)
  const tried = () => total((report) => report.tried)
  await Promise.all(
    Array.from({ length: threads }, (_, thread) => {
      const from = seed + thread * each
      const to = Math.min(from + each, seed + tries)
      return thread * each >= tries
        ? undefined
        : lived({ from, to }, (report) => {
            reports[thread] = report
            progress(tried())
          })
    }),
  )
  const kinds = new Map<string, number>()
  for (const report of reports.filter((one) => one !== undefined)) {
    for (const [kind, count] of Object.entries(report.kinds)) {
      kinds.set(kind, (kinds.get(kind) ?? 0) + count)
    }
  }
  const told = [...kinds].sort().map(([kind, count]) => `${count} ${kind}`)
  const refused = total((report) => report.refused)
  return {
    tried: tried(),
    survived: tried() - total((report) => report.broken),
    lost: reports.flatMap((report) => report?.lost ?? []),
    notes: [`${told.join(', ')}; something was refused in ${refused}`],
  }
}

const lived = (share: MutationShare, told: (report: MutationReport) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(program, { workerData: share, execArgv: [] })
    worker.on('message', told)
    worker.once('error', reject)
    worker.once('exit', () => resolve())
  })

export const mutationRow: Row = {
  name: 'mutation',
  promise: 'a changed file is refused by name and field, and other sessions load',
  tries: { ci: 50_000, soak: 1_000_000 },
  as: 'ordinary',
  run,
}
