/**
 * What the rows of recoveries share: an engine whose one plan is the strategy that is measured, and
 * waiting until a session is well again.
 */
import {
  type PlanRule,
  type Policy,
  policyFrom,
  type RecoveryStrategy,
} from '@session-recovery/core'
import type { Engine } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'

export const sessionId = 'bench'

/** Failed, acted, verified: what an incident that recovers at once commits. */
export const flushes = 3

// ----------------------------------------------------------------------------------- constructors

/** A session that is broken over and over is an ordinary one here: its budget never ends. */
export const policyOf = (strategy: RecoveryStrategy): Policy => {
  const rule: PlanRule = {
    name: strategy,
    when: {},
    strategies: [strategy, 'fallback'],
    priority: 'high',
    estimatedTimeMs: 0,
  }
  const policy = policyFrom({
    maxRecoveryAttempts: 1_000_000,
    recoveryDelay: 0,
    planRules: [rule],
  })
  if (E.isLeft(policy)) throw new Error(policy.left.message)
  return policy.right
}

// ------------------------------------------------------------------------------------ combinators

/** When the session is well again, on the monotonic clock. */
export const recovered = (engine: Engine): Promise<number> =>
  new Promise((resolve, reject) => {
    const end = engine.subscribe((notice) => {
      if (notice._tag !== 'decided' || notice.record.state.startsWith('recovering')) return
      end()
      const isWell = notice.record.state === 'snapshotting.idle'
      if (isWell) resolve(performance.now())
      else reject(new Error(`the session ended ${notice.record.state}`))
    })
  })

// Captures after the last prompt are let pass: they belong to neither side.
const quietMs = 30

/** Lets pass what a recovery leaves behind. */
export const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, quietMs))
