/** Who may look: with the token, through a page that may, at this server, on this machine. */
import { createServer } from 'node:http'
import { createConnection } from 'node:net'
import { networkInterfaces } from 'node:os'
import { defaultPolicy } from '@session-recovery/core'
import { describe, expect, it } from 'vitest'
import { refusalOf } from '../src/admission.js'
import { type InspectOptions, startInspector } from '../src/index.js'
import { inspectorOf } from './scope.js'
import { recoveryOf } from './trace.js'
import { type Dial, valuesOf, viewerOf } from './viewer.js'

const token = 'abcdefghijklmnopqrstuv_-'

const hosted = 'https://stately.ai'

describe('admission over the wire', () => {
  const attempt = async (
    url: (port: number) => string,
    dial: (port: number) => Dial = () => ({}),
    options: Partial<InspectOptions> = {},
  ): Promise<string> => {
    const logged: unknown[] = []
    const logger = (...line: unknown[]) => void logged.push(line)
    const inspector = await inspectorOf({ token, logger, ...options })
    const { port } = inspector.address
    recoveryOf('shell-1').forEach(inspector.sink)
    const outcome = await viewerOf(url(port), dial(port)).then(
      async (viewer) => `sees ${(await viewer.until((all) => valuesOf(all).length > 0)).length}`,
      (error: Error) => error.message,
    )
    expect(JSON.stringify(logged)).not.toContain(token)
    return outcome
  }
  const withToken = (port: number) => `ws://127.0.0.1:${port}/?token=${token}`
  const sees = 'sees 2'

  it('needs the token', async () => {
    expect(await attempt(withToken)).toBe(sees)
    expect(await attempt((port) => `ws://127.0.0.1:${port}/`)).toBe('answered 401')
    expect(await attempt((port) => `ws://127.0.0.1:${port}/?token=`)).toBe('answered 401')
    expect(await attempt((port) => `${withToken(port)}x`)).toBe('answered 401')
    expect(await attempt((port) => withToken(port).slice(0, -1))).toBe('answered 401')
  })

  it('takes the token from the header that programs use, too', async () => {
    const bare = (port: number) => `ws://127.0.0.1:${port}/`
    const bearer = (given: string) => () => ({ headers: { authorization: `Bearer ${given}` } })
    expect(await attempt(bare, bearer(token))).toBe(sees)
    expect(await attempt(bare, bearer(`${token}x`))).toBe('answered 401')
  })

  it('refuses pages from elsewhere, unless they are allowed', async () => {
    const from = (origin: string) => () => ({ origin })
    expect(await attempt(withToken, from('http://localhost:8080'))).toBe(sees)
    expect(await attempt(withToken, from('http://127.0.0.1:3000'))).toBe(sees)
    expect(await attempt(withToken, from(hosted))).toBe('answered 403')
    expect(await attempt(withToken, from(hosted), { allowedOrigins: [hosted] })).toBe(sees)
    for (const origin of [
      'https://stately.ai.evil.example',
      'null',
      'http://localhost.evil.example',
    ])
      expect(await attempt(withToken, from(origin), { allowedOrigins: [hosted] })).toBe(
        'answered 403',
      )
  })

  it('refuses names that were made to point here', async () => {
    const as = (host: (port: number) => string) => (port: number) => ({
      headers: { host: host(port) },
    })
    expect(
      await attempt(
        withToken,
        as((port) => `localhost:${port}`),
      ),
    ).toBe(sees)
    expect(
      await attempt(
        withToken,
        as((port) => `evil.example:${port}`),
      ),
    ).toBe('answered 403')
    expect(
      await attempt(
        withToken,
        as(() => 'localhost'),
      ),
    ).toBe('answered 403')
    expect(
      await attempt(
        withToken,
        as((port) => `localhost:${port + 1}`),
      ),
    ).toBe('answered 403')
  })

  it('takes so many viewers at one time', async () => {
    const inspector = await inspectorOf({ limit: { viewers: 1 } })
    const first = await viewerOf(inspector.url)
    await expect(viewerOf(inspector.url)).rejects.toThrow('answered 503')
    first.socket.close()
    await first.closed
    await expect.poll(() => inspector.viewers().connected).toBe(0)
    await viewerOf(inspector.url)
  })

  it('answers what is no WebSocket by refusing it, or by saying what is needed', async () => {
    const { url, address } = await inspectorOf()
    const bare = `http://127.0.0.1:${address.port}/`
    expect((await fetch(bare)).status).toBe(401)
    expect((await fetch(url.replace('ws:', 'http:'))).status).toBe(426)
  })
})

