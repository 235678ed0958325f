/**
 * Sessions of one host that goes away and comes back: while it is away one canary at a time knocks, and
 * when it is back every session logs in once. The connections are counted before and at the server.
 */
import { afterEach, expect } from 'vitest'
import { cleared, eventually, type Rig, rigOf, type Station, stationOf, testWith } from './rig.js'

let station: Station
let rig: Rig

afterEach(() => cleared(station, rig))

/** By default few, so that it is quick: `FLEET=500` for the figures that are written down. */
const sessions = Number(process.env.FLEET ?? 10)
const ids = Array.from({ length: sessions }, (_, i) => `s${i}`)

testWith(
  [],
  'a server that goes away is asked by one at a time, and let in to once by each',
  async () => {
    station = await stationOf({ config: ['MaxStartups 1000', 'MaxSessions 1000'] })
    rig = await rigOf({
      stations: [station],
      hosts: [station.declared({ keeper: 'none' })],
      driver: { sharesFate: true, keepaliveIntervalMs: 30_000, dialTimeoutMs: 60_000 },
      policy: {
        recoveryDelay: 1_000,
        maxBackoffDelay: 2_000,
        strategyTimeoutMs: 120_000,
        recoveryTimeout: 300_000,
        domain: { concurrency: 8, probeTimeoutMs: 60_000 },
      },
    })
    const opening = [...ids]
    const openNext = async () => {
      for (let id = opening.shift(); id !== undefined; id = opening.shift()) await rig.open(id)
    }
    await Promise.all(Array.from({ length: 4 }, openNext))
    const { domains } = rig.engine.status('s0')?.record.control.traits ?? {}
    const { host, port } = station.proxy
    const { user } = station.sshd
    expect(domains).toEqual([`credential:${user}@${host}:${port}`, `host:${host}:${port}`])

    const knocksBefore = station.proxy.counted()
    await station.sshd.stop()
    const within = 60_000 + sessions * 1_000
    const probes = () => rig.told.filter(({ fact }) => fact._tag === 'transport-probed')
    await eventually(
      'all of them to wait',
      () => rig.engine.stats().heldSessions === sessions || undefined,
      within,
      () => JSON.stringify(rig.engine.stats()),
    )
    await eventually('three canaries', () => probes().length >= 3 || undefined, within)
    // One that knocks just now has not told yet.
    const knocks = station.proxy.counted() - knocksBefore
    expect(knocks).toBeLessThanOrEqual(probes().length + 1)
    const used = rig.engine.sessions().map(({ record }) => record.control.used)
    expect(new Set(used)).toEqual(new Set([0]))

    const acceptedBefore = station.sshd.counted().accepted
    await station.sshd.start()
    const startedMs = performance.now()
    const recovered = () => rig.told.filter(({ fact }) => fact._tag === 'incident-recovered').length
    await eventually(
      'all of them back',
      () => recovered() === sessions || undefined,
      within,
      () => `${recovered()} are back`,
    )
    const accepted = station.sshd.counted().accepted - acceptedBefore
    const lastedMs = Math.round(performance.now() - startedMs)
    console.info(
      `${sessions} sessions: ${knocks} connections while the server was away, ` +
        `${accepted} logins when it was back, all within ${lastedMs} ms`,
    )
    // The canary's own connection is left to the first that is let go.
    expect(accepted).toBeGreaterThanOrEqual(sessions)
    expect(accepted).toBeLessThanOrEqual(sessions + 1)
    expect(rig.engine.sessions().every(({ record }) => record.control.used === 1)).toBe(true)
  },
  180_000 + sessions * 4_000,
)

testWith([], 'a credential that is refused is tried once, not once a session', async () => {
  station = await stationOf()
  let privateKey = station.sshd.clientKey
  const credential = { _tag: 'private-key', privateKey: () => privateKey } as const
  rig = await rigOf({
    stations: [station],
    hosts: [station.declared({ keeper: 'none', credential })],
    driver: { sharesFate: true },
  })
  for (const id of ids.slice(0, 5)) await rig.open(id)
  privateKey = station.sshd.strangerKey
  await station.sshd.stop()
  await station.sshd.start()
  await eventually(
    'all of them given up',
    () =>
      rig.engine.sessions().every(({ record }) => record.state === 'exhausted') ? true : undefined,
    60_000,
    () => JSON.stringify(rig.engine.domains()),
  )
  expect(station.sshd.counted().refused).toBe(1)
  const [refused] = rig.engine.domains()
  expect(refused).toMatchObject({ state: 'refused' })

  privateKey = station.sshd.clientKey
  for (const { sessionId } of rig.engine.sessions()) {
    await rig.engine.reset(sessionId)
    await rig.engine.reportFailure(sessionId, 'connection lost')
  }
  await eventually(
    'all of them back',
    () => (rig.engine.stats().successfulRecoveries === 5 ? true : undefined),
    60_000,
    () => JSON.stringify(rig.engine.stats()),
  )
  expect(station.sshd.counted().refused).toBe(1)
})
