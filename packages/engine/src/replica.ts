/**
 * Replicas: a session that has taken the place of another is registered before anything else is decided,
 * and names the one it replaces. That one commit is the taking over: whoever is replaced is let go of
 * afterwards, or, should the app end first, when it starts again.
 */
import { type Effect, replicaId, type SessionRecord, type Verdict } from '@session-recovery/core'
import type { Runtime } from './runtime.js'

type VerifyEffect = Extract<Effect, { readonly _tag: 'verify' }>

const unproved = (detail: string): Verdict => ({ _tag: 'unproved', detail, evidence: [] })

/** Whether what is verified is a session of its own, which the engine is to register. */
export const isReplica = ({ strategy }: VerifyEffect, { driver }: Runtime): boolean =>
  strategy === 'replicate' && driver.supports.replicas === true

/** The verdict on a run, once the replica that it may have made is registered. */
export const takenOver = async (
  runtime: Runtime,
  record: SessionRecord,
  effect: VerifyEffect,
  verdict: Verdict,
): Promise<Verdict> => {
  if (!isReplica(effect, runtime) || verdict._tag !== 'alive') return verdict
  const { grade } = verdict.receipt
  if (grade !== 'observed' && !runtime.policy.acceptClaims) {
    return unproved(`the proof of life is only ${grade}`)
  }
  const id = replicaId(record.control.sessionId, effect.runToken)
  const problem = await runtime.replicated(record, id)
  return problem === undefined ? verdict : unproved(problem)
}
