/**
 * The torture row of shared fate: ten thousand sessions on a host that dies for minutes or hours, the
 * engine crashing meanwhile or not. While the host is dead nothing but canaries connects to it, no attempt
 * is used, and after it heals all are back within twice the cap of the backoff.
 */
import { chance, Fleet } from '@session-recovery/testkit'
import type { Row, Trial } from './row.js'

const sessions = 10_000
const connectMs = 20

// The first canaries go sooner after each other than the cap has them.
const earlyCanaries = 6

interface Tried {
  readonly broken: readonly string[]
  readonly canaries: number
  readonly deadMs: number
  readonly backMs: number
}

const one = async (seed: number): Promise<Tried> => {
  const pick = chance(seed)
  const fleet = new Fleet({ sessions, connectMs })
  const capMs = fleet.policy.maxBackoffDelay
  const broken: string[] = []
  const check = (holds: boolean, breach: string) => void (holds || broken.push(breach))
  await fleet.begin()
  await fleet.kill()
  const deadMs = pick.whole(60_000, 3_600_000)
  const crashes = pick.whole(0, 2)
  for (let i = 0; i < crashes; i++) {
    await fleet.time.advance(Math.round(deadMs / (crashes + 1)))
    await fleet.crash()
  }
  await fleet.time.advance(Math.round(deadMs / (crashes + 1)))
  const host = fleet.hostOf('s0')
  const canaries = host.connections.length
  const most = Math.ceil(deadMs / capMs) + earlyCanaries + crashes
  check(
    host.connections.every(({ by }) => by === 'canary'),
    'others than canaries connected',
  )
  check(canaries <= most, `${canaries} canaries went, and ${most} are the most`)
  const used = fleet.engine.sessions().reduce((sum, { record }) => sum + record.control.used, 0)
  check(used === 0, `${used} attempts were used while the host was dead`)
  const { heldSessions } = fleet.engine.stats()
  check(heldSessions === sessions, `${heldSessions} sessions wait`)

  host.isDead = false
  const healedMs = fleet.time.nowMs
  while (fleet.alive < sessions && fleet.time.nowMs < healedMs + 2 * capMs) {
    await fleet.time.advance(500)
  }
  const backMs = fleet.time.nowMs - healedMs
  check(fleet.alive === sessions, `${fleet.alive} sessions are back after ${backMs} ms`)
  const { concurrency } = fleet.policy.domain
  check(host.mostInFlight <= concurrency, `${host.mostInFlight} were brought back at once`)
  const since = host.connections.length - canaries
  check(since <= sessions + 1, `${since} connections were made when it was back`)
  void fleet.engine.stop()
  await fleet.time.advance(fleet.policy.stopTimeoutMs)
  return { broken, canaries, deadMs, backMs }
}

export const sharedFateRow: Row = {
  name: 'shared-fate',
  promise:
    'Ten thousand sessions on a dead host send one canary at a time, and are soon back after it heals',
  tries: { ci: 2, soak: 100 },
  as: 'ordinary',
  run: async ({ tries, seed, progress }: Trial) => {
    const lost: string[] = []
    const notes: string[] = []
    const seeds = chance(seed)
    for (let i = 0; i < tries; i++) {
      const own = seeds.whole(1, 2 ** 30)
      const { broken, canaries, deadMs, backMs } = await one(own)
      if (broken.length > 0) lost.push(`seed ${own}: ${broken.join('; ')}`)
      if (i < 5) {
        const away = `${Math.round(deadMs / 1_000)} s dead`
        notes.push(
          `${away}: ${canaries} connections; all back ${Math.round(backMs / 1_000)} s after`,
        )
      }
      progress(i + 1)
    }
    return { tried: tries, survived: tries - lost.length, lost, notes }
  },
}
