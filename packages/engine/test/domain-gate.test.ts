/** The gate by itself: who is held, who is let go and when, what of a canary is called off, and what is counted. */
import type { Effect } from '@session-recovery/core'
import { describe, expect, test } from 'vitest'
import { rig, type Session, typed } from './domain-gate-rig.js'

const tell = (tag: string): Effect => ({ _tag: 'tell', fact: { _tag: tag } }) as never
const reset = tell('session-reset')

describe('a canary', () => {
  test('that gives no answer is called off at its deadline, and the next goes after the wait', async () => {
    const { time, gate, signals, session, states, turns, events } = rig()
    const one = session('a')
    gate.see(one, one.record, [])
    await turns()
    expect([states(), gate.waiting, signals.length]).toEqual([['d probing'], 1, 1])
    // Who has come has left nothing.
    expect(events().map(({ type }) => type)).toEqual(['waited'])
    await time.advance(60_000)
    expect(signals[0]?.aborted).toBe(true)
    expect(signals.length).toBeGreaterThan(1)
    expect(gate.waiting).toBe(1)
  })

  test('is called off when nobody waits for it any more, and leaves no timer', async () => {
    const { gate, signals, session, goes, states, turns, pending, logged } = rig()
    const [one, two] = [session('a'), session('b')]
    for (const each of [one, two]) gate.see(each, each.record, [])
    await turns()
    expect(pending()).toBe(1)
    goes(one, 'registered')
    expect([signals[0]?.aborted, gate.waiting]).toEqual([false, 1])
    goes(two, 'unregistered')
    await turns()
    expect([signals[0]?.aborted, gate.waiting, states(), pending()]).toEqual([true, 0, [], 0])
    expect(logged).toEqual([])
  })

  test('is called off where the engine stops, and nothing is decided after it', async () => {
    const { time, gate, signals, session, turns, pending, world, events } = rig()
    const one = session('a')
    gate.see(one, one.record, [])
    await turns()
    world.isStopped = true
    gate.halt()
    expect([signals[0]?.aborted, gate.waiting, gate.records, pending()]).toEqual([true, 0, [], 0])
    const before = events().length
    await time.advance(60_000)
    expect(events().length).toBe(before)
  })

  test('of an engine that is stopped by who is told of it does not go, and leaves no timer', async () => {
    const { gate, signals, session, turns, pending, world } = rig()
    world.told = () => {
      world.isStopped = true
      gate.halt()
    }
    const one = session('a')
    gate.see(one, one.record, [])
    await turns()
    expect([signals, pending()]).toEqual([[], 0])
  })

  test('that comes back lets go those who wait, the oldest incident first', async () => {
    const { time, gate, session, world, released, turns } = rig({ concurrency: 2 })
    world.answer = async () => ({ verdict: 'reachable', detail: 'yes' })
    const [late, early] = [session('late', { openedAtMs: 9 }), session('early', { openedAtMs: 3 })]
    for (const each of [late, early]) gate.see(each, each.record, [])
    await turns()
    await time.advance(0)
    expect(released.map((line) => line.split(' ')[0])).toEqual(['early'])
    expect(released[0]).toContain('"credentialRefused":false,"order":0')
    expect(gate.waiting).toBe(1)
  })

  test('whose credential is refused turns away all who wait for it, and nobody asks again', async () => {
    const { gate, session, world, released, states, turns } = rig()
    world.answer = async () => ({ verdict: 'refused', detail: 'no' })
    const domains = ['credential:c', 'd']
    const all = ['a', 'b'].map((id) => session(id, { domains }))
    for (const each of all) gate.see(each, each.record, [])
    await turns()
    expect(states()).toContain('credential:c refused')
    expect(released.map((line) => line.split(' ')[0]).sort()).toEqual(['a', 'b'])
    expect(released.join()).toContain('"credentialRefused":true,"order":0')
    expect(gate.waiting).toBe(0)
  })
})

test.each([
  [5_000, true],
  [0, false],
])('a canary that may take %i ms has a deadline: %s', async (probeTimeoutMs, isBound) => {
  const { gate, session, requests, turns } = rig({ probeTimeoutMs })
  const one = session('a')
  gate.see(one, one.record, [])
  await turns()
  expect(requests).toMatchObject([{ sessionId: 'a', domain: 'd' }])
  expect(Object.keys(requests[0] ?? {}).includes('deadlineMs')).toBe(isBound)
})

