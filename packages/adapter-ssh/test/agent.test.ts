/**
 * A real ssh-agent signs for a login with the one key that was declared; it is never forwarded, so that no
 * remote host can use it; a key that the server refuses is offered once.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processesNaming } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, expect } from 'vitest'
import type { SshSession } from '../src/index.js'
import {
  bash,
  eventually,
  killChildren,
  leftOn,
  type Rig,
  rigOf,
  type Station,
  stationOf,
  testWith,
} from './rig.js'

let station: Station
let rig: Rig
let agent: Agent | undefined

afterEach(async () => {
  await rig?.close()
  const left = station === undefined ? [] : await leftOn(station)
  await station?.sshd.close()
  agent?.close()
  expect(left).toEqual([])
})

interface Agent {
  readonly socketPath: string
  /** The fingerprints of its keys, in the order in which they were added. */
  readonly identities: readonly string[]
  readonly close: () => void
}

const agentWith = async (keys: readonly string[]): Promise<Agent> => {
  const place = mkdtempSync(join(tmpdir(), 'agent-'))
  const socketPath = join(place, 'socket')
  const child = spawn('ssh-agent', ['-D', '-a', socketPath], { stdio: 'ignore' })
  await eventually('the agent', () => existsSync(socketPath) || undefined)
  const add = (args: readonly string[], input?: string): string =>
    execFileSync('ssh-add', ['-q', ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
      env: { ...process.env, SSH_AUTH_SOCK: socketPath },
      ...(input === undefined ? {} : { input }),
    })
  for (const key of keys) add(['-'], key)
  const identities = add(['-l'])
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  return {
    socketPath,
    identities,
    close: () => {
      child.kill('SIGKILL')
      rmSync(place, { recursive: true, force: true })
    },
  }
}

const isWithoutAgent = async (session: SshSession): Promise<void> => {
  expect(await session.exec('test -z "$SSH_AUTH_SOCK"')).toEqual({ _tag: 'finished', exitCode: 0 })
  expect(await session.exec('ssh-add -l')).toMatchObject({ exitCode: 2 })
  // What the server began itself holds what it was asked for, whatever the shell was then given.
  const ofStation = processesNaming(station.home)
  const begun = processesNaming('SSH_CONNECTION=').filter((pid) => ofStation.includes(pid))
  expect(begun).not.toEqual([])
  const forwarded = new Set(processesNaming('SSH_AUTH_SOCK='))
  expect(begun.filter((pid) => forwarded.has(pid))).toEqual([])
}

testWith(
  ['ssh-agent', 'ssh-add', 'dtach'],
  'the declared key of an agent logs in, the agent is never forwarded, a wrong key is refused once',
  async () => {
    station = await stationOf()
    const { strangerKey, clientKey } = station.sshd
    agent = await agentWith([strangerKey, clientKey])
    const { socketPath, identities } = agent
    const [wrong = '', right = ''] = identities
    expect(identities).toHaveLength(2)
    const declared = (identity: string) =>
      station.declared({ keeper: 'dtach', credential: { _tag: 'agent', socketPath, identity } })
    rig = await rigOf({ stations: [station], hosts: [declared(right)] })
    const session = await rig.open('a')
    await isWithoutAgent(session)
    await rig.kept('a')
    const before = session.identity()
    const from = rig.told.length
    killChildren(station)
    expect(await rig.fact('a', 'incident-recovered', from)).toMatchObject({ strategy: 'reconnect' })
    expect(session.identity()).toEqual(before)
    await isWithoutAgent(session)
    // The shell of a session that is opened by now has none either.
    await isWithoutAgent(await rig.open('b'))
    expect(station.sshd.counted()).toEqual({ connections: 3, accepted: 3, refused: 0 })

    const other = await rigOf({ stations: [station], hosts: [declared(wrong)] })
    const { host, port } = station.proxy
    const wanted = { command: bash, cwd: '/', env: {}, sshOptions: { host, port } }
    const opened = await other.driver.open('a', wanted)()
    await other.close()
    expect(E.isLeft(opened) ? opened.left : 'opened').toMatchObject({ credentialRefused: true })
    await eventually('the refusal', () => station.sshd.counted().refused > 0 || undefined)
    expect(station.sshd.counted()).toEqual({ connections: 4, accepted: 3, refused: 1 })
  },
)
