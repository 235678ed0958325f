/**
 * The session record: the small control state of one session, all that a decision needs and all that is
 * committed with it. The bulk of a session is in its snapshots.
 */
import * as t from 'io-ts'
import { count, epochMs, oneOf, struct, text } from './codec.js'
import { KeptProbe } from './domain.js'
import { Miss } from './fact.js'
import { Failure } from './failure.js'
import { digest } from './id.js'
import { named } from './named-uuid.js'
import { RecoveryPlan } from './planner.js'
import { Replaced, Traits } from './session.js'
import { jsonOf, onceInARow, type ToJson } from './stored-json.js'

// ------------------------------------------------------------------------------------------ model

/** The version of what is stored; a higher one is refused. */
export const recordVersion = 1

/** The version of the decisions: raised whenever `step` answers anything differently. */
export const stepVersion = 2

export type SessionStateName =
  | 'registered'
  | 'snapshotting.idle'
  | 'snapshotting.capturing'
  | 'recovering.held'
  | 'recovering.attempting'
  | 'recovering.verifying'
  | 'recovering.backingOff'
  | 'exhausted'
  | 'unregistered'

export const sessionStateNames: readonly SessionStateName[] = [
  'registered',
  'snapshotting.idle',
  'snapshotting.capturing',
  'recovering.held',
  'recovering.attempting',
  'recovering.verifying',
  'recovering.backingOff',
  'exhausted',
  'unregistered',
]

/** What is open from a failure to its end. */
export const Incident = struct(
  'incident',
  {
    number: count,
    id: text,
    openedAtMs: epochMs,
    failure: Failure,
    rule: text,
    plan: RecoveryPlan,
    /** The snapshot to bring back; 0 when none was kept. */
    generation: count,
    /** Attempts made in this incident; the budget counts across incidents. */
    attempts: count,
    attemptStartedAtMs: epochMs,
    /** Where in the plan the attempt is. */
    index: count,
    /** Effects this incident has asked for: what makes each token new. */
    ordinal: count,
    /** The answer that is awaited; empty while backing off. */
    token: t.string,
    /** The run whose effect is being verified, or that may be in doubt. */
    runToken: t.string,
    misses: t.array(Miss),
    inDoubt: t.boolean,
    credentialRefused: t.boolean,
  },
  {
    attemptDeadlineMs: epochMs,
    /** When the strategy (with its verification) is given up, or the backoff is over. */
    dueAtMs: epochMs,
    /** Since when it waits for its domains. */
    heldAtMs: epochMs,
    /** What was found when its transport was tried, while it waits. */
    probe: KeptProbe,
  },
)
export type Incident = t.TypeOf<typeof Incident>

/** How the last incident ended, where that still matters: the archive of an exhausted session. */
export const LastEnd = struct(
  'end of the last incident',
  { incident: count, attempts: count },
  { archive: text, archiveError: t.string },
)

export const Control = struct(
  'control',
  {
    sessionId: text,
    incarnation: count,
    /** Tells two lives of one id apart even when the first was forgotten in between. */
    registeredAtMs: epochMs,
    traits: Traits,
    /** Attempts used of the budget. */
    used: count,
    /** Incidents opened so far. */
    incidents: count,
  },
  {
    /** Since when the session is well without a break; what a fresh budget is earned by. */
    wellSinceMs: epochMs,
    /** When the next capture is due or, while capturing, given up. */
    captureAtMs: epochMs,
    captureToken: text,
    incident: Incident,
    lastEnd: LastEnd,
    replaces: Replaced,
  },
)
export type Control = t.TypeOf<typeof Control>

export const SessionRecord = struct('session record', {
  v: t.literal(recordVersion),
  /** Counts the committed decisions of this incarnation; what compare-and-set compares. */
  rev: count,
  state: oneOf<SessionStateName>('session state', ...sessionStateNames),
  control: Control,
})
export type SessionRecord = t.TypeOf<typeof SessionRecord>

// ------------------------------------------------------------------------------------ combinators

/** The JSON of a record as it is stored: what its digest is of, and what stands in its line. */
export const recordJson: ToJson = onceInARow(jsonOf(SessionRecord))

/**
 * The digest of a record as it is stored. Everything in it is stored as it is, so nothing is copied for that:
 * a type that is not would not be accepted here.
 */
export const recordDigest = (record: t.OutputOf<typeof SessionRecord>): string => {
  const json = recordJson(record)
  return json === undefined ? digest(record) : named(json)
}

/** Whether an incident is open. */
export const isRecovering = (record: SessionRecord): boolean =>
  record.state.startsWith('recovering.')

/**
 * Whether nothing of it is open: no incident, no one to let go, nobody whose fate it shares. What an engine that
 * starts decides of such a session can wait until somebody asks for it.
 */
export const isResting = ({ state, control }: SessionRecord): boolean =>
  (state === 'registered' || state === 'snapshotting.idle' || state === 'exhausted') &&
  control.incident === undefined &&
  control.replaces === undefined &&
  control.traits.domains === undefined

/**
 * When the record wants to be woken next, in engine time; `undefined`: only an event from outside moves it.
 */
export const wakeAtMs = (record: SessionRecord): number | undefined =>
  isRecovering(record) ? record.control.incident?.dueAtMs : record.control.captureAtMs

/** The event that wakes a record: about its incident, or about its captures. */
export const wakeEvent = (record: SessionRecord, atMs: number) =>
  isRecovering(record) ? ({ type: 'due', atMs } as const) : ({ type: 'captureDue', atMs } as const)
