/** A host is gone for good: another of the pool takes the session over, if it offers what is required. */
import { replicaId } from '@session-recovery/core'
import { afterEach, expect } from 'vitest'
import type { SshHostOptions } from '../src/index.js'
import {
  eventually,
  leftOn,
  planOf,
  type Rig,
  reported,
  rigOf,
  type Station,
  stationOf,
  sweep,
  testWith,
  valueIn,
} from './rig.js'

let stations: readonly Station[] = []
let rig: Rig

afterEach(async () => {
  await rig?.close()
  const left = (await Promise.all(stations.map(leftOn))).flat()
  for (const { sshd } of stations) await sshd.close()
  stations = []
  expect(left).toEqual([])
})

/** A session that needs a compiler, and what must be there of it wherever it goes. */
const begun = async (
  labels: readonly (readonly string[])[],
  policy = {},
  more: Partial<SshHostOptions> = {},
) => {
  stations = await Promise.all(labels.map(() => stationOf()))
  rig = await rigOf({
    stations,
    hosts: stations.map((one, i) => one.declared({ labels: labels[i] ?? [], ...more })),
    policy: { maxRecoveryAttempts: 1, ...policy },
  })
  const session = await rig.open('a', { requires: ['compiler'] })
  await session.exec(
    "export GIVEN='it'\\''s \"here\"'; f() { echo of the function; }; cd /usr/share",
  )
  await session.exec("mine='of the shell'; alias ll='ls -l'; umask 027")
  await rig.kept('a')
  return session
}

/** The sessions the engine holds, and what each is at. */
const owners = (): readonly string[] =>
  rig.engine.sessions().map(({ sessionId, record }) => `${sessionId} ${record.state.split('.')[0]}`)

const lost = async (): Promise<void> => {
  const [first] = stations
  await first?.proxy.refuse()
  first?.proxy.drop()
}

testWith([], 'the host is gone: another that meets the requirements, and no other', async () => {
  const session = await begun([['compiler'], ['big'], ['big', 'compiler']])
  const [first, second, third] = stations
  const before = session.identity()
  const from = rig.told.length
  const struckAtMs = performance.now()
  await lost()
  const end = await rig.fact('a', 'incident-recovered', from)
  const connections = third?.sshd.counted().connections ?? 0
  reported('host gone, another in the pool', rig, { id: 'a', struckAtMs, from, connections })
  expect(rig.tried('a', from)).toEqual(['reconnect', 'restart', 'migrate'])
  expect(end).toMatchObject({ strategy: 'migrate', receipt: { grade: 'observed' } })
  expect(second?.sshd.counted().connections).toBe(0)
  expect(connections).toBe(1)
  expect(session.place()).toBe(`${third?.sshd.user}@127.0.0.1:${third?.proxy.port}`)
  expect(session.identity()).not.toEqual(before)
  const { items } = end.receipt
  for (const item of ['cwd', 'env', 'shellVariables', 'functions', 'aliases', 'umask'] as const) {
    expect(`${item} ${items[item].status}: ${items[item].detail}`).toMatch(/ restored:/)
  }
  expect(items.process.detail).toContain(String(third?.proxy.port))
  expect(await valueIn(session, '$GIVEN $mine $PWD $(f) $(umask)')).toBe(
    'it\'s "here" of the shell /usr/share of the function 0027',
  )
  // It has one owner, here as there: the session itself, on its new host.
  expect(owners()).toEqual(['a snapshotting'])
  expect(rig.driver.session('a')?.place()).toBe(session.place())
  // The receipt names what could not be reached, to be ended by who can.
  expect(JSON.stringify(items)).toContain(`process ${before?.pid}`)
  if (first !== undefined) sweep(first)
})

testWith([], 'a host that does not meet the requirements is not taken', async () => {
  await begun([['compiler'], ['big']])
  const from = rig.told.length
  const struckAtMs = performance.now()
  await lost()
  const end = await rig.fact('a', 'incident-exhausted', from)
  const connections = stations[1]?.sshd.counted().connections ?? 0
  reported('host gone, none that will do', rig, { id: 'a', struckAtMs, from, connections })
  const miss = rig.told
    .slice(from)
    .flatMap(({ fact }) => (fact._tag === 'strategy-missed' ? [fact.miss] : []))
    .find(({ strategy }) => strategy === 'migrate')
  expect(miss?.why).toBe('not-applicable')
  expect(connections).toBe(0)
  expect(end.archive).toBeDefined()
  if (stations[0] !== undefined) sweep(stations[0])
})

testWith(
  ['dtach'],
  'all hosts are down: the process is found again when its own is back',
  async () => {
    const session = await begun(
      [['compiler'], ['compiler'], ['compiler']],
      { maxRecoveryAttempts: 50, recoveryDelay: 400 },
      { keeper: 'dtach' },
    )
    const before = session.identity()
    const [first, ...others] = stations
    for (const { proxy } of others) await proxy.refuse()
    const from = rig.told.length
    await lost()
    // By now it was to go elsewhere, and could not.
    await rig.fact('a', 'backoff-began', from)
    expect(rig.tried('a', from)).toContain('migrate')
    await first?.proxy.pass()
    const end = await rig.fact('a', 'incident-recovered', from)
    expect(end).toMatchObject({ strategy: 'reconnect', receipt: { grade: 'observed' } })
    expect(session.identity()).toEqual(before)
    expect(await valueIn(session, '$mine $PWD $$')).toBe(`of the shell /usr/share ${before?.pid}`)
  },
)

testWith(
  [],
  'replicate: a second session elsewhere, and nothing reaches the first any more',
  async () => {
    const session = await begun([['compiler'], ['compiler']], planOf('replicate'))
    const before = session.identity()
    const snapshot = await rig.engine.snapshot('a')
    const outcome = await rig.engine.recover('a', 'unwell')
    expect(outcome).toMatchObject({ _tag: 'recovered', strategy: 'replicate' })
    const [token = ''] = (await rig.engine.journal('a')).flatMap(({ effects }) =>
      effects.flatMap((effect) => (effect._tag === 'run' ? [effect.token] : [])),
    )
    const replica = rig.driver.session(replicaId('a', token))
    if (replica === undefined) throw new Error('the replica is no session of the driver')
    expect(replica.identity()).toBeDefined()
    expect(replica.identity()).not.toEqual(before)
    expect(replica.place()).toContain(String(stations[1]?.proxy.port))
    expect(await valueIn(replica, '$GIVEN $mine $PWD')).toBe('it\'s "here" of the shell /usr/share')
    expect(snapshot?.workingDirectory).toBe('/usr/share')
    // The replica has taken its place: the first is no session of the engine any more.
    await eventually('one owner', () => owners().length === 1 || undefined)
    expect(owners()).toEqual([`${replica.id} snapshotting`])
    expect(rig.engine.status('a')).toBeUndefined()
    expect(session.write('echo into the first\r')).toBe(false)
    expect((await session.exec('true'))._tag).toBe('lost')
    await eventually('the end of the first', () => {
      try {
        process.kill(before?.pid ?? 0, 0)
        return undefined
      } catch {
        return true
      }
    })
  },
)
