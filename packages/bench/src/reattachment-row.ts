/**
 * From SIGKILL of the server's process for a connection to the same remote shell verified, beside the
 * least that could do it: dial, `dtach -a`, press the bound key, wait for its answer, with as many
 * appended lines flushed to the same disk. The same sshd serves both.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileStore } from '@session-recovery/adapter-fs'
import { bashInitFile, markCode } from '@session-recovery/adapter-pty'
import { type SshHostOptions, sshDriver } from '@session-recovery/adapter-ssh'
import { createEngine, systemClock } from '@session-recovery/engine'
import { type Sshd, startSshd } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import ssh2, { type ClientChannel } from 'ssh2'
import { inPairs } from './pairing.js'
import { flushes, policyOf, quiet, recovered, sessionId } from './recovery.js'
import { atMost, type Measured, type Row, type Trial } from './row.js'

const boundKey = '\x1b[6973~'

// -------------------------------------------------------------------------------------- the least

const dialled = (sshd: Sshd): Promise<ssh2.Client> =>
  new Promise((resolve, reject) => {
    const client = new ssh2.Client()
    client.once('ready', () => resolve(client))
    client.once('error', reject)
    client.connect({
      host: sshd.host,
      port: sshd.port,
      username: sshd.user,
      privateKey: sshd.clientKey,
      hostVerifier: (key: Buffer) => key.toString('base64') === sshd.hostKey().split(' ')[1],
    })
    client.setNoDelay(true)
  })

const run = (client: ssh2.Client, line: string): Promise<ClientChannel> =>
  new Promise((resolve, reject) => {
    client.exec(line, { pty: { cols: 80, rows: 24, term: 'xterm-256color' } }, (error, channel) =>
      error === undefined ? resolve(channel) : reject(error),
    )
  })

const said = (channel: ClientChannel, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    let heard = ''
    const hear = (chunk: Buffer): void => {
      heard += chunk.toString()
      if (!heard.includes(text)) return
      channel.off('data', hear)
      resolve()
    }
    channel.on('data', hear)
    channel.once('close', () => reject(new Error(`the channel was closed: ${heard}`)))
  })

// Nothing is typed at what has not joined yet: dtach clears the screen then.
const joined = '\x1b[H\x1b[J'
const transparent = '-E -z -r none'

/** A shell that dtach keeps, and the connection to it. */
interface Bare {
  readonly client: ssh2.Client
  /** The server's process for the connection. */
  readonly child: number
}

interface Reference {
  readonly begin: () => Promise<Bare>
  readonly again: () => Promise<Bare>
}

const referenceOn = (sshd: Sshd, directory: string): Reference => {
  const nonce = randomBytes(16).toString('hex')
  const initFile = join(directory, 'init')
  const socket = join(directory, 'socket')
  const environment = { HOME: directory }
  const connected = async (): Promise<Bare> => {
    const others = new Set(sshd.children())
    const client = await dialled(sshd)
    const child = sshd.children().find((one) => !others.has(one))
    if (child === undefined) throw new Error('no process serves the connection')
    return { client, child }
  }
  return {
    begin: async () => {
      const plan = { nonce, kept: [], environment, historyLines: [] }
      await writeFile(initFile, bashInitFile(plan), { mode: 0o600 })
      const bare = await connected()
      const start = `exec dtach -c ${socket} ${transparent} bash --init-file ${initFile} -i`
      await said(await run(bare.client, start), `${markCode};${nonce};A`)
      return bare
    },
    again: async () => {
      const bare = await connected()
      const channel = await run(bare.client, `exec dtach -a ${socket} ${transparent}`)
      await said(channel, joined)
      const answered = said(channel, `${markCode};${nonce};K`)
      channel.write(boundKey)
      await answered
      return bare
    },
  }
}

const bareOnce = async (before: Bare, sshd: Sshd, { again }: Reference, logPath: string) => {
  const log = await open(logPath, 'a')
  const beganMs = performance.now()
  const gone = new Promise<void>((resolve) => before.client.once('close', () => resolve()))
  before.client.on('error', () => undefined)
  sshd.signalChild(before.child, 'SIGKILL')
  await gone
  const after = await again()
  for (let i = 0; i < flushes; i++) {
    await log.write(`${'x'.repeat(1_500)}\n`)
    await log.datasync()
  }
  const tookMs = performance.now() - beganMs
  await log.close()
  return { after, tookMs }
}

// -------------------------------------------------------------------------------------------- row

const measured = async ({ directory: place, rounds, progress }: Trial): Promise<Measured> => {
  // What the login shell of whoever measures reads at each command is none of ours.
  const started = await startSshd({ env: { HOME: place } })()
  if (E.isLeft(started)) throw new Error(`sshd: ${JSON.stringify(started.left)}`)
  const sshd = started.right
  const driver = sshDriver({ clock: systemClock, hosts: [hostOf(sshd)] })
  const store = fileStore({ directory: join(place, 'store') })
  const engine = createEngine({ policy: policyOf('reconnect'), driver, store })
  await engine.start()
  const sshOptions = { host: sshd.host, port: sshd.port }
  const options = { command: 'bash', cwd: place, env: { HOME: place }, sshOptions }
  const opened = await driver.open(sessionId, options)()
  if (E.isLeft(opened)) throw new Error(opened.left.message)
  await engine.register(sessionId, { sessionOptions: options, attended: false })
  // Its socket's path must be short.
  const bareDirectory = await mkdtemp(join(tmpdir(), 'bare-'))
  const reference = referenceOn(sshd, bareDirectory)
  let bare = await reference.begin()
  const recoverOnce = async (): Promise<number> => {
    const ended = recovered(engine)
    const beganMs = performance.now()
    for (const child of sshd.children())
      if (child !== bare.child) sshd.signalChild(child, 'SIGKILL')
    return (await ended) - beganMs
  }
  const bareAgain = async (): Promise<number> => {
    const { after, tookMs } = await bareOnce(bare, sshd, reference, join(place, 'bare.log'))
    bare = after
    return tookMs
  }
  try {
    const pairs = await inPairs({
      rounds,
      measured: recoverOnce,
      reference: bareAgain,
      progress,
      before: quiet,
    })
    const what = 'SSH child killed to the same remote shell verified by reconnect'
    const reference = `dial, dtach -a, echo, ${flushes} fdatasyncs`
    return { figures: [{ what, unit: 'ms', reference, pairs, bound: atMost(1.5) }] }
  } finally {
    await engine.stop()
    await driver.close()
    await left(bare, bareDirectory)
    bare.client.end()
    await sshd.close()
    await rm(bareDirectory, { recursive: true, force: true })
  }
}

/** From SIGKILL of the process that serves a connection to the same remote shell, verified. */
export const reattachmentRow: Row = {
  name: 'ssh',
  what: 'SSH child killed to the same remote shell verified by reconnect',
  rounds: 40,
  run: measured,
}

// The shell that dtach keeps would outlive all else.
const left = async ({ client }: Bare, directory: string): Promise<void> => {
  const channel = await run(client, `exec dtach -a ${join(directory, 'socket')} ${transparent}`)
  await said(channel, joined)
  const closed = new Promise((resolve) => channel.once('close', resolve))
  channel.resume()
  channel.write('exit\r')
  await closed
}

const hostOf = (sshd: Sshd): SshHostOptions => ({
  host: sshd.host,
  port: sshd.port,
  user: sshd.user,
  credential: { _tag: 'private-key', privateKey: sshd.clientKey },
  hostKeys: { _tag: 'pinned', keys: [sshd.hostKey()] },
  keeper: 'dtach',
})
