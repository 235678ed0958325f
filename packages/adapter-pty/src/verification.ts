/**
 * Verifications: a new process proves itself by the first prompt signed with the nonce made for it, a
 * living one by the signed answer of its bound key. No command is typed.
 */
import type { Clock, Evidence, Verdict, VerifyRequest } from '@session-recovery/core'
import { ask, lookAt } from './looking.js'
import { lives } from './process.js'
import { described, livingReceipt, observed, respawnReceipt } from './receipt.js'
import { livingShell, type Respawn, type Session } from './session.js'

const starting: ReadonlySet<string | undefined> = new Set(['restart', 'restore'])

const unproved = (detail: string, evidence: readonly Evidence[] = []): Verdict => ({
  _tag: 'unproved',
  detail,
  evidence: [...evidence],
})

/** Looks for evidence that the session is well. */
export const verify = async (
  session: Session,
  { strategy, signal, traits }: Pick<VerifyRequest, 'strategy' | 'signal' | 'traits'>,
  clock: Clock,
): Promise<Verdict> => {
  const shell = livingShell(session)
  if (shell === undefined || !lives(shell.identity)) return unproved('there is no process')
  const respawned = session.respawn?.shell === shell ? session.respawn : undefined
  if (starting.has(strategy) || (strategy === 'session-refresh' && respawned !== undefined)) {
    return respawned === undefined
      ? unproved('the process is not one that was started anew')
      : verifyRespawn(session, respawned, clock)
  }
  if (strategy === undefined) {
    const untouched = await verifyUntouched(
      session,
      traits.attended || session.spec.attended,
      clock,
    )
    if (untouched !== undefined) return untouched
  }
  const answer = await ask(session, clock, signal)
  if (answer._tag === 'silent') {
    return unproved(answer.detail, [observed('probe', answer.detail, clock.wallMs())])
  }
  const detail = `answer ${answer.count} of the bound key, signed, from ${described(shell.identity)}`
  return {
    _tag: 'alive',
    receipt: livingReceipt(session, shell, [observed('mark', detail, clock.wallMs())]),
  }
}

const verifyRespawn = async (
  session: Session,
  respawn: Respawn,
  clock: Clock,
): Promise<Verdict> => {
  const { shell } = respawn
  const nowMs = clock.wallMs()
  const { prompts } = shell.dialogue()
  if (shell.integrated && prompts === 0) return unproved('no signed prompt of the new process')
  const receipt = await respawnReceipt(session, respawn, [
    shell.integrated
      ? observed('mark', `first signed prompt of ${described(shell.identity)}`, nowMs)
      : observed('kernel', `the program runs as ${described(shell.identity)}`, nowMs),
  ])
  return shell.exit() === undefined
    ? { _tag: 'alive', receipt }
    : unproved('the new process ended while it was compared', receipt.evidence)
}

/**
 * A session that is merely looked at while it cannot be asked: a command runs in it, or somebody sits at
 * it. The kernel shows its very process and that nothing has stopped it.
 *
 * @returns `undefined` when it can be asked.
 */
const verifyUntouched = async (
  session: Session,
  attended: boolean,
  clock: Clock,
): Promise<Verdict | undefined> => {
  const shell = livingShell(session)
  if (shell === undefined) return unproved('there is no process')
  const { foreground } = await lookAt(session, clock)
  const nowMs = clock.wallMs()
  const seen = foreground.reasons.map((reason) => observed('kernel', reason, nowMs))
  if (foreground.kind === 'stopped' || foreground.kind === 'dead') {
    return unproved(`the session is ${foreground.kind}`, seen)
  }
  if (foreground.kind === 'at-prompt' && !attended && shell.integrated) return undefined
  const proof = [observed('kernel', `${described(shell.identity)} lives`, nowMs), ...seen]
  return { _tag: 'alive', receipt: livingReceipt(session, shell, proof) }
}
