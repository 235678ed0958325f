/**
 * A wanderer: applies plausible events to a record, one after the other, as chance has it: answers with
 * the awaited token or a stale one, deadlines that have come or not, failures of every kind.
 */
import {
  type EventOf,
  type Failure,
  failureKinds,
  type Policy,
  type RunOutcome,
  receiptOf,
  register,
  type SessionEvent,
  type SessionRecord,
  type Verdict,
  wakeAtMs,
} from '@session-recovery/core'
import { stepUnder } from '@session-recovery/engine'
import { type Chance, chance } from '@session-recovery/testkit'

/** A session just registered. */
export const freshRecord = (
  policy: Policy,
  attended = false,
  domains?: readonly string[],
): SessionRecord => {
  const event: EventOf<'registered'> = {
    type: 'registered',
    atMs: 1_000,
    traits: {
      kind: 'local',
      attended,
      shell: true,
      rerunnable: false,
      failureExitCodes: [],
      idempotentCommands: [],
      ...(domains === undefined ? {} : { domains: [...domains] }),
    },
  }
  return register('s', 1, event, policy)[0]
}

const failure = (pick: Chance): Failure => ({
  kind: pick.pick(failureKinds as unknown as [Failure['kind'], ...Failure['kind'][]]),
  reason: 'any',
  interactivity: 'none',
  permanent: pick.percent(5),
  evidence: [],
})

const outcome = (pick: Chance): RunOutcome => {
  const detail = 'any'
  return pick.pick<RunOutcome>([
    { _tag: 'done', detail },
    { _tag: 'done', detail },
    { _tag: 'failed', detail },
    { _tag: 'failed', detail, permanent: true },
    { _tag: 'failed', detail, credentialRefused: true },
    { _tag: 'unsupported', detail },
    { _tag: 'not-applicable', detail },
  ])
}

const verdict = (pick: Chance): Verdict =>
  pick.pick<Verdict>([
    { _tag: 'alive', receipt: receiptOf('observed', {}) },
    { _tag: 'alive', receipt: receiptOf('claimed', {}) },
    { _tag: 'unproved', detail: 'any', evidence: [] },
  ])

const ofDomains = (pick: Chance, atMs: number): readonly SessionEvent[] => {
  const verdict = pick.pick(['reachable', 'unreachable', 'refused'] as const)
  return [
    { type: 'probed', atMs, domain: 'host:h', verdict, tries: 1, detail: 'any' },
    { type: 'released', atMs, credentialRefused: false, order: 0 },
    { type: 'released', atMs, credentialRefused: pick.percent(50), order: 1 },
  ]
}

/** One event that could come to `record` now. */
export const anEvent = (record: SessionRecord, pick: Chance, atMs: number): SessionEvent => {
  const { incident, captureToken } = record.control
  const token = pick.percent(90) ? incident?.token || 'none' : 'stale'
  const capture = pick.percent(90) ? (captureToken ?? 'none') : 'stale'
  const dueMs = wakeAtMs(record) ?? atMs
  return pick.pick<SessionEvent>([
    { type: 'captureDue', atMs: pick.percent(50) ? Math.max(atMs, dueMs) : atMs },
    { type: 'captured', atMs, token: capture },
    { type: 'captureFailed', atMs, token: capture, detail: 'any' },
    { type: 'failed', atMs, failure: failure(pick), view: { generation: 1, capturedAtMs: atMs } },
    { type: 'failed', atMs, failure: failure(pick), view: { generation: 2, capturedAtMs: atMs } },
    { type: 'acted', atMs, token, outcome: outcome(pick) },
    { type: 'acted', atMs, token, outcome: outcome(pick) },
    { type: 'verified', atMs, token, verdict: verdict(pick) },
    { type: 'verified', atMs, token, verdict: verdict(pick) },
    { type: 'archived', atMs, token, outcome: { _tag: 'archived', location: 'here' } },
    { type: 'archived', atMs, token, outcome: { _tag: 'not-archived', detail: 'full' } },
    { type: 'due', atMs: pick.percent(80) ? Math.max(atMs, dueMs) : atMs },
    { type: 'cancelled', atMs, why: 'any' },
    { type: 'reset', atMs },
    { type: 'resumed', atMs, lastSeenMs: Math.max(0, atMs - 500) },
    ...(record.control.traits.domains === undefined ? [] : ofDomains(pick, atMs)),
    ...(pick.percent(10)
      ? ([
          { type: 'ended', atMs, exitCode: 0 },
          { type: 'unregistered', atMs },
        ] as const)
      : []),
  ])
}

/** What came to a session along one trace: each record with the event that meets it. */
export const wander = (
  policy: Policy,
  seed: number,
  length: number,
  domains?: readonly string[],
): readonly { readonly record: SessionRecord; readonly event: SessionEvent }[] => {
  const pick = chance(seed)
  const step = stepUnder(policy)
  const trace: { record: SessionRecord; event: SessionEvent }[] = []
  let record = freshRecord(policy, pick.percent(20), domains)
  let atMs = 1_000
  for (let i = 0; i < length; i++) {
    atMs += pick.pick([0, 1, 100, 10_000, 400_000])
    const event = anEvent(record, pick, atMs)
    trace.push({ record, event })
    record = step(record, event)[0]
    atMs = Math.max(atMs, event.atMs)
  }
  return trace
}
