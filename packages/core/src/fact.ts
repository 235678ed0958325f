/**
 * What happened, in the words of the domain: what sinks are told and what statistics, histories and
 * timelines are folded from. A fact is decided with the event that caused it and journalled with it.
 */
import * as t from 'io-ts'
import { count, epochMs, nonNegative, oneOf, struct, tagged, text, variant } from './codec.js'
import { ProbeVerdict } from './domain.js'
import { Failure } from './failure.js'
import { RecoveryPlan } from './planner.js'
import { Receipt } from './receipt.js'
import { SessionKind } from './session.js'
import { RecoveryStrategy } from './strategy.js'

// ------------------------------------------------------------------------------------------ model

/**
 * How a strategy missed: nobody handles it, it does not apply here, it failed, it did not end in time,
 * it ended but the session was not proved alive.
 */
export const Miss = struct('miss', {
  strategy: RecoveryStrategy,
  why: oneOf('miss reason', 'unsupported', 'not-applicable', 'failed', 'timed-out', 'unproved'),
  detail: t.string,
})
export type Miss = t.TypeOf<typeof Miss>

const attempted = { incident: count, attempt: count }

export const Fact = tagged('fact', '_tag', [
  variant('session-registered', { incarnation: count, kind: SessionKind }),
  variant('session-unregistered', {}),
  /** The process ended of itself, with a code that is no failure. */
  variant('session-ended', {}, { exitCode: count }),
  variant('session-reset', {}),
  /** The engine started and found the session in its store. */
  variant('session-resumed', {}),
  variant('incident-opened', {
    incident: count,
    id: text,
    failure: Failure,
    rule: text,
    plan: RecoveryPlan,
  }),
  /** It waits for its domains: no attempt is used meanwhile. */
  variant('session-held', { incident: count, domains: t.array(text) }),
  /** Its transport was tried, as the canary of all who share the domain. */
  variant('transport-probed', {
    incident: count,
    domain: text,
    verdict: ProbeVerdict,
    tries: count,
    detail: t.string,
  }),
  variant('session-released', {
    incident: count,
    heldMs: nonNegative,
    order: count,
    credentialRefused: t.boolean,
  }),
  variant('attempt-started', attempted),
  variant('strategy-started', { ...attempted, strategy: RecoveryStrategy, repeated: t.boolean }),
  variant('strategy-done', { ...attempted, strategy: RecoveryStrategy, detail: t.string }),
  variant('strategy-missed', { ...attempted, miss: Miss }),
  variant('attempt-failed', { ...attempted, strategy: RecoveryStrategy, durationMs: nonNegative }),
  variant('backoff-began', { ...attempted, delayMs: nonNegative, untilMs: epochMs }),
  variant('incident-recovered', {
    ...attempted,
    strategy: RecoveryStrategy,
    durationMs: nonNegative,
    incidentMs: nonNegative,
    receipt: Receipt,
  }),
  variant(
    'incident-exhausted',
    { incident: count, attempts: count, incidentMs: nonNegative },
    { archive: text, archiveError: t.string },
  ),
  variant('incident-cancelled', { incident: count, incidentMs: nonNegative, why: t.string }),
])
export type Fact = t.TypeOf<typeof Fact>

/** The fact with tag `T`. */
export type FactOf<T extends Fact['_tag']> = Extract<Fact, { readonly _tag: T }>

/** The three ways an incident ends; exactly one of them per incident. */
export const terminalFacts: ReadonlySet<Fact['_tag']> = new Set<Fact['_tag']>([
  'incident-recovered',
  'incident-exhausted',
  'incident-cancelled',
])
