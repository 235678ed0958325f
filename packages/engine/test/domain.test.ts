/**
 * Sessions that share a domain: one canary goes, the others wait and use up nothing; they are let go in
 * stages, under the caps; a refused credential is asked for once; a crash in the midst loses nothing.
 */
import { factsOf, type JournalEntry, type Notice } from '@session-recovery/core'
import { replay } from '@session-recovery/engine'
import { diskTraced, Fleet, type FleetOptions, memoryTraced } from '@session-recovery/testkit'
import { describe, expect, test } from 'vitest'

const policy = { recoveryDelay: 1_000, maxBackoffDelay: 8_000 }
const capMs = 8_000

const begun = async (options: FleetOptions): Promise<Fleet> => {
  const fleet = new Fleet({ ...options, policy: { ...policy, ...options.policy } })
  await fleet.begin()
  return fleet
}

const entriesIn = (notices: readonly Notice[]): readonly JournalEntry[] =>
  notices.flatMap((notice) => (notice._tag === 'decided' ? [notice.entry] : []))

const factsIn = (fleet: Fleet) => entriesIn(fleet.notices).flatMap(factsOf)

const statesOf = (fleet: Fleet): readonly string[] =>
  fleet.engine.domains().map(({ state, control }) => `${control.domain} ${state}`)

const usedIn = (fleet: Fleet): readonly number[] =>
  fleet.engine.sessions().map(({ record }) => record.control.used)

const replayed = async (fleet: Fleet): Promise<void> => {
  for (const sessionId of fleet.sessionIds) {
    const found = replay(await fleet.engine.journal(sessionId), fleet.policy)
    expect(found._tag, JSON.stringify(found)).toBe('same')
  }
}

describe('on a dead host', () => {
  test('nobody but the canary connects, and waiting uses no attempt', async () => {
    const fleet = await begun({ sessions: 50 })
    await fleet.kill()
    await fleet.time.advance(120_000)
    const { connections } = fleet.hostOf('s0')
    expect(new Set(connections.map(({ by }) => by))).toEqual(new Set(['canary']))
    // 0, 1, 2, 4 s after each other, and then every 8 s, beside the 20 ms that each takes.
    expect(connections.length).toBe(18)
    expect(new Set(usedIn(fleet))).toEqual(new Set([0]))
    expect(fleet.engine.stats().heldSessions).toBe(50)
    expect(statesOf(fleet)).toEqual(['host:0 open'])
  })

  test('all are back within twice the cap of the backoff after it heals', async () => {
    const fleet = await begun({ sessions: 300 })
    await fleet.kill()
    await fleet.time.advance(100_000)
    const whileDead = fleet.hostOf('s0').connections.length
    fleet.hostOf('s0').isDead = false
    await fleet.time.advance(2 * capMs)
    expect(fleet.alive).toBe(300)
    expect(fleet.engine.stats().activeRecoveries).toBe(0)
    expect(fleet.hostOf('s0').mostInFlight).toBe(fleet.policy.domain.concurrency)
    expect(new Set(usedIn(fleet))).toEqual(new Set([1]))
    expect(fleet.hostOf('s0').connections.length - whileDead).toBe(301)
    await replayed(fleet)
  })

  test('they go in stages, those whose incident is oldest first', async () => {
    const fleet = await begun({ sessions: 20, policy: { domain: { concurrency: 4 } } })
    await fleet.kill()
    await fleet.time.advance(10_000)
    fleet.hostOf('s0').isDead = false
    await fleet.time.advance(2 * capMs)
    const recoveries = fleet.hostOf('s0').connections.filter(({ by }) => by === 'recovery')
    const stages = new Map<number, number>()
    for (const { atMs } of recoveries) stages.set(atMs, (stages.get(atMs) ?? 0) + 1)
    expect([...stages.values()]).toEqual([1, 2, 4, 4, 4, 4, 1])
    const order = [...fleet.sessionIds].sort()
    expect(recoveries.map(({ sessionId }) => sessionId)).toEqual(order)
    const released = factsIn(fleet).flatMap((fact) =>
      fact._tag === 'session-released' ? [fact.order] : [],
    )
    expect(released).toEqual(order.map((_, i) => i))
  })

  test('sessions elsewhere are recovered meanwhile', async () => {
    const fleet = await begun({ sessions: 40, hosts: 2 })
    await fleet.kill(0)
    fleet.lose(1)
    await fleet.time.advance(5_000)
    expect(fleet.alive).toBe(20)
    expect(fleet.engine.stats().heldSessions).toBe(20)
  })

  test('one that is cancelled or let go waits no more', async () => {
    const fleet = await begun({ sessions: 3 })
    await fleet.kill()
    await fleet.time.advance(10)
    void fleet.engine.cancel('s0')
    void fleet.engine.unregister('s1')
    await fleet.time.advance(10)
    expect(fleet.engine.stats().heldSessions).toBe(1)
    void fleet.engine.cancel('s2')
    await fleet.time.advance(60_000)
    expect(fleet.engine.domains()).toEqual([])
    expect(fleet.hostOf('s0').connections.length).toBeLessThanOrEqual(1)
  })

  test('the journal of the canary tells what it found', async () => {
    const fleet = await begun({ sessions: 5 })
    await fleet.kill()
    await fleet.time.advance(1_500)
    fleet.hostOf('s0').isDead = false
    await fleet.time.advance(2 * capMs)
    const probes = factsIn(fleet).flatMap((fact) =>
      fact._tag === 'transport-probed' ? [`${fact.domain} ${fact.verdict} ${fact.tries}`] : [],
    )
    expect(probes).toEqual(['host:0 unreachable 1', 'host:0 unreachable 2', 'host:0 reachable 0'])
  })

  test('a driver that cannot probe sends one session first', async () => {
    const fleet = await begun({
      sessions: 30,
      withoutProbe: true,
      policy: { domain: { suspectAfter: 1 } },
    })
    await fleet.kill()
    await fleet.time.advance(1_000)
    expect(fleet.hostOf('s0').mostInFlight).toBe(1)
  })
})

