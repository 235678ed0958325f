/**
 * The conformance suite's rig for remote shells: a real sshd, and before it several networks, so that the
 * connection of one session can die while those of others live; what is typed is counted where it enters
 * a channel, whoever types it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Traits } from '@session-recovery/core'
import {
  countingClock,
  type NetworkProxy,
  processesNaming,
  type Rig,
  shellRig,
  startNetworkProxy,
} from '@session-recovery/testkit'
import ssh2 from 'ssh2'
import { type SshKeeper, sshDriver } from '../src/index.js'
import {
  bash,
  keepalive,
  leftOn,
  noteDirectories,
  realClock,
  right,
  type Station,
  stationOf,
  sweep,
} from './rig.js'

const traits: Traits = {
  kind: 'ssh',
  attended: false,
  shell: true,
  rerunnable: false,
  failureExitCodes: [],
  idempotentCommands: [],
}

// The suite watches three sessions at most that must not die together.
const networks = 3

// Names the processes of sessions, and not what keeps them or asks about them.
const markName = 'CONFORMANCE_PLACE'

/** A server, and the networks before it: all rigs of one run share them. */
export interface ConformanceGround {
  readonly station: Station
  readonly proxies: readonly NetworkProxy[]
  readonly close: () => Promise<void>
}

export const conformanceGround = async (): Promise<ConformanceGround> => {
  const station = await stationOf()
  const more = Array.from({ length: networks - 1 }, () => startNetworkProxy(station.sshd.port))
  const proxies = [station.proxy, ...(await Promise.all(more))]
  return {
    station,
    proxies,
    close: async () => {
      for (const proxy of proxies) await proxy.close()
      await station.sshd.close()
    },
  }
}

/** A driver of real bashes on a real sshd, in a home of their own. */
export const conformanceRig = async (
  { station, proxies }: ConformanceGround,
  keeper: SshKeeper,
): Promise<Rig> => {
  const home = mkdtempSync(join(station.home, 'home-'))
  const { clock, armed } = countingClock(realClock)
  const driver = sshDriver({
    clock,
    hosts: proxies.map(({ port }) => station.declared({ port, keeper })),
    promptTimeoutMs: 60_000,
    dialTimeoutMs: 5_000,
    ...keepalive,
  })
  const { program, pids, mishaps, ...shells } = shellRig({ home, bash, session: driver.session })
  const placed = new Map<string, NetworkProxy>()
  const networkOf = (id: string): NetworkProxy => {
    const found = placed.get(id) ?? (proxies[placed.size % networks] as NetworkProxy)
    placed.set(id, found)
    return found
  }
  let closed: Promise<void> | undefined
  let left: readonly string[] = ['it was not closed']
  return {
    ...shells,
    driver,
    traits,
    mishaps: {
      ...mishaps,
      'half-open': {
        strike: async (id) => networkOf(id).cut(),
        noticed: { _tag: 'transport-lost' },
      },
    },
    open: async (id, { attended = false } = {}) => {
      const { host, port } = networkOf(id)
      const env = { HOME: home, TERM: 'xterm-256color', [markName]: home }
      const options = { command: program, cwd: home, env, attended, sshOptions: { host, port } }
      right(await driver.open(id, options)())
      pids(id)
    },
    typedBytes: () => typedBytes,
    processes: async () => processesNaming(`${markName}=${home}`),
    close: () => {
      closed ??= (async () => {
        noteDirectories(station)
        await driver.close()
        left = [...(await leftOn(station)), ...(armed() > 0 ? [`${armed()} timers`] : [])]
        if (left.length > 0) sweep(station)
        rmSync(home, { recursive: true, force: true })
      })()
      return closed
    },
    remains: async () => left,
  }
}

// ----------------------------------------------------------------------------------------- typing

let typedBytes = 0

// All that enters a channel with a terminal, of any session: the suite counts what one adds while the
// others are let be.
type Exec = (
  this: ssh2.Client,
  command: string,
  options: ssh2.ExecOptions,
  callback: ssh2.ClientCallback,
) => ssh2.Client
const exec: Exec = ssh2.Client.prototype.exec
ssh2.Client.prototype.exec = function (this: ssh2.Client, ...args: readonly unknown[]) {
  const callback = args.at(-1) as ssh2.ClientCallback
  const options = args.length > 2 ? (args[1] as ssh2.ExecOptions) : {}
  const counted: ssh2.ClientCallback = (error, channel) => {
    if (error === undefined && options.pty !== undefined && options.pty !== false) count(channel)
    callback(error, channel)
  }
  return exec.call(this, args[0] as string, options, counted)
}

const count = (channel: ssh2.ClientChannel): void => {
  const write = channel.write.bind(channel) as (...args: readonly unknown[]) => boolean
  channel.write = (...args: readonly unknown[]) => {
    const [data] = args
    typedBytes += typeof data === 'string' ? Buffer.byteLength(data) : (data as Buffer).length
    return write(...args)
  }
}
