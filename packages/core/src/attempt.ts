/**
 * An attempt's inner workings: which strategy comes next, how long it may take, what it is known by.
 * Everything here is arithmetic over the control state; what follows from it is in `reaction.ts`.
 */
import { laterMs } from './codec.js'
import type { SessionEvent } from './event.js'
import type { Miss } from './fact.js'
import { idOf } from './id.js'
import type { Policy } from './policy.js'
import type { Control, Incident } from './record.js'
import { needsCredential, type RecoveryStrategy, touchesLiving } from './strategy.js'

/** The open incident. To ask for it where there is none is a broken invariant. */
export const openIncidentOf = (control: Control): Incident => {
  if (control.incident === undefined) throw new Error(`${control.sessionId} has no open incident`)
  return control.incident
}

/** The strategy the attempt is at. */
export const strategyAt = (incident: Incident): RecoveryStrategy =>
  incident.plan.strategies[incident.index] ?? 'fallback'

/** Why a strategy may not be used on this session now; `undefined` when it may. */
const inapplicable = (
  strategy: RecoveryStrategy,
  control: Control,
  credentialRefused: boolean,
): string | undefined => {
  if (control.traits.attended && touchesLiving.has(strategy)) return 'somebody sits at this session'
  if (credentialRefused && needsCredential.has(strategy))
    return 'the credential it needs was refused'
  return undefined
}

/** The next strategy from `from` on that may be used, before the last resort, and what is passed over. */
export interface NextStrategy {
  /** `undefined`: only the last resort is left. */
  readonly index: number | undefined
  readonly skipped: readonly Miss[]
}

export const nextStrategyFrom = (
  control: Control,
  strategies: readonly RecoveryStrategy[],
  from: number,
  credentialRefused: boolean,
): NextStrategy => {
  const skipped: Miss[] = []
  for (let index = from; index < strategies.length; index++) {
    const strategy = strategies[index]
    if (strategy === undefined || strategy === 'fallback') break
    const detail = inapplicable(strategy, control, credentialRefused)
    if (detail === undefined) return { index, skipped }
    skipped.push({ strategy, why: 'not-applicable', detail })
  }
  return { index: undefined, skipped }
}

/**
 * When the strategy at `index` that starts at `atMs` is given up: its own bound, or its even share of what remains
 * of the attempt, whichever is smaller, so that one that hangs leaves time for the rest.
 *
 * @returns engine time, or `undefined` when neither bound is set.
 */
export const strategyDeadlineMs = (
  control: Control,
  incident: Incident,
  index: number,
  atMs: number,
  policy: Pick<Policy, 'strategyTimeoutMs'>,
): number | undefined => {
  const own = policy.strategyTimeoutMs > 0 ? policy.strategyTimeoutMs : Number.POSITIVE_INFINITY
  const left = incident.plan.strategies.filter(
    (s, i) =>
      i >= index &&
      s !== 'fallback' &&
      inapplicable(s, control, incident.credentialRefused) === undefined,
  ).length
  const remaining =
    incident.attemptDeadlineMs === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(0, incident.attemptDeadlineMs - atMs) / Math.max(1, left)
  const slice = Math.min(own, remaining)
  return Number.isFinite(slice) ? laterMs(atMs, slice) : undefined
}

/** What an incident of this session is known by. */
export const incidentIdOf = (control: Control, number: number): string =>
  idOf(control.sessionId, control.incarnation, control.registeredAtMs, 'incident', number)

/** What an effect of an incident is known by: a function of what it is for. */
export const tokenOf = (
  { id }: Pick<Incident, 'id'>,
  verb: string,
  ...parts: readonly number[]
): string => [id, verb, ...parts].join('-')

/** How the strategy in hand missed, as `event` tells it. */
export const missOf = (incident: Incident, event: SessionEvent): Miss => {
  const strategy = strategyAt(incident)
  if (event.type === 'acted' && event.outcome._tag !== 'done') {
    return { strategy, why: event.outcome._tag, detail: event.outcome.detail }
  }
  if (event.type === 'verified') {
    return event.verdict._tag === 'unproved'
      ? { strategy, why: 'unproved', detail: event.verdict.detail }
      : {
          strategy,
          why: 'unproved',
          detail: `the proof of life is only ${event.verdict.receipt.grade}`,
        }
  }
  return { strategy, why: 'timed-out', detail: 'it did not end in time' }
}

/** Whether `event` says that no further try can help. */
export const isPermanent = (event: SessionEvent): boolean =>
  event.type === 'acted' && event.outcome._tag === 'failed' && event.outcome.permanent === true

/** Whether `event` says that the credential was refused. */
export const isCredentialRefused = (event: SessionEvent): boolean =>
  event.type === 'acted' &&
  event.outcome._tag === 'failed' &&
  event.outcome.credentialRefused === true

/** Nobody handles any of them: to try again would only wait. */
export const isHopeless = (misses: readonly Miss[]): boolean =>
  misses.every((miss) => miss.why === 'unsupported' || miss.why === 'not-applicable')