describe('a refused credential', () => {
  test('is asked for once, not once a session', async () => {
    const fleet = await begun({ sessions: 100 })
    fleet.hostOf('s0').refuses = true
    fleet.lose()
    await fleet.time.advance(600_000)
    expect(fleet.hostOf('s0').connections).toHaveLength(1)
    const states = fleet.engine.sessions().map(({ record }) => record.state)
    expect(new Set(states)).toEqual(new Set(['exhausted']))
    expect(statesOf(fleet)).toEqual(['credential:me@0 refused'])
    expect(new Set(usedIn(fleet))).toEqual(new Set([0]))
    await replayed(fleet)
  })

  test('is tried again when the app says that it is another', async () => {
    const fleet = await begun({ sessions: 10 })
    fleet.hostOf('s0').refuses = true
    fleet.lose()
    await fleet.time.advance(1_000)
    fleet.hostOf('s0').refuses = false
    expect(fleet.engine.renew('credential:me@0')).toEqual({ _tag: 'renewed' })
    expect(fleet.engine.renew('credential:nobody')).toEqual({ _tag: 'unknown' })
    for (const sessionId of fleet.sessionIds) {
      void fleet.engine.reset(sessionId)
      void fleet.engine.reportFailure(sessionId, 'connection lost')
    }
    await fleet.time.advance(2 * capMs)
    expect(fleet.alive).toBe(10)
  })
})

describe('the caps', () => {
  test('hold over all domains together', async () => {
    const fleet = await begun({
      sessions: 60,
      hosts: 6,
      policy: { domain: { concurrency: 4, overallConcurrency: 5, firstStage: 4 } },
    })
    let most = 0
    for (let host = 0; host < 6; host++) fleet.lose(host)
    for (let i = 0; i < 2_000; i++) {
      await fleet.time.advance(1)
      most = Math.max(
        most,
        fleet.hosts.reduce((sum, { inFlight }) => sum + inFlight, 0),
      )
    }
    expect(most).toBe(5)
    expect(fleet.alive).toBe(60)
  })

  test('a failure of one’s own is recovered at once, without a canary', async () => {
    const fleet = await begun({ sessions: 5 })
    void fleet.engine.reportFailure('s3', {
      kind: 'process-died',
      reason: '',
      interactivity: 'none',
      permanent: false,
      evidence: [],
    })
    await fleet.time.advance(30)
    expect(fleet.hostOf('s3').connections.map(({ by }) => by)).toEqual(['recovery'])
    expect(fleet.engine.stats().activeRecoveries).toBe(0)
    expect(fleet.engine.domains()).toEqual([])
  })
})

