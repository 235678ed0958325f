/**
 * The strategies that leave a host or a session behind: `migrate` brings the session up on another host,
 * `replicate` brings up a second session from its snapshot. The one left behind is fenced first: nothing
 * can be written to it, and what it still does is ignored.
 */
import type { RunOutcome } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Host, HostPool } from './host.js'
import type { LaunchPad } from './launch.js'
import { failedRun, type RespawnRequest, respawn } from './respawn.js'
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
  const from = session.host
  const remark = await left(session, pad)
  const missed: string[] = []
  for (const host of others) {
    session.host = host
    session.rope = undefined
    session.deed = { remarks: [`moved from ${from.name} to ${host.name}; ${remark}`] }
    const outcome = await respawn(session, 'restore', request, pad)
    if (outcome._tag !== 'failed') return outcome
    missed.push(`${host.name}: ${outcome.detail}`)
    if (request.signal.aborted) break
  }
  session.host = from
  session.deed = {}
  return { _tag: 'failed', detail: missed.join('; ') }
}

/** Starts a second session from the snapshot, on another host where there is one. */
export const replicate = async (
  session: Session,
  replicaId: string,
  request: RespawnRequest,
  pad: LaunchPad,
  { pool, roster }: { readonly pool: HostPool; readonly roster: Roster },
): Promise<RunOutcome> => {
  const host: Host = pool.others(session.host, session.options)[0] ?? session.host
  session.fenced = true
  const remark = await left(session, pad)
  noteUnknown(session)
  const adopted = roster.adopt({
    id: replicaId,
    spec: session.spec,
    options: session.options,
    size: session.size,
    host,
  })
  if (E.isLeft(adopted)) return failedRun(adopted.left)
  const replica = adopted.right
  replica.history = session.history
  replica.unknown = session.unknown
  replica.setAside = session.setAside
  replica.inPlaceOf = session.id
  replica.deed = { remarks: [`takes the place of session ${session.id}; ${remark}`] }
  const outcome = await roster.whileStarting(replica, () =>
    respawn(replica, 'restore', request, pad),
  )
  if (outcome._tag !== 'done') {
    await roster.end(replicaId)
    session.fenced = false
    return outcome
  }
  session.deed = { replica }
  return { _tag: 'done', detail: `session ${replicaId}: ${outcome.detail}` }
}

/** Ends what is left of a session where it stood, or gives it up; says which. */
const left = async (session: Session, { clock }: LaunchPad): Promise<string> => {
  const { shell, host } = session
  if (shell === undefined) return 'nothing was left of it'
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
  return ended
    ? `process ${pid} on ${host.name} is ended`
    : `process ${pid} on ${host.name} could not be reached to be ended: it is cut off`
}
