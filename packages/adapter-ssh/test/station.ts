/**
 * Hosts for the tests of remote shells: real servers on this machine, each behind a network that can fail,
 * with a home of its own; what is left on one after a test; and which programs there are.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type NetworkProxy,
  processesNaming,
  type Sshd,
  type SshdOptions,
  sshdMissing,
  startNetworkProxy,
  startSshd,
} from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, it } from 'vitest'
import type { SshHostOptions } from '../src/index.js'

// ---------------------------------------------------------------------------------------- programs

/** Fails where bash is missing: without it nothing of this package can be tested. */
export const bash = execFileSync('sh', ['-c', 'command -v bash'], { encoding: 'utf8' }).trim()

const isInstalled = (program: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`])
    return true
  } catch {
    return false
  }
}

/** The first of the programs that a test needs and that is not installed; sshd is needed by all. */
export const missingOf = (...programs: readonly string[]): string | undefined =>
  sshdMissing() ?? programs.find((program) => !isInstalled(program))

/** A test that is left out, by name, where a program is missing; never in CI. */
export const testWith = (
  programs: readonly string[],
  name: string,
  body: () => Promise<void>,
  withinMs = 90_000,
): void => {
  const missing = missingOf(...programs)
  const told = missing === undefined ? name : `${name} (${missing} is missing)`
  it.runIf(missing === undefined || process.env.CI === 'true')(told, body, withinMs)
}

// ------------------------------------------------------------------------------------------ model

/** A host of the pool: a server, the network before it, and a home of its own. */
export interface Station {
  readonly sshd: Sshd
  readonly proxy: NetworkProxy
  readonly home: string
  /** Directories of ours that were seen in use on it: none may be left. */
  readonly directories: Set<string>
  /** Declares the host to the driver, reached through the proxy. */
  readonly declared: (more?: Partial<SshHostOptions>) => SshHostOptions
}

// ----------------------------------------------------------------------------------- constructors

/** A host of its own on this machine. `path`: what its sessions find programs in. */
export const stationOf = async (
  options: Omit<SshdOptions, 'env'> & { readonly path?: string } = {},
): Promise<Station> => {
  const { path = process.env.PATH ?? '/usr/bin:/bin', ...more } = options
  const place = mkdtempSync(join(tmpdir(), 'st-'))
  const home = join(place, 'home')
  mkdirSync(home, { mode: 0o700 })
  const env = { HOME: home, PATH: path, LANG: 'C.UTF-8' }
  const started = await startSshd({ ...more, env })()
  if (E.isLeft(started)) throw new Error(JSON.stringify(started.left))
  const sshd = started.right
  const proxy = await startNetworkProxy(sshd.port)
  return {
    home,
    directories: new Set(),
    proxy,
    sshd: {
      ...sshd,
      close: async () => {
        await proxy.close()
        await sshd.close()
        rmSync(place, { recursive: true, force: true })
      },
    },
    declared: (declared) => ({
      host: proxy.host,
      port: proxy.port,
      user: sshd.user,
      credential: { _tag: 'private-key', privateKey: sshd.clientKey },
      hostKeys: { _tag: 'pinned', keys: [sshd.hostKey()] },
      ...declared,
    }),
  }
}

// Names the processes of sessions, and not what keeps them or asks about them.
export const markName = 'SESSION_OF'

/** The processes that run in sessions that were opened on a host. */
export const inSessionsOf = ({ home }: Station): readonly string[] =>
  processesNaming(`${markName}=${home}`)

const lingersMs = 5_000

/** What of a closed driver is still on a host, a moment later: processes of its sessions, files. */
export const leftOn = async (station: Station): Promise<readonly string[]> => {
  const endMs = performance.now() + lingersMs
  for (;;) {
    const left = presentOn(station)
    if (left.length === 0 || performance.now() > endMs) return left
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** What is done after each test of a session on one host: all is closed, and nothing of it may be left. */
export const cleared = async (
  station: Station | undefined,
  rig: { readonly close: () => Promise<void> } | undefined,
): Promise<void> => {
  await rig?.close()
  const left = station === undefined ? [] : await leftOn(station)
  await station?.sshd.close()
  expect(left).toEqual([])
}

/** Kills the server's processes that hold the connections to a host. */
export const killChildren = ({ sshd }: Station): void => {
  for (const child of sshd.children()) sshd.signalChild(child, 'SIGKILL')
}

const presentOn = ({ home, directories }: Station): readonly string[] => [
  ...processesNaming(home).map((pid) => `process ${pid} (${commandOf(pid)})`),
  ...[...directories].filter(existsSync),
]

/** Notes the directories in which what runs on a host has its files. */
export const noteDirectories = ({ home, directories }: Station): void => {
  for (const pid of processesNaming(home)) {
    const found = commandOf(pid).match(/\/[^ ]*\/session-recovery-[0-9a-z]+/g) ?? []
    for (const directory of found) directories.add(directory)
  }
}

/** Ends what a driver left where it could not be reached, as the host's owner would. */
export const sweep = (station: Station): void => {
  noteDirectories(station)
  for (const pid of processesNaming(station.home)) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It ended with another that was ended before it.
    }
  }
  for (const directory of station.directories) rmSync(directory, { recursive: true, force: true })
}

const commandOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return 'gone meanwhile'
  }
}
