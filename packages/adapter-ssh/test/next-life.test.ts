/**
 * An app ends without a word while its remote shells go on. Its next life finds them in the store: each is
 * ended before another takes its place, and the session stays on the host it stood on.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { memoryMedium, memoryStore } from '@session-recovery/engine'
import { afterEach, describe, expect } from 'vitest'
import {
  eventually,
  identityOf,
  inSessionsOf,
  leftOn,
  planOf,
  type Rig,
  type RigOptions,
  rigOf,
  type Station,
  stationOf,
  testWith,
  valueIn,
} from './rig.js'

let stations: readonly Station[] = []
let rigs: readonly Rig[] = []
let medium = memoryMedium()

afterEach(async () => {
  for (const { close } of rigs) await close()
  const left = (await Promise.all(stations.map(leftOn))).flat()
  for (const { sshd } of stations) await sshd.close()
  stations = []
  rigs = []
  medium = memoryMedium()
  expect(left).toEqual([])
})

const life = async (options: Omit<RigOptions, 'stations' | 'store'>): Promise<Rig> => {
  const rig = await rigOf({ stations, ...options, store: memoryStore(medium) })
  rigs = [...rigs, rig]
  return rig
}

/** What becomes of an app that is killed: nobody decides any more, and its connections are over. */
const died = async ({ engine }: Rig): Promise<void> => {
  await engine.destroy()
  for (const { proxy } of stations) proxy.drop()
}

const keepers = ['dtach', 'tmux'] as const

describe.each(keepers)('with %s', (keeper) => {
  testWith([keeper], `one remote shell is left after the app died (${keeper})`, async () => {
    stations = [await stationOf()]
    const [station] = stations as [Station]
    const hosts = [station.declared({ keeper })]
    const first = await life({ hosts })
    const session = await first.open('a')
    await session.exec('cd /usr/share')
    await first.kept('a')
    const before = session.identity()
    void session.exec('while :; do echo on >> ~/ran; sleep 0.1; done')
    const log = join(station.home, 'ran')
    await eventually('its start', () => (existsSync(log) ? true : undefined))
    await eventually('a snapshot of it', async () => {
      const { interactiveState } = (await first.engine.snapshot('a')) ?? {}
      return interactiveState?.pendingCommands.length === 1 ? true : undefined
    })
    await died(first)
    expect(identityOf(before?.pid)).toBe(`${before?.pid} ${before?.startTicks} ${before?.bootId}`)

    const second = await life({ hosts, policy: planOf('reconnect') })
    const end = await second.fact('a', 'incident-recovered')
    const now = second.driver.session('a')
    expect(now?.identity()).toBeDefined()
    expect(now?.identity()).not.toEqual(before)
    expect(inSessionsOf(station)).toEqual([String(now?.pid())])
    const { process, jobs } = end.receipt.items
    expect(process.status).toBe('lost')
    expect(process.detail).toContain(
      `process ${before?.pid} that was kept on ${now?.place()} cannot prove itself to a new driver: it is ended`,
    )
    expect(process.detail).not.toContain('nothing on')
    expect(jobs.unknownCommands).toHaveLength(1)
    const ran = readFileSync(log, 'utf8')
    if (now === undefined) throw new Error('the session was not taken in')
    expect(await valueIn(now, '$PWD')).toBe('/usr/share')
    expect(readFileSync(log, 'utf8')).toBe(ran)
  })
})

testWith(['dtach'], 'a later process of the same number is let be', async () => {
  stations = [await stationOf()]
  const [station] = stations as [Station]
  const hosts = [station.declared({ keeper: 'dtach' })]
  const first = await life({ hosts })
  const session = await first.open('a')
  await first.kept('a')
  await first.engine.destroy()
  const stored = medium.sessions.get('a')?.snapshot?.body as unknown as { standing: Standing }
  expect(stored.standing.kept.identity).toEqual(session.identity())
  stored.standing.kept.identity.startTicks += 1
  const second = await life({ hosts })
  const end = await second.fact('a', 'incident-recovered')
  expect(end.receipt.items.process.detail).toContain('has ended meanwhile')
  expect(session.pid()).toBeDefined()
  expect(inSessionsOf(station)).toContain(String(session.pid()))
})

interface Standing {
  readonly kept: { readonly identity: { startTicks: number } }
}

// Dash says nothing by itself that could be captured.
for (const command of ['bash', 'dash']) {
  const what = `a ${command} that a recovery has just started is known to the next life`
  testWith(['dtach', command], what, async () => {
    stations = [await stationOf()]
    const [station] = stations as [Station]
    const hosts = [station.declared({ keeper: 'dtach' })]
    const standing = () =>
      (medium.sessions.get('a')?.snapshot?.body as { standing?: unknown } | undefined)?.standing
    const policy = { ...planOf('restart'), snapshotInterval: 0 }
    const first = await life({ hosts, policy })
    const session = await first.open('a', { command })
    const before = session.pid()
    process.kill(before ?? 0, 'SIGKILL')
    await first.fact('a', 'incident-recovered')
    const recovered = session.identity()
    expect(recovered?.pid).not.toBe(before)
    await eventually('that it is stored', () => {
      const stored = JSON.stringify(standing() ?? {})
      return stored.includes(JSON.stringify(recovered)) || undefined
    })
    await died(first)

    const second = await life({ hosts, policy })
    const end = await second.fact('a', 'incident-recovered')
    expect(end.receipt.items.process.detail).toContain(`process ${recovered?.pid} that was kept`)
    const now = second.driver.session('a')?.pid()
    expect(now).not.toBe(recovered?.pid)
    expect(inSessionsOf(station)).toEqual([String(now)])
  })
}

testWith(['dtach'], 'a session that was moved stays where it was moved to', async () => {
  stations = [await stationOf(), await stationOf()]
  const [one, other] = stations as [Station, Station]
  const hosts = stations.map((station) => station.declared({ keeper: 'dtach' }))
  const first = await life({ hosts, policy: { maxRecoveryAttempts: 1 } })
  const session = await first.open('a')
  await session.exec('cd /usr/share')
  await first.kept('a')
  const left = session.pid()
  await one.proxy.refuse()
  one.proxy.drop()
  await first.fact('a', 'incident-recovered')
  const place = session.place()
  expect(place).toContain(String(other.proxy.port))
  await first.kept('a')
  const moved = session.pid()
  process.kill(left ?? 0, 'SIGKILL')
  await one.proxy.pass()
  await died(first)

  const second = await life({ hosts })
  const end = await second.fact('a', 'incident-recovered')
  const now = second.driver.session('a')
  expect(now?.place()).toBe(place)
  expect(end.receipt.items.process.detail).toContain(
    `process ${moved} that was kept on ${place} cannot prove itself to a new driver: it is ended`,
  )
  expect(now?.pid()).toBeDefined()
  // It was opened on the first, and names that one's home wherever it stands.
  expect(inSessionsOf(one)).toEqual([String(now?.pid())])
})
