/** What a login says before anything of ours runs is no part of what a host tells of itself. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, describe, expect } from 'vitest'
import {
  bash,
  cleared,
  type Rig,
  rigOf,
  type Station,
  stationOf,
  testWith,
  valueIn,
} from './rig.js'

let station: Station
let rig: Rig

afterEach(() => cleared(station, rig))

describe.each(['dtach', 'tmux'] as const)('with %s', (keeper) => {
  testWith(
    [keeper],
    `a login that greets hides no keeper and adds no variable (${keeper})`,
    async () => {
      station = await stationOf()
      writeFileSync(join(station.home, '.bashrc'), "printf 'hello\\n\\nPOLLUTED=1\\n'\n")
      rig = await rigOf({ stations: [station], hosts: [station.declared({ keeper })] })
      const session = await rig.open('a')
      expect(await valueIn(session, '$POLLUTED')).toBe('')
    },
  )
})

testWith([], 'a host that does not tell its environment is said to be one', async () => {
  station = await stationOf()
  const bin = join(station.home, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'env'), '#!/bin/sh\nexit 125\n')
  chmodSync(join(bin, 'env'), 0o755)
  writeFileSync(join(station.home, '.bashrc'), `PATH=${bin}:$PATH\n`)
  rig = await rigOf({ stations: [station] })
  const { host, port } = station.proxy
  const opened = await rig.driver.open('a', {
    command: bash,
    cwd: '/',
    env: {},
    sshOptions: { host, port },
  })()
  expect(E.isLeft(opened) ? opened.left.message : 'opened').toMatch(/env -0 left with 125/)
})
