/**
 * Ten thousand updates of a thousand sessions at once, beside one of each: those that wait together are one
 * snapshot, the latest, and nobody is told `updated` of what is older than what it gave.
 */
import { join } from 'node:path'
import { fileStore } from '@session-recovery/adapter-fs'
import { policyFrom } from '@session-recovery/core'
import { createEngine, type Engine } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { durationMs, inPairs } from './pairing.js'
import { bulkOf, callers, idleDriver, idOf, sessionOptions } from './population.js'
import { atMost, type Measured, type Row, type Trial } from './row.js'

const updatesPerSession = 10

const started = async (directory: string): Promise<Engine> => {
  const policy = policyFrom({ storeOutput: true })
  if (E.isLeft(policy)) throw new Error(policy.left.message)
  const store = fileStore({ directory: join(directory, 'store') })
  const engine = createEngine({ policy: policy.right, driver: idleDriver, store })
  await engine.start()
  for (let i = 0; i < callers; i++) await engine.register(idOf(i), { sessionOptions })
  return engine
}

const measured = async ({ rounds, directory, progress }: Trial): Promise<Measured> => {
  const engine = await started(directory)
  let turn = 0
  /** Updates every session `times`, all in one turn of the loop. */
  const updateAll = async (times: number): Promise<void> => {
    const bulks = Array.from({ length: times }, () => bulkOf(++turn))
    const updates = bulks.flatMap((bulk) =>
      Array.from({ length: callers }, async (_, i) => {
        const updated = await engine.update(idOf(i), bulk)
        if (updated._tag !== 'updated' || !updated.durable) throw new Error(updated._tag)
      }),
    )
    await Promise.all(updates)
    const kept = await engine.snapshot(idOf(turn % callers))
    if (kept?.outputBuffer[0] !== bulks.at(-1)?.outputBuffer[0]) throw new Error('not the latest')
  }
  const pairs = await inPairs({
    rounds,
    measured: () => durationMs(() => updateAll(updatesPerSession)),
    reference: () => durationMs(() => updateAll(1)),
    progress,
    warmUps: 2,
  })
  await engine.destroy()
  const what = '10,000 updates of 20 KB over 1,000 sessions in a burst'
  const reference = '1,000 acknowledged snapshots'
  return { figures: [{ what, unit: 'ms', reference, pairs, bound: atMost(1.5) }] }
}

export const burstRow: Row = {
  name: 'burst',
  what: '10,000 updates over 1,000 sessions in a burst: latest wins, nothing older is acknowledged',
  rounds: 7,
  run: measured,
}
