/**
 * `command-retry`: runs the commands again whose outcome is not known, but only those declared idempotent,
 * each until it ends with code 0, with backoff in between and a bound on every try. All others are
 * reported and never run.
 */
import { type RunOutcome, retriableCommands, retryDelayMs } from '@session-recovery/core'
import { exec } from './command-line.js'
import { promptInterrupt } from './interrupt.js'
import type { LaunchPad } from './launch.js'
import { type RespawnRequest, respawn } from './respawn.js'
import { livingShell, type RetriedCommand, type Session } from './session.js'
import { runningCommand, settle, unsettle } from './unknown-command.js'
import { pause } from './waiting.js'

type Tried = { readonly ok: true; readonly command: RetriedCommand } | Missed

interface Missed {
  readonly ok: false
  readonly detail: string
}

/** Runs the pending commands that may be run again. */
export const commandRetry = async (
  session: Session,
  request: RespawnRequest,
  pad: LaunchPad,
): Promise<RunOutcome> => {
  const running = runningCommand(session)
  const pending = [...session.unknown, ...(running === undefined ? [] : [running])]
  const { run, offered } = retriableCommands(pending, request.traits, request.policy)
  if (request.traits.attended || session.spec.attended) {
    return { _tag: 'not-applicable', detail: 'somebody sits at this session: it is never typed at' }
  }
  const left =
    offered.length === 0 ? '' : `; not declared idempotent, not run: ${offered.join('; ')}`
  if (run.length === 0) {
    return { _tag: 'not-applicable', detail: `no pending command may be run again${left}` }
  }
  if (request.policy.commandRetry.maxRetries === 0) {
    return { _tag: 'not-applicable', detail: `the policy allows no retry${left}` }
  }
  const ready = await readied(session, request, pad)
  if (ready._tag !== 'done') return ready
  const retried: RetriedCommand[] = []
  for (const line of run) {
    settle(session, line)
    const tried = await untilItSucceeds(session, line, request, pad)
    if (!tried.ok) {
      unsettle(session, line)
      return { _tag: 'failed', detail: `${tried.detail}${left}` }
    }
    retried.push(tried.command)
    session.deed = { ...session.deed, retried: [...retried] }
  }
  const ends = retried.map((one) => `${one.line}: code ${one.exitCode} at try ${one.tries}`)
  return { _tag: 'done', detail: `${ends.join('; ')}${left}` }
}

// A command needs a shell at its prompt: a dead one is restored first, one that still runs something is not touched.
const readied = async (
  session: Session,
  request: RespawnRequest,
  pad: LaunchPad,
): Promise<RunOutcome> =>
  livingShell(session) === undefined
    ? respawn(session, 'restore', request, pad)
    : promptInterrupt(session, request, pad.clock)

const untilItSucceeds = async (
  session: Session,
  line: string,
  request: RespawnRequest,
  pad: LaunchPad,
): Promise<Tried> => {
  const { commandRetry: policy } = request.policy
  const { signal } = request
  let detail = ''
  for (let tries = 1; tries <= policy.maxRetries; tries++) {
    if (tries > 1) await pause(pad.clock, retryDelayMs(tries - 1, request.policy), signal)
    if (signal.aborted) return { ok: false, detail: 'called off' }
    const bound = policy.timeoutPerCommandMs === 0 ? {} : { withinMs: policy.timeoutPerCommandMs }
    const outcome = await exec(session, line, pad.clock, { ...bound, signal })
    if (outcome._tag === 'finished' && outcome.exitCode === 0) {
      return { ok: true, command: { line, exitCode: 0, tries } }
    }
    detail = `${line}: ${outcomeText(outcome)}`
    // Run again it would be another command once more.
    if (outcome._tag === 'lost' || outcome._tag === 'altered') break
    if (outcome._tag === 'late') {
      const freed = await promptInterrupt(session, request, pad.clock, { late: true })
      if (freed._tag !== 'done') return { ok: false, detail: `${detail}; ${freed.detail}` }
    }
  }
  return { ok: false, detail }
}

const outcomeText = (outcome: Awaited<ReturnType<typeof exec>>): string =>
  outcome._tag === 'altered'
    ? `the shell ran another line: ${outcome.ran}`
    : outcome._tag === 'finished'
      ? `ended with code ${outcome.exitCode}`
      : outcome._tag === 'late'
        ? 'did not end in time'
        : outcome.detail
