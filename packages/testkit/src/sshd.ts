/**
 * The system's own sshd as an ordinary process on a loopback port, with keys, configuration and log of its
 * own: what a driver of remote shells claims is tested against the server that people run. It can be
 * stopped, started again with another host key, and its connections killed or frozen one by one.
 *
 * Nothing of the system is changed, with one exception: sshd run by root insists on the empty directory
 * `/run/sshd`, which its package makes at boot. Where it is missing it is made and left, since a second
 * server may need it.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { freePort } from './free-port.js'
import { descendantsOf, isSshd, sshdChildren } from './sshd-process.js'

// ------------------------------------------------------------------------------------------ model

export type SshdError =
  | { readonly _tag: 'program-missing'; readonly program: string }
  | { readonly _tag: 'did-not-start'; readonly log: string }

export interface SshdOptions {
  /**
   * Given to every session that is logged in, over what sshd itself would give. `HOME` is an empty folder of
   * the server's where nothing else is said: no login waits for what the user of this machine keeps there.
   */
  readonly env?: Readonly<Record<string, string>>
  /** More lines of configuration. */
  readonly config?: readonly string[]
}

/** What the server has seen since it was made, whatever it was started again. */
export interface SshdCount {
  /** Connections that reached the server, logged in or not. */
  readonly connections: number
  /** Logins that it let in. */
  readonly accepted: number
  /** Keys and passwords that it refused. */
  readonly refused: number
}

export interface Sshd {
  readonly host: string
  readonly port: number
  /** Who can log in: whoever runs the test. */
  readonly user: string
  /** A private key that logs in, and where it stands. */
  readonly clientKey: string
  readonly clientKeyPath: string
  /** A private key that the server does not know. */
  readonly strangerKey: string
  /** The public host key of now: `ssh-ed25519 AAAA…`. */
  readonly hostKey: () => string
  /** The host key of now as a line of a `known_hosts` file. */
  readonly knownHost: () => string
  /** Everything the server logged. */
  readonly log: () => string
  readonly counted: () => SshdCount
  /** One process for each connection there is, the oldest first. */
  readonly children: () => readonly number[]
  /**
   * Sends a signal to what serves a connection, not to what runs on it. SIGKILL ends the connection,
   * SIGSTOP freezes it, SIGCONT thaws it.
   */
  readonly signalChild: (child: number, signal: NodeJS.Signals) => void
  /** Freezes the whole server: it takes connections, since the kernel does, and answers none. */
  readonly freeze: () => void
  readonly thaw: () => void
  /** Ends the listener, and unless told otherwise every connection. */
  readonly stop: (options?: { readonly keepConnections?: boolean }) => Promise<void>
  /** Listens again on the same port, with the same host key unless a new one is asked for. */
  readonly start: (options?: {
    readonly newHostKey?: boolean
  }) => Promise<E.Either<SshdError, undefined>>
  /** Ends everything and removes every file. What runs detached on the host is the caller's. */
  readonly close: () => Promise<void>
}

const host = '127.0.0.1'
const startWithinMs = 20_000
const endWithinMs = 10_000

// ------------------------------------------------------------------------------------ destructors

const sbin = ['/usr/sbin', '/usr/local/sbin', '/sbin']

// sshd insists on being run by its whole path, and often stands where only root's PATH looks.
const programPath = (name: string): string | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), ...sbin]
    .map((place) => join(place, name))
    .find((path) => path.startsWith('/') && existsSync(path))

const count = (log: string): SshdCount => ({
  connections: log.match(/^Connection from /gm)?.length ?? 0,
  accepted: log.match(/^Accepted \S+ for /gm)?.length ?? 0,
  // `none` is how a client asks which methods there are.
  refused: log.match(/^Failed (?!none)\S+ for /gm)?.length ?? 0,
})

// ----------------------------------------------------------------------------------- constructors

/** The first program that an sshd of these tests needs and that is not installed. */
export const sshdMissing = (): string | undefined =>
  ['sshd', 'ssh-keygen'].find((name) => programPath(name) === undefined)

/** Starts a server; it listens when this resolves, and ends when the process of the test does. */
export const startSshd =
  (options: SshdOptions = {}): TE.TaskEither<SshdError, Sshd> =>
  async () => {
    const missing = sshdMissing()
    if (missing !== undefined) return E.left({ _tag: 'program-missing', program: missing })
    if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
    const place = mkdtempSync(join(tmpdir(), 'sshd-'))
    await Promise.all(['host', 'client', 'stranger'].map((name) => makeKey(join(place, name))))
    writeFileSync(join(place, 'authorized'), readFileSync(join(place, 'client.pub')), {
      mode: 0o600,
    })
    const port = await freePort()
    const home = join(place, 'home')
    mkdirSync(home, { mode: 0o700 })
    const env = { HOME: home, ...options.env }
    writeFileSync(join(place, 'config'), await configuration(place, port, env, options))
    const sshd = serverAt(place, port)
    const started = await sshd.start()
    if (E.isRight(started)) return E.right(sshd)
    await sshd.close()
    return started
  }

