/**
 * A driver for simulations: sessions that are alive or dead, and strategies that work, fail, hang, lie,
 * throw, or answer late, as chance has it. It keeps account of what it was asked, for the invariants.
 */
import {
  type Capture,
  type Clock,
  type Driver,
  type DriverError,
  type Observation,
  type RecoveryStrategy,
  type RunOutcome,
  type RunRequest,
  receiptOf,
  recoveryStrategies,
  restored,
  type Verdict,
  type VerifyRequest,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Chance } from './chance.js'

/** The world the drivers of one simulation share; it outlives a crash of the engine. */
export interface FakeWorld {
  readonly alive: Map<string, boolean>
  /** Runs by token: how often each was begun. */
  readonly begun: Map<string, number>
  /** Verifications that gave a proof, by token, with its grade. */
  readonly proofs: Map<string, 'observed' | 'claimed'>
  /** What was done that must not be. */
  readonly breaches: string[]
  /** Off: every strategy works and every answer is honest and prompt. */
  faults: boolean
  /** The engine went on although the disk refused. */
  degraded: boolean
}

export const fakeWorld = (): FakeWorld => ({
  alive: new Map(),
  begun: new Map(),
  proofs: new Map(),
  breaches: [],
  faults: true,
  degraded: false,
})

export interface FakeDriver extends Driver {
  readonly observe: (observation: Observation) => void
  /** Runs that were neither answered nor aborted, by session. */
  readonly active: ReadonlyMap<string, number>
}

const supported: ReadonlySet<RecoveryStrategy> = new Set(
  recoveryStrategies.filter((s) => s !== 'migrate' && s !== 'fallback'),
)

const never = <A>(): Promise<A> => new Promise<A>(() => {})

/** @param mayRun whether a run with this token was decided durably (or was refused and marked so). */
export const fakeDriver = (
  world: FakeWorld,
  clock: Clock,
  chance: Chance,
  mayRun: (token: string) => boolean,
): FakeDriver => {
  let listener: (observation: Observation) => void = () => {}
  const active = new Map<string, number>()
  const count = (sessionId: string, by: number) => {
    const now = (active.get(sessionId) ?? 0) + by
    active.set(sessionId, now)
    if (now > 1) world.breaches.push(`${now} strategies run at once on ${sessionId}`)
  }
  const later = (): Promise<void> => {
    const delayMs = world.faults ? chance.pick([0, 1, 5, 50, 400, 3_000, 40_000]) : 1
    return new Promise((resolve) => void clock.schedule(delayMs, resolve))
  }
  const note = (request: RunRequest) => {
    const { token, repeated, strategy, sessionId } = request
    if (!mayRun(token)) world.breaches.push(`${strategy} ran before its decision was durable`)
    const times = (world.begun.get(token) ?? 0) + 1
    world.begun.set(token, times)
    // Where the disk refused decisions a crash may have them taken again; a command still runs once.
    const mayRecur = world.degraded && strategy !== 'command-retry'
    if (times > 1 && !repeated && !mayRecur)
      world.breaches.push(`${strategy} of ${sessionId} ran ${times} times`)
    if (repeated && (strategy === 'command-retry' || strategy === 'replicate')) {
      world.breaches.push(`${strategy} was repeated in doubt`)
    }
  }
  const run = async (request: RunRequest): Promise<E.Either<DriverError, RunOutcome>> => {
    note(request)
    const { sessionId, signal } = request
    count(sessionId, 1)
    let over = false
    const end = () => {
      if (!over) count(sessionId, -1)
      over = true
    }
    signal.addEventListener('abort', end, { once: true })
    await later()
    try {
      return await chosen(world, chance, sessionId)
    } finally {
      end()
    }
  }
  return {
    name: 'fake',
    supports: { strategies: supported, capture: true, proof: 'observed' },
    watch: (listen) => {
      listener = listen
      return () => {
        listener = () => {}
      }
    },
    observe: (observation) => listener(observation),
    active,
    capture: (request) => async (): Promise<E.Either<DriverError, Capture>> => {
      await later()
      if (world.faults && chance.percent(10)) return never()
      if (world.faults && chance.percent(20)) return E.left({ _tag: 'DriverError', message: 'no' })
      const isStuck = world.faults && chance.percent(5)
      const at = new Date(clock.wallMs() - 600_000)
      const interactiveState = {
        isInteractive: true,
        pendingCommands: ['make'],
        pendingSince: at,
        sessionUnresponsive: isStuck,
        unresponsiveSince: at,
        timeoutCount: 0,
      }
      const kind = isStuck ? 'waiting-for-line' : 'running'
      const update = { workingDirectory: `/${request.token}`, interactiveState }
      return E.right({ update, foreground: { kind, reasons: ['fake'] } })
    },
    run: (request) => () => run(request),
    verify: (request) => async () => {
      await later()
      return verdictOf(world, chance, request)
    },
    detach: async () => {},
  }
}

const chosen = async (
  world: FakeWorld,
  chance: Chance,
  sessionId: string,
): Promise<E.Either<DriverError, RunOutcome>> => {
  const works = () => {
    world.alive.set(sessionId, true)
    return E.right({ _tag: 'done', detail: 'it works' } as const)
  }
  if (!world.faults) return works()
  const failed = (more: object) => E.right({ _tag: 'failed', detail: 'no', ...more } as const)
  switch (chance.whole(0, 11)) {
    case 0:
      return never()
    case 1:
      throw new Error('the driver broke')
    case 2:
      return E.left({ _tag: 'DriverError', message: 'the driver refused' })
    case 3:
      return E.right({ _tag: 'unsupported', detail: 'not here' })
    case 4:
      return E.right({ _tag: 'not-applicable', detail: 'not now' })
    case 5:
      return failed({ permanent: chance.percent(30) })
    case 6:
      return failed({ credentialRefused: true })
    case 7:
      return failed({})
    case 8:
      // A lie: nothing was done.
      return E.right({ _tag: 'done', detail: 'it says so' })
    default:
      return works()
  }
}

const verdictOf = async (
  world: FakeWorld,
  chance: Chance,
  { sessionId, token }: VerifyRequest,
): Promise<E.Either<DriverError, Verdict>> => {
  if (world.faults && chance.percent(5)) return never()
  if (world.faults && chance.percent(5)) throw new Error('the driver broke')
  if (world.faults && chance.percent(5)) return E.left({ _tag: 'DriverError', message: 'no' })
  if (world.alive.get(sessionId) !== true) {
    return E.right({ _tag: 'unproved', detail: 'it is dead', evidence: [] })
  }
  const grade = world.faults && chance.percent(10) ? 'claimed' : 'observed'
  world.proofs.set(token, grade)
  return E.right({ _tag: 'alive', receipt: receiptOf(grade, { process: restored('fake') }) })
}
