/**
 * What the tests of remote shells share: the real engine and driver over real servers, and what was
 * decided, with its time.
 */
import { readFileSync } from 'node:fs'
import {
  type Clock,
  type Fact,
  type FactOf,
  factsOf,
  type PolicyInput,
  policyFrom,
  type RecoveryStrategy,
  type Store,
  terminalFacts,
} from '@session-recovery/core'
import { createEngine, type Engine, memoryStore } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import {
  type SshDriver,
  type SshDriverOptions,
  type SshHostOptions,
  type SshOpenOptions,
  type SshSession,
  sshDriver,
} from '../src/index.js'
import { bash, markName, noteDirectories, type Station } from './station.js'

export * from './station.js'

// ------------------------------------------------------------------------------------------ model

export interface Told {
  readonly sessionId: string
  readonly fact: Fact
  readonly atMs: number
}

export interface RigOptions {
  readonly stations: readonly Station[]
  readonly hosts?: readonly SshHostOptions[]
  readonly policy?: PolicyInput
  readonly driver?: Partial<SshDriverOptions>
  readonly store?: Store
}

/** Engine and driver on the stations. */
export interface Rig {
  readonly driver: SshDriver
  readonly engine: Engine
  readonly store: Store
  readonly told: readonly Told[]
  /** Opens a session on the first station, or where it asks for, and registers it. */
  readonly open: (id: string, options?: Partial<SshOpenOptions>) => Promise<SshSession>
  /** Waits for a fact about a session; `from`: how many were told before. */
  readonly fact: <T extends Fact['_tag']>(
    id: string,
    tag: T,
    from?: number,
  ) => Promise<FactOf<T> & { readonly toldAtMs: number }>
  /** The strategies that were begun since, in order, the last resort left out. */
  readonly tried: (id: string, from?: number) => readonly RecoveryStrategy[]
  /** Keeps what the session is now: what a recovery brings back. */
  readonly kept: (id: string) => Promise<void>
  readonly close: () => Promise<void>
}

