/**
 * kill -9 of a whole app, engine, store, driver and all, at every decision it writes down and at random
 * moments in between: what its shell was running is named by the next life of the app, and never run twice.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RecoveryStrategy } from '@session-recovery/core'
import { chance, seedOf } from '@session-recovery/testkit'
import { expect, test } from 'vitest'

const app = fileURLToPath(new URL('once-app.mjs', import.meta.url))
const seed = seedOf()
const replay = `Replay: SEED=${seed} npm test -- packages/adapter-pty/test/once-app.test.ts`

// ------------------------------------------------------------------------------------------ model

interface KillPoint {
  /** What the store is asked for: `snapshot`, or the event of a decision. */
  readonly of: string
  readonly nth: number
  readonly when: 'before' | 'after'
}

type Death = { readonly kill: KillPoint } | { readonly afterMs: number }

/** What a life of the app said. */
interface Said {
  readonly found?: number
  readonly captured?: number
  readonly commands?: readonly string[]
  readonly named?: readonly string[]
  readonly end?: 'incident-recovered' | 'incident-exhausted'
  readonly by?: string
  readonly evidence?: readonly string[]
  readonly done?: true
}

interface Life {
  readonly said: readonly Said[]
  readonly killed: boolean
}

interface Chain {
  readonly strategies: readonly RecoveryStrategy[]
  readonly idempotent: boolean
  readonly deaths: readonly Death[]
}

// ------------------------------------------------------------------------------------------- lives

const lived = async (home: string, life: number, chain: Chain, death?: Death): Promise<Life> => {
  const { strategies, idempotent } = chain
  const own = death !== undefined && 'kill' in death ? { kill: death.kill } : {}
  const wanted = { home, life, strategies, idempotent, commands: death === undefined ? 0 : 8 }
  const child = spawn(process.execPath, [app, JSON.stringify({ ...wanted, ...own })])
  const said: Buffer[] = []
  let complaint = ''
  child.stdout.on('data', (piece: Buffer) => said.push(piece))
  child.stderr.on('data', (piece: Buffer) => {
    complaint += piece.toString()
  })
  const closed = once(child, 'close')
  if (death !== undefined && 'afterMs' in death) {
    await Promise.race([once(child.stdout, 'data'), closed])
    await Promise.race([new Promise((resolve) => setTimeout(resolve, death.afterMs)), closed])
    child.kill('SIGKILL')
  }
  const [code, signal] = (await closed) as [number | null, string | null]
  expect(complaint, replay).toBe('')
  const told = `${JSON.stringify(death)}: ${Buffer.concat(said)}${replay}`
  if (signal !== 'SIGKILL') expect(code, told).toBe(0)
  const lines = Buffer.concat(said).toString().split('\n').slice(0, -1)
  return { said: lines.map((line) => JSON.parse(line) as Said), killed: signal === 'SIGKILL' }
}

/** What the next life says must account for what this one had kept. */
const checkNamed = (before: Life, after: Life): number => {
  const found = after.said.find((one) => one.found !== undefined)
  const kept = before.said.findLast((one) => one.captured !== undefined)
  if (found === undefined) {
    if (!after.killed) expect(kept, replay).toBeUndefined()
    return 0
  }
  // One more capture may have been written and not been told any more.
  if (found.found === kept?.captured) expect(found.commands, replay).toEqual(kept?.commands)
  else expect(found.found, replay).toBeGreaterThan(kept?.captured ?? -1)
  const named = after.said.find((one) => one.named !== undefined)
  if (named === undefined) {
    // Killed before it could say more, or there was nothing yet to bring it back from.
    const end = after.said.find((one) => one.end !== undefined)
    if (end?.end === 'incident-exhausted') {
      expect(found.found, `${JSON.stringify(after.said)} ${replay}`).toBe(0)
    } else expect(after.killed, replay).toBe(true)
    return 0
  }
  const proved = after.said.flatMap(({ evidence = [] }) => evidence)
  for (const line of found.commands ?? []) {
    const isProved = proved.includes(`${line}: ended with code 0, try 1`)
    expect(named.named?.includes(line) || isProved, `${line} is not accounted for. ${replay}`).toBe(
      true,
    )
  }
  return found.commands?.length ?? 0
}

