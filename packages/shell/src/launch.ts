/**
 * Starting the process of a session and waiting for its first proof of life: the first signed prompt of
 * a shell, or, of a program that gives no marks, that its host shows it running.
 */
import type { Cancellation, Clock, ShellState } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { type Environment, givable } from './environment.js'
import { heard } from './heard.js'
import type { StartFailure } from './host.js'
import { integrationOf } from './integration-table.js'
import type { Session } from './session.js'
import { type Shell, startShell } from './shell.js'
import { pause } from './waiting.js'

// ------------------------------------------------------------------------------------------ model

/** What launching needs besides the session. */
export interface LaunchPad {
  readonly clock: Clock
  /** Random text of at least 128 bits, in letters and digits. */
  readonly nonce: () => string
  /** How long a shell may take to its first prompt. */
  readonly promptTimeoutMs: number
}

export interface LaunchRequest {
  readonly cwd: string
  /** There must be such a directory; else the nearest there is will do. */
  readonly exactly: boolean
  readonly environment: Environment
  /** Variables the user's start-up files must not change. */
  readonly kept: readonly string[]
  readonly historyLines: readonly string[]
  /** What the shell is to hold besides; absent: what its start-up files make. */
  readonly state?: ShellState
}

export type Launched = E.Either<StartFailure, Shell>

const failed = (detail: string): Launched => E.left({ detail })

// ------------------------------------------------------------------------------------ combinators

/** Starts the session's process; when it does not prove itself, nothing of it is left. */
export const launch = async (
  session: Session,
  request: LaunchRequest,
  pad: LaunchPad,
  signal: Cancellation | undefined,
): Promise<Launched> => {
  const { spec, host } = session
  if (signal?.aborted === true || session.ended) return failed('called off')
  const { kept, historyLines, state } = request
  const integration = integrationOf(spec.command, spec.args)?.integrate({
    nonce: pad.nonce(),
    kept,
    environment: request.environment,
    historyLines,
    ...(state === undefined ? {} : { state }),
  })
  if (integration !== undefined) session.output.hide(integration.nonce)
  const start = {
    sessionId: session.id,
    ...(session.inPlaceOf === undefined ? {} : { inPlaceOf: session.inPlaceOf }),
    command: spec.command,
    args: spec.args,
    cwd: request.cwd,
    environment: givable(request.environment),
    size: session.size,
    ...(integration === undefined ? {} : { integration }),
  }
  const started = await startShell(host, start, session.listener, pad.clock, signal)
  if (E.isLeft(started)) return started
  const shell = started.right
  const before = session.shell
  session.shell = shell
  // Meanwhile nobody was there to be told.
  if (session.size !== start.size) shell.process.resize(session.size)
  const problem = session.ended
    ? 'called off'
    : request.exactly && shell.process.startedIn !== request.cwd
      ? `${request.cwd}: no such directory`
      : shell.shows.prompt === 'nobody'
        ? await seenRunning(shell, pad, signal)
        : await firstPrompt(shell, pad, signal)
  if (problem === undefined) {
    before?.disown()
    const kept = shell.process.keeping?.kept
    session.rope = kept === undefined ? undefined : { kept, shell }
    return started
  }
  await shell.end()
  // What the last good process said is still what is known of the session.
  session.shell = before
  return failed(`${spec.command}: ${problem}`)
}

/** Today's environment of a session: what its host gives, and over it what it was opened with. */
export const todaysEnvironment = async (
  { host, spec }: Pick<Session, 'host' | 'spec'>,
  signal?: Cancellation,
): Promise<E.Either<StartFailure, Environment>> => {
  if (host.environment === undefined) return E.right(spec.environment)
  const given = await host.environment(signal)
  return E.isLeft(given) ? given : E.right({ ...given.right, ...spec.environment })
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
  return prompt.value === 'gone' ? goneEarly(shell) : undefined
}

const goneEarly = (shell: Shell): string => {
  const end = shell.gone()
  if (end?._tag === 'lost') return `lost (${end.detail}) before its first proof of life`
  const how = end?.exit.signal ?? `code ${end?.exit.exitCode ?? 'unknown'}`
  return `ended (${how}) before its first proof of life`
}

const settledMs = 100

const seenRunning = async (
  shell: Shell,
  { clock }: LaunchPad,
  signal: Cancellation | undefined,
): Promise<string | undefined> => {
  await pause(clock, settledMs, signal)
  if (signal?.aborted === true) return 'called off'
  const { alive } = await shell.process.look(false)
  if (alive === undefined && shell.gone() === undefined) {
    return 'could not be looked at before its first proof of life'
  }
  return alive === true && shell.gone() === undefined ? undefined : goneEarly(shell)
}
