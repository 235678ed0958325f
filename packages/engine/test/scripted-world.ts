/**
 * A scripted world: an engine over a memory store and a driver whose answers a test writes down, on
 * virtual time. What the driver was asked and what subscribers were told is kept in order.
 */
import {
  type Capture,
  type CaptureRequest,
  type Driver,
  type DriverError,
  type FactOf,
  factsOf,
  isResting,
  type JournalEntry,
  type Loaded,
  type Logger,
  type Notice,
  type Observation,
  type Policy,
  type PolicyInput,
  policyFrom,
  type RecoveryStrategy,
  type RunOutcome,
  type RunRequest,
  receiptOf,
  recoveryStrategies,
  type Secrets,
  type Store,
  type StoreError,
  type Verdict,
  type VerifyRequest,
} from '@session-recovery/core'
import {
  createEngine,
  type MemoryMedium,
  memoryMedium,
  memoryStore,
} from '@session-recovery/engine'
import { quiet, VirtualClock } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'

// ----------------------------------------------------------------------------------------- answers

export const never = new Promise<never>(() => {})

export const done: RunOutcome = { _tag: 'done', detail: 'done' }
export const failed = (more: object = {}): RunOutcome => ({ _tag: 'failed', detail: 'no', ...more })
export const alive: Verdict = { _tag: 'alive', receipt: receiptOf('observed', {}, [], 7) }
export const dead: Verdict = { _tag: 'unproved', detail: 'it is dead', evidence: [] }
export const seen = (
  kind: Capture['foreground']['kind'] = 'at-prompt',
  update: Capture['update'] = {},
): Capture => ({ update, foreground: { kind, reasons: ['scripted'] } })

export const policyOf = (input: PolicyInput = {}): Policy => {
  const policy = policyFrom(input)
  if (E.isLeft(policy)) throw new Error(policy.left.message)
  return policy.right
}

// ------------------------------------------------------------------------------------------ driver

type Answer<A> = A | Promise<A>

/** What the driver answers; what is left out works: every run is done, every session alive. */
export interface Script {
  run: (request: RunRequest) => Answer<RunOutcome>
  verify: (request: VerifyRequest) => Answer<Verdict>
  capture: (request: CaptureRequest) => Answer<Capture>
  detach: (sessionId: string) => Promise<void>
}

/** One thing the driver was asked for. */
export interface Asked {
  readonly verb: 'run' | 'verify' | 'capture' | 'detach'
  readonly sessionId: string
  readonly strategy?: RecoveryStrategy
  /** Virtual milliseconds. */
  readonly atMs: number
  readonly request: Partial<RunRequest>
}

const scriptedDriver = (
  time: VirtualClock,
  script: Partial<Script>,
  supports: Driver['supports'],
) => {
  let listener: (observation: Observation) => void = () => {}
  const asked: Asked[] = []
  const note = (verb: Asked['verb'], request: Partial<RunRequest> & { sessionId: string }) => {
    const { sessionId, strategy } = request
    const at = { verb, sessionId, atMs: time.nowMs, request }
    asked.push(strategy === undefined ? at : { ...at, strategy })
  }
  const answer =
    <R extends Partial<RunRequest> & { sessionId: string }, A>(
      verb: Asked['verb'],
      say: (request: R) => Answer<A>,
    ) =>
    (request: R): TE.TaskEither<DriverError, A> =>
    async () => {
      note(verb, request)
      return E.right(await say(request))
    }
  const driver: Driver = {
    name: 'scripted',
    supports,
    watch: (listen) => {
      listener = listen
      return () => {
        listener = () => {}
      }
    },
    run: answer('run', script.run ?? (() => done)),
    verify: answer('verify', script.verify ?? (() => alive)),
    capture: answer('capture', script.capture ?? (() => seen())),
    detach: (sessionId) => {
      note('detach', { sessionId })
      return script.detach?.(sessionId) ?? Promise.resolve()
    },
  }
  return { driver, asked, observe: (observation: Observation) => listener(observation) }
}

// ------------------------------------------------------------------------------------------- store

export const diskFull: StoreError = {
  _tag: 'StoreUnavailable',
  operation: 'write',
  code: 'ENOSPC',
  message: 'the disk is full',
}

/** What a test makes its store do. */
export interface StoreControl {
  /** The error with which `operation` is refused now. */
  refuse: (operation: string) => StoreError | undefined
  /** Whether `operation` gets no answer now; `resume` lets what waits go on. */
  holds: (operation: string) => boolean
  readonly resume: () => void
  /** What the store was asked for. */
  readonly operations: string[]
}

const controlled = (store: Store): { store: Store; control: StoreControl } => {
  const waiting = new Set<() => void>()
  let lives = 0
  const control: StoreControl = {
    refuse: () => undefined,
    holds: () => false,
    resume: () => {
      control.holds = () => false
      for (const go of waiting) go()
      waiting.clear()
    },
    operations: [],
  }
  const held = async (operation: string) => {
    control.operations.push(operation)
    if (control.holds(operation)) await new Promise<void>((resolve) => waiting.add(resolve))
  }
  const through =
    <A>(operation: string, work: TE.TaskEither<StoreError, A>): TE.TaskEither<StoreError, A> =>
    async () => {
      const life = lives
      await held(operation)
      // What a store was asked for before it was closed does not happen afterwards.
      const error = life === lives ? control.refuse(operation) : diskFull
      return error === undefined ? work() : E.left(error)
    }
  return {
    control,
    store: {
      ...store,
      open: through('open', store.open),
      commit: (commit) => through('commit', store.commit(commit)),
      saveSnapshot: (snapshot) => through('saveSnapshot', store.saveSnapshot(snapshot)),
      readSnapshot: (sessionId) => through('readSnapshot', store.readSnapshot(sessionId)),
      archive: (archive) => through('archive', store.archive(archive)),
      forget: (sessionId, incarnation) => through('forget', store.forget(sessionId, incarnation)),
      checkpoint: (projection, seq) => through('checkpoint', store.checkpoint(projection, seq)),
      close: async () => {
        await held('close')
        lives += 1
        await store.close()
      },
    },
  }
}