const linesIn = (home: string): readonly string[] => {
  try {
    return readFileSync(join(home, 'log'), 'utf8').split('\n').slice(0, -1)
  } catch {
    return []
  }
}

const mostMore = 30

/**
 * When what is to be seen depends on when a kill fell, it is killed on until it was seen: in the midst of a
 * command, and before and after one was run again.
 */
const moreDeath = (
  { deaths, idempotent }: Chain,
  life: number,
  { named, retried }: { readonly named: number; readonly retried: number },
): Death | undefined => {
  const more = life - deaths.length
  const isSeen = named > 0 && (retried > 0 || !idempotent)
  if (isSeen || more >= mostMore) return undefined
  return more % 2 === 0
    ? { kill: { of: 'snapshot', nth: 3 + (more % 4), when: 'after' } }
    : { afterMs: chance(seed + more).whole(100, 500) }
}

/** One app, killed and started again, over one store. */
const played = async (chain: Chain) => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'once-app-')))
  const total = { kills: 0, named: 0, lines: 0, recovered: 0, retried: 0 }
  try {
    let before: Life | undefined
    for (let life = 0; ; life++) {
      const death = chain.deaths[life] ?? moreDeath(chain, life, total)
      const now = await lived(home, life, chain, death)
      if (now.killed) total.kills += 1
      if (before !== undefined) total.named += checkNamed(before, now)
      const ends = now.said.filter(({ end }) => end === 'incident-recovered')
      total.recovered += ends.length
      total.retried += ends.filter(({ by }) => by === 'command-retry').length
      // One that was killed before it could say what it found adds to what the one before had kept.
      const isCut = now.killed && now.said.every(({ found }) => found === undefined)
      before = isCut ? { ...now, said: [...(before?.said ?? []), ...now.said] } : now
      if (death === undefined) break
    }
    expect(before?.said.at(-1), replay).toEqual({ done: true })
    const lines = linesIn(home)
    total.lines = lines.length
    const mayRepeat = (line: string) => chain.idempotent && !line.startsWith('ahead')
    const once = lines.filter((line) => !mayRepeat(line))
    expect(once.toSorted(), replay).toEqual([...new Set(once)].toSorted())
    return total
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

// ------------------------------------------------------------------------------------------ deaths

const events = ['registered', 'failed', 'acted', 'verified', 'resumed', 'snapshot'] as const

/** Every kind of decision, before and after it is durable; the first, and one in the midst of things. */
const everyStep: readonly Death[] = events.flatMap((of) =>
  (['before', 'after'] as const).flatMap((when) =>
    (of === 'snapshot' ? [1, 4] : of === 'acted' || of === 'verified' ? [1, 2] : [1]).map(
      (nth) => ({ kill: { of, nth, when } }),
    ),
  ),
)

const atRandom = (count: number, salt: number): readonly Death[] => {
  const { whole } = chance(seed + salt)
  return Array.from({ length: count }, () => ({ afterMs: whole(0, 250) }))
}

const chains: readonly Chain[] = [
  {
    strategies: ['restore', 'restart', 'fallback'],
    idempotent: false,
    deaths: [...everyStep, ...atRandom(3, 1)],
  },
  {
    strategies: ['command-retry', 'session-refresh', 'restart', 'restore', 'fallback'],
    idempotent: false,
    deaths: [...everyStep, ...atRandom(3, 2)],
  },
  {
    strategies: ['command-retry', 'restore', 'fallback'],
    idempotent: true,
    deaths: [...everyStep, ...atRandom(3, 3)],
  },
]

test('killed at every decision and at random, an app runs no command twice and names every unknown one', async () => {
  const totals = await Promise.all(chains.map(played))
  const kills = totals.reduce((sum, total) => sum + total.kills, 0)
  expect(kills).toBeGreaterThanOrEqual(60)
  for (const total of totals) {
    expect(total.named).toBeGreaterThan(0)
    expect(total.lines).toBeGreaterThan(5)
  }
  expect(totals.map(({ retried }) => retried > 0)).toEqual([false, false, true])
  process.stdout.write(`${kills} apps killed, seed ${seed}: ${JSON.stringify(totals)}\n`)
}, 300_000)
