/**
 * `reconnect`: connecting again with the very process that outlived its connection. Where none did, a
 * new one is started, and the receipt says so.
 */
import type { RunOutcome } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { LaunchPad } from './launch.js'
import { failedRun, type RespawnRequest, respawn } from './respawn.js'
import type { Session } from './session.js'
import { attachShell } from './shell.js'

/** Attaches to the session's process again. */
export const reconnect = async (
  session: Session,
  request: RespawnRequest,
  { clock, ...pad }: LaunchPad,
): Promise<RunOutcome> => {
  const { host, rope, size } = session
  if (host.attach === undefined) {
    return { _tag: 'not-applicable', detail: `${host.name} has no connection that could be lost` }
  }
  if (rope === undefined) {
    if (session.inherited === undefined) {
      const remark = `nothing on ${host.name} keeps a process without its connection: this is a new one`
      session.deed = { remarks: [remark] }
    }
    return respawn(session, 'restart', request, { clock, ...pad })
  }
  const { kept, shell: before } = rope
  before.process.keeping?.letGo()
  const attached = await attachShell(
    host.attach,
    { kept, nonce: before.nonce, dialogue: before.dialogue(), size },
    session.listener,
    clock,
    request.signal,
  )
  if (E.isLeft(attached)) return failedRun(attached.left)
  const shell = attached.right
  if (session.ended) {
    await shell.end()
    return failedRun({ detail: 'called off' })
  }
  const { identity } = shell.process
  const isSame =
    identity.pid === kept.identity.pid &&
    identity.startTicks === kept.identity.startTicks &&
    identity.bootId === kept.identity.bootId
  if (!isSame) {
    shell.process.keeping?.letGo()
    return { _tag: 'failed', detail: `${kept.name} on ${host.name} holds another process` }
  }
  before.disown()
  session.shell = shell
  session.isDoubted = true
  session.rope = { kept, shell }
  session.deed = { attached: shell }
  return { _tag: 'done', detail: `attached again to process ${identity.pid} on ${host.name}` }
}
