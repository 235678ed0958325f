/**
 * The reactions within an incident: opening it, beginning an attempt, going from strategy to strategy,
 * verifying, and taking up after a crash what was in doubt.
 */
import {
  incidentIdOf,
  isCredentialRefused,
  missOf,
  nextStrategyFrom,
  openIncidentOf,
  strategyAt,
  strategyDeadlineMs,
  tokenOf,
} from './attempt.js'
import { laterMs } from './codec.js'
import type { Effect } from './effect.js'
import type { Miss } from './fact.js'
import { planSubject, usedAt } from './guard.js'
import { without } from './omission.js'
import { planner } from './planner.js'
import type { Policy } from './policy.js'
import {
  abortAwaited,
  at,
  deadline,
  dueAt,
  dueBy,
  numbers,
  type Reacted,
  type Reaction,
  tell,
  withIncident,
} from './reacting.js'
import type { Control, Incident } from './record.js'

// -------------------------------------------------------------------------------------- attempting

/** Starts the strategy at `index`; what was passed over on the way is told. */
const startStrategy = (
  control: Control,
  index: number,
  skipped: readonly Miss[],
  atMs: number,
  policy: Policy,
): Reacted => {
  const before = openIncidentOf(control)
  const ordinal = before.ordinal + 1
  const strategy = before.plan.strategies[index] ?? 'fallback'
  const token = tokenOf(before, strategy, control.used, ordinal)
  const due = strategyDeadlineMs(control, before, index, atMs, policy)
  const incident: Incident = {
    ...dueBy(before, due),
    index,
    ordinal,
    token,
    runToken: token,
    inDoubt: false,
    misses: [...before.misses, ...skipped],
  }
  const started: Control = { ...control, incident }
  const told = skipped.map((miss) => tell({ _tag: 'strategy-missed', ...numbers(control), miss }))
  return [started, [...told, ...runEffects(started, false)]]
}

const runEffects = (control: Control, repeated: boolean): readonly Effect[] => {
  const incident = openIncidentOf(control)
  const strategy = strategyAt(incident)
  const { incident: number, attempt } = numbers(control)
  return [
    tell({ _tag: 'strategy-started', incident: number, attempt, strategy, repeated }),
    {
      _tag: 'run',
      incident: number,
      attempt,
      strategy,
      repeated,
      token: incident.runToken,
      generation: incident.generation,
      ...deadline(incident.dueAtMs),
    },
  ]
}

export const openIncident = (policy: Policy) => {
  const planned = planner(policy)
  return at(['failed'], (control, event) => {
    const { rule, plan } = planned(event.failure, planSubject(control, event))
    const number = control.incidents + 1
    const incident: Incident = {
      number,
      id: incidentIdOf(control, number),
      openedAtMs: event.atMs,
      failure: event.failure,
      rule,
      plan,
      generation: event.view.generation,
      attempts: 0,
      attemptStartedAtMs: event.atMs,
      index: 0,
      ordinal: 0,
      token: '',
      runToken: '',
      misses: [],
      inDoubt: false,
      credentialRefused: false,
    }
    const used = usedAt(control, event.atMs, policy)
    const opened: Control = {
      incident,
      ...without(control, 'wellSinceMs', 'captureAtMs', 'captureToken', 'lastEnd', 'incident'),
      used,
      incidents: number,
    }
    const { id, failure } = incident
    return [opened, [tell({ _tag: 'incident-opened', incident: number, id, failure, rule, plan })]]
  })
}

