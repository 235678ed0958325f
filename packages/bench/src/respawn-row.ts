/**
 * From SIGKILL to a verified prompt, beside the least that could bring a shell back: a bare respawn with the
 * same init file until its first mark, with as many appended lines flushed to the same disk.
 */
import { randomBytes } from 'node:crypto'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type IPty, spawn } from '@lydell/node-pty'
import { fileStore } from '@session-recovery/adapter-fs'
import { bashInitFile, markCode, type PtyDriver, ptyDriver } from '@session-recovery/adapter-pty'
import { createEngine, type Engine, systemClock } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { inPairs } from './pairing.js'
import { flushes, policyOf, quiet, recovered, sessionId } from './recovery.js'
import { atMost, type Measured, type Row, type Trial } from './row.js'

/** What brings the shell back: `restart` (directory, environment) or `restore` (the whole state). */
export type RespawnStrategy = 'restart' | 'restore'

/** What a shell is started with. */
export const env = (home: string) => ({
  PATH: process.env.PATH ?? '',
  HOME: home,
  TERM: 'xterm-256color',
  LANG: 'C.UTF-8',
})

const killed = (pid: number | undefined): void => {
  if (pid === undefined) throw new Error('there is no process to kill')
  process.kill(pid, 'SIGKILL')
}

// ------------------------------------------------------------------------------------- the engine

const recoverOnce = async (engine: Engine, driver: PtyDriver): Promise<number> => {
  const ended = recovered(engine)
  const beganMs = performance.now()
  killed(driver.session(sessionId)?.pid())
  return (await ended) - beganMs
}

// -------------------------------------------------------------------------------------- the least

/** A shell at its first mark, from an init file like those of the engine's. */
export const bareShell = async (directory: string): Promise<IPty> => {
  const nonce = randomBytes(16).toString('hex')
  const initFile = join(directory, `${nonce}.bash`)
  const environment = env(directory)
  const plan = { nonce, kept: Object.keys(environment), environment, historyLines: [] }
  const text = bashInitFile(plan)
  await writeFile(initFile, text, { mode: 0o600 })
  const shell = spawn('bash', ['--init-file', initFile, '-i'], {
    cwd: directory,
    env: env(directory),
    encoding: null,
  })
  const prompt = `${markCode};${nonce};A`
  let heard = ''
  return new Promise((resolve) => {
    const listening = shell.onData((data: string | Buffer) => {
      heard += data.toString()
      if (!heard.includes(prompt)) return
      listening.dispose()
      resolve(shell)
    })
  })
}

/** Kills `before` and brings up another in its place, with as many flushed appends as a recovery makes. */
export const bareOnce = async (before: IPty, directory: string, logPath: string) => {
  const log = await open(logPath, 'a')
  const beganMs = performance.now()
  const gone = new Promise<void>((resolve) => {
    before.onExit(() => resolve())
  })
  killed(before.pid)
  await gone
  const after = await bareShell(directory)
  for (let i = 0; i < flushes; i++) {
    await log.write(`${'x'.repeat(1_500)}\n`)
    await log.datasync()
  }
  const tookMs = performance.now() - beganMs
  await log.close()
  return { after, tookMs }
}

// ------------------------------------------------------------------------------------------- rows

const measured = async (
  { directory: place, rounds, progress }: Trial,
  strategy: RespawnStrategy,
  bound: number,
): Promise<Measured> => {
  const driver = ptyDriver({ clock: systemClock })
  const store = fileStore({ directory: join(place, 'store') })
  const engine = createEngine({ policy: policyOf(strategy), driver, store })
  await engine.start()
  const options = { command: 'bash', cwd: place, env: env(place) }
  const opened = await driver.open(sessionId, options)()
  if (E.isLeft(opened)) throw new Error(opened.left.message)
  await engine.register(sessionId, { sessionOptions: options, attended: false })
  for (const line of work) await opened.right.exec(line)
  let bare = await bareShell(place)
  const reference = async (): Promise<number> => {
    const { after, tookMs } = await bareOnce(bare, place, join(place, 'bare.log'))
    bare = after
    return tookMs
  }
  try {
    const pairs = await inPairs({
      rounds,
      measured: () => recoverOnce(engine, driver),
      reference,
      progress,
      before: quiet,
    })
    const what = `SIGKILL to verified prompt by ${strategy}`
    return { figures: [{ what, unit: 'ms', reference: least, pairs, bound: atMost(bound) }] }
  } finally {
    bare.kill('SIGKILL')
    await engine.stop()
    await driver.close()
  }
}

const least = `respawn with the same init file, ${flushes} fdatasyncs, first mark`

/** From SIGKILL to a verified prompt by each strategy that starts a shell anew. */
export const respawnRows: readonly Row[] = [
  {
    name: 'restart',
    what: 'SIGKILL to verified prompt by restart, durable',
    rounds: 60,
    run: (trial) => measured(trial, 'restart', 1.3),
  },
  {
    name: 'restore',
    what: 'SIGKILL to verified prompt by restore, with the whole state',
    rounds: 40,
    run: (trial) => measured(trial, 'restore', 5),
  },
]

// What a shell that was worked in holds.
const work = [
  'export PROJECT=bench EDITOR=vi',
  'total=0; greet() { echo "hello $1"; }; alias ll="ls -l"; umask 027',
  'echo some output',
]