const serverAt = (place: string, port: number): Sshd => {
  let listener: ChildProcess | undefined
  let log = ''
  const children = () => sshdChildren(listener?.pid)
  // Those of an earlier listener live on without it, and are frozen, counted and ended all the same.
  let orphans: readonly number[] = []
  const known = () => [...orphans.filter(isSshd), ...children()]
  const signalChild = (child: number, signal: NodeJS.Signals) => {
    for (const pid of descendantsOf(child)) send(pid, signal)
  }
  const stop: Sshd['stop'] = async ({ keepConnections = false } = {}) => {
    const living = known()
    await ended(listener)
    listener = undefined
    orphans = keepConnections ? living : []
    if (keepConnections) return
    for (const child of living) signalChild(child, 'SIGKILL')
    await until(() => !living.some(isSshd), endWithinMs)
  }
  const hostKey = () =>
    readFileSync(join(place, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ')
  return {
    host,
    port,
    user: userInfo().username,
    clientKey: readFileSync(join(place, 'client'), 'utf8'),
    clientKeyPath: join(place, 'client'),
    strangerKey: readFileSync(join(place, 'stranger'), 'utf8'),
    hostKey,
    knownHost: () => `[${host}]:${port} ${hostKey()}`,
    log: () => log,
    counted: () => count(log),
    children: known,
    signalChild,
    freeze: () => {
      if (listener?.pid !== undefined) send(listener.pid, 'SIGSTOP')
      for (const child of known()) signalChild(child, 'SIGSTOP')
    },
    thaw: () => {
      for (const child of known()) signalChild(child, 'SIGCONT')
      if (listener?.pid !== undefined) send(listener.pid, 'SIGCONT')
    },
    stop,
    start: async ({ newHostKey = false } = {}) => {
      if (listener !== undefined) await stop({ keepConnections: true })
      if (newHostKey) await makeKey(join(place, 'host'))
      const from = log.length
      const process = launched(join(place, 'config'))
      listener = process
      process.stderr?.setEncoding('utf8').on('data', (text: string) => {
        log += text.replaceAll('\r', '')
      })
      const listening = () => log.includes(`Server listening on ${host} port ${port}.`, from)
      await until(() => listening() || process.exitCode !== null, startWithinMs)
      return listening()
        ? E.right(undefined)
        : E.left({ _tag: 'did-not-start', log: log.slice(from) })
    },
    close: async () => {
      await stop()
      rmSync(place, { recursive: true, force: true })
    },
  }
}

// A test that is killed takes its server along, where the system has the program for it.
const launched = (config: string): ChildProcess => {
  const sshd = [programPath('sshd') ?? 'sshd', '-D', '-e', '-f', config]
  const tie = programPath('setpriv')
  const [program = '', ...args] = tie === undefined ? sshd : [tie, '--pdeathsig', 'KILL', ...sshd]
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  child.on('error', () => undefined)
  child.unref()
  return child
}

const configuration = async (
  place: string,
  port: number,
  env: Readonly<Record<string, string>>,
  { config = [] }: SshdOptions,
): Promise<string> => {
  const set = Object.entries(env).map(([name, value]) => `"${name}=${value}"`)
  return [
    `ListenAddress ${host}`,
    `Port ${port}`,
    `HostKey ${join(place, 'host')}`,
    `AuthorizedKeysFile ${join(place, 'authorized')}`,
    'PidFile none',
    // The folder for temporary files is everybody's, which strictness refuses.
    'StrictModes no',
    'UsePAM no',
    'UseDNS no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'PrintMotd no',
    'PrintLastLog no',
    'MaxStartups 200',
    'MaxSessions 100',
    'LogLevel VERBOSE',
    // Since 9.8 an address that fails to log in is shut out for a while; here all share one.
    ...((await version()) >= 9.08 ? ['PerSourcePenalties no'] : []),
    `SetEnv ${set.join(' ')}`,
    ...config,
    '',
  ].join('\n')
}

// `OpenSSH_9.2p1` is 9.02, so that 9.10 is later than 9.9.
const version = async (): Promise<number> => {
  const told = await promisify(execFile)(programPath('sshd') ?? 'sshd', ['-V']).catch(
    (error: { readonly stderr?: string }) => ({ stderr: error.stderr ?? '' }),
  )
  const [, major = '0', minor = '0'] = /OpenSSH_(\d+)\.(\d+)/.exec(String(told.stderr)) ?? []
  return Number(major) + Number(minor) / 100
}

// ------------------------------------------------------------------------------------ combinators

const makeKey = async (path: string): Promise<void> => {
  rmSync(path, { force: true })
  rmSync(`${path}.pub`, { force: true })
  const keygen = programPath('ssh-keygen') ?? 'ssh-keygen'
  await promisify(execFile)(keygen, ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', path])
}

const send = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended by itself.
  }
}

const ended = async (child: ChildProcess | undefined): Promise<void> => {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await until(() => child.exitCode !== null || child.signalCode !== null, endWithinMs)
}

const until = async (holds: () => boolean, withinMs: number): Promise<void> => {
  const endMs = performance.now() + withinMs
  while (!holds() && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