test('what is found by an engine that has stopped decides nothing, and arms no timer', () => {
  const { gate, session, world, events, pending } = rig()
  world.isStopped = true
  const probe = { probe: { domain: 'd', verdict: 'unreachable', tries: 1, atMs: 1 } }
  gate.find([session('a', { state: 'recovering.attempting' }), session('b', { more: probe })])
  expect([events(), gate.records, pending()]).toEqual([[], [], 0])
})

describe('one that was let go', () => {
  const gone = async () => {
    const made = rig({ suspectAfter: 99 })
    const one = made.session('a', { kind: 'process-exited' })
    made.gate.see(one, one.record, [])
    await made.turns()
    expect(made.released).toHaveLength(1)
    made.goes(one, 'recovering.attempting')
    return { ...made, one }
  }

  test.each([
    ['exhausted', [], 'missed'],
    ['recovering.backingOff', [], 'missed'],
    ['registered', [], 'neither'],
    ['unregistered', [], 'neither'],
    ['registered', [tell('incident-recovered')], 'well'],
  ] as const)('and comes to %s with %j has settled its domain: %s', async (state, effects, how) => {
    const { goes, one, events } = await gone()
    goes(one, 'recovering.verifying')
    expect(typed(events(), 'settled')).toEqual([])
    goes(one, state, effects)
    expect(typed(events(), 'settled')).toMatchObject([{ how }])
    goes(one, state, effects)
    expect(typed(events(), 'settled')).toHaveLength(1)
  })

  test('is not held twice while its attempt is on', async () => {
    const { goes, one, gate, released } = await gone()
    goes(one, 'recovering.held')
    expect([gate.waiting, released.length]).toEqual([0, 1])
  })

  test('and whose credential is refused has it refused for all, and for nothing else they share', async () => {
    const { gate, session, goes, released, states, turns } = rig({ concurrency: 1 })
    const kind = 'process-exited'
    const [one, other] = ['a', 'b'].map((id) =>
      session(id, { kind, domains: ['credential:c', 'd'], more: { credentialRefused: true } }),
    ) as [Session, Session]
    for (const each of [one, other]) gate.see(each, each.record, [])
    await turns()
    expect([released.length, gate.waiting]).toEqual([1, 1])
    goes(one, 'recovering.backingOff')
    await turns()
    expect(states()).toContain('credential:c refused')
    expect(states()).not.toContain('d refused')
    expect(released.join()).toContain('b {"type":"released","atMs":0,"credentialRefused":true')
    expect(gate.waiting).toBe(0)
  })

  test('is told nothing by an engine that stops, which goes on to call off the canaries of others', async () => {
    const { gate, session, signals, turns, pending } = await gone()
    const other = session('b', { domains: ['e'] })
    gate.see(other, other.record, [])
    await turns()
    gate.halt()
    expect([signals.map(({ aborted }) => aborted), gate.records, pending()]).toEqual([
      [true],
      [],
      0,
    ])
  })
})

describe('what is found in a store', () => {
  test('is who is under way, and what was probed last', () => {
    const { gate, session, events } = rig()
    const withoutIncident = session('f', { state: 'registered', domains: ['x'] })
    const { incident: _, ...control } = withoutIncident.record.control
    withoutIncident.record = { ...withoutIncident.record, control }
    const probe = (atMs: number) => ({
      probe: { domain: 'd', verdict: 'unreachable', tries: atMs, atMs },
    })
    gate.find([
      session('a', { state: 'recovering.attempting', domains: ['d', 'c'] }),
      session('b', { state: 'recovering.verifying', more: probe(7) }),
      session('c', { more: probe(9) }),
      session('d', { more: probe(8) }),
      session('e', { state: 'registered', domains: ['x'] }),
      withoutIncident,
    ])
    expect(typed(events(), 'found')).toMatchObject([
      { inFlight: 1 },
      { inFlight: 2, probe: { tries: 9 } },
    ])
    expect(gate.records.map(({ control }) => control.domain)).toEqual(['c', 'd'])
    expect(typed(events(), 'found')[0]).not.toHaveProperty('probe')
  })

  test('waits on where it waited, each once', async () => {
    const { gate, session, turns, signals } = rig()
    const [held, seen, other] = [session('a'), session('b'), session('c', { state: 'registered' })]
    gate.see(seen, seen.record, [])
    gate.takeUp([held, seen, other])
    await turns()
    expect([gate.waiting, signals.length]).toEqual([2, 1])
  })
})

