/**
 * Starting the process of a session and waiting for its first proof of life: the first signed prompt of
 * a shell, or, of a program that gives no marks, that the kernel shows it running.
 */
import { accessSync, constants, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Cancellation, Clock } from '@session-recovery/core'
import type { Environment } from '@session-recovery/shell'
import { bashInitFile, isInteractiveBash, pause } from '@session-recovery/shell'
import { endLeftover } from './leftover.js'
import { commandLineOf, lives } from './process.js'
import { heard, type Session } from './session.js'
import { type Shell, startShell } from './shell.js'

// ------------------------------------------------------------------------------------------ model

/** What launching needs besides the session. */
export interface LaunchPad {
  readonly clock: Clock
  /** Random text of at least 128 bits, in letters and digits. */
  readonly nonce: () => string
  /** A directory that only this user can enter; made when it is first asked for. */
  readonly directory: () => string
  /** How long a shell may take to its first prompt. */
  readonly promptTimeoutMs: number
}

export interface LaunchRequest {
  readonly cwd: string
  readonly environment: Environment
  /** Variables the user's start-up files must not change. */
  readonly kept: readonly string[]
  readonly historyLines: readonly string[]
}

export type Launched =
  | { readonly _tag: 'launched'; readonly shell: Shell }
  | { readonly _tag: 'failed'; readonly detail: string }

const failed = (detail: string): Launched => ({ _tag: 'failed', detail })

// ------------------------------------------------------------------------------------ combinators

/** Starts the session's process; when it does not prove itself, nothing of it is left. */
export const launch = async (
  session: Session,
  request: LaunchRequest,
  pad: LaunchPad,
  signal: Cancellation | undefined,
): Promise<Launched> => {
  const { spec } = session
  const program = programOf(spec.command, request.environment.PATH ?? '', request.cwd)
  if (program === undefined) return failed(`${spec.command}: no such program`)
  if (!isDirectory(request.cwd)) return failed(`${request.cwd}: no such directory`)
  if (signal?.aborted === true || session.ended) return failed('called off')
  let shell: Shell
  try {
    const integration = isInteractiveBash(spec.command, spec.args)
      ? prepared(request, pad)
      : undefined
    shell = startShell(
      {
        program,
        args: spec.args,
        cwd: request.cwd,
        environment: request.environment,
        size: session.size,
        ...(integration === undefined ? {} : { integration }),
      },
      session.listener,
      pad.clock,
    )
  } catch (error) {
    return failed(`${program}: ${error instanceof Error ? error.message : String(error)}`)
  }
  const before = session.shell
  session.shell = shell
  const problem = shell.integrated
    ? await firstPrompt(shell, pad, signal)
    : await seenRunning(shell, pad, signal)
  if (problem === undefined) return { _tag: 'launched', shell }
  await shell.end()
  await endLeftover(shell.identity, pad.clock)
  // What the last good process said is still what is known of the session.
  session.shell = before
  return failed(`${program}: ${problem}`)
}

const prepared = (
  { kept, historyLines }: LaunchRequest,
  { nonce: makeNonce, directory }: LaunchPad,
): { readonly nonce: string; readonly initFile: string } => {
  const nonce = makeNonce()
  const initFile = join(directory(), `${makeNonce()}.bash`)
  const text = bashInitFile({ nonce, kept, historyLines })
  writeFileSync(initFile, text, { mode: 0o600, flag: 'wx' })
  return { nonce, initFile }
}

const firstPrompt = async (
  shell: Shell,
  { clock, promptTimeoutMs }: LaunchPad,
  signal: Cancellation | undefined,
): Promise<string | undefined> => {
  const prompt = await heard(
    shell,
    clock,
    promptTimeoutMs,
    () => (shell.dialogue().prompts > 0 ? true : undefined),
    signal === undefined ? {} : { signal },
  )
  if (prompt._tag === 'cancelled') return 'called off before its first prompt'
  if (prompt._tag === 'too-late') return `no signed prompt within ${promptTimeoutMs} ms`
  return prompt.value === 'exited' ? exitedEarly(shell) : undefined
}

const exitedEarly = (shell: Shell): string => {
  const exit = shell.exit()
  const how = exit?.signal ?? `code ${exit?.exitCode ?? 'unknown'}`
  return `ended (${how}) before its first proof of life`
}

const settledMs = 100

// Until it has become the program, a new process shows the command line of this one.
const isStarted = (pid: number): boolean => {
  if (process.platform !== 'linux') return true
  const line = commandLineOf(pid) ?? ''
  return line !== '' && line !== commandLineOf(process.pid)
}

const seenRunning = async (
  shell: Shell,
  { clock, promptTimeoutMs }: LaunchPad,
  signal: Cancellation | undefined,
): Promise<string | undefined> => {
  const running = await heard(
    shell,
    clock,
    promptTimeoutMs,
    () => (isStarted(shell.identity.pid) ? true : undefined),
    { everyMs: 5, ...(signal === undefined ? {} : { signal }) },
  )
  if (running._tag === 'too-late') return `not seen running within ${promptTimeoutMs} ms`
  await pause(clock, settledMs, signal)
  if (signal?.aborted === true) return 'called off'
  return lives(shell.identity) && shell.exit() === undefined ? undefined : exitedEarly(shell)
}

/** Whether `path` is a directory that is there. */
export const isDirectory = (path: string): boolean => {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const programOf = (command: string, path: string, cwd: string): string | undefined => {
  const places = command.includes('/') ? [cwd] : path.split(delimiter)
  return places
    .map((place) => (command.startsWith('/') ? command : join(place, command)))
    .find(isProgram)
}
