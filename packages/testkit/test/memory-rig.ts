/**
 * A truthful driver over sessions that exist in memory alone, and the rig to break them: what the lies of
 * the next file are told about.
 */
import {
  type Capture,
  type Driver,
  type DriverError,
  defaultPolicy,
  lost,
  type Observation,
  type RunOutcome,
  type RunRequest,
  receiptItems,
  receiptOf,
  restored,
  retriableCommands,
  secretReference,
  unknown,
  type Verdict,
  type VerifyRequest,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { type Rig, rememberedName } from '../src/index.js'
import { memoryStrategies, memorySupport } from './memory-support.js'

// ------------------------------------------------------------------------------------------ model

export interface MemoryProcess {
  readonly pid: number
  readonly sessionId: string
  readonly environment: Map<string, string>
  alive: boolean
  stopped: boolean
  /** Nobody can reach it. */
  cut: boolean
  /** Started, and not there yet. */
  starting: boolean
  impostor: boolean
  command: string | undefined
}

interface MemorySession {
  process: MemoryProcess
  /** The process the last strategy started. */
  started?: MemoryProcess
  reconnected?: boolean
  replica?: MemorySession
  lost: readonly string[]
  watched: boolean
}

/** What is so, whatever the driver says; lies work on it, too. */
export interface MemoryWorld {
  readonly processes: MemoryProcess[]
  readonly sessions: Map<string, MemorySession>
  readonly typed: Map<string, number>
  readonly runs: Map<string, number>
  readonly timers: Set<NodeJS.Timeout>
  readonly observe: (observation: Observation) => void
  readonly start: (sessionId: string, environment: Iterable<[string, string]>) => MemoryProcess
  readonly type: (sessionId: string, text: string) => void
  readonly strikes: { slow: boolean; impostor: boolean }
}

export interface MemoryRig extends Rig {
  readonly world: MemoryWorld
}

const failed = (detail: string): RunOutcome => ({ _tag: 'failed', detail })
const done = (detail: string): RunOutcome => ({ _tag: 'done', detail })
const notApplicable = (detail: string): RunOutcome => ({ _tag: 'not-applicable', detail })
const error = (message: string): DriverError => ({ _tag: 'DriverError', message })

// ------------------------------------------------------------------------------------------ world

const memoryWorld = (): MemoryWorld & { listener: (observation: Observation) => void } => {
  const world = {
    processes: [] as MemoryProcess[],
    sessions: new Map<string, MemorySession>(),
    typed: new Map<string, number>(),
    runs: new Map<string, number>(),
    timers: new Set<NodeJS.Timeout>(),
    strikes: { slow: false, impostor: false },
    listener: (_: Observation): void => {},
    observe: (observation: Observation) => world.listener(observation),
    start: (sessionId: string, environment: Iterable<[string, string]>): MemoryProcess => {
      const process: MemoryProcess = {
        pid: world.processes.length + 1,
        sessionId,
        environment: new Map(environment),
        alive: true,
        stopped: false,
        cut: false,
        starting: world.strikes.slow,
        impostor: world.strikes.impostor,
        command: undefined,
      }
      world.processes.push(process)
      return process
    },
    type: (sessionId: string, text: string): void => {
      world.typed.set(sessionId, (world.typed.get(sessionId) ?? 0) + text.length)
    },
  }
  return world
}

const countingCommand = (id: string): string => `count ${id}; wait`

// ----------------------------------------------------------------------------------------- driver

type World = ReturnType<typeof memoryWorld>

const answers = ({ alive, stopped, cut, starting, impostor }: MemoryProcess): boolean =>
  alive && !stopped && !cut && !starting && !impostor

const readyOrAborted = async (process: MemoryProcess, signal: RunRequest['signal']) => {
  while (process.starting && process.alive && !signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

const renew = async (
  world: World,
  session: MemorySession,
  request: RunRequest,
): Promise<RunOutcome> => {
  const { sessionId, signal, snapshot, lostSecrets } = request
  const prefix = `${secretReference(sessionId, 'env')}/`
  const kept = Object.entries(snapshot?.environment ?? {})
  session.process.alive = false
  const process = world.start(session.process.sessionId, kept)
  session.process = process
  await readyOrAborted(process, signal)
  if (process.starting) {
    process.alive = false
    return failed('called off')
  }
  session.started = process
  session.lost = lostSecrets.map((reference) => reference.slice(prefix.length))
  return done(`process ${process.pid}`)
}

const replicate = async (world: World, session: MemorySession, request: RunRequest) => {
  const { replicaId } = request
  if (replicaId === undefined) return failed('nobody gave the replica an id')
  session.process.alive = false
  const replica: MemorySession = {
    process: world.start(replicaId, session.process.environment),
    lost: [],
    watched: true,
  }
  world.sessions.set(replicaId, replica)
  session.replica = replica
  return done('replicated')
}

const touch = (world: World, session: MemorySession, request: RunRequest): RunOutcome => {
  const { process } = session
  if (request.traits.attended) return notApplicable('somebody sits at it')
  if (!answers(process)) return failed('it does not answer')
  if (request.strategy === 'prompt-interrupt') {
    if (process.command !== undefined) world.type(process.sessionId, '\x03')
    process.command = undefined
    return done('at its prompt')
  }
  if (process.command !== undefined) return failed('a command runs')
  world.type(process.sessionId, '\x1b')
  return done('it answered')
}

const retry = async (
  world: World,
  session: MemorySession,
  request: RunRequest,
): Promise<RunOutcome> => {
  const pending = request.snapshot?.interactiveState?.pendingCommands ?? []
  const { run } = retriableCommands(pending, request.traits, defaultPolicy)
  if (run.length === 0) return notApplicable('nothing may be run again')
  if (!session.process.alive) await renew(world, session, request)
  for (const line of run) {
    world.type(session.process.sessionId, line)
    runCommand(world, session.process, line)
  }
  return failed('it did not end in time')
}

const runCommand = (world: MemoryWorld, process: MemoryProcess, line: string): void => {
  process.command = line
  world.runs.set(process.sessionId, (world.runs.get(process.sessionId) ?? 0) + 1)
}

const runOn = (
  world: World,
  session: MemorySession,
  request: RunRequest,
): RunOutcome | Promise<RunOutcome> => {
  switch (request.strategy) {
    case 'restart':
    case 'restore':
      return renew(world, session, request)
    case 'reconnect':
      if (!session.process.alive) return failed('it is gone')
      session.process.cut = false
      session.reconnected = true
      return done('connected again')
    case 'replicate':
      return replicate(world, session, request)
    case 'command-retry':
      return retry(world, session, request)
    default:
      return touch(world, session, request)
  }
}

const verdictOf = (session: MemorySession, { strategy }: VerifyRequest): Verdict => {
  const proven = strategy === 'replicate' ? session.replica : session
  if (proven === undefined || !answers(proven.process)) {
    return { _tag: 'unproved', detail: 'it does not answer', evidence: [] }
  }
  const renewing = strategy === 'restart' || strategy === 'restore'
  if (renewing && session.started !== session.process) {
    return { _tag: 'unproved', detail: 'it was not started anew', evidence: [] }
  }
  const detail = `process ${proven.process.pid} answered`
  const told = Object.fromEntries(receiptItems.map((name) => [name, unknown('not looked at')]))
  const env =
    session.lost.length === 0 ? restored('compared') : lost(`lost: ${session.lost.join(', ')}`)
  return {
    _tag: 'alive',
    receipt: receiptOf('observed', { ...told, process: restored(detail), env }, [
      { source: 'probe', grade: 'observed', trusted: true, detail, atMs: 0 },
    ]),
  }
}

const captureOf = ({ process }: MemorySession): Capture => ({
  update: {
    environment: Object.fromEntries(process.environment),
    interactiveState: {
      isInteractive: true,
      pendingCommands: process.command === undefined ? [] : [process.command],
      sessionUnresponsive: process.stopped,
      timeoutCount: 0,
    },
  },
  foreground: {
    kind: process.alive ? (process.command === undefined ? 'at-prompt' : 'running') : 'dead',
    reasons: [],
  },
})

const memoryDriver = (world: World): Driver => ({
  name: 'memory',
  supports: memorySupport,
  showing: (sessionId) => (world.sessions.has(sessionId) ? memorySupport.shows : undefined),
  watch: (listener) => {
    world.listener = listener
    return () => {
      if (world.listener === listener) world.listener = () => {}
    }
  },
  capture:
    ({ sessionId }) =>
    async () => {
      const session = world.sessions.get(sessionId)
      return session === undefined ? E.left(error('not open here')) : E.right(captureOf(session))
    },
  run: (request) => async () => {
    const session = world.sessions.get(request.sessionId)
    if (!(memoryStrategies as readonly string[]).includes(request.strategy)) {
      return E.right({ _tag: 'unsupported', detail: 'not here' })
    }
    if (request.signal.aborted) return E.right(failed('called off'))
    if (session === undefined) return E.left(error('not open here'))
    return E.right(await runOn(world, session, request))
  },
  verify: (request) => async () => {
    const session = world.sessions.get(request.sessionId)
    return session === undefined
      ? E.left(error('not open here'))
      : E.right(verdictOf(session, request))
  },
  detach: async (sessionId) => {
    const session = world.sessions.get(sessionId)
    if (session !== undefined) session.watched = false
  },
})

// -------------------------------------------------------------------------------------------- rig

const tell = (world: World, observation: Observation): void => {
  if (world.sessions.get(observation.sessionId)?.watched === true) world.observe(observation)
}

const mishapsOf = (world: World): Rig['mishaps'] => {
  const processOf = (id: string) => world.sessions.get(id)?.process
  const ends = (exit: { readonly exitCode?: number; readonly signal?: string }) => ({
    strike: async (id: string) => {
      const process = processOf(id)
      if (process?.alive !== true) return
      process.alive = false
      tell(world, { _tag: 'exited', sessionId: id, exit })
    },
    noticed: { _tag: 'exited' as const, exit },
  })
  const struck = (name: 'slow' | 'impostor') => ({
    strike: async () => {
      world.strikes[name] = true
    },
    mend: async () => {
      world.strikes[name] = false
    },
  })
  return {
    exit: ends({ exitCode: 7 }),
    killed: ends({ signal: 'SIGKILL' }),
    hang: {
      strike: async (id) => {
        const process = processOf(id)
        if (process !== undefined) process.stopped = true
      },
    },
    'half-open': {
      strike: async (id) => {
        const process = processOf(id)
        if (process !== undefined) process.cut = true
        tell(world, { _tag: 'transport-lost', sessionId: id, detail: 'no answer' })
      },
      noticed: { _tag: 'transport-lost' },
    },
    'slow-cancel': struck('slow'),
    'lying-success': struck('impostor'),
  }
}

/** A rig whose driver is truthful, or what `lie` makes of it. */
export const memoryRig = (lie: (rig: MemoryRig) => Driver = ({ driver }) => driver): MemoryRig => {
  const world = memoryWorld()
  const processOf = (id: string) => world.sessions.get(id)?.process
  const living = () => world.processes.filter(({ alive }) => alive).map(({ pid }) => `${pid}`)
  const rig: MemoryRig = {
    world,
    driver: memoryDriver(world),
    traits: {
      kind: 'local',
      attended: false,
      shell: true,
      rerunnable: false,
      failureExitCodes: [],
      idempotentCommands: [],
    },
    mishaps: mishapsOf(world),
    open: async (id) => {
      world.sessions.set(id, { process: world.start(id, []), lost: [], watched: true })
    },
    probe: async (id) => {
      const process = processOf(id)
      if (process?.alive !== true) return { alive: false, detail: 'no process' }
      const { pid, stopped, starting, impostor } = process
      const alive = !stopped && !starting && !impostor
      return { alive, identity: String(pid), detail: `process ${pid}` }
    },
    remember: async (id, value) => void processOf(id)?.environment.set(rememberedName, value),
    recall: async (id) => processOf(id)?.environment.get(rememberedName),
    begin: async (id) => {
      const process = processOf(id)
      if (process !== undefined) runCommand(world, process, countingCommand(id))
      return countingCommand(id)
    },
    begun: async (id) => world.runs.get(id) ?? 0,
    typedBytes: (id) => world.typed.get(id) ?? 0,
    processes: async () => living(),
    close: async () => {
      for (const { process } of world.sessions.values()) process.alive = false
    },
    remains: async () => [
      ...living().map((pid) => `process ${pid}`),
      ...[...world.timers].map(() => 'a timer'),
    ],
  }
  return { ...rig, driver: lie(rig) }
}
