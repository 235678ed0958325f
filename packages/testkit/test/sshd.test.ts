/** The real sshd and the failing network that tests of remote shells stand on do what they say. */
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, expect, it } from 'vitest'
import {
  type Sshd,
  type SshdOptions,
  sshdMissing,
  startNetworkProxy,
  startSshd,
} from '../src/index.js'

const missing = sshdMissing()
const test = it.runIf(missing === undefined || process.env.CI === 'true')
const named = (what: string) => (missing === undefined ? what : `${what} (${missing} is missing)`)

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const started = async (options?: SshdOptions): Promise<Sshd> => {
  const sshd = await startSshd(options)()
  if (E.isLeft(sshd)) throw new Error(JSON.stringify(sshd.left))
  closing.push(sshd.right.close)
  return sshd.right
}

interface Answer {
  readonly status: number
  readonly out: string
  readonly error: string
}

/** Runs a line on the server by the system's own client. */
const ssh = (sshd: Sshd, line: string, { port = sshd.port, key = sshd.clientKeyPath } = {}) => {
  const known = join(dirname(sshd.clientKeyPath), 'known')
  writeFileSync(known, sshd.knownHost().replace(`:${sshd.port}`, `:${port}`))
  const options = ['BatchMode=yes', 'IdentitiesOnly=yes', `UserKnownHostsFile=${known}`]
  const args = [...options.flatMap((option) => ['-o', option]), '-F', 'none', '-i', key]
  const target = ['-p', String(port), `${sshd.user}@${sshd.host}`, line]
  return new Promise<Answer>((resolve) => {
    execFile('ssh', [...args, ...target], { timeout: 30_000 }, (error, out, told) =>
      resolve({ status: Number(error?.code ?? (error ? -1 : 0)), out, error: told }),
    )
  })
}

