/**
 * The machine's guards: pure questions about the control state and the event at hand.
 */
import {
  isCredentialRefused,
  isHopeless,
  isPermanent,
  missOf,
  nextStrategyFrom,
  openIncidentOf,
  strategyAt,
} from './attempt.js'
import type { SessionEvent } from './event.js'
import { planner } from './planner.js'
import type { Policy } from './policy.js'
import type { Control } from './record.js'
import { repeatable } from './strategy.js'

// ------------------------------------------------------------------------------------------ model

export type Guard = (control: Control, event: SessionEvent) => boolean

export const guardNames = [
  'isStale',
  'mustWait',
  'mayAttempt',
  'sharesFate',
  'mayBegin',
  'isNotDue',
  'isDone',
  'isProved',
  'mayRepeat',
  'hasNext',
  'mayRetry',
  'isLastResort',
] as const
export type GuardName = (typeof guardNames)[number]

// ----------------------------------------------------------------------------------- constructors

/** Attempts used of the budget when a failure comes at `atMs`: none after a stable while. */
export const usedAt = (control: Control, atMs: number, policy: Policy): number =>
  control.wellSinceMs !== undefined && atMs - control.wellSinceMs >= policy.stableAfterMs
    ? 0
    : control.used

/** Whether others may fail together with the session. */
const sharesFate = ({ traits }: Control): boolean => (traits.domains?.length ?? 0) > 0

/** A failure may be answered by an attempt: there is budget, hope, and a strategy to use. */
const mayAttempt = (policy: Policy): Guard => {
  const plan = planner(policy)
  return (control, event) => {
    if (event.type !== 'failed' || event.failure.permanent) return false
    if (usedAt(control, event.atMs, policy) >= policy.maxRecoveryAttempts) return false
    const { strategies } = plan(event.failure, planSubject(control, event)).plan
    return nextStrategyFrom(control, strategies, 0, false).index !== undefined
  }
}

/** An attempt may follow, when the domains of the session let it go. */
const mustWait = (policy: Policy): Guard => {
  const may = mayAttempt(policy)
  return (control, event) => sharesFate(control) && may(control, event)
}

/** The guards under a policy. */
export const guards = (policy: Policy): Readonly<Record<GuardName, Guard>> => ({
  /** The answer to something that is no longer awaited. */
  isStale: (control, event) => {
    if (event.type === 'captured' || event.type === 'captureFailed') {
      return event.token !== control.captureToken
    }
    if (event.type === 'acted' || event.type === 'verified' || event.type === 'archived') {
      return event.token !== control.incident?.token
    }
    return false
  },

  mustWait: mustWait(policy),

  mayAttempt: mayAttempt(policy),

  sharesFate,

  /** Let go, it has a strategy to use. */
  mayBegin: (control, event) => {
    const { plan, credentialRefused } = openIncidentOf(control)
    const refused = credentialRefused || (event.type === 'released' && event.credentialRefused)
    return nextStrategyFrom(control, plan.strategies, 0, refused).index !== undefined
  },

  /** Asked too early: the deadline, or the end of the wait, is still to come. */
  isNotDue: (control, event) => {
    const dueAtMs = control.incident === undefined ? control.captureAtMs : control.incident.dueAtMs
    return dueAtMs === undefined || event.atMs < dueAtMs
  },

  isDone: (_, event) => event.type === 'acted' && event.outcome._tag === 'done',

  /** The session is proved alive, as well as the policy asks. */
  isProved: (_, event) => {
    if (event.type !== 'verified' || event.verdict._tag !== 'alive') return false
    const { grade } = event.verdict.receipt
    return grade === 'observed' || (grade === 'claimed' && policy.acceptClaims)
  },

  /** A crash left the run in doubt, it did not help, and it is safe to run it again. */
  mayRepeat: (control, event) => {
    const incident = openIncidentOf(control)
    return event.type === 'verified' && incident.inDoubt && repeatable.has(strategyAt(incident))
  },

  /** Another strategy of this attempt's plan may be used. */
  hasNext: (control, event) => {
    const incident = openIncidentOf(control)
    const { strategies } = incident.plan
    const over =
      incident.attemptDeadlineMs !== undefined && event.atMs >= incident.attemptDeadlineMs
    if (over || isPermanent(event)) return false
    const refused = incident.credentialRefused || isCredentialRefused(event)
    return nextStrategyFrom(control, strategies, incident.index + 1, refused).index !== undefined
  },

  /** Another attempt may follow: there is budget, and reason to hope. */
  mayRetry: (control, event) => {
    const incident = openIncidentOf(control)
    if (isPermanent(event) || control.used >= policy.maxRecoveryAttempts) return false
    if (isHopeless([...incident.misses, missOf(incident, event)])) return false
    const refused = incident.credentialRefused || isCredentialRefused(event)
    return nextStrategyFrom(control, incident.plan.strategies, 0, refused).index !== undefined
  },

  isLastResort: (control) => strategyAt(openIncidentOf(control)) === 'fallback',
})

/** What the planner reads of a session that failed. */
export const planSubject = (
  control: Control,
  event: Extract<SessionEvent, { readonly type: 'failed' }>,
) => ({
  sessionId: control.sessionId,
  kind: control.traits.kind,
  interactive: event.view.interactive,
  nowMs: event.atMs,
})
