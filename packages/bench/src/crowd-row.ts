/**
 * 200 shells killed at once, each back at a verified prompt, beside 200 bare respawns of the same shells, all
 * at once as well: the same init file until its first mark, and as many flushed appends to one log each.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { IPty } from '@lydell/node-pty'
import { fileStore } from '@session-recovery/adapter-fs'
import { type PtyDriver, ptyDriver } from '@session-recovery/adapter-pty'
import { createEngine, type Engine, systemClock } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { durationMs, inPairs } from './pairing.js'
import { flushes, policyOf, quiet } from './recovery.js'
import { bareOnce, bareShell, env } from './respawn-row.js'
import { atMost, type Measured, type Row, type Trial } from './row.js'

const shells = 200

const idOf = (i: number): string => `shell-${i}`
const each = <A>(work: (i: number) => Promise<A>): Promise<A[]> =>
  Promise.all(Array.from({ length: shells }, (_, i) => work(i)))

/** Resolves when every shell that was killed is well again. */
const allRecovered = (engine: Engine): Promise<void> =>
  new Promise((resolve, reject) => {
    let left = shells
    const end = engine.subscribe((notice) => {
      if (notice._tag !== 'decided') return
      const { state } = notice.record
      if (state.startsWith('recovering')) return
      if (state !== 'snapshotting.idle') reject(new Error(`a session ended ${state}`))
      left -= 1
      if (left > 0) return
      end()
      resolve()
    })
  })

const recoverAll = (engine: Engine, driver: PtyDriver): Promise<number> =>
  durationMs(() => {
    const ended = allRecovered(engine)
    for (let i = 0; i < shells; i++) {
      const pid = driver.session(idOf(i))?.pid()
      if (pid === undefined) throw new Error(`${idOf(i)} has no process`)
      process.kill(pid, 'SIGKILL')
    }
    return ended
  })

const engineIn = async (place: string, driver: PtyDriver): Promise<Engine> => {
  const store = fileStore({ directory: join(place, 'store') })
  const engine = createEngine({ policy: policyOf('restart'), driver, store })
  await engine.start()
  const options = { command: 'bash', cwd: place, env: env(place) }
  await each(async (i) => {
    const opened = await driver.open(idOf(i), options)()
    if (E.isLeft(opened)) throw new Error(opened.left.message)
    await engine.register(idOf(i), { sessionOptions: options, attended: false })
  })
  return engine
}

const measured = async ({ directory, rounds, progress }: Trial): Promise<Measured> => {
  const driver = ptyDriver({ clock: systemClock })
  progress(`opening ${shells} shells`)
  const engine = await engineIn(directory, driver)
  const placeOf = (i: number): string => join(directory, `bare-${i}`)
  await each((i) => mkdir(placeOf(i)))
  let bare: readonly IPty[] = await each((i) => bareShell(placeOf(i)))
  const reference = () =>
    durationMs(async () => {
      const again = each(async (i) => {
        const before = bare[i]
        if (before === undefined) throw new Error('a bare shell is missing')
        return (await bareOnce(before, placeOf(i), join(placeOf(i), 'log'))).after
      })
      bare = await again
    })
  try {
    const pairs = await inPairs({
      rounds,
      measured: () => recoverAll(engine, driver),
      reference,
      progress,
      before: quiet,
    })
    const least = `as many bare respawns at once, ${flushes} fdatasyncs each`
    const what = `${shells} shells killed at once, all back at verified prompts`
    return { figures: [{ what, unit: 'ms', reference: least, pairs, bound: atMost(1.3) }] }
  } finally {
    for (const shell of bare) shell.kill('SIGKILL')
    await engine.stop()
    await driver.close()
  }
}

export const crowdRow: Row = {
  name: 'crowd',
  what: `${shells} shells killed at once`,
  rounds: 11,
  run: measured,
}
