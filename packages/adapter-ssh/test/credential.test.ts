/** A key that the server refuses is offered once: no account is locked by a recovery. */
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, expect } from 'vitest'
import {
  bash,
  cleared,
  eventually,
  killChildren,
  type Rig,
  reported,
  rigOf,
  type Station,
  stationOf,
  testWith,
} from './rig.js'

let station: Station
let rig: Rig

afterEach(() => cleared(station, rig))

testWith([], 'a wrong key is offered once when a session is opened', async () => {
  station = await stationOf()
  const credential = { _tag: 'private-key', privateKey: station.sshd.strangerKey } as const
  rig = await rigOf({ stations: [station], hosts: [station.declared({ credential })] })
  const { host, port } = station.proxy
  const opened = await rig.driver.open('a', {
    command: bash,
    cwd: '/',
    env: {},
    sshOptions: { host, port },
  })()
  expect(E.isLeft(opened) ? opened.left : 'opened').toMatchObject({ credentialRefused: true })
  await eventually('the refusal', () => station.sshd.counted().refused > 0)
  expect(station.sshd.counted()).toEqual({ connections: 1, accepted: 0, refused: 1 })
})

testWith([], 'a key refused in a recovery is offered once in all of its attempts', async () => {
  station = await stationOf()
  let key = station.sshd.clientKey
  const credential = { _tag: 'private-key', privateKey: () => key } as const
  rig = await rigOf({
    stations: [station],
    hosts: [station.declared({ credential, keeper: 'none' })],
    policy: { maxRecoveryAttempts: 3, recoveryDelay: 50 },
  })
  await rig.open('a')
  await rig.kept('a')
  const before = station.sshd.counted()
  const from = rig.told.length
  const struckAtMs = performance.now()
  key = station.sshd.strangerKey
  killChildren(station)
  const end = await rig.fact('a', 'incident-exhausted', from)
  await eventually('the refusal', () => station.sshd.counted().refused > 0)
  const now = station.sshd.counted()
  const connections = now.connections - before.connections
  reported('wrong key', rig, { id: 'a', struckAtMs, from, connections })
  expect({ connections, accepted: now.accepted - before.accepted, refused: now.refused }).toEqual({
    connections: 1,
    accepted: 0,
    refused: 1,
  })
  expect(rig.tried('a', from)).toEqual(['reconnect'])
  const misses = rig.told
    .slice(from)
    .flatMap(({ fact }) => (fact._tag === 'strategy-missed' ? [fact.miss] : []))
  expect(misses[0]).toMatchObject({ strategy: 'reconnect', why: 'failed' })
  // What needs the same credential is passed over, and it is said why.
  expect(misses.slice(1).map(({ strategy, why }) => `${strategy}: ${why}`)).toEqual([
    'restart: not-applicable',
    'migrate: not-applicable',
  ])
  expect(end.attempts).toBe(1)
  expect(JSON.stringify(rig.told)).not.toContain('PRIVATE KEY')
})
