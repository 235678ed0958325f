/** Prompts that hang are freed through the remote, by the least force, and proved by a signed mark. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PolicyInput } from '@session-recovery/core'
import { afterEach, expect } from 'vitest'
import {
  cleared,
  eventually,
  planOf,
  type Rig,
  reported,
  rigOf,
  type Station,
  stationOf,
  testWith,
  valueIn,
} from './rig.js'

let station: Station
let rig: Rig

afterEach(() => cleared(station, rig))

const begun = async (policy: PolicyInput) => {
  station = await stationOf()
  rig = await rigOf({ stations: [station], policy: { maxRecoveryAttempts: 9, ...policy } })
  const session = await rig.open('a')
  await session.exec('mine=kept')
  await rig.kept('a')
  return session
}

const recovered = async (what: string) => {
  const from = rig.told.length
  const struckAtMs = performance.now()
  const before = station.sshd.counted().connections
  const outcome = await rig.engine.recover('a', 'Interactive prompt appears stuck')
  const connections = station.sshd.counted().connections - before
  reported(what, rig, { id: 'a', struckAtMs, from, connections })
  if (outcome._tag !== 'recovered') {
    throw new Error(JSON.stringify(rig.told.slice(from).map(({ fact }) => fact)))
  }
  expect(outcome.receipt.evidence.some(({ source, trusted }) => source === 'mark' && trusted)).toBe(
    true,
  )
  return outcome
}

const pending = (line: string) =>
  eventually(`${line} is pending`, () => {
    const commands = rig.engine.status('a')?.view?.interactive?.pendingCommands ?? []
    return commands.includes(line) ? true : undefined
  })

testWith([], 'prompt-interrupt frees a remote prompt, and the shell is the same', async () => {
  const session = await begun(planOf('prompt-interrupt'))
  const before = session.identity()
  session.write('cat\r')
  await pending('cat')
  expect((await recovered('prompt hangs in cat')).strategy).toBe('prompt-interrupt')
  expect(session.identity()).toEqual(before)
  expect(await valueIn(session, '$mine')).toBe('kept')
})

testWith([], 'prompt-reset sets a half line aside, and marks flow again', async () => {
  const session = await begun(planOf('prompt-reset'))
  const before = session.identity()
  const half = 'echo "half; touch ~/canary'
  session.write(half)
  await eventually('the half line', () => (session.output().endsWith(half) ? true : undefined))
  const { strategy, receipt } = await recovered('half a line at the prompt')
  expect(strategy).toBe('prompt-reset')
  expect(session.identity()).toEqual(before)
  expect(session.setAside()).toEqual([half])
  expect(receipt.items.jobs).toMatchObject({ status: 'restored', setAside: [half] })
  await rig.kept('a')
  expect(rig.engine.status('a')?.view?.interactive?.setAside).toEqual([half])
  session.write('echo other ')
  await session.exec('echo once >> ~/once')
  expect(readFileSync(join(station.home, 'once'), 'utf8')).toBe('once\n')
  expect(existsSync(join(station.home, 'canary'))).toBe(false)
  expect(session.setAside()).toEqual([half, 'echo other '])
  expect(await valueIn(session, '$mine')).toBe('kept')
})

testWith(
  [],
  'session-refresh proves a living one, and restarts a dead one if told so',
  async () => {
    const session = await begun(planOf('session-refresh'))
    const before = session.identity()
    expect((await recovered('session-refresh of a living one')).strategy).toBe('session-refresh')
    expect(session.identity()).toEqual(before)
    process.kill(before?.pid ?? 0, 'SIGSTOP')
    expect((await recovered('session-refresh of a stopped one')).strategy).toBe('session-refresh')
    expect(session.identity()?.pid).toBeDefined()
  },
)

testWith(
  [],
  'command-retry runs again what was declared idempotent, and nothing else',
  async () => {
    const line = 'echo run >> ~/runs; test $(wc -l < ~/runs) -ge 2 || cat'
    const other = 'echo other >> ~/others; cat'
    const session = await begun({
      ...planOf('command-retry'),
      commandRetry: { idempotentCommands: [line] },
    })
    const lines = (name: string) =>
      readFileSync(join(station.home, name), 'utf8').trim().split('\n')
    session.write(`${line}\r`)
    await pending(line)
    expect((await recovered('an idempotent command hangs')).strategy).toBe('command-retry')
    expect(lines('runs')).toEqual(['run', 'run'])
    session.write(`${other}\r`)
    await pending(other)
    const outcome = await rig.engine.recover('a', 'Interactive prompt appears stuck')
    expect(outcome._tag).toBe('exhausted')
    expect(lines('others')).toEqual(['other'])
  },
)
