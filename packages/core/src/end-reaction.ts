/**
 * The reactions that end something: an attempt (with a wait, or with the last resort), an incident, a
 * registration.
 */
import { openIncidentOf, strategyAt, tokenOf } from './attempt.js'
import { backoffDelayMs } from './backoff.js'
import { laterMs } from './codec.js'
import type { Effect } from './effect.js'
import type { SessionEvent } from './event.js'
import type { Fact } from './fact.js'
import { without } from './omission.js'
import type { Policy } from './policy.js'
import {
  abortAwaited,
  at,
  captureLater,
  dueAt,
  numbers,
  type Reacted,
  type Reaction,
  tell,
} from './reacting.js'
import type { Control } from './record.js'

// ---------------------------------------------------------------------------- the end of an attempt

const attemptFailed = (control: Control, atMs: number): readonly Effect[] => {
  const incident = openIncidentOf(control)
  if (incident.attempts === 0) return []
  const durationMs = Math.max(0, atMs - incident.attemptStartedAtMs)
  const strategy = strategyAt(incident)
  return [tell({ _tag: 'attempt-failed', ...numbers(control), strategy, durationMs })]
}

export const beginBackoff =
  (policy: Policy): Reaction =>
  (control, event) => {
    const incident = openIncidentOf(control)
    const key = { sessionId: control.sessionId, incident: incident.number }
    const delayMs = backoffDelayMs(policy, control.used + 1, key)
    const untilMs = laterMs(event.atMs, delayMs)
    const waiting: Control = {
      ...control,
      incident: {
        ...without(incident, 'attemptDeadlineMs'),
        token: '',
        runToken: '',
        inDoubt: false,
        dueAtMs: untilMs,
      },
    }
    const began = tell({ _tag: 'backoff-began', ...numbers(control), delayMs, untilMs })
    return [waiting, [...attemptFailed(control, event.atMs), began]]
  }

export const beginLastResort =
  (policy: Policy): Reaction =>
  (control, event) => {
    const before = without(openIncidentOf(control), 'attemptDeadlineMs')
    const ordinal = before.ordinal + 1
    const token = tokenOf(before, 'archive', ordinal)
    const index = before.plan.strategies.length - 1
    const resorting: Control = {
      ...control,
      incident: { ...before, index, ordinal, token, runToken: token, inDoubt: false },
    }
    const failed = attemptFailed(control, event.atMs)
    return archived(resorting, event.atMs, policy, failed, false)
  }

const archived = (
  control: Control,
  atMs: number,
  policy: Policy,
  before: readonly Effect[],
  repeated: boolean,
): Reacted => {
  const boundMs = policy.strategyTimeoutMs || policy.recoveryTimeout
  const incident = openIncidentOf(control)
  const shared = { ...numbers(control), strategy: 'fallback' as const, repeated }
  return [
    dueAt(control, boundMs > 0 ? laterMs(atMs, boundMs) : undefined),
    [
      ...before,
      tell({ _tag: 'strategy-started', ...shared }),
      {
        _tag: 'archive',
        token: incident.token,
        incident: incident.number,
        generation: incident.generation,
      },
    ],
  ]
}

export const repeatLastResort =
  (policy: Policy): Reaction =>
  (control, event) =>
    archived(control, event.atMs, policy, [tell({ _tag: 'session-resumed' })], true)

// --------------------------------------------------------------------------- the end of an incident

export const closeRecovered = (policy: Policy) =>
  at(['verified'], (control, event) => {
    const incident = openIncidentOf(control)
    if (event.verdict._tag !== 'alive') throw new Error('recovered without a proof of life')
    const closed = captureLater(without(control, 'incident', 'wellSinceMs'), event.atMs, policy)
    const fact = tell({
      _tag: 'incident-recovered',
      ...numbers(control),
      strategy: strategyAt(incident),
      durationMs: Math.max(0, event.atMs - incident.attemptStartedAtMs),
      incidentMs: Math.max(0, event.atMs - incident.openedAtMs),
      receipt: event.verdict.receipt,
    })
    return [{ wellSinceMs: event.atMs, ...closed }, [fact]]
  })

const archiveOf = (event: SessionEvent) => {
  if (event.type !== 'archived') return { archiveError: 'archiving did not end in time' }
  return event.outcome._tag === 'archived'
    ? { archive: event.outcome.location }
    : { archiveError: event.outcome.detail }
}

export const closeExhausted: Reaction = (control, event) => {
  const incident = openIncidentOf(control)
  const end = { incident: incident.number, attempts: incident.attempts, ...archiveOf(event) }
  const incidentMs = Math.max(0, event.atMs - incident.openedAtMs)
  const told = tell({ _tag: 'incident-exhausted', incidentMs, ...end })
  const abort = event.type === 'due' ? abortAwaited(incident) : []
  return [{ ...without(control, 'incident'), lastEnd: end }, [...abort, told]]
}

const cancelled = (control: Control, atMs: number, why: string): readonly Effect[] => {
  const { incident } = control
  if (incident === undefined) return []
  const incidentMs = Math.max(0, atMs - incident.openedAtMs)
  return [
    ...abortAwaited(incident),
    tell({ _tag: 'incident-cancelled', incident: incident.number, incidentMs, why }),
  ]
}

export const closeCancelled = (policy: Policy) =>
  at(['cancelled'], (control, event) => {
    const closed = captureLater(without(control, 'incident'), event.atMs, policy)
    return [{ ...closed, wellSinceMs: event.atMs }, cancelled(control, event.atMs, event.why)]
  })

export const closeFinal = (control: Control, atMs: number, why: string, fact: Fact): Reacted => [
  without(control, 'incident', 'captureAtMs', 'captureToken', 'wellSinceMs'),
  [...cancelled(control, atMs, why), tell(fact), { _tag: 'release' }],
]
