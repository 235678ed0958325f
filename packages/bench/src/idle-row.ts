/**
 * The heap of a session at rest: all that a running engine and its store keep of it to plan for it. Its
 * snapshot's bulk and its journal stand on the disk.
 */
import { join } from 'node:path'
import { fileStore } from '@session-recovery/adapter-fs'
import { createEngine } from '@session-recovery/engine'
import { instantDriver } from './instant-driver.js'
import { heapBytes, manySessions, populate } from './population.js'
import { atMost, type Measured, type Pair, type Row, type Trial } from './row.js'

const few = 1_000

/** Bytes per session of an engine that was started on `directory`. */
const bytesPerSession = async (directory: string, sessions: number): Promise<number> => {
  const before = heapBytes()
  const engine = createEngine({ driver: instantDriver(true), store: fileStore({ directory }) })
  const started = await engine.start()
  if (started._tag !== 'started') throw new Error(`not started: ${started._tag}`)
  // Those at rest are read when they are asked for: all of them are.
  if (engine.sessions().length !== sessions) throw new Error('not all of them were found')
  const held = heapBytes() - before
  await engine.stop()
  return held / sessions
}

const measured = async ({ rounds, directory, progress }: Trial): Promise<Measured> => {
  const many = manySessions()
  const places = new Map<number, string>()
  for (const sessions of [few, many]) {
    const place = join(directory, String(sessions))
    const store = fileStore({ directory: place })
    await store.open()
    await populate(store, sessions, false, progress)
    await store.close()
    places.set(sessions, place)
  }
  const pairs: Pair[] = []
  for (let round = 0; round <= rounds; round++) {
    progress(`starting ${round} of ${rounds}`)
    const reference = await bytesPerSession(places.get(few) ?? '', few)
    const whole = await bytesPerSession(places.get(many) ?? '', many)
    // The first start brings the engine's own code with it.
    if (round > 0) pairs.push({ measured: whole, reference })
  }
  const what = `heap of a session at rest, among ${many}`
  const single = pairs.map(({ measured: bytes }) => ({ measured: bytes }))
  return {
    figures: [
      { what, unit: 'bytes', pairs: single, bound: atMost(1_500) },
      { what, unit: 'bytes', reference: `among ${few}`, pairs, bound: atMost(1.3) },
    ],
  }
}

export const idleRow: Row = {
  name: 'idle-heap',
  what: 'heap of an idle session, all that is needed to plan for it',
  rounds: 3,
  run: measured,
}
