/**
 * The strategies that start anew: `restart` (directory and environment) and `restore` (what the shell
 * held besides, history and screen, too). What is left of the old process is ended first; what was set out to do is noted, so that
 * the verification can compare.
 */
import {
  type RecoverySnapshot,
  type RunOutcome,
  type RunRequest,
  redactedText,
  type ShellState,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { type Environment, lostNames, merged } from './environment.js'
import type { StartFailure } from './host.js'
import { endInherited, inheritedText, leftoverOf } from './inheritance.js'
import { integrationOf } from './integration-table.js'
import { type LaunchPad, launch, todaysEnvironment } from './launch.js'
import { restorable } from './restorable.js'
import { screenOf, terminalReset } from './screen.js'
import type { Deed, Respawn, Session } from './session.js'
import { shellStateOf } from './shell-told.js'
import type { StateRespawn } from './state-item.js'
import { forgetInput, lostInput } from './type-ahead.js'
import { noteUnknown } from './unknown-command.js'

// ------------------------------------------------------------------------------------------ model

/** `restart`: directory and environment; `restore`: the shell's state, history and screen, too. */
export type Depth = 'restart' | 'restore'

// What of a snapshot a respawn brings back; without one, what the driver itself saw last.
interface Wanted {
  readonly cwd: string
  readonly environment: Environment
  readonly isWhole: boolean
  readonly historyLines: readonly string[]
  readonly state: ShellState | undefined
}

// ------------------------------------------------------------------------------------ combinators

/** What a respawn needs to know of what it was asked for. */
export type RespawnRequest = Pick<
  RunRequest,
  'traits' | 'signal' | 'snapshot' | 'lostSecrets' | 'policy'
>

/** Ends what is left and starts the session's process again. */
export const respawn = async (
  session: Session,
  depth: Depth,
  request: RespawnRequest,
  pad: LaunchPad,
): Promise<RunOutcome> => {
  const barred = unstartable(session, request.traits)
  if (barred !== undefined) return barred
  const wanted = wantedOf(session, request.snapshot)
  const lostVariables = lostNames(request.snapshot?.sessionId ?? session.id, request.lostSecrets)
  const screenLines = depth === 'restore' ? await showScreenAgain(session) : undefined
  const inheritedEnd = await endInherited(session, request.signal)
  if (E.isLeft(inheritedEnd)) return failedRun(inheritedEnd.left)
  const leftover = (await session.shell?.end()) ?? leftoverOf(session.inherited)
  const input = lostInput(session)
  noteUnknown(session)
  const today = await todaysEnvironment(session, request.signal)
  if (E.isLeft(today)) return failedRun(today.left)
  const { environment, fromSnapshot, refused, origins } = merged(wanted.environment, today.right, {
    isWhole: wanted.isWhole,
    lostNames: lostVariables,
    policy: request.policy,
  })
  const { state, plan } = stateFor(session, depth, wanted.state, request)
  const known = depth === 'restore' ? wanted.historyLines : []
  // A line whose secret was taken out would, entered again, do something else than it did.
  const historyLines = known.filter((line) => !line.includes(redactedText))
  const cwd = wanted.cwd || session.spec.cwd
  const start = { cwd, exactly: false, environment, kept: fromSnapshot, historyLines }
  const launched = await launch(
    session,
    state === undefined ? start : { ...start, state },
    pad,
    request.signal,
  )
  if (E.isLeft(launched)) return failedRun(launched.left)
  const shell = launched.right
  forgetInput(session)
  if (depth === 'restore') session.history = historyLines
  const done: Respawn = {
    shell,
    isSilentShell: request.traits.shell && shell.shows.commands === 'nobody',
    wantedCwd: cwd,
    cwdUnknown: wanted.cwd === '',
    environment,
    fromSnapshot,
    refused,
    origins,
    state: plan,
    historyLines,
    redactedLines: known.length - historyLines.length,
    screenLines,
    leftover,
    lostInput: input,
    lostVariables,
  }
  session.deed = { ...session.deed, ...remarked(session), respawn: done }
  session.inherited = undefined
  const { identity } = shell.process
  return { _tag: 'done', detail: `started anew as process ${identity.pid} on ${session.host.name}` }
}

/** Why the session's program may not be started again; `undefined`: it may. */
export const unstartable = (
  { spec }: Session,
  { shell, rerunnable }: RespawnRequest['traits'],
): RunOutcome | undefined =>
  shell || rerunnable
    ? undefined
    : {
        _tag: 'not-applicable',
        detail: `${spec.command} is no shell and was not declared rerunnable`,
      }

// Who left a host behind has said already what became of what was there.
const remarked = ({ deed, inherited }: Session): Pick<Deed, 'remarks'> =>
  inherited === undefined || deed.remarks !== undefined
    ? {}
    : { remarks: [inheritedText(inherited)] }

/** A start that failed, as the outcome of a run. */
export const failedRun = ({ detail, permanent, credentialRefused }: StartFailure): RunOutcome => ({
  _tag: 'failed',
  detail,
  ...(permanent === true ? { permanent } : {}),
  ...(credentialRefused === true ? { credentialRefused } : {}),
})

interface StateFor {
  /** What the new shell is given. */
  readonly state?: ShellState
  readonly plan: StateRespawn
}

const stateFor = (
  session: Session,
  depth: Depth,
  wanted: ShellState | undefined,
  { lostSecrets, policy }: RespawnRequest,
): StateFor => {
  const left = (detail: string): StateFor => ({ plan: { _tag: 'left', detail } })
  const unknown = (detail: string): StateFor => ({ plan: { _tag: 'unknown', detail } })
  const { id, spec } = session
  const integration = integrationOf(spec.command, spec.args)
  if (integration === undefined) return unknown('the program does not tell what it holds')
  if (depth === 'restart')
    return left('ended with the old process; a restart does not bring it back')
  if (wanted === undefined) return unknown('the shell before did not tell what it held')
  if (wanted.shell !== integration.kind) {
    return left(`it was of ${wanted.shell}, the new shell is ${integration.kind}`)
  }
  const { state, refused, secretless } = restorable(wanted, {
    integration,
    allowed: policy.restoredExecutables,
    lostVariables: lostNames(id, lostSecrets, ['shell', 'variables']),
  })
  return { state, plan: { _tag: 'given', wanted, refused, secretless } }
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
        state: shellStateOf(session),
      }
    : {
        cwd: snapshot.workingDirectory,
        environment: snapshot.environment,
        isWhole: isWhole && Object.keys(snapshot.environment).length > 0,
        historyLines: snapshot.commandHistory,
        state: snapshot.shell,
      }
}

// The output is replaced by what shows the same screen, and the app's terminal is shown that.
const showScreenAgain = async (session: Session): Promise<readonly string[] | undefined> => {
  const before = await screenOf(session.output.text(), session.size)
  const again = `${terminalReset}${before.inert}\r\n`
  session.output.replace(again)
  session.tell(again)
  return before.lines
}
