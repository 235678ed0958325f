/**
 * The stage of the demonstration: a new folder, a store on disk, a driver of real shells, an engine, and
 * the sessions on it, each given real work.
 */
import { access, constants, mkdir } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { fileStore } from '@session-recovery/adapter-fs'
import { type PtyDriver, type PtySession, ptyDriver, quoted } from '@session-recovery/adapter-pty'
import { type Policy, policyFrom, type Store } from '@session-recovery/core'
import { createEngine, type Engine, systemClock } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { type Mishap, type Place, placeOf } from './mishap.js'

// ------------------------------------------------------------------------------------------ model

/** One session of the demonstration. */
export interface Player {
  readonly mishap: Mishap
  readonly place: Place
  readonly session: PtySession
  /** The process before the mishap. */
  readonly firstPid: number
}

export interface Stage {
  readonly directory: string
  readonly engine: Engine
  readonly driver: PtyDriver
  readonly store: Store
}

/** The secret each session exports: it must turn up nowhere in what is stored. */
export const secretValue = 'correct-horse-battery-staple-42'

/** Short waits, so that a person need not wait: everything else is the default policy. */
const demoPolicy = {
  recoveryDelay: 1_000,
  snapshotInterval: 250,
  strategyTimeoutMs: 10_000,
  recoveryTimeout: 30_000,
  triggers: { unresponsiveAfterMs: 1_000 },
}

// ----------------------------------------------------------------------------------- constructors

/** `value`, or the end of the demonstration with the reason. */
export const orFail = <A>(result: E.Either<{ readonly message: string }, A>, what: string): A => {
  if (E.isLeft(result)) throw new Error(`${what}: ${result.left.message}`)
  return result.right
}

const programPath = async (name: string): Promise<string> => {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, name)
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (directory !== '' && isThere) return path
  }
  throw new Error(`there is no ${name} on this machine: the demonstration needs real shells`)
}

/** A new folder under `data`, and an engine that keeps what it must there. */
export const setStage = async (dataDirectory: string): Promise<Stage> => {
  const name = `demo-${new Date().toISOString().replaceAll(':', '-')}`
  const directory = resolve(dataDirectory, name)
  await mkdir(directory, { recursive: true })
  const policy: Policy = orFail(policyFrom(demoPolicy), 'the policy')
  const store = fileStore({ directory: join(directory, 'store') })
  const driver = ptyDriver({ clock: systemClock })
  const engine = createEngine({ policy, driver, store })
  const started = await engine.start()
  if (started._tag !== 'started') throw new Error(`the engine did not start: ${started._tag}`)
  return { directory, engine, driver, store }
}

/** Opens a session, registers it, and gives it a directory, variables, a history and a command. */
export const bringOn = async (stage: Stage, mishap: Mishap): Promise<Player> => {
  const { sessionId } = mishap
  const place = await placeOf(stage.directory, sessionId, await programPath('bash'))
  await mishap.prepare?.(place)
  const options = {
    command: place.shellPath,
    cwd: stage.directory,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: stage.directory,
      TERM: 'xterm-256color',
      LANG: 'C.UTF-8',
      // The lines hold a secret: bash is not to write them to a file.
      HISTFILE: '',
    },
    attended: false,
  }
  const opened = await stage.driver.open(sessionId, { ...options, ...mishap.open })()
  const session = orFail(opened, `opening ${sessionId}`)
  const registered = await stage.engine.register(sessionId, {
    sessionOptions: options,
    attended: false,
    shell: true,
    ...mishap.registration,
  })
  if (registered._tag !== 'registered') throw new Error(`${sessionId}: ${registered._tag}`)
  for (const line of workOf(place)) {
    const done = await session.exec(line)
    if (done._tag !== 'finished' || done.exitCode !== 0) throw new Error(`${sessionId}: ${line}`)
  }
  if (mishap.running !== undefined) void session.exec(mishap.running)
  const firstPid = session.pid()
  if (firstPid === undefined) throw new Error(`${sessionId} died before its time`)
  return { mishap, place, session, firstPid }
}

const workOf = ({ sessionId, workDirectory }: Place): readonly string[] => [
  `cd ${quoted(workDirectory)}`,
  `export PROJECT='${sessionId} project' API_TOKEN='${secretValue}'`,
  "printf 'line %s of the work\\n' 1 2 3",
  'sleep 60 >/dev/null 2>&1 &',
]

/** A command that succeeds only in a session that has its directory and its variables back. */
export const checkOf = ({ sessionId, workDirectory }: Place): string =>
  `test "$PWD" = ${quoted(workDirectory)} && test "$PROJECT" = '${sessionId} project' && test "$API_TOKEN" = '${secretValue}'`

/** Resolves once the engine has kept what the session's work left, and what runs in it. */
export const untilKept = async (stage: Stage, { mishap, place }: Player): Promise<void> => {
  for (let tries = 0; tries < 400; tries++) {
    const kept = await stage.engine.snapshot(mishap.sessionId)
    const isThere =
      kept?.workingDirectory === place.workDirectory && kept.environment.PROJECT !== undefined
    const runs = kept?.interactiveState?.pendingCommands.length ?? 0
    if (isThere && (mishap.running === undefined || runs > 0)) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error(`${mishap.sessionId} was not captured in 10 s`)
}
