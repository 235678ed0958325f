/**
 * The strategies that start anew: `restart` (directory and environment) and `restore` (history and
 * screen, too). What is left of the old process is ended first; what was set out to do is noted, so that
 * the verification can compare.
 */
import { dirname } from 'node:path'
import {
  type RecoverySnapshot,
  type RunOutcome,
  type RunRequest,
  redactedText,
} from '@session-recovery/core'
import {
  type Environment,
  lostNames,
  merged,
  screenOf,
  terminalReset,
} from '@session-recovery/shell'
import { isDirectory, type LaunchPad, launch } from './launch.js'
import { endLeftover } from './leftover.js'
import { livingShell, type Respawn, type Session } from './session.js'

// ------------------------------------------------------------------------------------------ model

type Depth = 'restart' | 'restore'

// What of a snapshot a respawn brings back; without one, what the driver itself saw last.
interface Wanted {
  readonly cwd: string
  readonly environment: Environment
  readonly isWhole: boolean
  readonly historyLines: readonly string[]
}

// ------------------------------------------------------------------------------------ combinators

/** Ends what is left and starts the session's process again. */
export const respawn = async (
  session: Session,
  depth: Depth,
  request: Pick<RunRequest, 'traits' | 'signal' | 'snapshot' | 'lostSecrets'>,
  pad: LaunchPad,
): Promise<RunOutcome> => {
  if (!request.traits.shell && !request.traits.rerunnable) {
    const detail = `${session.spec.command} is no shell and was not declared rerunnable`
    return { _tag: 'not-applicable', detail }
  }
  const old = session.shell
  const wanted = wantedOf(session, request.snapshot)
  const lostCommand = runningLine(session)
  const lostVariables = lostNames(session.id, request.lostSecrets)
  const screenLines = depth === 'restore' ? await showScreenAgain(session) : undefined
  await livingShell(session)?.end()
  const leftover =
    old === undefined ? { ended: [], letBe: [] } : await endLeftover(old.identity, pad.clock)
  const { environment, fromSnapshot, refused } = merged(
    wanted.environment,
    session.spec.environment,
    { isWhole: wanted.isWhole, lostNames: lostVariables },
  )
  const startedIn = nearestDirectory(wanted.cwd || session.spec.cwd)
  const known = depth === 'restore' ? wanted.historyLines : []
  // A line whose secret was taken out would, entered again, do something else than it did.
  const historyLines = known.filter((line) => !line.includes(redactedText))
  session.respawn = undefined
  const launched = await launch(
    session,
    { cwd: startedIn, environment, kept: fromSnapshot, historyLines },
    pad,
    request.signal,
  )
  if (launched._tag === 'failed') return { _tag: 'failed', detail: launched.detail }
  if (depth === 'restore') session.history = historyLines
  session.respawn = {
    shell: launched.shell,
    wantedCwd: wanted.cwd || session.spec.cwd,
    cwdUnknown: wanted.cwd === '',
    startedIn,
    environment,
    fromSnapshot,
    refused,
    historyLines,
    redactedLines: known.length - historyLines.length,
    screenLines,
    leftover,
    lostCommand,
    lostVariables,
  } satisfies Respawn
  return { _tag: 'done', detail: `started anew as process ${launched.shell.identity.pid}` }
}

const wantedOf = (session: Session, snapshot: RecoverySnapshot | undefined): Wanted => {
  const seen = session.shell?.dialogue()
  const isWhole = seen?.environment !== undefined
  return snapshot === undefined
    ? {
        cwd: seen?.workingDirectory ?? '',
        environment: Object.fromEntries(seen?.environment ?? []),
        isWhole,
        historyLines: session.history,
      }
    : {
        cwd: snapshot.workingDirectory,
        environment: snapshot.environment,
        isWhole: isWhole && Object.keys(snapshot.environment).length > 0,
        historyLines: snapshot.commandHistory,
      }
}

const runningLine = (session: Session): string | undefined => {
  const running = session.shell?.dialogue().running
  return running === undefined ? undefined : (running.line ?? 'a command kept out of the history')
}

// The output is replaced by what shows the same screen, and the app's terminal is shown that.
const showScreenAgain = async (session: Session): Promise<readonly string[] | undefined> => {
  const before = await screenOf(session.output.text(), session.size)
  const again = `${terminalReset}${before.inert}\r\n`
  session.output.replace(again)
  session.tell(again)
  return before.lines
}

const nearestDirectory = (path: string): string => {
  let at = path
  while (!isDirectory(at) && dirname(at) !== at) at = dirname(at)
  return isDirectory(at) ? at : '/'
}
