/**
 * The walk of the machine, by xstate/graph: from a fresh session through every state it can reach, with
 * counters up to 2. Every state and every row of the table is reached; every state that is not final has
 * a way on; no event that is not for a state moves it.
 */
import {
  type Control,
  policyFrom,
  type RunOutcome,
  receiptOf,
  type SessionEvent,
  type SessionStateName,
  sessionStateNames,
  type Verdict,
} from '@session-recovery/core'
import { compile, sessionMachine, stepUnder } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { beforeEach, expect, test } from 'vitest'
import { getAdjacencyMap } from 'xstate/graph'
import { freshRecord } from './wander.js'

const made = policyFrom({ maxRecoveryAttempts: 2, recoveryDelay: 10, stableAfterMs: 1_000_000 })
if (E.isLeft(made)) throw new Error(made.left.message)
const policy = made.right
const machine = sessionMachine(policy)

const outcomes: readonly RunOutcome[] = [
  { _tag: 'done', detail: '' },
  { _tag: 'failed', detail: '' },
  { _tag: 'failed', detail: '', permanent: true },
  { _tag: 'unsupported', detail: '' },
]
const verdicts: readonly Verdict[] = [
  { _tag: 'alive', receipt: receiptOf('observed', {}) },
  { _tag: 'unproved', detail: '', evidence: [] },
]

/** Every event that could matter to a session with this control state. */
const eventsFor = ({ incident, captureToken, captureAtMs }: Control): SessionEvent[] => {
  const atMs = 2_000
  const view = { generation: 1, capturedAtMs: 0 }
  const failure = (permanent: boolean) =>
    ({ kind: 'other', reason: '', interactivity: 'none', permanent, evidence: [] }) as const
  const dueAtMs = incident?.dueAtMs ?? captureAtMs ?? atMs
  const tokens = ['stale', incident?.token ?? captureToken ?? 'none']
  return [
    { type: 'captureDue', atMs: 0 },
    { type: 'captureDue', atMs: dueAtMs },
    { type: 'due', atMs: 0 },
    { type: 'due', atMs: dueAtMs },
    { type: 'failed', atMs, failure: { ...failure(false), evidence: [] }, view },
    { type: 'failed', atMs, failure: { ...failure(true), evidence: [] }, view },
    { type: 'cancelled', atMs, why: '' },
    { type: 'reset', atMs },
    { type: 'resumed', atMs, lastSeenMs: atMs },
    { type: 'ended', atMs },
    { type: 'probed', atMs, domain: 'd', verdict: 'reachable', tries: 0, detail: '' },
    { type: 'released', atMs, credentialRefused: false, order: 0 },
    { type: 'released', atMs, credentialRefused: true, order: 0 },
    { type: 'unregistered', atMs },
    ...tokens.flatMap((token): SessionEvent[] => [
      { type: 'captured', atMs, token },
      { type: 'captureFailed', atMs, token, detail: '' },
      { type: 'archived', atMs, token, outcome: { _tag: 'archived', location: 'x' } },
      ...outcomes.map((outcome) => ({ type: 'acted', atMs, token, outcome }) as const),
      ...verdicts.map((verdict) => ({ type: 'verified', atMs, token, verdict }) as const),
    ]),
  ]
}

const nameOf = (value: unknown): SessionStateName =>
  (typeof value === 'string'
    ? value
    : Object.entries(value as object)
        .flat()
        .join('.')) as SessionStateName

/** What tells two situations apart; times and ids do not, counters do up to 2. */
const kindOf = (value: unknown, control: Control): string => {
  const { incident, used } = control
  return JSON.stringify([
    nameOf(value),
    Math.min(2, used),
    incident && [incident.index, incident.inDoubt, incident.credentialRefused],
  ])
}

interface Node {
  readonly state: { readonly value: unknown; readonly context: Control }
  readonly transitions: Readonly<
    Record<string, { readonly event: SessionEvent; readonly state: { readonly value: unknown } }>
  >
}
const walked = (domains?: readonly string[]): readonly Node[] =>
  Object.values(
    getAdjacencyMap(machine, {
      input: freshRecord(policy, false, domains).control,
      events: (snapshot) => (snapshot.status === 'active' ? eventsFor(snapshot.context) : []),
      serializeState: ({ value, context }) => kindOf(value, context),
      serializeEvent: (event) => JSON.stringify(event),
      limit: 20_000,
    }),
  )
let nodes: readonly Node[] = []
beforeEach(() => {
  if (nodes.length === 0) nodes = [...walked(), ...walked(['host:h'])]
})

test('the walk reaches every state', () => {
  const reached = new Set(nodes.map(({ state }) => nameOf(state.value)))
  expect([...reached].sort()).toEqual([...sessionStateNames].sort())
  process.stdout.write(`the walk reached ${nodes.length} situations\n`)
  expect(nodes.length).toBeGreaterThan(30)
})

test('the walk takes every row of the table', () => {
  const step = stepUnder(policy)
  const table = compile(machine)
  const taken = new Set<string>()
  for (const { state, transitions } of nodes) {
    const from = nameOf(state.value)
    for (const { event } of Object.values(transitions)) {
      const record = { ...freshRecord(policy), state: from, control: state.context }
      const [next, effects] = step(record, event)
      taken.add(
        JSON.stringify([from, event.type, next.state, effects.length > 0 || next !== record]),
      )
    }
  }
  for (const [state, byEvent] of Object.entries(table)) {
    for (const [type, rows] of Object.entries(byEvent)) {
      for (const row of rows ?? []) {
        const moves = row.to !== undefined || row.actions.length > 0
        const key = JSON.stringify([state, type, row.to ?? state, moves])
        expect(taken, `${state} × ${type} → ${row.to} (${row.guard ?? 'else'})`).toContain(key)
      }
    }
  }
})

test('law 5: every state that is not final has a way on', () => {
  for (const { state, transitions } of nodes) {
    if (nameOf(state.value) === 'unregistered') continue
    const ways = Object.values(transitions).filter(
      ({ state: next }) => nameOf(next.value) !== nameOf(state.value),
    )
    expect(ways.length, nameOf(state.value)).toBeGreaterThan(0)
  }
})
