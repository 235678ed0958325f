/** The interpreter of one session in a world that answers as a test writes it down. */
import type {
  Capture,
  Effect,
  Policy,
  RunOutcome,
  SessionEvent,
  SessionRecord,
  Verdict,
} from '@session-recovery/core'
import { sampleRecord, VirtualClock } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { Interpreter } from '../src/interpreter.js'
import type { Keeper } from '../src/keeper.js'
import type { Runtime } from '../src/runtime.js'
import { alive, done, policyOf, seen } from './scripted-world.js'

export const secret = 'correct-horse-battery'
export const incident = { failure: { kind: 'process-exited' }, plan: { name: 'plan' } }
export const failing = (state: SessionRecord['state'] = 'recovering.attempting') => {
  const record = sampleRecord('s', 4, 2, state)
  return { ...record, control: { ...record.control, incident } } as unknown as SessionRecord
}
export const down = E.left({ _tag: 'DriverFailed', message: 'no route' } as never)

/** An interpreter of session `s` in a world that answers as `says` says. */
export const rig = (first: SessionRecord = failing(), policy: Partial<Policy> = {}) => {
  const time = new VirtualClock()
  const { clock, pending } = time.fork()
  const asked: [string, Record<string, unknown>][] = []
  const events: (SessionEvent | undefined)[] = []
  const told: unknown[] = []
  const logged: unknown[] = []
  const works: string[] = []
  const broken: unknown[] = []
  const says = {
    run: async (): Promise<E.Either<never, RunOutcome>> => E.right(done),
    verify: async (): Promise<E.Either<never, Verdict>> => E.right(alive),
    capture: async (): Promise<E.Either<never, Capture>> => E.right(seen()),
    detach: async (): Promise<void> => undefined,
    archive: async (): Promise<unknown> => E.right('here'),
    forget: async (): Promise<unknown> => E.right(undefined),
    decide: async (): Promise<unknown> => undefined,
    keep: async (): Promise<unknown> => ({
      _tag: 'kept',
      view: { generation: 5, capturedAtMs: 6 },
      durable: true,
    }),
  }
  const world = {
    ...{
      record: first,
      isStopped: false,
      canCapture: true,
      replicas: false,
      problem: undefined as string | undefined,
      letGo: 0,
    },
    kept: undefined as Awaited<ReturnType<Keeper['retrieve']>>,
    view: undefined as Keeper['view'],
  }
  const ask = (verb: 'run' | 'verify' | 'capture') => (request: object) => () => {
    asked.push([verb, { ...request }])
    return says[verb]()
  }
  const noted = <A>(verb: string, what: readonly unknown[], answer: () => A): A => {
    asked.push([verb, { what }])
    return answer()
  }
  const keeper = {
    get view() {
      return world.view
    },
    ...{
      learnt: async () => undefined,
      known: { secrets: new Map([['secret:1', secret]]), declared: [] },
    },
    ...{
      retrieve: async () => world.kept,
      stored: async () => ({ sessionId: 's' }),
      letGo: () => {
        world.letGo += 1
      },
      close: async () => noted('close', [], () => undefined),
    },
    keep: (update: unknown) => noted('keep', [update], () => says.keep()),
  } as unknown as Keeper
  const runtime = {
    ...{ clock, nowMs: () => 7_000 + time.nowMs, isStopped: () => world.isStopped },
    policy: { ...policyOf({ strategyTimeoutMs: 5_000 }), ...policy },
    driver: {
      get supports() {
        const strategies = new Set(['restart', 'restore', 'replicate', 'fallback'])
        return { strategies, capture: world.canCapture, replicas: world.replicas }
      },
      ...{ name: 'scripted', run: ask('run'), verify: ask('verify'), capture: ask('capture') },
      detach: (id: string) => noted('detach', [id], () => says.detach()),
    },
    store: {
      archive: (archive: object) => () => noted('archive', [archive], () => says.archive()),
      forget:
        (...what: readonly unknown[]) =>
        () =>
          noted('forget', what, () => says.forget()),
    },
    notify: (notice: unknown) => told.push(notice),
    logger: (...line: readonly unknown[]) => logged.push(line),
    background: (what: string, work: () => Promise<void>) => {
      works.push(what)
      work().catch((thrown: unknown) => broken.push(thrown))
    },
    replicated: async () => world.problem,
  } as unknown as Runtime
  const lane = {
    get record() {
      return world.record
    },
    insist: async (make: (atMs: number, record: SessionRecord) => SessionEvent | undefined) => {
      events.push(make(9_000, world.record))
      await says.decide()
    },
  }
  const released: string[] = []
  const home = { lane, released: (what: string) => released.push(what) }
  const interpreter = new Interpreter(runtime, 's', keeper, home as never)
  const turns = async () => {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  const carryOut = async (effect: object, record = first, durable = true) => {
    interpreter.interpret([effect as Effect], record, durable)
    await turns()
    return events.splice(0)
  }
  const isAborted = () =>
    asked.map(([, { signal }]) => signal instanceof AbortSignal && signal.aborted)
  const verbs = () => asked.map(([verb]) => verb)
  return {
    time,
    pending,
    asked,
    events,
    told,
    logged,
    works,
    broken,
    says,
    world,
    released,
    interpreter,
    turns,
    carryOut,
    verbs,
    isAborted,
  }
}
