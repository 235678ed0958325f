/**
 * A driver for simulations: sessions that are alive or dead, and strategies that work, fail, hang, lie,
 * throw, answer late or twice, as chance has it. What it is asked for it tells a witness.
 */
import {
  type Capture,
  type CaptureRequest,
  type Driver,
  type DriverError,
  type Observation,
  type Probed,
  type ProbeRequest,
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
import { type EngineLife, never } from './engine-life.js'
import type { FaultBook } from './fault.js'
import type { SharedHost } from './shared-host.js'

// ------------------------------------------------------------------------------------------ model

/** Whoever watches a driver. */
export interface DriverWitness {
  readonly runs: (request: RunRequest) => void
  readonly proved: (request: VerifyRequest, grade: 'observed' | 'claimed') => void
  readonly probes: (request: ProbeRequest) => void
  readonly captures: (request: CaptureRequest) => void
  readonly breach: (what: string) => void
}

export interface FakeDriverOptions {
  /** Which sessions live; it outlives a crash of the engine. */
  readonly alive: Map<string, boolean>
  readonly host: SharedHost
  readonly life: EngineLife
  readonly faults: FaultBook
  readonly chance: Chance
  readonly witness: DriverWitness
}

export interface FakeDriver extends Driver {
  readonly observe: (observation: Observation) => void
}

type Answer<A> = Promise<E.Either<DriverError, A>>

const supported: ReadonlySet<RecoveryStrategy> = new Set(
  recoveryStrategies.filter((s) => s !== 'migrate' && s !== 'fallback'),
)

const refused = E.left({ _tag: 'DriverError', message: 'the driver refused' } as const)

// ----------------------------------------------------------------------------------------- driver

export const fakeDriver = (options: FakeDriverOptions): FakeDriver => {
  const { life, faults, chance, witness } = options
  const lists = new Set<(observation: Observation) => void>()
  const active = new Map<string, number>()

  const answered = <A>(answer: E.Either<DriverError, A>): Answer<A> =>
    life.passes()
      ? faults.strikes('driver answers twice', 5)
        ? twice(answer)
        : ready(answer)
      : never()

  /** What every answer may come to, whatever was asked for. */
  const badly = async (percent: number): Promise<'refuses' | undefined> => {
    if (faults.strikes('driver hangs', percent)) return never()
    if (faults.strikes('driver throws', percent)) throw new Error('the driver broke')
    if (faults.strikes('driver refuses', percent)) return 'refuses'
    const isLate = faults.strikes('driver is late', percent)
    const delayMs = isLate ? chance.pick([3_000, 40_000, 200_000]) : chance.pick([0, 1, 5, 400])
    if (delayMs > 0) await life.wait(faults.isCalm ? 1 : delayMs)
    return undefined
  }

  const run = async (request: RunRequest): Answer<RunOutcome> => {
    if (!life.passes()) return never()
    witness.runs(request)
    const over = atOnce(active, request, witness)
    try {
      if ((await badly(7)) === 'refuses') return await answered(refused)
      const outcome = chosen(options, request)
      return await answered(E.right(outcome))
    } finally {
      over()
    }
  }

  const capture = async (request: CaptureRequest): Answer<Capture> => {
    if (!life.passes()) return never()
    witness.captures(request)
    if ((await badly(7)) === 'refuses') return answered(refused)
    const isAlarm = faults.strikes('false alarm', 5)
    return answered(E.right(captured(request, life.worldClock.wallMs(), isAlarm)))
  }

  const probe = async (request: ProbeRequest): Answer<Probed> => {
    if (!life.passes()) return never()
    witness.probes(request)
    if ((await badly(4)) === 'refuses') return answered(refused)
    const verdict = options.host.verdictOf(request.sessionId)
    return answered(E.right({ verdict, detail: 'tried' }))
  }

  const verify = async (request: VerifyRequest): Answer<Verdict> => {
    if (!life.passes()) return never()
    if ((await badly(4)) === 'refuses') return answered(refused)
    return answered(E.right(verdictOf(options, request)))
  }

  return {
    name: 'fake',
    supports: { strategies: supported, capture: true, proof: 'observed' },
    watch: (listen) => {
      lists.add(listen)
      return () => lists.delete(listen)
    },
    observe: (observation) => {
      const times = faults.strikes('driver answers twice', 5) ? 2 : 1
      for (let i = 0; i < times; i++) for (const listen of lists) listen(observation)
    },
    capture: (request) => () => capture(request),
    probe: (request) => () => probe(request),
    run: (request) => () => run(request),
    verify: (request) => () => verify(request),
    detach: async () => {
      if (!life.passes()) await never()
    },
  }
}

// ------------------------------------------------------------------------------------ combinators

const ready = async <A>(answer: A): Promise<A> => answer

/** Calls back a second time, with another answer: whoever awaits it must hear the first alone. */
const twice = async <A>(answer: E.Either<DriverError, A>): Answer<A> =>
  ({
    // biome-ignore lint/suspicious/noThenProperty: a driver need not be made of honest promises
    then: (resolve: (answer: E.Either<DriverError, A>) => void) => {
      resolve(answer)
      resolve(refused)
    },
  }) as unknown as Answer<A>

/** Counts the run in; the witness is told when two are under way on one session. */
const atOnce = (
  active: Map<string, number>,
  { sessionId, signal }: RunRequest,
  witness: DriverWitness,
): (() => void) => {
  const count = (by: number) => {
    const now = (active.get(sessionId) ?? 0) + by
    if (now === 0) active.delete(sessionId)
    else active.set(sessionId, now)
    return now
  }
  const now = count(1)
  if (now > 1) witness.breach(`${now} strategies run at once on ${sessionId}`)
  let isOver = false
  const end = () => {
    if (!isOver) count(-1)
    isOver = true
  }
  signal.addEventListener('abort', end, { once: true })
  return end
}

const captured = (request: CaptureRequest, wallMs: number, isAlarm: boolean): Capture => {
  const at = new Date(wallMs - 600_000)
  const interactiveState = {
    isInteractive: true,
    pendingCommands: ['make'],
    pendingSince: at,
    sessionUnresponsive: isAlarm,
    unresponsiveSince: at,
    timeoutCount: 0,
  }
  return {
    update: { workingDirectory: `/${request.token}`, interactiveState },
    foreground: { kind: isAlarm ? 'waiting-for-line' : 'running', reasons: ['fake'] },
  }
}

const misses: readonly [RunOutcome, ...RunOutcome[]] = [
  { _tag: 'unsupported', detail: 'not here' },
  { _tag: 'not-applicable', detail: 'not now' },
  { _tag: 'failed', detail: 'no' },
  { _tag: 'failed', detail: 'no' },
  { _tag: 'failed', detail: 'never', permanent: true },
  { _tag: 'failed', detail: 'who are you', credentialRefused: true },
]

const chosen = (
  { alive, faults, chance, host }: FakeDriverOptions,
  { sessionId }: RunRequest,
): RunOutcome => {
  if (host.isDeadTo(sessionId)) return { _tag: 'failed', detail: 'no route to its host' }
  if (faults.strikes('strategy fails', 35)) return chance.pick(misses)
  const lies = faults.strikes('driver lies', 8)
  const breaks = !lies && faults.strikes('driver breaks it', 5)
  if (!lies) alive.set(sessionId, !breaks)
  return { _tag: 'done', detail: lies ? 'it says so' : 'it works' }
}

const verdictOf = (
  { alive, faults, witness }: FakeDriverOptions,
  request: VerifyRequest,
): Verdict => {
  if (alive.get(request.sessionId) !== true) {
    return { _tag: 'unproved', detail: 'it is dead', evidence: [] }
  }
  const grade = faults.strikes('proof is a claim', 10) ? 'claimed' : 'observed'
  witness.proved(request, grade)
  return { _tag: 'alive', receipt: receiptOf(grade, { process: restored('fake') }) }
}
