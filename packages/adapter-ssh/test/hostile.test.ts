/** Hostile values come back to the letter on a remote host, and nothing of them is executed. */
import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { hostileName, hostileText, sampled, seedOf } from '@session-recovery/testkit'
import { afterEach, expect } from 'vitest'
import type { SshKeeper } from '../src/index.js'
import { cleared, planOf, type Rig, rigOf, type Station, stationOf, testWith } from './rig.js'

let station: Station
let rig: Rig

afterEach(() => cleared(station, rig))

// Another seed each time; a failure shows it, and SEED=… replays it.
const seed = seedOf()
const replay = `replay: SEED=${seed} npm test -- packages/adapter-ssh/test/hostile.test.ts`

const count = 320

const restored = async (keeper: SshKeeper): Promise<void> => {
  station = await stationOf()
  rig = await rigOf({
    stations: [station],
    hosts: [station.declared({ keeper })],
    policy: planOf('restore'),
  })
  const [name = ''] = sampled(hostileName, 1, seed)
  const cwd = join(station.home, name)
  mkdirSync(cwd)
  const session = await rig.open('a')
  const values = sampled(hostileText, count, seed + 1)
  const environment = Object.fromEntries(values.map((value, i) => [`V${i}`, value]))
  const commandHistory = sampled(hostileText, count, seed + 2).filter((line) => line.trim() !== '')
  const kept = await rig.engine.snapshot('a')
  const wanted = { ...kept?.environment, ...environment }
  const updated = await rig.engine.update('a', {
    workingDirectory: cwd,
    environment: wanted,
    commandHistory,
  })
  expect(updated._tag, replay).toBe('updated')
  const from = rig.told.length
  process.kill(session.pid() ?? 0, 'SIGKILL')
  const end = await rig.fact('a', 'incident-recovered', from)
  const { items } = end.receipt
  expect(
    [items.cwd, items.env, items.history].map(({ status, detail }) => `${status}: ${detail}`),
    replay,
  ).toEqual([
    expect.stringMatching(/^restored/),
    expect.stringMatching(/^restored/),
    expect.stringMatching(/^restored/),
  ])
  // Not by the receipt alone: the process itself has them, and stands there.
  expect(readlinkSync(`/proc/${session.pid()}/cwd`), replay).toBe(cwd)
  const given = new Map(
    readFileSync(`/proc/${session.pid()}/environ`, 'utf8')
      .split('\0')
      .map(
        (line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const,
      ),
  )
  for (const [key, value] of Object.entries(environment)) expect(given.get(key), replay).toBe(value)
  // Nothing was made in the home but what was there.
  expect(readdirSync(station.home).filter((entry) => !entry.startsWith('.'))).toEqual([name])
}

testWith([], `${count} values each of environment and history, and a directory`, () =>
  restored('none'),
)

testWith(['dtach'], 'the same through what keeps a session', () => restored('dtach'))

testWith(['tmux'], 'the same through tmux', () => restored('tmux'))