/** A store that has those at rest read when they are asked for. */
const restful = (store: Store): Store => ({
  ...store,
  open: async () =>
    E.map((loaded: Loaded): Loaded => {
      const resting = new Map(
        loaded.sessions.flatMap((one) =>
          isResting(one.record) ? [[one.record.control.sessionId, one] as const] : [],
        ),
      )
      return {
        ...loaded,
        sessions: loaded.sessions.filter(({ record }) => !resting.has(record.control.sessionId)),
        resting: { ids: [...resting.keys()], read: (sessionId) => resting.get(sessionId) },
      }
    })(await store.open()),
})

// ------------------------------------------------------------------------------------------- world

export interface WorldOptions {
  readonly policy?: PolicyInput
  readonly script?: Partial<Script>
  readonly supports?: Partial<Driver['supports']>
  readonly secrets?: Secrets
  /** Instead of one on the medium. */
  readonly store?: Store
  /** Whether those at rest are read when they are asked for. Default: at once. */
  readonly rests?: boolean
  /** The former life: the same time and the same medium. */
  readonly after?: World
}

const everything: Driver['supports'] = {
  strategies: new Set(recoveryStrategies),
  capture: true,
  proof: 'observed',
}

/** One life of an engine; nothing is started yet. */
export const world = (options: WorldOptions = {}) => {
  const time: VirtualClock = options.after?.time ?? new VirtualClock()
  const medium: MemoryMedium = options.after?.medium ?? memoryMedium()
  const { clock, pending, drop } = time.fork()
  const onMedium = options.store ?? memoryStore(medium)
  const { store, control } = controlled(options.rests === true ? restful(onMedium) : onMedium)
  const supports = { ...everything, ...options.supports }
  const { driver, asked, observe } = scriptedDriver(time, options.script ?? {}, supports)
  const notices: Notice[] = []
  const logged: unknown[] = []
  const logger: Logger = (...line) => void logged.push(line)
  const engine = createEngine({
    policy: policyOf(options.policy),
    driver,
    store,
    clock,
    logger,
    ...(options.secrets === undefined ? {} : { secrets: options.secrets }),
  })
  engine.subscribe((notice) => notices.push(notice))
  return {
    time,
    medium,
    store,
    control,
    engine,
    notices,
    logged,
    asked,
    observe,
    pending,
    /** The process dies: no timer fires and no write is answered any more. */
    crash: () => {
      control.holds = () => true
      drop()
    },
    /** What was asked of the driver, in words. */
    said: () =>
      asked.map(({ verb, strategy }) => (strategy === undefined ? verb : `${verb} ${strategy}`)),
    runs: () => asked.filter(({ verb }) => verb === 'run'),
    entries: () => notices.flatMap((n) => (n._tag === 'decided' ? [n.entry] : [])),
  }
}
export type World = ReturnType<typeof world>

/** A world whose engine is started and has the session `s`. */
export const started = async (
  options: WorldOptions = {},
  registration: Parameters<World['engine']['register']>[1] = {},
): Promise<World> => {
  const made = world(options)
  await answered(made, made.engine.start())
  await answered(made, made.engine.register('s', { attended: false, ...registration }))
  return made
}

/** Three sessions `a`, `b`, `c` of an app that crashed. */
export const threeCrashed = (): Promise<World> => crashed(['a', 'b', 'c'])

/** A world whose engine died with these sessions at rest. */
export const crashed = async (ids: readonly string[]): Promise<World> => {
  const first = await started({ policy: { snapshotInterval: 0 } })
  await first.engine.unregister('s')
  for (const id of ids) await first.engine.register(id, { attended: false })
  await first.time.advance(0)
  first.crash()
  return first
}

/** What `promise` comes to within `withinMs` of virtual time; that it is not answered is an error. */
export const answered = async <A>(
  { time }: Pick<World, 'time'>,
  promise: Promise<A>,
  withinMs = 0,
): Promise<A> => {
  let answer: { readonly value: A } | undefined
  const settled = promise.then((value) => {
    answer = { value }
  })
  await time.advance(withinMs)
  await Promise.race([settled, quiet()])
  if (answer === undefined) throw new Error(`no answer within ${withinMs} ms`)
  return answer.value
}

/** The facts with tag `tag` among `entries`, in order. */
export const factsIn = <T extends Parameters<typeof isTagged>[1]>(
  entries: readonly JournalEntry[],
  tag: T,
): readonly FactOf<T>[] =>
  entries.flatMap((entry) =>
    factsOf(entry).filter((fact): fact is FactOf<T> => isTagged(fact, tag)),
  )

const isTagged = (fact: ReturnType<typeof factsOf>[number], tag: (typeof fact)['_tag']): boolean =>
  fact._tag === tag
