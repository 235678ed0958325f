/**
 * The domain machine: its table decides as XState does, every row of it is come to, and along any course
 * of events a domain keeps to its bounds, has at most one canary out, and always has a way on.
 */
import {
  type DomainControl,
  type DomainEvent,
  type DomainRecord,
  DomainRecord as DomainRecordCodec,
  type DomainStateName,
  defaultPolicy,
  domainEventTypes,
  domainGuardNames,
  domainGuards,
  domainReactionNames,
  domainRoom,
  domainStateNames,
  domainWakeAtMs,
  freshDomain,
  isForgettable,
  isSuspected,
  probeDelayMs,
  suspects,
} from '@session-recovery/core'
import {
  type DomainMachine,
  domainMachine,
  domainStepUnder,
  domainTable,
} from '@session-recovery/engine'
import { type Chance, chance, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { transition } from 'xstate'
import { policyOf } from './scripted-world.js'

const policy = policyOf({
  recoveryDelay: 2_000,
  maxBackoffDelay: 16_000,
  domain: { concurrency: 4, suspectAfter: 2 },
})
const machine = domainMachine(policy)
const table = domainTable()
// Of the machine as it is now: what the engine decides by is compiled once, when it is loaded.
const step = domainStepUnder(policy, table)

// ---------------------------------------------------------------------------------------- a course

/** One event that could come to `record`, as the engine would make it. */
const anEvent = (record: DomainRecord, pick: Chance, atMs: number): DomainEvent => {
  const { waiting, inFlight, token = 'none', dueAtMs = atMs, probes } = record.control
  const deadline = pick.percent(80) ? Math.max(atMs, dueAtMs) : atMs
  const how = pick.pick(['well', 'well', 'missed', 'missed', 'neither'] as const)
  const probe = {
    domain: 'host:h',
    verdict: pick.pick(['reachable', 'unreachable', 'refused'] as const),
    tries: pick.whole(0, 3),
    atMs,
  }
  const isFresh = probes === 0 && waiting + inFlight === 0 && record.rev === 0
  const heard = { token: pick.percent(90) ? token : 'stale', detail: 'any' }
  return pick.pick<DomainEvent>([
    { type: 'waited', atMs, suspected: pick.percent(60) },
    { type: 'waited', atMs, suspected: false },
    ...(waiting > 0 ? [{ type: 'left', atMs } as const] : []),
    ...(domainRoom(record, policy) > 0 && waiting > 0
      ? ([
          { type: 'admitted', atMs, waited: true },
          { type: 'admitted', atMs, waited: true },
        ] as const)
      : []),
    ...(inFlight > 0
      ? ([
          { type: 'settled', atMs, how },
          { type: 'settled', atMs, how },
        ] as const)
      : []),
    { type: 'probed', atMs, reachable: pick.percent(50), ...heard },
    { type: 'due', atMs: deadline },
    ...(pick.percent(10) ? ([{ type: 'refused', atMs }] as const) : []),
    ...(pick.percent(30) ? ([{ type: 'renewed', atMs }] as const) : []),
    ...(isFresh ? [{ type: 'found', atMs, inFlight: pick.whole(0, 3), probe } as const] : []),
  ])
}

interface Met {
  readonly record: DomainRecord
  readonly event: DomainEvent
}

const course = (seed: number, length: number): readonly Met[] => {
  const pick = chance(seed)
  const met: Met[] = []
  let record = freshDomain('host:h')
  let atMs = 1_000
  for (let i = 0; i < length; i++) {
    atMs += pick.pick([0, 1, 1_000, 20_000])
    const event = anEvent(record, pick, atMs)
    met.push({ record, event })
    record = step(record, event)[0]
    atMs = Math.max(atMs, event.atMs)
  }
  return met
}

const anySeed = fc.integer({ min: 1, max: 2 ** 31 - 1 })

// -------------------------------------------------------------------------------- table and machine

const withOutcome = (outcome: Readonly<Record<string, boolean>>) =>
  machine.provide({
    guards: Object.fromEntries(
      domainGuardNames.map((name) => [name, () => outcome[name] ?? false]),
    ),
    actions: Object.fromEntries(domainReactionNames.map((name) => [name, () => {}])),
  } as Parameters<DomainMachine['provide']>[0])

describe('the table', () => {
  test('goes where XState goes, on every state × event × guard outcome', () => {
    let compared = 0
    for (const state of domainStateNames) {
      for (const type of domainEventTypes) {
        const rows = table[state][type] ?? []
        const names = [...new Set(rows.flatMap(({ guard }) => guard ?? []))]
        for (let bits = 0; bits < 2 ** names.length; bits++) {
          const outcome: Record<string, boolean> = Object.fromEntries(
            names.map((name, i) => [name, (bits & (2 ** i)) !== 0]),
          )
          const row = rows.find(({ guard }) => guard === undefined || outcome[guard])
          const fixed = withOutcome(outcome)
          const from = fixed.resolveState({ value: state, context: freshDomain('d').control })
          const [next, actions] = transition(fixed, from, { type } as DomainEvent)
          const expected = { to: next.value, actions: actions.map((action) => action.type) }
          const found = { to: row?.to ?? state, actions: row?.actions ?? [] }
          expect({ state, type, ...found }).toEqual({ state, type, ...expected })
          compared += 1
        }
      }
    }
    expect(compared).toBeGreaterThan(60)
  })

  test('with the real guards and reactions, agrees with XState along any course', () => {
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
    holds(
      fc.property(anySeed, (seed) => {
        for (const { record, event } of course(seed, 40)) {
          const [next, effects] = step(record, event)
          const from = machine.resolveState({ value: record.state, context: record.control })
          const [expected, actions] = transition(machine, from, event)
          const asked = actions.flatMap((one) => (one.type === 'effect' ? [one.params] : []))
          expect(plain([next.state, next.control, effects])).toEqual(
            plain([expected.value, expected.context, asked]),
          )
        }
      }),
      60,
    )
  })

  test('has no row that is never come to', () => {
    const guardOf = domainGuards(policy)
    const taken = new Set<string>()
    for (let seed = 1; seed <= 300; seed++) {
      for (const { record, event } of course(seed, 60)) {
        const rows = table[record.state][event.type] ?? []
        const index = rows.findIndex(
          ({ guard }) => guard === undefined || guardOf[guard](record.control, event),
        )
        taken.add(`${record.state} × ${event.type} ${index}`)
      }
    }
    const all = domainStateNames.flatMap((state) =>
      Object.entries(table[state]).flatMap(([type, rows]) =>
        (rows ?? []).map((_, index) => `${state} × ${type} ${index}`),
      ),
    )
    expect(all.filter((row) => !taken.has(row))).toEqual([])
  })
})

// ------------------------------------------------------------------------------------- what is kept

const within = ({ waiting, inFlight, window, tries, probes }: DomainControl): boolean =>
  [waiting, inFlight, window, tries, probes].every((n) => Number.isSafeInteger(n) && n >= 0)

describe('along any course', () => {
  test('counts are counts, and what is stored of a domain is read again', () => {
    holds(
      fc.property(anySeed, (seed) => {
        for (const { record } of course(seed, 60)) {
          expect(within(record.control)).toBe(true)
          const read = DomainRecordCodec.decode(DomainRecordCodec.encode(record))
          expect(E.isRight(read) && read.right).toEqual(record)
        }
      }),
    )
  })

  test('there is at most one canary, and nobody goes while one is out or did not come back', () => {
    holds(
      fc.property(anySeed, (seed) => {
        let out: string | undefined
        for (const { record, event } of course(seed, 80)) {
          const [next, effects] = step(record, event)
          for (const effect of effects) {
            if (effect._tag === 'abort' && effect.token === out) out = undefined
            if (effect._tag !== 'probe') continue
            expect(out).toBeUndefined()
            out = effect.token
          }
          if (event.type === 'probed' && event.token === out) out = undefined
          expect(next.state === 'probing').toBe(out !== undefined)
          expect(next.control.token).toBe(out)
          const mayGo = next.state === 'closed' || next.state === 'releasing'
          if (!mayGo) expect(domainRoom(next, policy)).toBe(0)
          expect(domainRoom(next, policy) + next.control.inFlight).toBeLessThanOrEqual(
            Math.max(4, next.control.inFlight),
          )
        }
      }),
    )
  })

  test('whoever waits has something to wait for: room, a canary, a deadline or the app', () => {
    holds(
      fc.property(anySeed, (seed) => {
        for (const { record, event } of course(seed, 80)) {
          const [next, effects] = step(record, event)
          if (next.control.waiting === 0) continue
          const isAsked = effects.some(({ _tag }) => _tag === 'refuse')
          const hasWay =
            isAsked ||
            next.control.inFlight > 0 ||
            domainRoom(next, policy) > 0 ||
            next.control.token !== undefined ||
            domainWakeAtMs(next) !== undefined ||
            next.state === 'refused'
          expect(hasWay, JSON.stringify(next)).toBe(true)
        }
      }),
    )
  })

  test('a canary that did not come back is followed by the next no sooner than the policy says', () => {
    holds(
      fc.property(anySeed, (seed) => {
        let failedAtMs: number | undefined
        for (const { record, event } of course(seed, 80)) {
          const [next, effects] = step(record, event)
          if (record.state === 'probing' && next.state === 'open') failedAtMs = event.atMs
          const goes = effects.some(({ _tag }) => _tag === 'probe')
          if (goes && record.state === 'open' && event.type === 'due' && failedAtMs !== undefined) {
            const leastMs = probeDelayMs(policy, 'host:h', record.control.tries)
            expect(event.atMs - failedAtMs).toBeGreaterThanOrEqual(leastMs)
          }
        }
      }),
    )
  })

  test('what can be forgotten decides as a fresh one would', () => {
    holds(
      fc.property(anySeed, (seed) => {
        for (const { record, event } of course(seed, 60)) {
          if (!isForgettable(record) || event.type === 'found') continue
          const fresh = freshDomain('host:h')
          expect(step(record, event)[0].state).toBe(step(fresh, event)[0].state)
        }
      }),
    )
  })
})

// ---------------------------------------------------------------------------------------- examples

const through = (...events: readonly DomainEvent[]): DomainRecord =>
  events.reduce((record, event) => step(record, event)[0], freshDomain('host:h'))
const stateAfter = (...events: readonly DomainEvent[]): DomainStateName => through(...events).state
const waited = (atMs: number): DomainEvent => ({ type: 'waited', atMs, suspected: true })

test('the stages double until as many go as ever may', () => {
  let record = through(waited(1), ...Array.from({ length: 20 }, () => waited(1)))
  const { token = '' } = record.control
  record = step(record, { type: 'probed', atMs: 2, token, reachable: true, detail: '' })[0]
  const stages: number[] = []
  while (record.state === 'releasing') {
    const room = domainRoom(record, policy)
    stages.push(room)
    for (let i = 0; i < room; i++)
      record = step(record, { type: 'admitted', atMs: 3, waited: true })[0]
    for (let i = 0; i < room; i++)
      record = step(record, { type: 'settled', atMs: 4, how: 'well' })[0]
  }
  expect(stages).toEqual([1, 2])
  expect([record.state, domainRoom(record, policy)]).toEqual(['closed', 4])
})

test('the waits between canaries grow up to the cap', () => {
  const waits = [1, 2, 3, 4, 5, 6].map((tries) => probeDelayMs(policy, 'host:h', tries))
  expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 16_000, 16_000])
  expect(probeDelayMs({ ...policy, recoveryDelay: 0 }, 'host:h', 3)).toBe(1_000)
})

