/**
 * Connections are lost in every way a server and a network can lose them; the remote shell that goes on
 * without us is found again, and where nothing kept it, that is said.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect } from 'vitest'
import type { SshKeeper, SshSession } from '../src/index.js'
import {
  cleared,
  eventually,
  identityOf,
  inSessionsOf,
  killChildren,
  lostWithinMs,
  type Rig,
  type RigOptions,
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

const begun = async (keeper: SshKeeper, more: Partial<RigOptions> = {}): Promise<SshSession> => {
  station = await stationOf()
  rig = await rigOf({ stations: [station], hosts: [station.declared({ keeper })], ...more })
  const session = await rig.open('a')
  await session.exec('mine=kept; cd /usr/share')
  await rig.kept('a')
  return session
}

/** Breaks the session, waits for the incident's end, and gives what was seen of it. */
const struck = async (fault: string, strike: () => Promise<void> | void) => {
  const from = rig.told.length
  const connectionsBefore = station.sshd.counted().connections
  const struckAtMs = performance.now()
  await strike()
  const end = await rig.fact('a', 'incident-recovered', from)
  const connections = station.sshd.counted().connections - connectionsBefore
  const opened = await rig.fact('a', 'incident-opened', from)
  reported(fault, rig, { id: 'a', struckAtMs, from, connections })
  return { from, end, opened, connections, noticedAfterMs: opened.toldAtMs - struckAtMs }
}

const keepers = ['dtach', 'tmux'] as const

describe.each(keepers)('with %s', (keeper) => {
  testWith(
    [keeper],
    `the server's child is killed: the same remote shell (${keeper})`,
    async () => {
      const session = await begun(keeper)
      const before = session.identity()
      const known = identityOf(before?.pid)
      expect(`${before?.pid} ${before?.startTicks} ${before?.bootId}`).toBe(known)
      const { from, end, opened, connections } = await struck(`child killed (${keeper})`, () =>
        killChildren(station),
      )
      expect(opened.failure.kind).toBe('transport-lost')
      expect(rig.tried('a', from)).toEqual(['reconnect'])
      expect(end).toMatchObject({ strategy: 'reconnect', attempt: 1 })
      expect(end.receipt).toMatchObject({
        grade: 'observed',
        items: { process: { status: 'restored' } },
      })
      expect(end.receipt.evidence.some(({ source, trusted }) => source === 'mark' && trusted)).toBe(
        true,
      )
      expect(connections).toBe(1)
      expect(session.identity()).toEqual(before)
      expect(identityOf(session.pid())).toBe(known)
      expect(await valueIn(session, '$mine $PWD $$')).toBe(`kept /usr/share ${before?.pid}`)
    },
  )
})

testWith(['dtach'], 'what ran meanwhile has run on, once', async () => {
  const session = await begun('dtach')
  const command = session.exec(
    'for i in 1 2 3 4 5 6 7 8; do echo $i >> ~/ran; sleep 0.2; done; echo all >> ~/ran',
  )
  await eventually('its start', () => (existsSync(join(station.home, 'ran')) ? true : undefined))
  await struck('child killed while a command runs', () => killChildren(station))
  expect(await command).toMatchObject({ _tag: expect.stringMatching(/finished|lost/) })
  expect(await valueIn(session, '$(cat ~/ran | tr -d "\\n")')).toBe('12345678all')
})

testWith(
  ['dtach'],
  'what ran meanwhile and ended unheard: the shell shows its prompt again',
  async () => {
    const session = await begun('dtach', {
      policy: { recoveryDelay: 400, maxRecoveryAttempts: 50 },
    })
    const before = session.identity()
    const done = join(station.home, 'done')
    session.write('touch ~/began; until [ -e ~/go ]; do sleep 0.05; done; touch ~/done\r')
    await eventually('its start', () => existsSync(join(station.home, 'began')) || undefined)
    await struck('its end while nobody hears it', async () => {
      const from = rig.told.length
      await station.proxy.refuse()
      killChildren(station)
      await rig.fact('a', 'backoff-began', from)
      writeFileSync(join(station.home, 'go'), '')
      await eventually('its end', () => existsSync(done) || undefined)
      await station.proxy.pass()
    })
    expect(session.identity()).toEqual(before)
    expect(await valueIn(session, '$mine $PWD')).toBe('kept /usr/share')
  },
)

testWith([], 'without a keeper it is a new shell, and the receipt says so', async () => {
  const session = await begun('none')
  const before = session.identity()
  const { from, end } = await struck('child killed (none)', () => killChildren(station))
  expect(rig.tried('a', from)).toEqual(['reconnect'])
  expect(end.strategy).toBe('reconnect')
  expect(end.receipt.items.process.status).toBe('lost')
  expect(end.receipt.items.process.detail).toMatch(/new/)
  expect(session.identity()).not.toEqual(before)
  expect(await valueIn(session, '$PWD')).toBe('/usr/share')
})

