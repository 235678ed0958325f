/**
 * Real shells, each in a home of its own, in which the situations of the corpus are made.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PtyDriver, type PtySession, ptyDriver } from '@session-recovery/adapter-pty'
import type { Clock, Traits } from '@session-recovery/core'
import { sshdMissing, startSshd } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import type { Situation } from './situation.js'
import { isStill, type Member, membersOf } from './situation-evidence.js'

// ------------------------------------------------------------------------------------------ model

export interface StageOptions {
  /** Default: the machine's own. */
  readonly clock?: Clock
  /** The shell that is opened; default: bash. */
  readonly shell?: string
  /** How long a situation may take to come about; default 40,000. */
  readonly patienceMs?: number
}

/** A situation that has come about, in a session of its own. */
export interface Scene {
  readonly id: string
  readonly session: PtySession
  /** The shell's process, which a scene begins with. */
  readonly shellPid: number
  /** A directory of its own, in which the shell stands. */
  readonly home: string
}

export interface SituationStage {
  readonly driver: PtyDriver
  /** @param expectedMs how long its command may take; absent: nobody knows. */
  readonly make: (situation: Situation, expectedMs?: number) => Promise<E.Either<string, Scene>>
  readonly end: (scene: Scene) => Promise<void>
  readonly close: () => Promise<void>
}

/** A session as an app has it that says nothing of it. */
export const plainTraits: Traits = {
  kind: 'local',
  attended: false,
  shell: true,
  rerunnable: false,
  failureExitCodes: [],
  idempotentCommands: [],
}

const defaultPatienceMs = 40_000
const lookEveryMs = 25
const stillForMs = 60

const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule: (delayMs, task) => {
    const timer = setTimeout(task, Math.min(delayMs, 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
}

// ----------------------------------------------------------------------------------- constructors

/** A stage without scenes; `close` ends and removes all that was made on it. */
export const situationStage = async (options: StageOptions = {}): Promise<SituationStage> => {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'corpus-')))
  const patienceMs = options.patienceMs ?? defaultPatienceMs
  const driver = ptyDriver({
    clock: options.clock ?? systemClock,
    promptTimeoutMs: patienceMs,
  })
  const silent = await silentServer()
  const sshd = sshdMissing() === undefined ? await startSshd(passwords)() : undefined
  const sshPort = sshd !== undefined && E.isRight(sshd) ? sshd.right.port : 0
  let count = 0
  return {
    driver,
    make: async (situation, expectedMs) => {
      count += 1
      const home = join(place, String(count))
      // Where it is there, fish does not set out to read every manual page.
      mkdirSync(join(home, '.local/share/fish/generated_completions'), { recursive: true })
      writeFileSync(join(home, '.gitconfig'), '[user]\n\tname = a\n\temail = a@b\n')
      const opened = await driver.open(`${count} ${situation.name}`, {
        command: options.shell ?? 'bash',
        cwd: home,
        ...(expectedMs === undefined ? {} : { expectedMs }),
        env: {
          PATH: process.env.PATH ?? '/usr/bin:/bin',
          HOME: home,
          LANG: 'C.UTF-8',
          TERM: 'xterm-256color',
          HISTFILE: join(home, '.bash_history'),
          SILENT_PORT: String(silent.port),
          SSH_PORT: String(sshPort),
        },
      })()
      if (E.isLeft(opened)) return E.left(JSON.stringify(opened.left))
      const session = opened.right
      const scene = { id: session.id, session, shellPid: session.pid() ?? 0, home }
      const problem =
        (await come(situation, scene, patienceMs)) ??
        (await told(situation, scene, driver, patienceMs))
      return problem === undefined ? E.right(scene) : E.left(problem)
    },
    end: ({ id }) => driver.end(id),
    close: async () => {
      await driver.close()
      await silent.close()
      if (sshd !== undefined && E.isRight(sshd)) await sshd.right.close()
      rmSync(place, { recursive: true, force: true })
    },
  }
}

// Its server offers passwords, which nobody here knows.
const passwords = { config: ['Match all', 'PasswordAuthentication yes'] }

// ------------------------------------------------------------------------------------ combinators