test('a refused credential is asked for no more, until the app says that it is another', () => {
  const refused = [waited(1), { type: 'refused', atMs: 2 }] as const
  expect(stateAfter(...refused, waited(3))).toBe('refused')
  expect(stateAfter(...refused, { type: 'renewed', atMs: 3 })).toBe('closed')
})

test('failures of one’s own make nobody suspect the others', () => {
  const fresh = freshDomain('host:h')
  expect(suspects('host:h', 'transport-lost')).toBe(true)
  expect(suspects('host:h', 'process-died')).toBe(false)
  expect(suspects('host:h', 'authentication')).toBe(false)
  expect(suspects('credential:me', 'authentication')).toBe(true)
  expect(suspects('credential:me', 'transport-lost')).toBe(false)
  const well = { ...fresh, control: { ...fresh.control, wellAtMs: 10 } }
  expect(isSuspected(well, 'network', 10)).toBe(false)
  expect(isSuspected(well, 'network', 11)).toBe(true)
})

test('by default a domain is recovered with few at once', () => {
  expect(defaultPolicy.domain).toEqual({
    concurrency: 32,
    overallConcurrency: 128,
    firstStage: 1,
    suspectAfter: 3,
    probeTimeoutMs: 15_000,
  })
})

test('what only goes elsewhere goes there, and what stays as it is is the very same', () => {
  const rows = domainTable()
  const moves = { ...rows, closed: { ...rows.closed, waited: [{ to: 'open', actions: [] }] } }
  const record = freshDomain('d')
  const event = { type: 'waited', atMs: 0, suspected: false } as const
  expect(domainStepUnder(policy, moves as never)(record, event)).toMatchObject([
    { rev: record.rev + 1, state: 'open' },
    [],
  ])
  const stays = { ...rows, closed: { ...rows.closed, waited: [{ to: 'closed', actions: [] }] } }
  expect(domainStepUnder(policy, stays as never)(record, event)[0]).toBe(record)
})
