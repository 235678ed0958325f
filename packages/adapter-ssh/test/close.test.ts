/** A driver that is closed while a program is being started gives it up, and leaves nothing on the host. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, expect } from 'vitest'
import { sshDriver } from '../src/index.js'
import {
  bash,
  eventually,
  keepalive,
  leftOn,
  realClock,
  type Station,
  stationOf,
  testWith,
} from './rig.js'

let station: Station

afterEach(async () => {
  const left = station === undefined ? [] : await leftOn(station)
  await station?.sshd.close()
  expect(left).toEqual([])
})

testWith([], 'a start that says nothing is over when the driver is closed', async () => {
  station = await stationOf()
  const asleep = join(station.home, 'asleep')
  // On a terminal, where the program would begin, nothing goes on.
  writeFileSync(join(station.home, '.bashrc'), `[ -t 0 ] && { : > ${asleep}; exec sleep 60; }\n`)
  const hosts = [station.declared({ keeper: 'none' })]
  const driver = sshDriver({ clock: realClock, hosts, ...keepalive })
  const { host, port } = station.proxy
  let opened: E.Either<unknown, unknown> | undefined
  void driver
    .open('a', { command: bash, cwd: '/', env: {}, sshOptions: { host, port } })()
    .then((told) => {
      opened = told
    })
  await eventually('the start', () => (existsSync(asleep) ? true : undefined))
  await driver.close()
  expect(opened !== undefined && E.isLeft(opened)).toBe(true)
  await eventually('no connection is left', () => (station.proxy.open() === 0 ? true : undefined))
})
