/**
 * What an engine would tell of a session: a list of events, taken through `register` and `step`, as
 * notices.
 */
import {
  type DomainEvent,
  defaultPolicy,
  digest,
  type Failure,
  freshDomain,
  type JournalEntry,
  type Notice,
  type Policy,
  type Receipt,
  receiptOf,
  register,
  restored,
  type SessionEvent,
  type SessionRecord,
  stepVersion,
  type Traits,
} from '@session-recovery/core'
import { domainStepUnder, stepUnder } from '@session-recovery/engine'

export const traits: Traits = {
  kind: 'local',
  attended: false,
  shell: true,
  rerunnable: false,
  failureExitCodes: [],
  idempotentCommands: [],
}

/** An instant of the traces, in milliseconds since the epoch. */
export const startMs = 1_700_000_000_000

export const died: Failure = {
  kind: 'process-died',
  reason: 'process killed by SIGKILL',
  interactivity: 'none',
  permanent: false,
  evidence: [
    { source: 'exit', grade: 'observed', trusted: true, detail: 'signal 9', atMs: startMs },
  ],
}

export const alive: Receipt = receiptOf('observed', { process: restored('pid 4711') })

type Decided = Extract<Notice, { readonly _tag: 'decided' }>

/** One session, stepped event by event. */
export interface Trace {
  /** Steps, and says what is told of it. */
  readonly take: (event: SessionEvent, durable?: boolean) => Decided
  readonly record: () => SessionRecord
}

/** A session as it is registered, and its first notice. */
export const traceOf = (
  sessionId: string,
  policy: Policy = defaultPolicy,
  incarnation = 1,
): readonly [Decided, Trace] => {
  const step = stepUnder(policy)
  const event = { type: 'registered', atMs: startMs, traits } as const
  const [first, effects] = register(sessionId, incarnation, event, policy)
  let record = first
  let seq = 0
  const decided = (
    told: SessionEvent,
    asked: JournalEntry['effects'],
    from: SessionRecord['state'] | undefined,
    durable: boolean,
  ): Decided => {
    seq += 1
    const entry: JournalEntry = {
      v: 1,
      seq,
      sessionId,
      incarnation,
      rev: record.rev,
      stepVersion,
      policyDigest: digest(policy),
      wallMs: told.atMs,
      event: told,
      ...(from === undefined ? {} : { from }),
      to: record.state,
      effects: asked,
      recordDigest: digest(record),
    }
    return { _tag: 'decided', entry, record, durable }
  }
  const take = (told: SessionEvent, durable = true): Decided => {
    const before = record
    const [next, asked] = step(before, told)
    if (next === before) throw new Error(`${told.type} changes nothing in ${before.state}`)
    record = next
    return decided(told, [...asked], before.state, durable)
  }
  return [decided(event, [...effects], undefined, true), { take, record: () => record }]
}

/** The token of what a recovering session waits for. */
export const awaited = (trace: Trace): string => trace.record().control.incident?.token ?? ''

/** A session that dies and is brought back by the first strategy of its plan. */
export const recoveryOf = (
  sessionId: string,
  failure: Failure = died,
  receipt: Receipt = alive,
  policy: Policy = defaultPolicy,
): readonly Notice[] => {
  const [registered, trace] = traceOf(sessionId, policy)
  const view = { generation: 1, capturedAtMs: startMs + 10 }
  const notices: Notice[] = [registered, { _tag: 'captured', sessionId, view, token: 'a-capture' }]
  notices.push(trace.take({ type: 'failed', atMs: startMs + 100, failure, view }))
  const outcome = { _tag: 'done', detail: 'started' } as const
  notices.push(trace.take({ type: 'acted', atMs: startMs + 200, token: awaited(trace), outcome }))
  const verdict = { _tag: 'alive', receipt } as const
  notices.push(
    trace.take({ type: 'verified', atMs: startMs + 300, token: awaited(trace), verdict }),
  )
  return notices
}

type DomainDecided = Extract<Notice, { readonly _tag: 'domain-decided' }>

/** One domain, stepped event by event; what changes nothing is told all the same. */
export const domainTrace = (domain: string): ((event: DomainEvent) => DomainDecided) => {
  const step = domainStepUnder(defaultPolicy)
  let record = freshDomain(domain)
  return (event) => {
    const from = record.state
    const [after, effects] = step(record, event)
    record = after
    return { _tag: 'domain-decided', event, from, record, effects }
  }
}
