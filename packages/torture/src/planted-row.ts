/**
 * The power cuts are checked themselves: with any one flush left out, they must find something lost. What
 * is never seen to be missed would not be seen to be broken either.
 */
import { join } from 'node:path'
import { type Chance, chance } from '@session-recovery/testkit'
import { retentions } from './kill-row.js'
import { type Filesystem, type LoopMount, mountHindrance, withLoopMount } from './loop-mount.js'
import { newMet, writeUntilCut } from './power-cut.js'
import type { Row, Trial } from './row.js'
import { eachInLanes, newScore } from './score.js'
import { checkStore } from './store-check.js'
import { newHistory } from './store-history.js'
import { type Flush, flushes } from './without-flush.js'
import { taskAfter } from './writer-process.js'

// ------------------------------------------------------------------------------------------ model

/** How often the power is cut at most until something must have been lost. */
const mostCuts = 80
const mostSteps = 1_000_000

const filesystems: readonly Filesystem[] = ['ext4-writeback', 'xfs']

// ------------------------------------------------------------------------------------ combinators

const run = async (trial: Trial) => {
  const score = newScore(trial)
  const notes: string[] = []
  const plants = flushes.flatMap((without) =>
    filesystems.map((filesystem) => ({ without, filesystem })),
  )
  const rounds = Math.ceil(trial.tries / plants.length)
  const all = Array.from({ length: rounds }, () => plants).flat()
  await eachInLanes(all, async ({ without, filesystem }, lane) => {
    const random = chance(trial.seed + 1_000 * lane + score.count())
    await withLoopMount(filesystem, trial.directory, random.pick, async (mounted) => {
      const found = await cutsUntilLost(mounted, without, random)
      const what = `without the flush of the ${without} on ${filesystem}`
      if (found === undefined) score.tried([`${what} nothing was lost in ${mostCuts} cuts`])
      else {
        score.tried([])
        notes.push(`${what}: cut ${found.cuts}: ${found.loss}`)
      }
    })
  })
  return score.tally(notes)
}

// It rests between what it writes: what one flush leaves out, the next would take along.
const cutsUntilLost = async (mounted: LoopMount, without: Flush, random: Chance) => {
  const [retention] = retentions
  for (let cuts = 1; cuts <= mostCuts; cuts++) {
    const directory = join(mounted.at, `store-${cuts}`)
    const history = newHistory()
    const pace = { turns: 1, restMs: 10, archivesEach: 1, places: { a: 0 }, without }
    // A checkpoint flushes what the log did not.
    const bounds = { steps: mostSteps, checkpoints: without === 'log' ? 0 : mostSteps }
    const task = taskAfter(history, { directory, retention, ...bounds, ...pace })
    const moment = { lines: random.whole(5, 40), delayMs: random.whole(0, 4), flushesLog: false }
    await writeUntilCut(mounted, task, history, moment, newMet())
    await mounted.again()
    const { complaints } = await checkStore(directory, retention, history)
    if (complaints[0] !== undefined) return { cuts, loss: complaints[0] }
  }
  return undefined
}

// -------------------------------------------------------------------------------------------- row

const plantedTries = flushes.length * filesystems.length

export const plantedRow: Row = {
  name: 'power-without-flush',
  promise: 'no flush is idle: with any one left out, a power cut is seen to lose something',
  tries: { ci: plantedTries, soak: 5 * plantedTries },
  as: 'root',
  missing: () => filesystems.map(mountHindrance).find((hindrance) => hindrance !== undefined),
  run,
}
