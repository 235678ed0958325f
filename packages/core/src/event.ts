/**
 * What can happen to a session, as data, each with its time. An event carries all that a decision reads
 * and the record does not hold.
 */
import * as t from 'io-ts'
import { count, epochMs, struct, tagged, text, variant } from './codec.js'
import { ProbeVerdict } from './domain.js'
import { Evidence, Failure } from './failure.js'
import { Receipt } from './receipt.js'
import { Replaced, Traits } from './session.js'
import { PlanningView } from './snapshot.js'

// ------------------------------------------------------------------------------------------ model

const event = <T extends string, R extends t.Props, O extends t.Props = Record<never, never>>(
  type: T,
  required: R,
  optional?: O,
) => struct(type, { type: t.literal(type), atMs: epochMs, ...required }, optional)

/** How the run of a strategy ended, as its driver says. */
export const RunOutcome = tagged('run outcome', '_tag', [
  /** The work was done; whether it helped is for the verification to say. */
  variant('done', { detail: t.string }),
  variant('not-applicable', { detail: t.string }),
  variant('unsupported', { detail: t.string }),
  variant(
    'failed',
    { detail: t.string },
    {
      /** Nothing that is tried again can help. */
      permanent: t.boolean,
      /** The credential was refused: what needs it is not tried any more in this incident. */
      credentialRefused: t.boolean,
    },
  ),
])
export type RunOutcome = t.TypeOf<typeof RunOutcome>

/** What a verification found. */
export const Verdict = tagged('verdict', '_tag', [
  variant('alive', { receipt: Receipt }),
  variant('unproved', { detail: t.string, evidence: t.array(Evidence) }),
])
export type Verdict = t.TypeOf<typeof Verdict>

/** Where an archive stands, or why there is none. */
export const ArchiveOutcome = tagged('archive outcome', '_tag', [
  variant('archived', { location: text }),
  variant('not-archived', { detail: t.string }),
])
export type ArchiveOutcome = t.TypeOf<typeof ArchiveOutcome>

export const SessionEvent = tagged('session event', 'type', [
  event('registered', { traits: Traits }, { replaces: Replaced }),
  /** The time for a capture has come, or for one that hangs to be given up. */
  event('captureDue', {}),
  event('captured', { token: text }),
  event('captureFailed', { token: text, detail: t.string }),
  event('failed', { failure: Failure, view: PlanningView }),
  event('acted', { token: text, outcome: RunOutcome }),
  event('verified', { token: text, verdict: Verdict }),
  event('archived', { token: text, outcome: ArchiveOutcome }),
  /** A deadline of the open incident may have passed. */
  event('due', {}),
  event('cancelled', { why: t.string }),
  event('reset', {}),
  /** Its transport was tried for all who share a domain with it. */
  event('probed', { domain: text, verdict: ProbeVerdict, tries: count, detail: t.string }),
  /** Its domains let it go; `order`: how many its domain had let go before it, since it was well again. */
  event('released', { credentialRefused: t.boolean, order: count }),
  /** The engine started and found the session in its store. */
  event('resumed', { lastSeenMs: epochMs }),
  event('ended', {}, { exitCode: count }),
  event('unregistered', {}),
])
export type SessionEvent = t.TypeOf<typeof SessionEvent>
export type EventType = SessionEvent['type']
export type EventOf<T extends EventType> = Extract<SessionEvent, { readonly type: T }>

export const eventTypes: readonly EventType[] = [
  'registered',
  'captureDue',
  'captured',
  'captureFailed',
  'failed',
  'acted',
  'verified',
  'archived',
  'due',
  'cancelled',
  'reset',
  'probed',
  'released',
  'resumed',
  'ended',
  'unregistered',
]

/** Events about captures: frequent, and of no consequence for registration, budget or incident. */
const unjournalled: ReadonlySet<EventType> = new Set(['captureDue', 'captured', 'captureFailed'])

/** Whether what `type` changes is committed and journalled. */
export const isJournalled = (type: EventType): boolean => !unjournalled.has(type)