testWith(['dtach'], 'a stopped server is noticed within the bound, and found again', async () => {
  const session = await begun('dtach', { driver: { dialTimeoutMs: 1_500 } })
  const before = session.identity()
  const { end, noticedAfterMs } = await struck('server stopped (SIGSTOP)', async () => {
    const from = rig.told.length
    station.sshd.freeze()
    await rig.fact('a', 'backoff-began', from)
    station.sshd.thaw()
  })
  expect(noticedAfterMs).toBeGreaterThan(lostWithinMs / 3)
  // Generous: the machine may be busy; without a bound it would be for ever.
  expect(noticedAfterMs).toBeLessThan(lostWithinMs + 5_000)
  expect(end.strategy).toBe('reconnect')
  expect(session.identity()).toEqual(before)
})

testWith(['dtach'], 'a server that is down for a while is waited for', async () => {
  const session = await begun('dtach', { policy: { recoveryDelay: 400, maxRecoveryAttempts: 50 } })
  const before = session.identity()
  const { from, end, connections } = await struck('server down, and back', async () => {
    const from = rig.told.length
    await station.proxy.refuse()
    await station.sshd.stop()
    await rig.fact('a', 'backoff-began', from)
    await station.sshd.start()
    const second = rig.told.length
    await rig.fact('a', 'backoff-began', second)
    await station.proxy.pass()
  })
  const facts = rig.told.slice(from).map(({ fact }) => fact)
  const attempts = facts.filter(({ _tag }) => _tag === 'attempt-started').length
  expect(end).toMatchObject({ strategy: 'reconnect', attempt: attempts })
  const delays = facts.flatMap((fact) => (fact._tag === 'backoff-began' ? [fact.delayMs] : []))
  expect(delays).toEqual(Array.from({ length: attempts - 1 }, () => 400))
  expect(attempts).toBeGreaterThanOrEqual(3)
  expect(connections).toBe(1)
  expect(session.identity()).toEqual(before)
})

testWith(['dtach'], 'a connection that is blackholed is noticed within the bound', async () => {
  const session = await begun('dtach', { driver: { dialTimeoutMs: 1_500 } })
  const before = session.identity()
  const { end, noticedAfterMs } = await struck('blackholed', async () => {
    const from = rig.told.length
    station.proxy.silence()
    await rig.fact('a', 'backoff-began', from)
    await station.proxy.pass()
  })
  expect(noticedAfterMs).toBeGreaterThan(lostWithinMs / 3)
  expect(noticedAfterMs).toBeLessThan(lostWithinMs + 5_000)
  expect(end.strategy).toBe('reconnect')
  expect(session.identity()).toEqual(before)
})

testWith(['dtach'], 'a half-open connection: new ones pass, the old one is given up', async () => {
  const session = await begun('dtach')
  const before = session.identity()
  const { from, end, connections } = await struck('half-open', () => station.proxy.cut())
  expect(rig.tried('a', from)).toEqual(['reconnect'])
  expect(end.attempt).toBe(1)
  expect(connections).toBe(1)
  expect(session.identity()).toEqual(before)
})

testWith(['dtach'], 'the remote shell is killed: restored on the same host', async () => {
  const session = await begun('dtach')
  const before = session.identity()
  const { from, end, opened } = await struck('remote shell killed', () => {
    process.kill(before?.pid ?? 0, 'SIGKILL')
  })
  expect(opened.failure).toMatchObject({ kind: 'process-died' })
  expect(opened.failure.reason).toContain('SIGKILL')
  expect(rig.tried('a', from)).toEqual(['reconnect', 'restore'])
  expect(end.strategy).toBe('restore')
  expect(session.identity()?.pid).not.toBe(before?.pid)
  expect(session.place()).toContain(String(station.proxy.port))
  expect(end.receipt.items.cwd.status).toBe('restored')
  expect(await valueIn(session, '$mine $PWD')).toBe('kept /usr/share')
})

testWith(['dtach'], 'a remote shell that exits with a code has ended', async () => {
  const session = await begun('dtach')
  const from = rig.told.length
  session.write('exit 3\r')
  expect(await rig.fact('a', 'session-ended', from)).toMatchObject({ exitCode: 3 })
  expect(rig.tried('a', from)).toEqual([])
})

testWith(
  [],
  'the network is lost in the middle of a strategy: nothing is started twice',
  async () => {
    const session = await begun('none')
    const { end } = await struck('network lost in the middle of a strategy', async () => {
      const from = rig.told.length
      const before = String(inSessionsOf(station))
      // Slow enough for the loss to come before the new shell's first prompt.
      station.proxy.delay(50)
      killChildren(station)
      await eventually('a new shell', () => {
        const now = String(inSessionsOf(station))
        return now !== '' && now !== before ? true : undefined
      })
      station.proxy.drop()
      await rig.fact('a', 'strategy-missed', from)
      station.proxy.delay(0)
    })
    expect(end.receipt.items.cwd.status).toBe('restored')
    await eventually('one shell is left', () =>
      inSessionsOf(station).length === 1 ? true : undefined,
    )
    expect(await valueIn(session, '$PWD')).toBe('/usr/share')
  },
)