describe('the address', () => {
  it('is on loopback alone', async () => {
    const { address } = await inspectorOf()
    const { port } = address
    const reach = (host: string): Promise<boolean> =>
      new Promise((resolve) => {
        const socket = createConnection({ host, port })
        socket.on('connect', () => resolve(true))
        socket.on('error', () => resolve(false))
        socket.on('close', () => socket.destroy())
      })
    const outside = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, address: at }) => family === 'IPv4' && at !== '127.0.0.1')
    // Every address of 127/8 is this machine's, so that there always is another one to try.
    const others = ['127.0.0.2', ...outside.map(({ address: at }) => at)]
    expect(await reach('127.0.0.1')).toBe(true)
    expect(await Promise.all(others.map(reach))).toEqual(others.map(() => false))
  })

  it('is refused with the reason when it is taken', async () => {
    const { address } = await inspectorOf()
    const second = await startInspector({ policy: defaultPolicy, port: address.port })()
    expect(second).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'ListenFailed', port: address.port, code: 'EADDRINUSE' },
    })
  })
})

describe('options', () => {
  it('are refused by name when they are out of range', async () => {
    const cases: readonly (readonly [Partial<InspectOptions>, string])[] = [
      [{ port: -1 }, 'port'],
      [{ port: 65_536 }, 'port'],
      [{ port: Number.NaN }, 'port'],
      [{ token: 'short' }, 'token'],
      [{ token: `${token}&x` }, 'token'],
      [{ random: () => new Uint8Array(4) }, 'token'],
      [{ allowedOrigins: ['stately.ai'] }, 'allowedOrigins'],
      [{ allowedOrigins: ['https://stately.ai/inspect'] }, 'allowedOrigins'],
      [{ limit: { bufferBytes: 0 } }, 'limit.bufferBytes'],
      [{ limit: { sessions: 0.5 } }, 'limit.sessions'],
    ]
    for (const [options, option] of cases) {
      const started = await startInspector({ policy: defaultPolicy, ...options })()
      expect(started).toMatchObject({ _tag: 'Left', left: { _tag: 'InvalidOption', option } })
      expect(JSON.stringify(started)).not.toContain(options.token ?? 'no token')
    }
  })

  it('make a token of 128 random bits', async () => {
    const asked: number[] = []
    const random = (bytes: number) => {
      asked.push(bytes)
      return Uint8Array.from({ length: bytes }, (_, i) => i * 16)
    }
    const { url } = await inspectorOf({ random })
    expect(asked).toEqual([16])
    expect(new URL(url).searchParams.get('token')).toBe('ABAgMEBQYHCAkKCwwNDg8A')
    const others = await Promise.all([inspectorOf(), inspectorOf()])
    expect(new Set(others.map((inspector) => new URL(inspector.url).search)).size).toBe(2)
  })
})

describe('a port of its own', () => {
  const admission = { token, port: 80, allowedOrigins: [] }
  const asking = (host: string) => ({ url: `/?token=${token}`, headers: { host } })

  it('may be left out of the Host where it is that of HTTP', () => {
    expect(refusalOf(asking('localhost'), admission)).toBeUndefined()
    expect(refusalOf(asking('localhost'), { ...admission, port: 81 })?.reason).toBe('host')
  })

  it('is free again for others', async () => {
    const started = await startInspector({ policy: defaultPolicy })()
    if (started._tag === 'Left') throw new Error(started.left.message)
    const { port } = started.right.address
    await started.right.close()
    const next = createServer()
    await new Promise<void>((resolve, reject) => {
      next.on('error', reject)
      next.listen(port, '127.0.0.1', resolve)
    })
    await new Promise((resolve) => next.close(resolve))
  })
})