export const beginAttempt =
  (policy: Policy): Reaction =>
  (control, event) => {
    const { atMs } = event
    const before = openIncidentOf(control)
    const bound = policy.recoveryTimeout > 0 ? laterMs(atMs, policy.recoveryTimeout) : undefined
    const fresh = without(before, 'attemptDeadlineMs')
    const begun: Control = {
      ...control,
      used: control.used + 1,
      incident: {
        ...(bound === undefined ? fresh : { attemptDeadlineMs: bound, ...fresh }),
        attempts: before.attempts + 1,
        attemptStartedAtMs: atMs,
        misses: [],
      },
    }
    const next = nextStrategyFrom(begun, before.plan.strategies, 0, before.credentialRefused)
    if (next.index === undefined) throw new Error('an attempt was begun without a strategy to use')
    const [started, effects] = startStrategy(begun, next.index, next.skipped, atMs, policy)
    return [started, [tell({ _tag: 'attempt-started', ...numbers(begun) }), ...effects]]
  }

export const noteMissed: Reaction = (control, event) => {
  const incident = openIncidentOf(control)
  const credentialRefused = incident.credentialRefused || isCredentialRefused(event)
  const { strategies } = incident.plan
  const next = nextStrategyFrom(control, strategies, incident.index + 1, credentialRefused)
  // Where nothing is left to start, nobody else says what was passed over.
  const passedOver = next.index === undefined ? next.skipped : []
  const misses = [missOf(incident, event), ...passedOver]
  const noted = withIncident(control, {
    misses: [...incident.misses, ...misses],
    credentialRefused,
  })
  const told = misses.map((miss) => tell({ _tag: 'strategy-missed', ...numbers(control), miss }))
  return [noted, event.type === 'due' ? [...abortAwaited(incident), ...told] : told]
}

export const nextStrategy =
  (policy: Policy): Reaction =>
  (control, event) => {
    const incident = openIncidentOf(control)
    const next = nextStrategyFrom(
      control,
      incident.plan.strategies,
      incident.index + 1,
      incident.credentialRefused,
    )
    if (next.index === undefined) throw new Error('there is no next strategy')
    return startStrategy(control, next.index, next.skipped, event.atMs, policy)
  }

export const repeatRun =
  (policy: Policy): Reaction =>
  (control, event) => {
    const incident = openIncidentOf(control)
    const due = strategyDeadlineMs(control, incident, incident.index, event.atMs, policy)
    const repeated = dueAt(withIncident(control, { token: incident.runToken, inDoubt: false }), due)
    return [repeated, runEffects(repeated, true)]
  }

// --------------------------------------------------------------------------------------- verifying

const verification = (control: Control): Reacted => {
  const before = openIncidentOf(control)
  const ordinal = before.ordinal + 1
  const token = tokenOf(before, 'verify', control.used, ordinal)
  const verifying = withIncident(control, { ordinal, token })
  const effect: Effect = {
    _tag: 'verify',
    ...numbers(control),
    token,
    runToken: before.runToken,
    strategy: strategyAt(before),
    ...deadline(before.dueAtMs),
  }
  return [verifying, [effect]]
}

export const beginVerification = at(['acted'], (control, event) => {
  const [verifying, effects] = verification(control)
  const strategy = strategyAt(openIncidentOf(control))
  const { detail } = event.outcome
  return [
    verifying,
    [tell({ _tag: 'strategy-done', ...numbers(control), strategy, detail }), ...effects],
  ]
})

/** After a crash of the host app: what it was about is verified first, within a fresh bound. */
export const doubtRun = (policy: Policy) =>
  at(['resumed'], (control, event) => {
    const incident = openIncidentOf(control)
    // In `attempting` the awaited answer is the run's own: whether it ran is unknown.
    const inDoubt = incident.inDoubt || incident.token === incident.runToken
    const lasted = Math.max(0, event.atMs - event.lastSeenMs)
    const moved = withIncident(control, {
      inDoubt,
      ...(incident.attemptDeadlineMs === undefined
        ? {}
        : { attemptDeadlineMs: laterMs(incident.attemptDeadlineMs, lasted) }),
    })
    const due = strategyDeadlineMs(moved, openIncidentOf(moved), incident.index, event.atMs, policy)
    const [verifying, effects] = verification(dueAt(moved, due))
    return [verifying, [tell({ _tag: 'session-resumed' }), ...effects]]
  })