describe('a crash in the midst', () => {
  test.each([5, 25, 500, 3_100])(
    'after %i ms loses nobody, and the canary keeps its pace',
    async (afterMs) => {
      const fleet = await begun({ sessions: 40 })
      await fleet.kill()
      await fleet.time.advance(afterMs)
      await fleet.crash()
      await fleet.time.advance(60_000)
      const { connections } = fleet.hostOf('s0')
      expect(connections.every(({ by }) => by === 'canary')).toBe(true)
      // One more may go where the crash was before the first had come back.
      expect(connections.length).toBeLessThanOrEqual(11)
      fleet.hostOf('s0').isDead = false
      await fleet.time.advance(2 * capMs)
      expect(fleet.alive).toBe(40)
      await replayed(fleet)
    },
  )

  test('while they are let go brings everybody back, and nobody twice', async () => {
    const fleet = await begun({ sessions: 100, policy: { domain: { concurrency: 8 } } })
    await fleet.kill()
    await fleet.time.advance(5_000)
    fleet.hostOf('s0').isDead = false
    while (fleet.alive < 6) await fleet.time.advance(1)
    expect(fleet.alive).toBeGreaterThan(5)
    expect(fleet.alive).toBeLessThan(100)
    await fleet.crash()
    await fleet.time.advance(2 * capMs)
    expect(fleet.alive).toBe(100)
    expect(fleet.hostOf('s0').mostInFlight).toBeLessThanOrEqual(8)
    await replayed(fleet)
  })
})

test('after the engine is stopped no canary goes', async () => {
  const fleet = await begun({ sessions: 5 })
  await fleet.kill()
  await fleet.time.advance(10)
  void fleet.engine.stop()
  await fleet.time.advance(120_000)
  expect(fleet.hostOf('s0').connections).toHaveLength(1)
  expect(fleet.engine.domains()).toEqual([])
  expect(fleet.engine.renew('host:0')).toEqual({ _tag: 'not-running' })
})

test('domains are named each once, in order, and what is no list of names is refused', async () => {
  const fleet = await begun({ sessions: 0 })
  void fleet.engine.register('a', { domains: ['z', 'host:h', 'z'] })
  void fleet.engine.register('b', { domains: [] })
  const refused = fleet.engine.register('c', { domains: [''] })
  await fleet.time.advance(0)
  expect(fleet.engine.status('a')?.record.control.traits.domains).toEqual(['host:h', 'z'])
  expect(fleet.engine.status('b')?.record.control.traits.domains).toBeUndefined()
  expect(await refused).toMatchObject({ _tag: 'invalid', error: { path: 'domains.0' } })
})

/** What was decided on each session, in order: event and record. */
const decisionsOf = (fleet: Fleet): ReadonlyMap<string, readonly unknown[]> => {
  const decisions = new Map<string, unknown[]>()
  for (const notice of fleet.notices) {
    if (notice._tag !== 'decided') continue
    const { sessionId, event, effects } = notice.entry
    const of = decisions.get(sessionId) ?? []
    of.push({ event, record: notice.record, effects })
    decisions.set(sessionId, of)
  }
  return decisions
}

describe('law 12: the same happens to the same sessions', () => {
  const lived = async (options: Partial<FleetOptions>, crashes: boolean): Promise<Fleet> => {
    const fleet = await begun({
      sessions: 12,
      policy: { domain: { concurrency: 3 }, resumeOnStart: false },
      ...options,
    })
    await fleet.kill()
    await fleet.time.advance(3_500)
    if (crashes) await fleet.crash()
    await fleet.time.advance(9_000)
    fleet.hostOf('s0').isDead = false
    await fleet.time.advance(2 * capMs)
    expect(fleet.alive).toBe(12)
    return fleet
  }

  test.each([
    ['without a crash', false],
    ['with a crash in the midst', true],
  ])('in a store in memory, again, and on a disk, %s', async (_, crashes) => {
    const first = decisionsOf(await lived({ medium: memoryTraced() }, crashes))
    const again = decisionsOf(await lived({ medium: memoryTraced() }, crashes))
    const onDisk = decisionsOf(await lived({ medium: diskTraced(7) }, crashes))
    expect(first.size).toBe(12)
    expect(again).toEqual(first)
    expect(onDisk).toEqual(first)
  })
})