test('who goes on without having been let go is none of those in flight', () => {
  const { gate, session, goes, events } = rig()
  const one = session('a', { state: 'exhausted', more: { credentialRefused: true } })
  goes(one, 'exhausted')
  expect([events(), gate.waiting]).toEqual([[], 0])
})

test('of several domains each is tried once, and told who was let go and whether it waited there', async () => {
  const { gate, session, world, turns, events, signals, released } = rig()
  // A third canary would be one too many, and its answer would send out the next.
  world.answer = async () =>
    signals.length < 3 ? { verdict: 'reachable', detail: 'yes' } : new Promise(() => {})
  const one = session('a', { domains: ['d', 'rack'] })
  gate.see(one, one.record, [])
  for (let turn = 0; turn < 5; turn++) await turns()
  expect([signals.length, released.length]).toEqual([2, 1])
  expect(typed(events(), 'waited')).toMatchObject([{ suspected: true }, { suspected: true }])
  expect(typed(events(), 'admitted')).toMatchObject([{ waited: false }, { waited: true }])
})

test('one without domains is none of it, and a domain of which nothing is known is not renewed', () => {
  const { gate, session, states, events } = rig()
  const one = session('a')
  const { domains: _, ...traits } = one.record.control.traits
  one.record = { ...one.record, control: { ...one.record.control, traits } }
  for (const effects of [[], [reset]]) gate.see(one, one.record, effects)
  expect([gate.waiting, states(), gate.renew('d'), events()]).toEqual([0, [], false, []])
})

test('an open domain that is renewed is tried at once; a reset of a session renews its domains', async () => {
  const { gate, session, world, signals, turns, goes, states } = rig()
  world.answer = async () => ({ verdict: 'unreachable', detail: 'no' })
  const one = session('a')
  gate.see(one, one.record, [])
  await turns()
  expect([states(), signals.length]).toEqual([['d open'], 1])
  expect(gate.renew('d')).toBe(true)
  await turns()
  expect(signals.length).toBe(2)
  const other = session('b', { state: 'exhausted' })
  goes(other, 'registered', [reset])
  await turns()
  expect(signals.length).toBe(3)
})

test('never more go than may over all domains; who had no room goes when another has settled', async () => {
  const { gate, session, released, turns, goes } = rig({ overallConcurrency: 1 })
  const all = ['a', 'b', 'c'].map((id) =>
    session(id, { domains: [`d${id}`], kind: 'process-exited' }),
  )
  for (const each of all) gate.see(each, each.record, [])
  await turns()
  expect([released.length, gate.waiting]).toEqual([1, 2])
  for (const [i, each] of all.entries()) {
    goes(each, 'recovering.attempting')
    goes(each, 'registered')
    await turns()
    expect([released.length, gate.waiting]).toEqual([Math.min(3, i + 2), Math.max(0, 1 - i)])
  }
})

test('a domain in which attempts have missed is tried before the next goes, whatever it failed of', async () => {
  const { gate, session, goes, released, signals, states, turns } = rig({ suspectAfter: 2 })
  const [one, two, three] = ['a', 'b', 'c'].map((id) =>
    session(id, { kind: 'process-exited' }),
  ) as [Session, Session, Session]
  for (const each of [one, two]) {
    gate.see(each, each.record, [])
    await turns()
    goes(each, 'recovering.attempting')
  }
  for (const each of [one, two]) goes(each, 'exhausted')
  gate.see(three, three.record, [])
  await turns()
  expect([released.length, gate.waiting, signals.length, states()]).toEqual([
    ...[2, 1, 1, ['d probing']],
  ])
})

test('of those who wait for one domain the oldest goes first, whatever else it is part of', async () => {
  const { gate, session, goes, released, turns } = rig({ overallConcurrency: 1 })
  const kind = 'process-exited'
  const first = session('first', { kind, domains: ['other'] })
  const late = session('late', { kind, domains: ['d'], openedAtMs: 9 })
  const early = session('early', { kind, domains: ['c', 'd'], openedAtMs: 3 })
  for (const each of [first, late, early]) gate.see(each, each.record, [])
  await turns()
  for (const each of [first, early]) {
    goes(each, 'recovering.attempting')
    goes(each, 'registered')
    await turns()
  }
  expect(released.map((line) => line.split(' ')[0])).toEqual(['first', 'early', 'late'])
})
