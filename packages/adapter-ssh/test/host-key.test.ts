/** A host that is not known, or no longer the one that was, gets nothing, and is asked once. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, expect } from 'vitest'
import {
  bash,
  killChildren,
  leftOn,
  type Rig,
  reported,
  right,
  rigOf,
  type Station,
  stationOf,
  sweep,
  testWith,
} from './rig.js'

let station: Station
let rig: Rig
let place: string | undefined
let isCutOff = false

afterEach(async () => {
  await rig?.close()
  // Whoever has the wrong key is not even asked to end what was left there.
  if (isCutOff) sweep(station)
  isCutOff = false
  const left = station === undefined ? [] : await leftOn(station)
  await station?.sshd.close()
  if (place !== undefined) rmSync(place, { recursive: true, force: true })
  expect(left).toEqual([])
})

testWith(['dtach'], 'a rotated host key is a failure for good, and never tried again', async () => {
  station = await stationOf()
  rig = await rigOf({ stations: [station] })
  const session = await rig.open('a')
  await session.exec('cd /usr/share')
  await rig.kept('a')
  const from = rig.told.length
  const before = station.sshd.counted()
  const struckAtMs = performance.now()
  await station.sshd.stop({ keepConnections: true })
  right(await station.sshd.start({ newHostKey: true }))
  isCutOff = true
  killChildren(station)
  const end = await rig.fact('a', 'incident-exhausted', from)
  const connections = station.sshd.counted().connections - before.connections
  reported('host key rotated', rig, { id: 'a', struckAtMs, from, connections })
  const misses = rig.told
    .slice(from)
    .flatMap(({ fact }) => (fact._tag === 'strategy-missed' ? [fact.miss] : []))
  expect(connections).toBe(1)
  expect(rig.tried('a', from)).toEqual(['reconnect'])
  expect(misses).toEqual([
    { strategy: 'reconnect', why: 'failed', detail: expect.stringMatching(/\bkey\b/) },
  ])
  expect(end.attempts).toBe(1)
  // No credential was offered to whoever that is.
  expect(station.sshd.counted()).toMatchObject({ accepted: before.accepted, refused: 0 })
  // The archive reads back: where it stood, and what was tried.
  const archive = right(await rig.store.readArchive(end.archive ?? '')())
  expect(archive.sessionId).toBe('a')
  expect(JSON.stringify(archive.snapshot?.body)).toContain('/usr/share')
  expect(JSON.stringify(archive)).not.toContain('PRIVATE KEY')
})

testWith([], 'an unknown host is asked once, and told nothing', async () => {
  station = await stationOf()
  place = mkdtempSync(join(tmpdir(), 'known-'))
  const path = join(place, 'known_hosts')
  writeFileSync(
    path,
    '[127.0.0.1]:1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n',
  )
  const known = station.declared({ hostKeys: { _tag: 'known-hosts', path } })
  rig = await rigOf({ stations: [station], hosts: [known] })
  const { host, port } = station.proxy
  const wanted = { command: bash, cwd: '/', env: {}, sshOptions: { host, port } }
  const opened = await rig.driver.open('a', wanted)()
  expect(E.isLeft(opened) ? opened.left : 'opened').toMatchObject({
    permanent: true,
    hostKeyRefused: true,
    detail: expect.stringMatching(/\bkey\b/),
  })
  expect(station.sshd.counted()).toEqual({ connections: 1, accepted: 0, refused: 0 })
  // Once it is known, it is used.
  writeFileSync(path, station.sshd.knownHost().replace(`:${station.sshd.port}`, `:${port}`))
  expect(E.isRight(await rig.driver.open('a', wanted)())).toBe(true)
})
