/**
 * Asking a driver as the engine does, and holding every answer to its codec: an answer outside the closed
 * unions, a rejection, or none in time is a breach, whatever the case is about.
 */
import {
  type Capture,
  classify,
  type Driver,
  type DriverError,
  decode,
  defaultPolicy,
  type Evidence,
  Foreground,
  type Observation,
  type Receipt,
  type RecoverySnapshot,
  type RecoveryStrategy,
  RunOutcome,
  type RunRequest,
  receiptItems,
  SnapshotUpdate,
  Verdict,
  type VerifyRequest,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import type * as t from 'io-ts'
import type { Rig } from './rig.js'

// ------------------------------------------------------------------------------------------ model

/** A rig in use: the driver can be asked, and what it notices is kept. */
export interface Scene {
  readonly rig: Rig
  readonly patienceMs: number
  readonly noticed: readonly Observation[]
  readonly stopWatching: () => void
  readonly run: (
    sessionId: string,
    strategy: RecoveryStrategy,
    more?: Partial<RunRequest>,
  ) => Promise<E.Either<DriverError, RunOutcome>>
  readonly verify: (
    sessionId: string,
    strategy?: RecoveryStrategy,
    more?: Partial<VerifyRequest>,
  ) => Promise<Verdict>
  readonly capture: (
    sessionId: string,
    more?: Partial<RunRequest>,
  ) => Promise<E.Either<DriverError, Capture>>
  /** What would be kept of the session now. */
  readonly snapshot: (sessionId: string) => Promise<RecoverySnapshot>
}

// ----------------------------------------------------------------------------------- constructors

export const sceneOf = (rig: Rig, patienceMs: number): Scene => {
  const { driver } = rig
  const noticed: Observation[] = []
  const stopWatching = driver.watch((observation) => noticed.push(observation))
  let asked = 0
  const requestOf = (sessionId: string) => ({
    sessionId,
    incarnation: 1,
    traits: rig.traits,
    token: `conformance-${++asked}`,
    signal: new AbortController().signal,
  })
  const answered = answering(patienceMs)
  const scene: Scene = {
    rig,
    patienceMs,
    noticed,
    stopWatching,
    run: (sessionId, strategy, more) =>
      answered(
        `run of ${strategy}`,
        driver.run({
          ...requestOf(sessionId),
          ...runOf(sessionId, strategy),
          ...more,
        }),
        read(RunOutcome, 'run outcome'),
      ),
    verify: async (sessionId, strategy, more) => {
      const named = strategy === undefined ? {} : { strategy }
      const asking = driver.verify({ ...requestOf(sessionId), ...named, ...more })
      const verdict = await answered('verification', asking, read(Verdict, 'verdict'))
      return E.isRight(verdict)
        ? verdict.right
        : { _tag: 'unproved', detail: verdict.left.message, evidence: [] }
    },
    capture: (sessionId, more) =>
      answered('capture', driver.capture({ ...requestOf(sessionId), ...more }), (capture) => ({
        update: read(SnapshotUpdate, 'snapshot update')(capture?.update),
        foreground: read(Foreground, 'foreground')(capture?.foreground),
        ...(capture.bulkIdentity === undefined ? {} : { bulkIdentity: capture.bulkIdentity }),
      })),
    snapshot: async (sessionId) => {
      if (!driver.supports.capture) return snapshotOf(sessionId, {})
      const captured = await scene.capture(sessionId)
      if (E.isLeft(captured)) breach(`nothing could be captured: ${captured.left.message}`)
      return snapshotOf(sessionId, captured.right.update)
    },
  }
  return scene
}

const runOf = (sessionId: string, strategy: RecoveryStrategy) => ({
  strategy,
  attempt: 1,
  failure: classify('connection lost', defaultPolicy.reasonRules),
  plan: {
    sessionId,
    strategies: [strategy],
    priority: 'medium' as const,
    estimatedTime: 0,
    requiredResources: [],
    fallbackOptions: [],
  },
  repeated: false,
  lostSecrets: [],
  policy: defaultPolicy,
})

const snapshotOf = (sessionId: string, update: SnapshotUpdate): RecoverySnapshot => ({
  sessionId,
  timestamp: new Date(),
  sessionState: null,
  sessionOptions: {},
  environment: {},
  workingDirectory: '',
  commandHistory: [],
  outputBuffer: [],
  ...update,
})

const read =
  <A>(codec: t.Type<A, unknown, unknown>, subject: string) =>
  (input: unknown): A => {
    const decoded = decode(codec, subject)(input)
    if (E.isLeft(decoded)) breach(`outside the closed union: ${decoded.left.message}`)
    return decoded.right
  }

const answering =
  (patienceMs: number) =>
  async <A, B>(
    what: string,
    asked: TE.TaskEither<DriverError, A>,
    reading: (answer: A) => B,
  ): Promise<E.Either<DriverError, B>> => {
    const answer = await within(patienceMs, `an answer to the ${what}`, rejecting(what, asked))
    if (E.isRight(answer)) return E.right(reading(answer.right))
    const { _tag, message } = answer.left
    must(_tag === 'DriverError' && typeof message === 'string', `${what}: an error without a type`)
    return answer
  }

const rejecting = async <A>(what: string, asked: () => Promise<A>): Promise<A> => {
  try {
    return await asked()
  } catch (error) {
    return breach(`the ${what} was rejected instead of answered: ${String(error)}`)
  }
}

// ------------------------------------------------------------------------------------ combinators

/** Fails the case. */
export function breach(why: string): never {
  throw new Error(why)
}

/** Fails the case unless `holds`. */
export function must(holds: boolean, why: string): asserts holds {
  if (!holds) breach(why)
}

/** What `work` resolves to; fails the case when that takes longer. */
export const within = <A>(limitMs: number, what: string, work: Promise<A>): Promise<A> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms: ${what}`)), limitMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

export const pause = (delayMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delayMs))

const lookEveryMs = 10

/** Looks until `look` is true; fails the case when it does not become so in time. */
export const eventually = async (
  { patienceMs }: Pick<Scene, 'patienceMs'>,
  what: string,
  look: () => boolean | Promise<boolean>,
): Promise<void> => {
  const endMs = performance.now() + patienceMs
  while (!(await look())) {
    if (performance.now() > endMs) breach(`not within ${patienceMs} ms: ${what}`)
    await pause(lookEveryMs)
  }
}

/** The strategy was run and says that its work is done. */
export const done = async (
  scene: Scene,
  sessionId: string,
  strategy: RecoveryStrategy,
  more?: Partial<RunRequest>,
): Promise<void> => {
  const outcome = await scene.run(sessionId, strategy, more)
  if (E.isLeft(outcome)) breach(`${strategy} could not be run: ${outcome.left.message}`)
  else if (outcome.right._tag !== 'done') {
    breach(`${strategy} was ${outcome.right._tag}: ${outcome.right.detail}`)
  }
}

/** Whether the run, if it was answered at all, says that its work is done. */
export const isDone = (outcome: E.Either<DriverError, RunOutcome>): boolean =>
  E.isRight(outcome) && outcome.right._tag === 'done'

/** The session is proved alive: with evidence that carries the grade, and in fact. */
export const proved = async (
  { rig, verify }: Scene,
  sessionId: string,
  strategy?: RecoveryStrategy,
): Promise<Receipt> => {
  const verdict = await verify(sessionId, strategy)
  if (verdict._tag !== 'alive') return breach(`${sessionId} is not proved: ${verdict.detail}`)
  const { receipt } = verdict
  mustCarry(receipt, rig.driver)
  const life = await rig.probe(sessionId)
  must(life.alive, `${sessionId} is called alive and is not: ${life.detail}`)
  return receipt
}

const mustCarry = (receipt: Receipt, { supports }: Driver): void => {
  const { grade, evidence, items } = receipt
  must(grade === supports.proof, `the proof is ${grade}; declared is ${supports.proof}`)
  const carries = ({ grade: its, trusted, source }: Evidence): boolean =>
    trusted && its === grade && (its !== 'observed' || source !== 'host')
  must(evidence.some(carries), `no trusted evidence of the grade ${grade} carries the proof`)
  const untold = receiptItems.filter((name) => items[name].detail.trim() === '')
  must(untold.length === 0, `the receipt says nothing of ${untold.join(', ')}`)
}

/** The session is not proved alive, whatever its driver believes. */
export const unproved = async (
  { verify }: Scene,
  sessionId: string,
  strategy?: RecoveryStrategy,
): Promise<void> => {
  const verdict = await verify(sessionId, strategy)
  const asked = strategy === undefined ? 'looked at' : `verified for ${strategy}`
  must(verdict._tag === 'unproved', `${sessionId}, ${asked}, is called alive without being so`)
}
