/**
 * What every reaction is made of: the type, and small changes of the control state they share.
 */
import { openIncidentOf } from './attempt.js'
import { laterMs } from './codec.js'
import type { Effect } from './effect.js'
import type { EventOf, EventType, SessionEvent } from './event.js'
import type { Fact } from './fact.js'
import { without } from './omission.js'
import type { Policy } from './policy.js'
import type { Control, Incident } from './record.js'

// ------------------------------------------------------------------------------------------ model

export type Reacted = readonly [Control, readonly Effect[]]
export type Reaction = (control: Control, event: SessionEvent) => Reacted

// ----------------------------------------------------------------------------------- constructors

// A field that a copy gets in addition stands before what is copied, and is left out of that: added to the copy it
// would take as long as the rest of a decision.

export const tell = (fact: Fact): Effect => ({ _tag: 'tell', fact })

export const withIncident = (control: Control, change: Partial<Incident>): Control => ({
  ...control,
  incident: { ...openIncidentOf(control), ...change },
})

export const deadline = (atMs: number | undefined) =>
  atMs === undefined ? {} : { deadlineMs: atMs }

/** An incident whose deadline is replaced: `undefined` takes it away. */
export const dueBy = (incident: Incident, dueAtMs: number | undefined): Incident =>
  dueAtMs === undefined
    ? without(incident, 'dueAtMs')
    : { dueAtMs, ...without(incident, 'dueAtMs') }

/** The same within the control state. */
export const dueAt = (control: Control, dueAtMs: number | undefined): Control => ({
  ...control,
  incident: dueBy(openIncidentOf(control), dueAtMs),
})

export const abortAwaited = (incident: Incident | undefined): readonly Effect[] =>
  incident === undefined || incident.token === '' ? [] : [{ _tag: 'abort', token: incident.token }]

/** Periodic captures start again one interval from now; none when the interval is 0. */
export const captureLater = (control: Control, atMs: number, policy: Policy): Control => {
  const clean = without(control, 'captureToken', 'captureAtMs')
  return policy.snapshotInterval > 0
    ? { captureAtMs: laterMs(atMs, policy.snapshotInterval), ...clean }
    : clean
}

export const numbers = (control: Control) => {
  const incident = openIncidentOf(control)
  return { incident: incident.number, attempt: control.used }
}

export const at =
  <T extends EventType>(
    types: readonly T[],
    react: (control: Control, event: EventOf<T>) => Reacted,
  ): Reaction =>
  (control, event) => {
    if (!(types as readonly string[]).includes(event.type)) {
      throw new Error(`a reaction to ${types.join(', ')} was asked to react to ${event.type}`)
    }
    return react(control, event as EventOf<T>)
  }
