/**
 * A store's life on a disk in memory, in which something happens at every single step: the process is
 * killed, the power goes, the disk fails, takes less than it was given, or does what it says has failed.
 * Commits, snapshots, archives, checkpoints, retention and what is removed are all in it, and so is the
 * start after a crash, which is crashed at every step itself.
 */

import type { Disk } from '@session-recovery/adapter-fs'
import {
  type Chance,
  chance,
  changing,
  memoryDisk,
  probed,
  systemError,
} from '@session-recovery/testkit'
import type { Row, Trial } from './row.js'
import { retention } from './scenario.js'
import { newScore, type Score } from './score.js'
import { checkStore } from './store-check.js'
import { type History, newHistory, note } from './store-history.js'
import { Writer } from './store-work.js'
import { taskAfter } from './writer-process.js'

// ------------------------------------------------------------------------------------------ model

/** What happens at a step: the end of the process, or an error after which it goes on. */
const mishaps = ['ends', 'fails', 'lies', 'takes less'] as const
type Mishap = (typeof mishaps)[number]

/** What is left of what was not flushed, at the end of the process: all of it, nothing, or any part. */
const ends = ['killed', 'power gone', 'power gone, names kept', 'torn'] as const
type End = (typeof ends)[number]

/** One life of a store. */
interface Life {
  readonly mishap: Mishap
  /** The change of the disk at which it happens, counted from 1. */
  readonly step: number
  readonly end: End
}

const directory = '/data/store'

// ------------------------------------------------------------------------------------ combinators

const run = async (trial: Trial) => {
  const score = newScore(trial)
  const random = chance(trial.seed)
  let rounds = 0
  let steps = 0
  do {
    rounds += 1
    for (const mishap of mishaps)
      for (const end of ends)
        steps = Math.max(steps, await everyStep([], mishap, end, random, score))
    // A second crash while the first is being mended: in CI after one in so many.
    const stride = trial.size === 'soak' ? 1 : 7
    for (let step = random.whole(1, stride); step <= steps; step += stride)
      for (const end of ['killed', 'power gone', 'torn'] as const)
        await everyStep([{ mishap: 'ends', step, end }], 'ends', end, random, score)
  } while (score.count() < trial.tries)
  return score.tally([`${rounds} times ${steps} steps, of which each was the last`])
}

/** Has `mishap` happen at each step after `before`; returns how many steps there are. */
const everyStep = async (
  before: readonly Life[],
  mishap: Mishap,
  end: End,
  random: Chance,
  score: Score,
): Promise<number> => {
  for (let step = 1; ; step++) {
    const lives = [...before, { mishap, step, end }]
    const { happened, complaints } = await lived(lives, random)
    if (!happened) return step - 1
    score.tried(complaints.map((one) => `${JSON.stringify(lives)}: ${one}`))
  }
}

/** Lives one life after the other, and looks at what is left; whether the last mishap came to happen. */
const lived = async (lives: readonly Life[], random: Chance) => {
  let disk = memoryDisk()
  let history = newHistory()
  let happened = false
  for (const { mishap, step, end } of lives) {
    // Whoever opens the store finds this; until then it may still be lost again.
    const found = structuredClone(history)
    if (history.places.size > 0) await checkStore(directory, retention, found, disk.copy())
    const befallen = befalling(disk, mishap, step)
    history = await liveOnce(befallen.disk, history, found)
    happened = befallen.happened()
    if (end !== 'killed') disk = disk.cut(remainderOf(end, random))
  }
  const { complaints } = await checkStore(directory, retention, history, disk)
  return { happened, complaints }
}

/** Works on `disk` from what is found on it; returns what is promised afterwards. */
const liveOnce = async (disk: Disk, history: History, found: History): Promise<History> => {
  const isNew = history.places.size === 0
  const places = isNew
    ? { a: 0, b: 0 }
    : { a: found.places.get('a') ?? 0, b: found.places.get('b') ?? 0 }
  const lasting = isNew ? { steps: 7, checkpoints: 2 } : { steps: 2, checkpoints: 1 }
  const task = taskAfter(found, { directory, retention, turns: 1, places, ...lasting })
  let promised = history
  await new Writer(task, disk, (telling) => {
    if (telling._tag === 'opened' && !isNew) promised = found
    note(promised, telling)
  }).run()
  return promised
}

const befalling = (disk: Disk, mishap: Mishap, step: number) => {
  let count = 0
  const befallen = probed(disk, ({ name }) => {
    if (changing.has(name)) count += 1
    if (mishap === 'ends' && count >= step) throw systemError('EIO')
    if (!changing.has(name) || count !== step) return undefined
    if (mishap === 'lies') return { failsAfterwards: 'EIO' }
    if (mishap === 'takes less' && name === 'write') return { takenBytes: 1 }
    throw systemError('ENOSPC')
  })
  return { disk: befallen, happened: () => count >= step }
}

const remainderOf = (end: End, random: Chance) => {
  if (end === 'power gone') return () => 0
  const chances = 1_000
  let isFirst = true
  return () => {
    const names = isFirst && end === 'power gone, names kept'
    isFirst = false
    if (names) return 1 - 1 / chances
    return end === 'torn' ? random.whole(0, chances - 1) / chances : 0
  }
}

// -------------------------------------------------------------------------------------------- row

export const stepRow: Row = {
  name: 'crash-at-step',
  promise: 'what was acknowledged is there when any step of any operation is the last, or fails',
  tries: { ci: 2_000, soak: 20_000 },
  as: 'ordinary',
  run,
}
