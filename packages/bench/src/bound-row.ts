/**
 * Attempts and history are bounded: what a session takes of memory that failed over and over, beside one that
 * failed ten times. Each failure is used up to its last attempt and reset.
 */

import { join } from 'node:path'
import { fileStore } from '@session-recovery/adapter-fs'
import { type Failure, policyFrom, type RunOutcome } from '@session-recovery/core'
import { createEngine, type Engine } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { instantDriver } from './instant-driver.js'
import { heapBytes, idOf } from './population.js'
import { atMost, type Measured, type Pair, type Row, type Trial } from './row.js'

// Fewer, and what an engine takes for itself would hide what each takes.
const sessions = 200
const few = 10
const failures = Number(process.env.FAILURES ?? 40)

const failure: Failure = {
  kind: 'process-died',
  reason: 'process killed by SIGKILL',
  interactivity: 'none',
  permanent: false,
  evidence: [],
}
const missed: RunOutcome = { _tag: 'failed', detail: 'it did not come back' }

const started = async (directory: string): Promise<Engine> => {
  const policy = policyFrom({ recoveryDelay: 0, snapshotInterval: 0 })
  if (E.isLeft(policy)) throw new Error(policy.left.message)
  const driver = { ...instantDriver(false), run: () => TE.right(missed) }
  const engine = createEngine({ policy: policy.right, driver, store: fileStore({ directory }) })
  await engine.start()
  for (let i = 0; i < sessions; i++) await engine.register(idOf(i), { attended: false })
  return engine
}

const fail = async (engine: Engine, times: number): Promise<void> => {
  for (let turn = 0; turn < times; turn++) {
    await Promise.all(
      Array.from({ length: sessions }, async (_, i) => {
        const ended = await engine.recover(idOf(i), failure)
        if (ended._tag !== 'exhausted') throw new Error(`a session ended ${ended._tag}`)
        await engine.reset(idOf(i))
      }),
    )
  }
}

const measured = async ({ rounds, directory, progress }: Trial): Promise<Measured> => {
  // The first engine brings its code with it.
  const warm = await started(join(directory, 'warm'))
  await fail(warm, few)
  await warm.destroy()
  const pairs: Pair[] = []
  const halves: Pair[] = []
  for (let round = 1; round <= rounds; round++) {
    const before = heapBytes()
    const engine = await started(join(directory, String(round)))
    await fail(engine, few)
    const reference = (heapBytes() - before) / sessions
    let half = 0
    for (let done = few; done < failures; done += few) {
      if (done * 2 >= failures && half === 0) half = (heapBytes() - before) / sessions
      progress(`round ${round} of ${rounds}: failure ${done} of ${failures}`)
      await fail(engine, few)
    }
    const whole = (heapBytes() - before) / sessions
    pairs.push({ measured: whole, reference })
    halves.push({ measured: whole, reference: half })
    await engine.destroy()
  }
  const what = `memory of a session that failed ${failures} times, of ${sessions}`
  const reference = 'the same after ten'
  return {
    figures: [
      { what, unit: 'bytes', reference, pairs, bound: atMost(1.1) },
      { what, unit: 'bytes', reference: 'after half of them', pairs: halves, bound: atMost(1.1) },
    ],
  }
}

export const boundRow: Row = {
  name: 'bounded',
  what: 'a session that fails over and over costs no more memory than one that failed ten times',
  rounds: 1,
  run: measured,
}
