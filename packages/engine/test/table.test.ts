/**
 * The table compiled from the machine decides exactly as XState does: on every leaf × event × outcome of
 * the guards that stand there, and with the real guards and reactions along generated traces.
 */
import {
  type Control,
  defaultPolicy,
  type EventType,
  eventTypes,
  type GuardName,
  guardNames,
  reactionNames,
  type SessionEvent,
  type SessionRecord,
  type SessionStateName,
  sessionStateNames,
} from '@session-recovery/core'
import {
  compile,
  type Row,
  type SessionMachine,
  sessionMachine,
  stepUnder,
} from '@session-recovery/engine'
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMachine, transition } from 'xstate'
import { compiled } from '../src/table.js'
import { freshRecord, wander } from './wander.js'

const stateValue = (name: SessionStateName) => {
  const [parent, child] = name.split('.')
  return child === undefined ? name : { [parent as string]: child }
}

const nameOf = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : Object.entries(value as Record<string, string>)
        .map(([parent, child]) => `${parent}.${child}`)
        .join()

/** The machine with its guards fixed and its actions inert: what is left is the choice of a row. */
const withOutcome = (machine: SessionMachine, outcome: Readonly<Record<string, boolean>>) =>
  machine.provide({
    guards: Object.fromEntries(guardNames.map((name) => [name, () => outcome[name] ?? false])),
    actions: Object.fromEntries(reactionNames.map((name) => [name, () => {}])),
  } as Parameters<SessionMachine['provide']>[0])

const control = freshRecord(defaultPolicy).control

const outcomesOf = (rows: readonly Row[]): readonly Record<string, boolean>[] => {
  const names = [...new Set(rows.flatMap((row): GuardName[] => (row.guard ? [row.guard] : [])))]
  return Array.from({ length: 2 ** names.length }, (_, bits) =>
    Object.fromEntries(names.map((name, i) => [name, (bits & (2 ** i)) !== 0])),
  )
}

const chosenBy = (
  rows: readonly Row[],
  outcome: Readonly<Record<string, boolean>>,
  state: SessionStateName,
) => {
  const row = rows.find(({ guard }) => guard === undefined || outcome[guard])
  return { to: row?.to ?? state, actions: row?.actions ?? [] }
}

test('every leaf × event × guard outcome goes where XState goes', () => {
  const machine = sessionMachine(defaultPolicy)
  const table = compile(machine)
  let compared = 0
  for (const state of sessionStateNames) {
    for (const type of eventTypes) {
      const rows = table[state][type] ?? []
      for (const outcome of outcomesOf(rows)) {
        const fixed = withOutcome(machine, outcome)
        const from = fixed.resolveState({ value: stateValue(state), context: control })
        const [next, actions] = transition(fixed, from, { type } as SessionEvent)
        const expected = {
          to: nameOf(next.value),
          actions: actions.map((action) => action.type).filter((name) => name !== 'effect'),
        }
        // The one difference, and deliberate: a final record takes no event at all.
        const isFinal = state === 'unregistered'
        if (!isFinal)
          expect({ state, type, ...chosenBy(rows, outcome, state) }).toEqual({
            state,
            type,
            ...expected,
          })
        else expect(rows).toEqual([])
        compared += 1
      }
    }
  }
  expect(compared).toBeGreaterThan(150)
})

const withoutUndefined = (context: Control): unknown => JSON.parse(JSON.stringify(context))

const throughXState = (machine: SessionMachine, record: SessionRecord, event: SessionEvent) => {
  const from = machine.resolveState({ value: stateValue(record.state), context: record.control })
  const [next, actions] = transition(machine, from, event)
  const effects = actions.flatMap((action) => (action.type === 'effect' ? [action.params] : []))
  return { state: nameOf(next.value), control: withoutUndefined(next.context), effects }
}

test.each([
  ['of a session by itself', undefined],
  ['of one that shares a domain', ['host:h']],
])('with the real guards and reactions, step and XState agree along traces %s', (_, domains) => {
  const machine = sessionMachine(defaultPolicy)
  const step = stepUnder(defaultPolicy, compile(machine))
  holds(
    fc.property(fc.integer({ min: 1 }), (seed) => {
      for (const { record, event } of wander(defaultPolicy, seed, 40, domains)) {
        if (record.state === 'unregistered') continue
        const [next, effects] = step(record, event)
        const expected = throughXState(machine, record, event)
        expect({
          state: next.state,
          control: withoutUndefined(next.control),
          effects: JSON.parse(JSON.stringify(effects)),
        }).toEqual({ ...expected, effects: JSON.parse(JSON.stringify(expected.effects)) })
      }
    }),
    40,
  )
})

test('a final record takes no event', () => {
  const step = stepUnder(defaultPolicy)
  const final: SessionRecord = { ...freshRecord(defaultPolicy), state: 'unregistered' }
  for (const type of eventTypes) {
    const event = { type, atMs: 0 } as Extract<SessionEvent, { type: EventType }>
    expect(step(final, event)).toEqual([final, []])
  }
})

test.each([
  ['after', { after: { 100: '#idle' } }],
  ['entry', { entry: 'closeExhausted' }],
  ['always', { always: { guard: 'isDone', target: '#idle' } }],
])('a machine with %s is refused', (_, addition) => {
  const broken = sessionMachine(defaultPolicy)
  const idle = broken.root.states.snapshotting?.states.idle
  if (idle === undefined) throw new Error('no idle state')
  if ('after' in addition) Object.defineProperty(idle, 'after', { value: [{}] })
  if ('entry' in addition) Object.defineProperty(idle, 'entry', { value: ['closeExhausted'] })
  if ('always' in addition) Object.defineProperty(idle, 'always', { value: [{}] })
  expect(() => compile(broken)).toThrow(/cannot hold/)
})

test('a machine that lacks a state is refused, and the state is named', () => {
  const broken = sessionMachine(defaultPolicy)
  Reflect.deleteProperty(broken.root.states, 'exhausted')
  expect(() => compile(broken)).toThrow('the machine lacks the states exhausted')
})

test('the table names every state, and of each the events alone that something is said of', () => {
  const table = compile(sessionMachine(defaultPolicy))
  expect(Object.keys(table).sort()).toEqual([...sessionStateNames].sort())
  for (const [state, rows] of Object.entries(table)) {
    expect(Object.values(rows).filter((found) => found.length === 0)).toEqual([])
    expect(Object.keys(rows).length > 0).toBe(state !== 'unregistered')
  }
})

const namesOf = (...states: readonly string[]) => ({
  ...{ states, events: ['go'], guards: [] as string[], actions: [] as string[] },
})

test('who goes to a state that has others goes to the first of them', () => {
  const inner = { initial: 'one', states: { one: {}, two: {} } }
  const machine = createMachine({ initial: 'a', states: { a: { on: { go: 'b' } }, b: inner } })
  expect(compiled(machine.root, namesOf('a', 'b.one', 'b.two'))).toEqual({
    a: { go: [{ actions: [], to: 'b.one' }] },
    ...{ 'b.one': {}, 'b.two': {} },
  })
})

test('a machine that goes to several states at once is refused', () => {
  const half = { initial: 'a', states: { a: {}, b: {} } }
  const machine = createMachine({
    type: 'parallel',
    states: { x: half, y: half },
    on: { go: { target: ['.x.b', '.y.b'] } },
  })
  expect(() => compiled(machine.root, namesOf('x.a', 'x.b', 'y.a', 'y.b'))).toThrow(
    'several targets',
  )
})
