/**
 * The strategies that leave a host or a session behind: `migrate` brings the session up on another host,
 * `replicate` brings up a second session from its snapshot. The one left behind is fenced first: nothing
 * can be written to it, and what it still does is ignored.
 */
import type { Cancellation, RunOutcome } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Host, HostPool } from './host.js'
import { endInherited, inheritedText } from './inheritance.js'
import { type LaunchPad, todaysEnvironment } from './launch.js'
import { failedRun, type RespawnRequest, respawn, unstartable } from './respawn.js'
import type { Roster } from './roster.js'
import type { Session } from './session.js'
import { noteUnknown } from './unknown-command.js'
import { waitFor } from './waiting.js'

// What cannot be reached cannot be ended; it is not waited for longer than this.
const endedWithinMs = 5_000

/** Starts the session on another host that meets its requirements. */
export const migrate = async (
  session: Session,
  request: RespawnRequest,
  pad: LaunchPad,
  pool: HostPool,
): Promise<RunOutcome> => {
  const others = pool.others(session.host, session.options)
  if (others.length === 0) {
    return { _tag: 'not-applicable', detail: `there is no other host than ${session.host.name}` }
  }
  const { host: from, rope } = session
  let leaving: Leaving | undefined
  const outcome = await firstOf(others, session, request, async (host) => {
    leaving ??= await left(session, pad, request.signal)
    session.host = host
    session.rope = undefined
    session.deed = { remarks: [`moved from ${from.name} to ${host.name}; ${leaving.remark}`] }
    return respawn(session, 'restore', request, pad)
  })
  if (outcome._tag === 'done') return outcome
  session.host = from
  // What could not be ended may still be there when its host is back.
  session.rope = leaving?.isEnded === true ? undefined : rope
  session.deed = {}
  return outcome
}

/** Starts a second session from the snapshot, on another host where there is one. */
export const replicate = async (
  session: Session,
  replicaId: string,
  request: RespawnRequest,
  pad: LaunchPad,
  { pool, roster }: { readonly pool: HostPool; readonly roster: Roster },
): Promise<RunOutcome> => {
  const others = pool.others(session.host, session.options)
  const hosts = others.length === 0 ? [session.host] : others
  let leaving: Leaving | undefined
  const outcome = await firstOf(hosts, session, request, async (host) => {
    session.fenced = true
    leaving ??= await left(session, pad, request.signal)
    noteUnknown(session)
    const { spec, options, size } = session
    const adopted = roster.adopt({ id: replicaId, spec, options, size, host })
    if (E.isLeft(adopted)) return failedRun(adopted.left)
    const replica = adopted.right
    replica.history = session.history
    replica.droppedHistoryLines = session.droppedHistoryLines
    replica.output.takeOver(session.output.text(), session.output.droppedBytes())
    replica.unknown = session.unknown
    replica.setAside = session.setAside
    replica.ahead = session.ahead
    replica.typed = session.typed
    replica.inPlaceOf = session.id
    replica.deed = { remarks: [`takes the place of session ${session.id}; ${leaving.remark}`] }
    const begun = await roster.whileStarting(replica, () =>
      respawn(replica, 'restore', request, pad),
    )
    if (begun._tag === 'done') session.deed = { replica }
    else await roster.end(replicaId)
    return begun
  })
  if (outcome._tag !== 'done') {
    session.fenced = false
    return outcome
  }
  return { _tag: 'done', detail: `session ${replicaId}: ${outcome.detail}` }
}

/**
 * Begins on the first of the hosts that can be reached and takes the session. Nothing of it is touched
 * before one is reached: what cannot be begun elsewhere is not ended where it stands.
 */
const firstOf = async (
  hosts: readonly Host[],
  session: Session,
  request: RespawnRequest,
  begin: (host: Host) => Promise<RunOutcome>,
): Promise<RunOutcome> => {
  const barred = unstartable(session, request.traits)
  if (barred !== undefined) return barred
  const missed: string[] = []
  for (const host of hosts) {
    if (request.signal.aborted) missed.push('called off')
    if (request.signal.aborted) break
    const reached = await todaysEnvironment({ host, spec: session.spec }, request.signal)
    const outcome = E.isLeft(reached) ? failedRun(reached.left) : await begin(host)
    if (outcome._tag !== 'failed') return outcome
    missed.push(`${host.name}: ${outcome.detail}`)
  }
  return { _tag: 'failed', detail: missed.join('; ') }
}

interface Leaving {
  /** The process is known to be ended. */
  readonly isEnded: boolean
  readonly remark: string
}

/** Ends what is left of a session where it stood, or gives it up; says which. */
const left = async (
  session: Session,
  { clock }: LaunchPad,
  signal: Cancellation,
): Promise<Leaving> => {
  const { shell, host } = session
  if (shell === undefined) return inheritanceLeft(session, signal)
  const { pid } = shell.process.identity
  let ended: boolean | undefined
  const ending = shell.end().then(
    ({ unreached }) => {
      ended = unreached !== true
    },
    () => {
      ended = false
    },
  )
  await waitFor(
    {
      clock,
      withinMs: endedWithinMs,
      wakeBy: (wake) => {
        void ending.then(wake)
        return () => {}
      },
    },
    () => ended,
  )
  shell.disown()
  const process = `process ${pid} on ${host.name}`
  return ended === true
    ? { isEnded: true, remark: `${process} is ended` }
    : { isEnded: false, remark: `${process} could not be reached to be ended: it is cut off` }
}

const inheritanceLeft = async (session: Session, signal: Cancellation): Promise<Leaving> => {
  const ended = await endInherited(session, signal)
  const { inherited } = session
  const remark = inherited === undefined ? 'nothing was left of it' : inheritedText(inherited)
  return { isEnded: E.isRight(ended), remark }
}
