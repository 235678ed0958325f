/** Each call that a store makes to the system fails once, with each error it may fail with. */
import { join } from 'node:path'
import { realDisk } from '@session-recovery/adapter-fs'
import type { Row, Trial } from './row.js'
import { retention, type Scenario, scenariosIn, sceneOf } from './scenario.js'
import { eachInLanes, newScore, type Score } from './score.js'
import { checkStore } from './store-check.js'
import { callsIn, failingAt, straceHindrance, type TracedCall } from './strace.js'
import { noteAll, startWriter } from './writer-process.js'

// ------------------------------------------------------------------------------------------ model

/** What each call may fail with; one that is not listed: `EIO`. */
const errnos: Readonly<Record<string, readonly string[]>> = {
  openat: ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EMFILE'],
  pwrite64: ['EIO', 'ENOSPC', 'EDQUOT'],
  fdatasync: ['EIO', 'ENOSPC', 'EDQUOT'],
  fsync: ['EIO', 'ENOSPC', 'EDQUOT'],
  rename: ['EIO', 'ENOSPC', 'EROFS', 'EACCES'],
  unlink: ['EIO', 'EACCES'],
  mkdir: ['EIO', 'ENOSPC', 'EROFS', 'EACCES'],
  chmod: ['EIO', 'EPERM'],
  fchmod: ['EIO', 'EPERM'],
  statx: ['EIO', 'EACCES'],
}

interface Fault {
  readonly scenario: Scenario
  readonly syscall: string
  readonly errno: string
}

// ------------------------------------------------------------------------------------ combinators

const run = async (trial: Trial) => {
  const score = newScore(trial)
  const met = new Map<string, number>()
  const scenarios = await scenariosIn(join(trial.directory, 'scenarios'))
  const faults = scenarios.flatMap((scenario) =>
    [...scenario.trace.calls.keys()].flatMap((syscall) =>
      (errnos[syscall] ?? ['EIO']).map((errno): Fault => ({ scenario, syscall, errno })),
    ),
  )
  do {
    await eachInLanes(faults, async (fault, lane) => {
      const directory = join(trial.directory, `lane-${lane}`)
      let ordinal = 1
      while (await failedAt(fault, ordinal, directory, score)) ordinal += 1
      const what = `${fault.syscall} ${fault.errno}`
      met.set(what, Math.max(met.get(what) ?? 0, ordinal - 1))
    })
  } while (score.count() < trial.tries)
  const calls = [...met].map(([what, ordinals]) => `${what} ${ordinals}`).toSorted()
  return score.tally([`failed at each of: ${calls.join(', ')}`])
}

/** Whether it failed: there was a call of that ordinal. */
const failedAt = async (
  { scenario, syscall, errno }: Fault,
  ordinal: number,
  directory: string,
  score: Score,
): Promise<boolean> => {
  const { task, history, traceFile } = await sceneOf(scenario, directory)
  const at = task.directory
  const under = failingAt(syscall, errno, ordinal, at, scenario.trace, traceFile)
  const writer = startWriter(task, under)
  const { how, complaint } = await writer.gone
  const calls = await callsIn(traceFile)
  if (!calls.some(({ injected }) => injected)) return false
  noteAll(history, writer)
  const ended = writer.said.at(-1)
  const broken = [
    ...(how === '0' && complaint === '' ? [] : [`the writer ended with ${how}: ${complaint}`]),
    ...(ended?._tag === 'ended' ? [] : ['the writer did not come to its end']),
    // A real close gives the file up, whatever it answers; one that was not made does not.
    ...(ended?._tag === 'ended' && syscall !== 'close' ? ended.leftOpen : []).map(
      (file) => `${file} was left open`,
    ),
    // One call has failed, once: whoever asks again gets on.
    ...Object.entries(task.places).flatMap(([id, from]) =>
      history.places.get(id) === from + task.steps ? [] : [`session ${id} did not go on`],
    ),
    ...writtenAfterwards(calls, errno),
  ]
  // What was not flushed must not have been acknowledged: somebody was refused. A roll counts for nothing.
  const isOfRoll = calls.some(({ injected, path }) => injected && path.includes('.roll'))
  if (syscall === 'fdatasync' && !isOfRoll && history.refused === 0) {
    broken.push('nobody was told of it')
  }
  const { complaints, setAside } = await checkStore(at, retention, history)
  if (setAside > 0) broken.push(`${setAside} stretches are damaged`)
  const where = `${scenario.name}, ${errno} at ${syscall} ${ordinal}`
  score.tried([...broken, ...complaints].map((one) => `${where}: ${one}`))
  return true
}

const { aheadBytes = 0 } = realDisk

/**
 * After a write or a flush of a file has failed, that file is written never again. But where there is no room
 * for the blanks that are written ahead the log goes on without them: nothing was promised of them.
 */
const writtenAfterwards = (calls: readonly TracedCall[], errno: string): readonly string[] => {
  const failed = calls.findIndex(
    ({ syscall, injected }) => injected && (syscall === 'fdatasync' || syscall === 'pwrite64'),
  )
  const call = calls[failed]
  const hadBlanks = call?.syscall === 'pwrite64' && call.bytes > aheadBytes
  if (hadBlanks && errno === 'ENOSPC') return []
  const path = call?.path
  const later = calls.slice(failed + 1).filter((call) => call.path === path)
  const isNew = later.findIndex(({ creates, syscall }) => creates || syscall === 'rename')
  const written = later
    .slice(0, isNew === -1 ? later.length : isNew)
    .some(({ syscall }) => syscall === 'pwrite64' || syscall === 'fdatasync')
  return failed >= 0 && written ? [`${path} was written again`] : []
}

// -------------------------------------------------------------------------------------------- row

export const errnoRow: Row = {
  name: 'errno-at-call',
  promise:
    'nothing acknowledged is lost, and the store goes on, when any call fails with any error',
  tries: { ci: 400, soak: 4_000 },
  as: 'ordinary',
  missing: straceHindrance,
  run,
}
