/** The gate in a world whose canaries answer as a test writes it down; of its sessions only what it asks for is there. */
import {
  type DomainEvent,
  defaultPolicy,
  type Effect,
  type Notice,
  type Policy,
  type Probed,
  type SessionRecord,
} from '@session-recovery/core'
import { sampleRecord, VirtualClock } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { DomainGate } from '../src/domain-gate.js'
import type { Runtime } from '../src/runtime.js'
import type { Guest } from '../src/waiting-line.js'

export interface Session extends Guest {
  record: SessionRecord
}

interface Held {
  readonly domains?: readonly string[]
  readonly state?: SessionRecord['state']
  readonly openedAtMs?: number
  readonly kind?: string
  readonly more?: object
}

const recordOf = (sessionId: string, held: Held = {}): SessionRecord => {
  const {
    domains = ['d'],
    state = 'recovering.held',
    openedAtMs = 1,
    kind = 'network',
    more,
  } = held
  const record = sampleRecord(sessionId, 3, 1, state)
  const incident = { number: 1, openedAtMs, failure: { kind }, ...more }
  const traits = { ...record.control.traits, domains }
  return { ...record, control: { ...record.control, traits, incident } } as never
}

/** A gate under these rules for domains, and its world. */
export const rig = (domain: Partial<Policy['domain']> = {}) => {
  const time = new VirtualClock()
  const { clock, pending } = time.fork()
  const policy = {
    ...{ ...defaultPolicy, recoveryDelay: 1_000, strategyTimeoutMs: 5_000 },
    domain: { ...defaultPolicy.domain, ...domain },
  }
  const notices: Notice[] = []
  const logged: string[] = []
  const world = {
    isStopped: false,
    answer: (): Promise<Probed> => new Promise(() => {}),
    /** What whoever listens does as soon as it is told. */
    told: () => {},
  }
  const signals: AbortSignal[] = []
  const requests: object[] = []
  const released: string[] = []
  const runtime = {
    ...{ policy, clock, nowMs: () => time.nowMs, isStopped: () => world.isStopped },
    notify: (notice: Notice) => {
      notices.push(notice)
      world.told()
    },
    background: (_: string, work: () => Promise<void>) => {
      if (!world.isStopped) work().catch((thrown: Error) => logged.push(thrown.message))
    },
    driver: {
      name: 'scripted',
      probe: (request: { readonly signal: AbortSignal }) => async () => {
        signals.push(request.signal)
        requests.push(request)
        return E.right(await world.answer())
      },
    },
  } as unknown as Runtime
  const gate = new DomainGate(runtime)
  const session = (sessionId: string, held: Held = {}): Session => {
    const made: { record: SessionRecord; lane: unknown; keeper: unknown } = {
      record: recordOf(sessionId, held),
      lane: undefined,
      keeper: {
        ...{ learnt: async () => undefined, known: { secrets: new Map(), declared: [] } },
        retrieve: async () => undefined,
        letGo: () => undefined,
      },
    }
    made.lane = {
      get record() {
        return made.record
      },
      insist: async (make: (atMs: number, record: SessionRecord) => unknown) => {
        const event = make(time.nowMs, made.record) as { readonly type: string } | undefined
        if (event?.type === 'released') released.push(`${sessionId} ${JSON.stringify(event)}`)
      },
    }
    return made as unknown as Session
  }
  /** The session goes to `state`, and the gate sees it. */
  const goes = (one: Session, state: SessionRecord['state'], effects: readonly Effect[] = []) => {
    one.record = { ...one.record, state }
    gate.see(one, one.record, effects)
  }
  const events = () =>
    notices.flatMap((notice) => (notice._tag === 'domain-decided' ? [notice.event] : []))
  const states = () => gate.records.map(({ control, state }) => `${control.domain} ${state}`)
  const turns = () => new Promise((resolve) => setImmediate(resolve))
  return {
    time,
    pending,
    gate,
    world,
    signals,
    requests,
    released,
    logged,
    session,
    goes,
    events,
    states,
    turns,
  }
}

export const typed = (events: readonly DomainEvent[], type: DomainEvent['type']) =>
  events.filter((event) => event.type === type)
