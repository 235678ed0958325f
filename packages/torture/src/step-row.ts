/**
 * A store's life on a disk in memory, in which something happens at every single step: the process is
 * killed, the power goes, the disk fails, takes less than it was given, or does what it says has failed.
 * Commits, snapshots, archives, checkpoints, retention and what is removed are all in it, and so is the
 * start after a crash, which is crashed at every step itself.
 */

import type { Disk, DiskFile } from '@session-recovery/adapter-fs'
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
import { Writer, type WriterTask } from './store-work.js'
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

/** How a first life ends, and what then happens while the next one mends it. */
const seconds: readonly (readonly [End, Mishap, End])[] = [
  ['killed', 'ends', 'killed'],
  ['killed', 'ends', 'power gone'],
  ['killed', 'fails', 'power gone'],
  ['power gone', 'ends', 'power gone'],
  ['torn', 'ends', 'torn'],
]

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
      for (const [first, mishap, last] of seconds)
        await everyStep([{ mishap: 'ends', step, end: first }], mishap, last, random, score)
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
  for (const [life, { mishap, step, end }] of lives.entries()) {
    // Whoever opens the store finds this; until then it may still be lost again.
    const found = structuredClone(history)
    if (life > 0) await checkStore(directory, retention, found, disk.copy())
    const befallen = befalling(disk, mishap, step)
    // A checkpoint writes all there is once more, and would hide that something was missing.
    const lasting = { steps: life === 0 ? 7 : 2, checkpoints: life === 0 ? 2 : endsIn(mishap) }
    history = await liveOnce(befallen.disk, life === 0, lasting, history, found)
    happened = befallen.happened()
    if (end !== 'killed') disk = disk.cut(remainderOf(end, random))
  }
  const { complaints } = await checkStore(directory, retention, history, disk)
  return { happened, complaints }
}

/** Works on `disk` from what is found on it; returns what is promised afterwards. */
const liveOnce = async (
  disk: Disk,
  isNew: boolean,
  lasting: Pick<WriterTask, 'steps' | 'checkpoints'>,
  history: History,
  found: History,
): Promise<History> => {
  const places = isNew
    ? { a: 0, b: 0 }
    : { a: found.places.get('a') ?? 0, b: found.places.get('b') ?? 0 }
  const task = taskAfter(found, { directory, retention, turns: 1, places, ...lasting })
  let promised = history
  await new Writer(task, disk, (telling) => {
    if (telling._tag === 'opened' && !isNew) promised = found
    note(promised, telling)
  }).run()
  return promised
}

const endsIn = (mishap: Mishap): number => (mishap === 'ends' ? 1 : 0)

const befalling = (disk: Disk, mishap: Mishap, step: number) => {
  let count = 0
  const forgetting = new Set<string>()
  const befallen = probed(forgetful(disk, forgetting), ({ name, path }) => {
    if (changing.has(name)) count += 1
    if (mishap === 'ends' && count >= step) throw systemError('EIO')
    if (!changing.has(name) || count !== step) return undefined
    if (mishap === 'lies') return { failsAfterwards: 'EIO' }
    if (mishap === 'takes less' && name === 'write') return { takenBytes: 1 }
    if (name === 'sync') forgetting.add(path)
    throw systemError('ENOSPC')
  })
  return { disk: befallen, happened: () => count >= step }
}

/**
 * A flush of `forgetting` succeeds and does nothing: that one of the same file failed was told once, and
 * what it could not write is forgotten. A file of that name that is made anew is another.
 */
const forgetful = (disk: Disk, forgetting: Set<string>): Disk => {
  const file = (path: string, opened: DiskFile): DiskFile => ({
    ...opened,
    sync: async () => {
      if (!forgetting.has(path)) await opened.sync()
    },
  })
  return {
    ...disk,
    open: async (path) => file(path, await disk.open(path)),
    create: async (path) => {
      const created = await disk.create(path)
      forgetting.delete(path)
      return file(path, created)
    },
    rename: async (from, to) => {
      await disk.rename(from, to)
      forgetting.delete(to)
      if (forgetting.delete(from)) forgetting.add(to)
    },
  }
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