/** Brings a situation about; gives what did not happen. */
const come = async (
  situation: Situation,
  { session, shellPid }: Scene,
  patienceMs: number,
): Promise<string | undefined> => {
  const { line, shows, runs, keys, showsThen, stops, dies, moves = false } = situation
  const eventually = <A>(look: () => A | undefined) => untilSeen(look, patienceMs)
  const settled = (from: number, text: RegExp | undefined, process: RegExp | undefined) =>
    eventually(() => {
      const shown = session.output().slice(from)
      if (text?.test(shown) === false) return undefined
      const members = membersOf(shellPid)
      const runs = members.some(({ commandLine }) => process?.test(commandLine) ?? true)
      return runs ? members : undefined
    })
  const quiet = async (from: number, text: RegExp | undefined, process: RegExp | undefined) => {
    const endMs = performance.now() + patienceMs
    for (;;) {
      const before = await settled(from, text, process)
      if (before === undefined) return `it did not show ${text} and ${process}: ${session.output()}`
      await pause(stillForMs)
      if (moves || isStill(before, membersOf(shellPid))) return undefined
      if (performance.now() > endMs) return `it did not lie still: ${described(before)}`
    }
  }
  const begin = session.output().length
  if (line !== undefined) session.write(`${line}\r`)
  const first = await quiet(begin, shows ?? (line === undefined ? undefined : /\n/), runs)
  if (first !== undefined) return first
  const second = session.output().length
  if (keys !== undefined) session.write(keys)
  if (stops !== undefined) {
    const pid =
      stops === 'shell'
        ? shellPid
        : membersOf(shellPid).find(({ commandLine }) => stops.test(commandLine))?.pid
    if (pid === undefined) return `nobody to stop: ${stops}`
    process.kill(pid, 'SIGSTOP')
    const stopped = await eventually(() =>
      membersOf(shellPid).some((one) => one.pid === pid && one.state === 'T') ? true : undefined,
    )
    if (stopped === undefined) return `${pid} did not stop`
  }
  if (dies === true) {
    process.kill(shellPid, 'SIGKILL')
    const gone = await eventually(() => (session.pid() === undefined ? true : undefined))
    return gone === undefined ? 'the shell did not die' : undefined
  }
  return keys === undefined && showsThen === undefined
    ? undefined
    : quiet(second, showsThen, undefined)
}

/**
 * Waits until the shell was heard to begin a command that is seen to run, or to have ended what ran: its
 * processes may lie still before that is read, on a machine that is at work.
 */
const told = async (
  { moves = false, line, runs, dies = false, expected }: Situation,
  { id }: Scene,
  driver: PtyDriver,
  patienceMs: number,
): Promise<string | undefined> => {
  const isAtPrompt = expected === 'at-prompt'
  if (line === undefined || dies || !(moves || isAtPrompt || runs !== undefined)) return undefined
  const endMs = performance.now() + patienceMs
  while (performance.now() < endMs) {
    if ((await pendingIn(driver, id)) > 0 !== isAtPrompt) return undefined
    await pause(lookEveryMs)
  }
  return isAtPrompt
    ? 'the shell did not tell that it ended'
    : 'the shell did not tell that it begins'
}

const pendingIn = async (driver: PtyDriver, sessionId: string): Promise<number> => {
  const captured = await driver.capture({
    sessionId,
    incarnation: 1,
    traits: plainTraits,
    token: 'told',
    signal: new AbortController().signal,
  })()
  return E.isRight(captured)
    ? (captured.right.update.interactiveState?.pendingCommands.length ?? 0)
    : 0
}

const described = (members: readonly Member[]): string =>
  members.map(({ commandLine, state }) => `${commandLine} (${state})`).join(', ')

const untilSeen = async <A>(
  look: () => A | undefined,
  withinMs: number,
): Promise<A | undefined> => {
  const endMs = performance.now() + withinMs
  for (;;) {
    const value = look()
    if (value !== undefined || performance.now() > endMs) return value
    await pause(lookEveryMs)
  }
}

const pause = (delayMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delayMs))

/** A server that takes connections and says nothing. */
const silentServer = async (): Promise<{
  readonly port: number
  readonly close: () => Promise<void>
}> => {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
  return {
    port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
