/**
 * From SIGKILL to a verified prompt, beside the least that could bring a shell back: a bare respawn with the
 * same init file until its first mark, with as many appended lines flushed to the same disk.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type IPty, spawn } from '@lydell/node-pty'
import { fileStore } from '@session-recovery/adapter-fs'
import { bashInitFile, markCode, type PtyDriver, ptyDriver } from '@session-recovery/adapter-pty'
import { type PlanRule, type Policy, policyFrom } from '@session-recovery/core'
import { createEngine, type Engine, systemClock } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { type Spread, spreadOf } from './spread.js'

/** What brings the shell back: `restart` (directory, environment) or `restore` (history and screen, too). */
export type RespawnStrategy = 'restart' | 'restore'

export interface RespawnFigures {
  readonly rounds: number
  readonly recoveredMs: Spread
  readonly bareMs: Spread
  /** Of each round's pair. */
  readonly ratio: Spread
  /** Decisions made durable between the kill and the answer. */
  readonly flushes: number
}

const sessionId = 'bench'
/** Failed, acted, verified: what an incident that recovers at once commits. */
const flushes = 3

const env = (home: string) => ({
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

const recovered = (engine: Engine): Promise<number> =>
  new Promise((resolve, reject) => {
    const end = engine.subscribe((notice) => {
      if (notice._tag !== 'decided' || notice.record.state.startsWith('recovering')) return
      end()
      const isWell = notice.record.state === 'snapshotting.idle'
      if (isWell) resolve(performance.now())
      else reject(new Error(`the session ended ${notice.record.state}`))
    })
  })

const recoverOnce = async (engine: Engine, driver: PtyDriver): Promise<number> => {
  const ended = recovered(engine)
  const beganMs = performance.now()
  killed(driver.session(sessionId)?.pid())
  return (await ended) - beganMs
}

// -------------------------------------------------------------------------------------- the least

interface Bare {
  readonly shell: IPty
  readonly readyMs: number
}

const bareShell = async (directory: string): Promise<Bare> => {
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
      resolve({ shell, readyMs: performance.now() })
    })
  })
}

const bareOnce = async (before: Bare, directory: string, logPath: string) => {
  const log = await open(logPath, 'a')
  const beganMs = performance.now()
  const gone = new Promise<void>((resolve) => {
    before.shell.onExit(() => resolve())
  })
  killed(before.shell.pid)
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

// ------------------------------------------------------------------------------------------ bench

const quietMs = 30

// A session killed over and over is an ordinary one here: its budget never ends.
const policyFor = (strategy: RespawnStrategy): Policy => {
  const rule: PlanRule = {
    name: strategy,
    when: {},
    strategies: [strategy, 'fallback'],
    priority: 'high',
    estimatedTimeMs: 0,
  }
  const policy = policyFrom({
    maxRecoveryAttempts: 1_000_000,
    recoveryDelay: 0,
    planRules: [rule],
  })
  if (E.isLeft(policy)) throw new Error(policy.left.message)
  return policy.right
}

/** Measures `rounds` pairs, in turn, with everything in a new folder under `directory`. */
export const respawnFigures = async (
  directory: string,
  strategy: RespawnStrategy,
  rounds: number,
  progress: (round: number) => void,
): Promise<RespawnFigures> => {
  const place = join(directory, `respawn-${process.pid}`)
  await mkdir(place, { recursive: true })
  const driver = ptyDriver({ clock: systemClock })
  const store = fileStore({ directory: join(place, 'store') })
  const engine = createEngine({ policy: policyFor(strategy), driver, store })
  await engine.start()
  const options = { command: 'bash', cwd: place, env: env(place) }
  const opened = await driver.open(sessionId, options)()
  if (E.isLeft(opened)) throw new Error(opened.left.message)
  await engine.register(sessionId, { sessionOptions: options, attended: false })
  let bare = await bareShell(place)
  const recoveredMs: number[] = []
  const bareMs: number[] = []
  try {
    for (let round = 0; round <= rounds; round++) {
      // Captures after the last prompt are let pass: they belong to neither side.
      await new Promise((resolve) => setTimeout(resolve, quietMs))
      const engineMs = await recoverOnce(engine, driver)
      await new Promise((resolve) => setTimeout(resolve, quietMs))
      const { after, tookMs } = await bareOnce(bare, place, join(place, 'bare.log'))
      bare = after
      progress(round)
      // The first pair warms both up.
      if (round > 0) {
        recoveredMs.push(engineMs)
        bareMs.push(tookMs)
      }
    }
  } finally {
    bare.shell.kill('SIGKILL')
    await engine.stop()
    await driver.close()
    await rm(place, { recursive: true, force: true })
  }
  return {
    rounds,
    recoveredMs: spreadOf(recoveredMs),
    bareMs: spreadOf(bareMs),
    ratio: spreadOf(recoveredMs.map((ms, i) => ms / (bareMs[i] ?? Number.NaN))),
    flushes,
  }
}
