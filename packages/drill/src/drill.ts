/**
 * The drill as a person runs it: which rows, what is missing for them, progress, the table, the totals.
 */
import { availableParallelism } from 'node:os'
import { styleText } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import { createLogUpdate } from 'log-update'
import type { Played } from './play.js'
import { type Row, rowName } from './row.js'
import { run } from './run.js'
import { rowsFor } from './selection.js'
import { isMiss, jsonOf, lineOf, missesOf, tableOf } from './show.js'
import { missingFor } from './subject.js'

// ------------------------------------------------------------------------------------------ model

/** What can be said on the command line. */
export interface DrillOptions {
  readonly shell?: readonly string[]
  readonly fault?: readonly string[]
  readonly strategy?: readonly string[]
  readonly jobs?: string
  readonly json?: true
  readonly keep?: true
}

const exitStatus = { well: 0, missed: 1, usage: 64 } as const
const usualColumns = 120

// ------------------------------------------------------------------------------------ combinators

/** Runs the drill; resolves to the exit status. */
export const drill = async (options: DrillOptions): Promise<number> => {
  const { shell = [], fault = [], strategy = [], json = false, keep = false } = options
  const complain = (text: string) => process.stderr.write(`drill: ${text}\n`)
  const jobs = Number(options.jobs ?? availableParallelism() + 1)
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
  for (const name of missing)
    complain(`${name} is not installed: the rows that need it are skipped`)
  const say = (text: string) => void (json ? process.stderr : process.stdout).write(text)
  const beganMs = performance.now()
  const progress = progressOn(json ? process.stderr : process.stdout, rows.length)
  const { rows: played, directory } = await run(rows, { jobs, keep, ...progress })
  progress.end()
  const seconds = (performance.now() - beganMs) / 1_000
  const failed = played.filter(isMiss).length + (process.env.CI === 'true' ? missing.length : 0)
  if (json) {
    const summary = { rows: played.map(jsonOf), missing, seconds }
    process.stdout.write(`${JSON.stringify(summary, undefined, 2)}\n`)
  } else {
    say(tableOf(played, process.stdout.columns ?? usualColumns))
    say(missesOf(played))
    say(totalsOf(played, missing, seconds))
  }
  if (keep) say(`What was stored is in ${directory}\n`)
  return failed === 0 ? exitStatus.well : exitStatus.missed
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

// ---------------------------------------------------------------------------------------- progress

interface Progress {
  readonly began: (row: Row) => void
  readonly ended: (played: Played) => void
  readonly end: () => void
}

const progressOn = (stream: NodeJS.WriteStream, total: number): Progress =>
  stream.isTTY ? redrawn(stream, total) : plain(stream, total)

const plain = (stream: NodeJS.WriteStream, total: number): Progress => {
  let done = 0
  return {
    began: () => {},
    ended: (played) => {
      done += 1
      stream.write(`${String(done).padStart(String(total).length)}/${total} ${lineOf(played)}\n`)
    },
    end: () => {},
  }
}

const redrawn = (stream: NodeJS.WriteStream, total: number): Progress => {
  const update = createLogUpdate(stream)
  const playing = new Set<Row>()
  let done = 0
  let missed = 0
  const draw = () => {
    // What does not fit is left out: a line that wraps would make the view jump.
    const cut = (text: string) => text.slice(0, Math.max(20, stream.columns - 1))
    const count = `${done} of ${total} rows${missed === 0 ? '' : `, ${missed} not as expected`}`
    const rows = [...playing].map((row) => styleText('dim', cut(`  ${rowName(row)}`), { stream }))
    update([cut(count), ...rows].join('\n'))
  }
  return {
    began: (row) => {
      playing.add(row)
      draw()
    },
    ended: (played) => {
      playing.delete(played.row)
      done += 1
      if (isMiss(played)) {
        missed += 1
        update.clear()
        stream.write(`${lineOf(played)}\n`)
      }
      draw()
    },
    end: () => {
      update.clear()
      update.done()
    },
  }
}
