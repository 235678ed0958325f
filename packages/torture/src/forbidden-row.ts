/** Directories of the store that its owner may not write into, or not enter, in the middle of the work. */
import { chmod, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { realDisk } from '@session-recovery/adapter-fs'
import { type Chance, chance } from '@session-recovery/testkit'
import { retentions } from './kill-row.js'
import type { Row, Trial } from './row.js'
import { newScore } from './score.js'
import { checkStore } from './store-check.js'
import { type History, newHistory, note, type Telling } from './store-history.js'
import { Writer } from './store-work.js'
import { taskAfter } from './writer-process.js'

// ------------------------------------------------------------------------------------------ model

const triesPerStore = 8
const steps = 12
const open = 0o700

// ------------------------------------------------------------------------------------ combinators

const run = async (trial: Trial) => {
  const score = newScore(trial)
  const random = chance(trial.seed)
  let forbidden = 0
  while (score.count() < trial.tries) {
    const directory = join(trial.directory, 'store')
    await mkdir(directory, { mode: open })
    const retention = random.pick([...retentions])
    const history = newHistory()
    for (let i = 0; i < triesPerStore && score.count() < trial.tries; i++) {
      const bounds = { steps, checkpoints: steps, turns: 1, archivesEach: 2 }
      const task = taskAfter(history, { directory, retention, ...bounds })
      const said = await forbidding(directory, random, history, (tell) =>
        new Writer(task, realDisk, tell).run(),
      )
      forbidden += said.filter(
        (telling) => telling._tag === 'refused' && telling.problem.includes('EACCES'),
      ).length
      const { complaints, setAside } = await checkStore(directory, retention, history)
      const torn = setAside === 0 ? [] : [`${setAside} stretches are damaged`]
      score.tried([...complaints, ...torn].map((one) => `seed ${trial.seed}, try ${i}: ${one}`))
    }
    await rm(directory, { recursive: true })
  }
  if (forbidden === 0) score.tried(['nothing was ever forbidden: this user may do anything'])
  return score.tally([`${forbidden} calls were refused with EACCES`])
}

/** Shuts one of the directories after the writer has said something, and opens it again when it is done. */
const forbidding = async (
  directory: string,
  random: Chance,
  history: History,
  work: (tell: (telling: Telling) => void) => Promise<void>,
): Promise<readonly Telling[]> => {
  const shut = join(directory, random.pick(['log', 'archives', 'quarantine', '.']))
  const mode = random.pick([0o000, 0o500, 0o600])
  const lines = random.whole(1, 60)
  const said: Telling[] = []
  let shutting: Promise<void> = Promise.resolve()
  await work((telling) => {
    said.push(telling)
    note(history, telling)
    if (said.length === lines) shutting = chmod(shut, mode)
  })
  await shutting
  await chmod(shut, open).catch(() => undefined)
  return said
}

// -------------------------------------------------------------------------------------------- row

export const forbiddenRow: Row = {
  name: 'forbidden',
  promise: 'what was acknowledged is there when the store was not allowed to write on',
  tries: { ci: 100, soak: 3_000 },
  as: 'ordinary',
  run,
}
