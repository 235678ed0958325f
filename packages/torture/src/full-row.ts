/** A disk that is really full, in the middle of the work, and whose power then goes. */
import { rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Chance, chance } from '@session-recovery/testkit'
import { retentions } from './kill-row.js'
import { type LoopMount, mountHindrance, withLoopMount } from './loop-mount.js'
import type { Row, Trial } from './row.js'
import { inLanes, newScore, type Score } from './score.js'
import { checkStore } from './store-check.js'
import { newHistory } from './store-history.js'
import { noteAll, startWriter, taskAfter } from './writer-process.js'

// ------------------------------------------------------------------------------------------ model

const imageBytes = 12 << 20
const fillsPerStore = 6
const mostSteps = 1_000_000

// ------------------------------------------------------------------------------------ combinators

const run = async (trial: Trial) => {
  const score = newScore(trial)
  let refused = 0
  await inLanes(async (lane) => {
    const random = chance(trial.seed + lane)
    while (score.count() < trial.tries)
      await withLoopMount(
        'ext4',
        trial.directory,
        random.pick,
        async (mounted) => {
          refused += await fillOften(mounted, random, trial, score)
        },
        imageBytes,
      )
  })
  return score.tally([`${refused} calls were refused with ENOSPC`])
}

const fillOften = async (mounted: LoopMount, random: Chance, trial: Trial, score: Score) => {
  const retention = random.pick([...retentions])
  const directory = join(mounted.at, 'store')
  const filler = join(mounted.at, 'filler')
  const history = newHistory()
  let refused = 0
  for (let fill = 0; fill < fillsPerStore && score.count() < trial.tries; fill++) {
    const { bavail, bsize } = await statfs(mounted.at)
    const left = random.whole(64, 512) << 10
    await writeFile(filler, Buffer.alloc(Math.max(0, bavail * bsize - left), 1), { flush: true })
    const bounds = { steps: mostSteps, checkpoints: mostSteps, turns: 1, archivesEach: 1 }
    const writer = startWriter(taskAfter(history, { directory, retention, ...bounds }))
    // It works until it is refused for good, whatever it asks for.
    const { how, complaint } = await writer.gone
    noteAll(history, writer)
    const full = writer.said.filter(
      (telling) => telling._tag === 'refused' && telling.problem.includes('ENOSPC'),
    )
    refused += full.length
    if (random.percent(50)) await mounted.cutter({ flushesLog: random.percent(30) }).cut()
    await mounted.again()
    await rm(filler, { force: true })
    const { complaints } = await checkStore(directory, retention, history)
    const broken = [
      ...(how === '0' && complaint === '' ? [] : [`the writer ended with ${how}: ${complaint}`]),
      ...(full.length > 0 ? [] : ['the disk was never full']),
      ...complaints,
    ]
    score.tried(broken.map((one) => `seed ${trial.seed}, fill ${fill} of a store: ${one}`))
    if (complaints.length > 0) break
  }
  return refused
}

// -------------------------------------------------------------------------------------------- row

export const fullRow: Row = {
  name: 'disk-full',
  promise: 'what was acknowledged is there after the disk was full, and its power went',
  tries: { ci: 12, soak: 300 },
  as: 'root',
  missing: () => mountHindrance('ext4'),
  run,
}
