/**
 * The drill as a person runs it: which rows, what is missing for them, progress, the table, the totals;
 * of everything, also how well what stands in a foreground is told apart.
 */
import { availableParallelism } from 'node:os'
import * as E from 'fp-ts/lib/Either.js'
import { createLogUpdate } from 'log-update'
import { confusion } from './confusion.js'
import { type ConfusionReport, matrixText } from './confusion-report.js'
import type { Played } from './play.js'
import { progressOn } from './progress.js'
import type { Row } from './row.js'
import { run } from './run.js'
import { rowsFor } from './selection.js'
import { isMiss, jsonOf, missesOf, tableOf } from './show.js'
import { missingFor } from './subject.js'

// ------------------------------------------------------------------------------------------ model

/** What can be said on the command line. */
export interface DrillOptions {
  readonly shell?: readonly string[]
  readonly fault?: readonly string[]
  readonly strategy?: readonly string[]
  readonly jobs?: string
  readonly json?: boolean
  readonly keep?: boolean
}

const exitStatus = { well: 0, missed: 1, usage: 64 } as const
const usualColumns = 120

// ------------------------------------------------------------------------------------ combinators

/** Runs the drill; resolves to the exit status. */
export const drill = async (options: DrillOptions): Promise<number> => {
  const { shell = [], fault = [], strategy = [] } = options
  const complain = (text: string) => process.stderr.write(`drill: ${text}\n`)
  const jobs = Number(options.jobs ?? 2 * availableParallelism())
  const chosen = rowsFor({ shells: shell, faults: fault, strategies: strategy })
  if (E.isLeft(chosen)) {
    complain(chosen.left.message)
    return exitStatus.usage
  }
  if (!Number.isInteger(jobs) || jobs < 1) {
    complain(`--jobs must be a whole number of at least 1, not ${options.jobs}`)
    return exitStatus.usage
  }
  const rows = chosen.right.filter(({ subject }) => missingFor(subject).length === 0)
  const missing = [...new Set(chosen.right.flatMap(({ subject }) => missingFor(subject)))]
  for (const name of missing) {
    complain(`${name} is not installed: the rows that need it are skipped`)
  }
  const isWhole = shell.length + fault.length + strategy.length === 0
  const interruption = interrupted()
  const result = await played(rows, { ...options, jobs, isWhole, ...interruption })
  interruption.ignore()
  show(result, missing, options)
  if (interruption.status() !== undefined) return interruption.status() ?? exitStatus.missed
  const isCi = process.env.CI === 'true'
  const leftOut = result.report?.leftOut.map(({ name }) => name) ?? []
  if (isCi && leftOut.length > 0) complain(`left out, which fails in CI: ${leftOut.join(', ')}`)
  return statusOf(result, missing, isCi)
}

/** The exit status of what was played: in CI what is left out for want of a program fails, too. */
export const statusOf = (
  { rows, report }: Pick<Result, 'rows' | 'report'>,
  missing: readonly string[],
  isCi: boolean,
): number => {
  const missed = rows.filter(isMiss).length + (report?.misses.length ?? 0)
  const leftOut = missing.length + (report?.leftOut.length ?? 0)
  return missed === 0 && (leftOut === 0 || !isCi) ? exitStatus.well : exitStatus.missed
}

interface Result {
  readonly rows: readonly Played[]
  /** Of a drill of everything. */
  readonly report: ConfusionReport | undefined
  readonly directory: string
  readonly seconds: number
}

interface Playing extends Pick<DrillOptions, 'json' | 'keep'> {
  readonly jobs: number
  readonly isWhole: boolean
  readonly isCalledOff: () => boolean
}

const played = async (
  rows: readonly Row[],
  { jobs, isWhole, json, keep = false, isCalledOff }: Playing,
): Promise<Result> => {
  const stream = json ? process.stderr : process.stdout
  const beganMs = performance.now()
  const progress = progressOn(stream, rows.length)
  const ran = await run(rows, { jobs, keep, isCalledOff, ...progress })
  progress.end()
  const report = isWhole && !isCalledOff() ? await toldApart(stream, jobs) : undefined
  return { ...ran, report, seconds: (performance.now() - beganMs) / 1_000 }
}

const toldApart = async (stream: NodeJS.WriteStream, jobs: number): Promise<ConfusionReport> => {
  const update = stream.isTTY ? createLogUpdate(stream) : undefined
  const report = await confusion({
    sideBySide: jobs,
    onProgress: ({ name, verdict }, done, total) => {
      const line = `what stands in the foreground: ${done} of ${total}`
      if (update !== undefined) update(line)
      else if (verdict === 'miss') stream.write(`${line}: ${name} was missed\n`)
    },
  })
  update?.clear()
  update?.done()
  return report
}

const show = (
  { rows, report, directory, seconds }: Result,
  missing: readonly string[],
  { json = false, keep = false }: DrillOptions,
): void => {
  if (json) {
    const summary = { rows: rows.map(jsonOf), confusion: report ?? null, missing, seconds }
    process.stdout.write(`${JSON.stringify(summary, undefined, 2)}\n`)
  } else {
    process.stdout.write(tableOf(rows, process.stdout.columns ?? usualColumns))
    process.stdout.write(missesOf(rows))
    if (report !== undefined) process.stdout.write(`${matrixText(report)}\n`)
    process.stdout.write(totalsOf(rows, missing, seconds))
  }
  const where = json ? process.stderr : process.stdout
  if (keep) where.write(`What was stored is in ${directory}\n`)
}

const signals = { SIGINT: 130, SIGTERM: 143 } as const

/** Once interrupted, no further row is begun; what is under way is closed. */
const interrupted = () => {
  let status: number | undefined
  const heard = (signal: keyof typeof signals): void => {
    status = signals[signal]
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, heard)
  return {
    status: () => status,
    isCalledOff: () => status !== undefined,
    ignore: () => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, heard)
    },
  }
}

const totalsOf = (
  played: readonly Played[],
  missing: readonly string[],
  seconds: number,
): string => {
  const count = (tag: string) => played.filter(({ end }) => end?._tag === tag).length
  const missed = played.filter(isMiss).length
  return [
    `${played.length} rows in ${seconds.toFixed(1)} s: `,
    `${count('incident-recovered')} recovered, ${count('incident-exhausted')} archived, `,
    `${missed} not as expected`,
    missing.length === 0 ? '.\n' : `; not installed: ${missing.join(', ')}.\n`,
  ].join('')
}
