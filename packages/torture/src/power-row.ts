/**
 * Power cuts on real filesystems: a writer is at work, the filesystem under it is shut down, and when it
 * is mounted again what the writer was told to be durable is there.
 */
import { join } from 'node:path'
import { type Chance, chance } from '@session-recovery/testkit'
import { retentions } from './kill-row.js'
import {
  type Filesystem,
  filesystems,
  type LoopMount,
  mountHindrance,
  withLoopMount,
} from './loop-mount.js'
import { type Met, type Moment, newMet, writeUntilCut } from './power-cut.js'
import type { Row, Trial } from './row.js'
import { inLanes, newScore, type Score } from './score.js'
import { checkStore } from './store-check.js'
import { newHistory } from './store-history.js'
import { taskAfter } from './writer-process.js'

// ------------------------------------------------------------------------------------------ model

const cutsPerStore = 12
const mostSteps = 1_000_000

// ------------------------------------------------------------------------------------ combinators

const run = async (filesystem: Filesystem, trial: Trial) => {
  const score = newScore(trial)
  const met = newMet()
  await inLanes(async (lane) => {
    const random = chance(trial.seed + lane)
    while (score.count() < trial.tries)
      await withLoopMount(filesystem, trial.directory, random.pick, (mounted) =>
        cutOften(mounted, random, trial, score, met),
      )
  })
  return score.tally([
    `${met.acknowledged} acknowledgements before the cuts, ${met.unsure} during them; ${met.refused} calls were refused by a disk that was gone, ` +
      `${met.setAside} torn ends of what was never acknowledged set aside`,
  ])
}

const cutOften = async (
  mounted: LoopMount,
  random: Chance,
  trial: Trial,
  score: Score,
  met: Met,
) => {
  const retention = random.pick([...retentions])
  const directory = join(mounted.at, 'store')
  const history = newHistory()
  const taskOf = () => {
    const bounds = { steps: mostSteps, checkpoints: mostSteps, turns: random.whole(0, 2) }
    return taskAfter(history, { directory, retention, ...bounds })
  }
  for (let cut = 0; cut < cutsPerStore && score.count() < trial.tries; cut++) {
    // Now and then nobody writes: what the check has just been handed must be there again.
    const wrong: string[] = []
    if (cut === 0 || random.percent(85))
      wrong.push(...(await writeUntilCut(mounted, taskOf(), history, momentOf(random), met)))
    else await mounted.cutter({ flushesLog: random.percent(30) }).cut()
    await mounted.again()
    const { complaints, setAside } = await checkStore(directory, retention, history)
    met.setAside += setAside
    score.tried(
      [...wrong, ...complaints].map((one) => `seed ${trial.seed}, cut ${cut} of a store: ${one}`),
    )
    if (complaints.length > 0) return
  }
}

// Now and then before the writer has said anything: while it reads what is there.
const momentOf = (random: Chance): Moment => {
  const lines = random.percent(10) ? 0 : random.whole(1, 200)
  const delayMs = random.whole(0, lines === 0 ? 300 : 6)
  return { lines, delayMs, flushesLog: random.percent(30) }
}

// ------------------------------------------------------------------------------------------- rows

const names: Readonly<Record<Filesystem, string>> = {
  ext4: 'ext4',
  'ext4-writeback': 'ext4, data=writeback',
  xfs: 'XFS',
}

/** One for each filesystem. */
export const powerRows: readonly Row[] = filesystems.map((filesystem) => ({
  name: `power-${filesystem}`,
  promise: `what was acknowledged is there after a power cut (${names[filesystem]})`,
  tries: { ci: 34, soak: 667 },
  as: 'root',
  missing: () => mountHindrance(filesystem),
  run: (trial) => run(filesystem, trial),
}))
