/** SIGKILL at each call that a store makes to the system, one after the other, until it has got through. */
import { join } from 'node:path'
import type { Row, Trial } from './row.js'
import { retention, type Scenario, scenariosIn, sceneOf } from './scenario.js'
import { eachInLanes, newScore, type Score } from './score.js'
import { checkStore } from './store-check.js'
import { killingAt, straceHindrance } from './strace.js'
import { noteAll, startWriter } from './writer-process.js'

// ------------------------------------------------------------------------------------ combinators

const run = async (trial: Trial) => {
  const score = newScore(trial)
  const met = new Map<string, number>()
  const scenarios = await scenariosIn(join(trial.directory, 'scenarios'))
  const each = scenarios.flatMap((scenario) =>
    [...scenario.trace.calls.keys()].map((syscall) => ({ scenario, syscall })),
  )
  do {
    await eachInLanes(each, async ({ scenario, syscall }, lane) => {
      const directory = join(trial.directory, `lane-${lane}`)
      let ordinal = 1
      while (await killedAt(scenario, syscall, ordinal, directory, score)) ordinal += 1
      met.set(syscall, Math.max(met.get(syscall) ?? 0, ordinal - 1))
    })
  } while (score.count() < trial.tries)
  const calls = [...met].map(([syscall, ordinals]) => `${syscall} ${ordinals}`).toSorted()
  return score.tally([`killed at each of: ${calls.join(', ')}`])
}

/** Whether it was killed: there was a call of that ordinal. */
const killedAt = async (
  scenario: Scenario,
  syscall: string,
  ordinal: number,
  directory: string,
  score: Score,
): Promise<boolean> => {
  const { task, history } = await sceneOf(scenario, directory)
  const writer = startWriter(task, killingAt(syscall, ordinal, task.directory, scenario.trace))
  const { how, complaint } = await writer.gone
  if (how === '0') return false
  noteAll(history, writer)
  const { complaints, setAside } = await checkStore(task.directory, retention, history)
  const where = `${scenario.name}, killed at ${syscall} ${ordinal}`
  const broken = [
    ...(how === 'SIGKILL' && complaint === '' ? [] : [`it ended with ${how}: ${complaint}`]),
    ...(setAside === 0 ? [] : [`${setAside} stretches are damaged`]),
    ...complaints,
  ]
  score.tried(broken.map((one) => `${where}: ${one}`))
  return true
}

// -------------------------------------------------------------------------------------------- row

export const killAtCallRow: Row = {
  name: 'kill-at-call',
  promise: 'what was acknowledged is there after SIGKILL at any call to the system',
  tries: { ci: 200, soak: 2_000 },
  as: 'ordinary',
  missing: straceHindrance,
  run,
}
