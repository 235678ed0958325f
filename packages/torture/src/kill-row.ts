/** kill -9 of a process that writes, at any moment, and another that goes on where it stopped. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Chance, chance } from '@session-recovery/testkit'
import type { Row, Trial } from './row.js'
import { inLanes, newScore, type Score } from './score.js'
import { checkStore } from './store-check.js'
import { type History, newHistory, type Retention } from './store-history.js'
import { noteAll, startWriter, taskAfter } from './writer-process.js'

// ------------------------------------------------------------------------------------------ model

const killsPerStore = 40
const mostSteps = 1_000_000

/** One that keeps all there is in these stores, and one that keeps little. */
export const retentions: readonly [Retention, Retention] = [
  { journalEntriesPerSession: 200, forgottenSessions: 1_000 },
  { journalEntriesPerSession: 5, forgottenSessions: 1 },
]

// ------------------------------------------------------------------------------------ combinators

const run = async (trial: Trial) => {
  const score = newScore(trial)
  let lines = 0
  await inLanes(async (lane) => {
    const random = chance(trial.seed + lane)
    while (score.count() < trial.tries) {
      const directory = join(trial.directory, `lane-${lane}`)
      await mkdir(directory)
      lines += await killOften(join(directory, 'store'), random, trial, score)
      await rm(directory, { recursive: true })
    }
  })
  return score.tally([`${lines} acknowledgements`])
}

const killOften = async (directory: string, random: Chance, trial: Trial, score: Score) => {
  const retention = random.pick([...retentions])
  const history = newHistory()
  let lines = 0
  for (let kill = 0; kill < killsPerStore && score.count() < trial.tries; kill++) {
    lines += await killed(directory, retention, history, random)
    const { complaints, setAside } = await checkStore(directory, retention, history)
    const torn = setAside === 0 ? [] : [`${setAside} stretches are damaged`]
    const replay = `seed ${trial.seed}, kill ${kill} of a store`
    score.tried([...complaints, ...torn].map((one) => `${replay}: ${one}`))
    if (complaints.length > 0) break
  }
  return lines
}

/** Lets a writer go on for a while and kills it. */
const killed = async (
  directory: string,
  retention: Retention,
  history: History,
  random: Chance,
): Promise<number> => {
  const bounds = { steps: mostSteps, checkpoints: mostSteps, turns: random.whole(0, 2) }
  const writer = startWriter(taskAfter(history, { directory, retention, ...bounds }))
  // Now and then before it has said anything: while it reads what the one before has left.
  const lines = random.percent(15) ? 0 : random.whole(1, 250)
  if (lines > 0) await writer.hasSaid(lines)
  await new Promise((resolve) => setTimeout(resolve, random.whole(0, lines === 0 ? 300 : 6)))
  writer.kill()
  const { how, complaint } = await writer.gone
  if (how !== 'SIGKILL' || complaint !== '')
    throw new Error(`the writer ended by itself: ${complaint}`)
  noteAll(history, writer)
  return writer.said.length
}

// -------------------------------------------------------------------------------------------- row

export const killRow: Row = {
  name: 'kill',
  promise: 'what was acknowledged is there after kill -9, and nothing torn is',
  tries: { ci: 100, soak: 5_000 },
  as: 'ordinary',
  run,
}