const eventually = async (what: string, holds: () => boolean): Promise<void> => {
  const endMs = performance.now() + 20_000
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`not seen: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test(named('logs in with its key and no other, and counts what it sees'), async () => {
  const sshd = await started({ env: { HOME: '/nowhere', ANSWER: 'a b' } })
  const told = await ssh(sshd, 'echo "$HOME $ANSWER"')
  expect(told).toMatchObject({ status: 0, out: '/nowhere a b\n' })
  expect(sshd.counted()).toEqual({ connections: 1, accepted: 1, refused: 0 })
  const stranger = join(dirname(sshd.clientKeyPath), 'stranger')
  expect((await ssh(sshd, 'true', { key: stranger })).status).toBe(255)
  await eventually('the refusal', () => sshd.counted().refused === 1)
  expect(sshd.counted()).toEqual({ connections: 2, accepted: 1, refused: 1 })
}, 60_000)

test(named('has a home of its own, where nothing waits for a login'), async () => {
  const sshd = await started()
  const { out } = await ssh(sshd, 'echo "$HOME"; ls -A "$HOME"')
  expect(out).toBe(`${join(dirname(sshd.clientKeyPath), 'home')}\n`)
}, 60_000)

test(named('kills what serves a connection'), async () => {
  const sshd = await started()
  const answer = ssh(sshd, 'exec sleep 60')
  await eventually('a child', () => sshd.counted().accepted === 1 && sshd.children().length === 1)
  for (const child of sshd.children()) sshd.signalChild(child, 'SIGKILL')
  expect((await answer).status).toBe(255)
  await eventually('no child', () => sshd.children().length === 0)
}, 60_000)

test(named('stops and starts again on its port, with its key or a new one'), async () => {
  const sshd = await started()
  const key = sshd.hostKey()
  await sshd.stop()
  expect((await ssh(sshd, 'true')).error).toContain('refused')
  expect(E.isRight(await sshd.start())).toBe(true)
  expect(sshd.hostKey()).toBe(key)
  expect((await ssh(sshd, 'true')).status).toBe(0)
  await sshd.stop()
  expect(E.isRight(await sshd.start({ newHostKey: true }))).toBe(true)
  expect(sshd.hostKey()).not.toBe(key)
  expect((await ssh(sshd, 'true')).status).toBe(0)
  expect(sshd.counted()).toEqual({ connections: 2, accepted: 2, refused: 0 })
}, 60_000)

test(named('freezes and thaws'), async () => {
  const sshd = await started()
  sshd.freeze()
  let answered = false
  const answer = ssh(sshd, 'true').finally(() => {
    answered = true
  })
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(answered).toBe(false)
  sshd.thaw()
  expect((await answer).status).toBe(0)
}, 60_000)

test(named('leaves nothing'), async () => {
  const sshd = await started()
  const place = dirname(sshd.clientKeyPath)
  const running = ssh(sshd, 'exec sleep 60')
  await eventually('a child', () => sshd.children().length === 1)
  const children = sshd.children()
  await sshd.close()
  await running
  expect(existsSync(place)).toBe(false)
  // Its parent is gone: when it is reaped is up to the system.
  await eventually('no child', () => children.every((pid) => !existsSync(`/proc/${pid}`)))
}, 60_000)

test(named('the proxy goes silent without closing, and passes on what it held back'), async () => {
  const sshd = await started()
  const proxy = await startNetworkProxy(sshd.port)
  closing.push(proxy.close)
  expect((await ssh(sshd, 'echo through', { port: proxy.port })).out).toBe('through\n')
  expect(proxy.counted()).toBe(1)
  proxy.silence()
  const held = ssh(sshd, 'echo late', { port: proxy.port })
  await eventually('the connection is taken', () => proxy.counted() === 2)
  // Were it passed on, the server would have let it in long before it could be killed.
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(sshd.counted().accepted).toBe(1)
  expect(proxy.open()).toBe(1)
  await proxy.pass()
  expect((await held).out).toBe('late\n')
}, 60_000)

test(named('the proxy cuts off what there is, and lets new connections pass'), async () => {
  const sshd = await started()
  const proxy = await startNetworkProxy(sshd.port)
  closing.push(proxy.close)
  const held = ssh(sshd, 'echo held; exec sleep 60', { port: proxy.port })
  await eventually('the login', () => sshd.counted().accepted === 1)
  proxy.cut()
  for (const child of sshd.children()) sshd.signalChild(child, 'SIGKILL')
  expect((await ssh(sshd, 'echo new', { port: proxy.port })).out).toBe('new\n')
  await proxy.pass()
  await eventually('only the held one is left', () => proxy.open() === 1)
  proxy.drop()
  expect((await held).status).toBe(255)
}, 60_000)

test(named('the proxy drops, refuses, and takes connections again'), async () => {
  const sshd = await started()
  const proxy = await startNetworkProxy(sshd.port)
  closing.push(proxy.close)
  const dropped = ssh(sshd, 'exec sleep 60', { port: proxy.port })
  await eventually('the login', () => sshd.counted().accepted === 1)
  proxy.drop()
  expect((await dropped).status).toBe(255)
  await proxy.refuse()
  expect((await ssh(sshd, 'true', { port: proxy.port })).error).toContain('refused')
  await proxy.pass()
  proxy.delay(20)
  expect((await ssh(sshd, 'echo slow', { port: proxy.port })).out).toBe('slow\n')
}, 60_000)

it('the end of one side is held back, too', async () => {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket.on('error', () => undefined)))
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    }),
  )
  closing.push(async () => void server.close())
  const proxy = await startNetworkProxy(port)
  closing.push(proxy.close)
  const client = connect({ host: proxy.host, port: proxy.port })
  let ended = false
  client.on('close', () => {
    ended = true
  })
  client.resume()
  await eventually('the connection', () => sockets.length === 1)
  proxy.silence()
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(ended).toBe(false)
  await proxy.pass()
  await eventually('the end', () => ended)
}, 30_000)