export const realClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule: (delayMs, task) => {
    const timer = setTimeout(task, Math.min(delayMs, 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
}

/** How often the drivers of these tests ask for a sign of life, and how many may be missing. */
export const keepalive = { keepaliveIntervalMs: 400, keepaliveCount: 2 } as const
/** By then a silent connection is lost. */
export const lostWithinMs = keepalive.keepaliveIntervalMs * (keepalive.keepaliveCount + 1)

// ----------------------------------------------------------------------------------- constructors

const quickPolicy: PolicyInput = {
  recoveryDelay: 100,
  maxBackoffDelay: 400,
  snapshotInterval: 0,
  recoveryTimeout: 60_000,
  strategyTimeoutMs: 20_000,
  storeOutput: true,
}

/** An engine that is started, over a driver of the stations. */
export const rigOf = async ({
  stations,
  hosts,
  policy,
  driver,
  store,
}: RigOptions): Promise<Rig> => {
  const made = sshDriver({
    clock: realClock,
    hosts: hosts ?? stations.map((station) => station.declared()),
    dialTimeoutMs: 3_000,
    ...keepalive,
    ...driver,
  })
  const kept = store ?? memoryStore()
  const engine = createEngine({
    driver: made,
    store: kept,
    policy: right(policyFrom({ ...quickPolicy, ...policy })),
  })
  const told: Told[] = []
  engine.subscribe((notice) => {
    if (notice._tag !== 'decided') return
    const { sessionId } = notice.entry
    const atMs = performance.now()
    for (const fact of factsOf(notice.entry)) told.push({ sessionId, fact, atMs })
  })
  await engine.start()
  const rig: Rig = {
    driver: made,
    engine,
    store: kept,
    told,
    open: async (id, more) => {
      const first = stations[0]?.proxy
      const home = stations[0]?.home ?? '/'
      const options: SshOpenOptions = {
        command: bash,
        cwd: home,
        env: { TERM: 'xterm-256color', [markName]: home },
        sshOptions: { host: first?.host ?? '', port: first?.port ?? 0 },
        ...more,
      }
      const session = right(await made.open(id, options)())
      const registered = await engine.register(id, {
        sessionOptions: options,
        attended: options.attended ?? false,
      })
      if (registered._tag !== 'registered') throw new Error(JSON.stringify(registered))
      return session
    },
    fact: async (id, tag, from = 0) => {
      const seen = await eventually(
        `${tag} of ${id}`,
        () => told.slice(from).find(({ sessionId, fact }) => sessionId === id && fact._tag === tag),
        60_000,
        () => JSON.stringify(told.slice(from).map(({ fact }) => shortened(fact))),
      )
      return { ...(seen.fact as FactOf<typeof tag>), toldAtMs: seen.atMs }
    },
    tried: (id, from = 0) =>
      told
        .slice(from)
        .flatMap(({ sessionId, fact }) =>
          sessionId === id && fact._tag === 'strategy-started' && fact.strategy !== 'fallback'
            ? [fact.strategy]
            : [],
        ),
    kept: async (id) => {
      const before = engine.status(id)?.view?.generation ?? 0
      await made.session(id)?.exec(':')
      await eventually(`a snapshot of ${id}`, () =>
        (engine.status(id)?.view?.generation ?? 0) > before ? true : undefined,
      )
    },
    close: async () => {
      for (const station of stations) noteDirectories(station)
      await engine.destroy()
      await made.close()
    },
  }
  return rig
}

// ------------------------------------------------------------------------------------ combinators

const shortened = (fact: Fact): unknown =>
  fact._tag === 'strategy-missed'
    ? fact.miss
    : fact._tag === 'strategy-done'
      ? `${fact.strategy}: ${fact.detail}`
      : fact._tag

export const right = <L, A>(either: E.Either<L, A>): A => {
  if (E.isLeft(either)) throw new Error(JSON.stringify(either.left))
  return either.right
}

/** A policy whose only plan is `strategies`, then the last resort. */
export const planOf = (...strategies: readonly RecoveryStrategy[]): PolicyInput => ({
  planRules: [
    {
      name: 'the only one',
      when: {},
      priority: 'high',
      estimatedTimeMs: 1_000,
      strategies: [...strategies, 'fallback'],
    },
  ],
})

/** Looks until `look` gives something; fails, saying what was waited for, after `withinMs`. */
export const eventually = async <A>(
  what: string,
  look: () => A | undefined | Promise<A | undefined>,
  withinMs = 20_000,
  besides: () => string = () => '',
): Promise<A> => {
  const endMs = performance.now() + withinMs
  for (;;) {
    const value = await look()
    if (value !== undefined && value !== false) return value
    if (performance.now() > endMs) {
      throw new Error(`not seen within ${withinMs} ms: ${what} ${besides()}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** A value of the shell itself, as it prints it. */
export const valueIn = async (session: SshSession, expression: string): Promise<string> => {
  const told = '<told:'
  const from = session.output().length
  const outcome = await session.exec(`printf '<%s:%s>\\n' told "${expression}"`)
  if (outcome._tag !== 'finished') throw new Error(JSON.stringify(outcome))
  const text = session.output().slice(from)
  const start = text.lastIndexOf(told)
  return text.slice(start + told.length, text.indexOf('>', start))
}

/** What the kernel says of a process: not to be mixed up with a later one of the same number. */
export const identityOf = (pid: number | undefined): string => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]} ${boot}`
}

/** Says what a fault led to: how soon it was noticed, what was tried, what the server saw of it. */
export const reported = (
  fault: string,
  rig: Rig,
  { id, struckAtMs, from, connections }: Struck,
): void => {
  const facts = rig.told.slice(from).filter(({ sessionId }) => sessionId === id)
  const noticed = facts.find(
    ({ fact }) => fact._tag === 'incident-opened' || fact._tag === 'session-ended',
  )
  const end = facts.findLast(
    ({ fact }) => terminalFacts.has(fact._tag) || fact._tag === 'session-ended',
  )
  const after = (told: Told | undefined) =>
    told === undefined ? 'never' : `${Math.round(told.atMs - struckAtMs)} ms`
  console.info(
    `${fault}: noticed after ${after(noticed)}, ${end?.fact._tag ?? 'no end'} after ${after(end)}, ` +
      `tried ${rig.tried(id, from).join(', ') || 'nothing'}, connections ${connections}`,
  )
}

export interface Struck {
  readonly id: string
  readonly struckAtMs: number
  /** Facts told before. */
  readonly from: number
  /** Connections at the server since. */
  readonly connections: number
}
