/**
 * Starts everything that can be configured with configurations nobody should write: each is refused with
 * the field named, or what was made of it works, is started, and recovers a session.
 */
import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { SessionRecovery, SessionRecoveryError } from '@session-recovery/adapter-events'
import { type FileStoreOptions, fileStore } from '@session-recovery/adapter-fs'
import {
  type Driver,
  defaultConfig,
  defaultPolicy,
  type Policy,
  policyFrom,
  receiptOf,
  recoveryStrategies,
} from '@session-recovery/core'
import { createEngine, memoryStore } from '@session-recovery/engine'
import {
  type Chance,
  chance as chanceOf,
  memoryDisk,
  quiet,
  VirtualClock,
} from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { type Plain, spoilt } from './hostile-value.js'

// ------------------------------------------------------------------------------------------ model

/** `broken`: it threw what is not typed, named no field, or did not work. */
export interface ConfigTrial {
  readonly refused: boolean
  readonly broken?: string
}

type Subject = (chance: Chance) => Promise<ConfigTrial>

const fine: ConfigTrial = { refused: false }

/** A refusal is as good as a working engine, if it says of which field. */
const refusal = (message: string, fields: readonly string[]): ConfigTrial =>
  ['""', ...fields].some((field) => field !== '' && message.includes(field))
    ? { refused: true }
    : { refused: true, broken: `names no field: ${message.slice(0, 200)}` }

// --------------------------------------------------------------------------------------- subjects

const helpful: Driver = {
  name: 'helpful',
  supports: { strategies: new Set(recoveryStrategies), capture: true, proof: 'observed' },
  watch: () => () => {},
  run: () => async () => E.right({ _tag: 'done', detail: '' }),
  verify: () => async () => E.right({ _tag: 'alive', receipt: receiptOf('observed', {}) }),
  capture: () => async () =>
    E.right({ update: { commandHistory: ['ls'] }, foreground: { kind: 'unknown', reasons: [] } }),
  detach: async () => {},
}

/** Virtual time goes on until `promise` is settled, or for as long as no sound policy needs. */
const withTime = async <A>(time: VirtualClock, promise: Promise<A>): Promise<A | 'no answer'> => {
  let answer: { readonly value: A } | undefined
  const settled = promise.then((value) => {
    answer = { value }
  })
  for (let i = 0; i < 40 && answer === undefined; i++) {
    await Promise.race([settled, quiet()])
    if (answer === undefined) await time.advance(60_000)
  }
  return answer === undefined ? 'no answer' : answer.value
}

/** Whether an engine under `policy` starts, takes a session, answers of it and stops. */
const works = async (policy: Policy): Promise<string | undefined> => {
  const time = new VirtualClock()
  const { clock } = time.fork()
  const engine = createEngine({ policy, driver: helpful, store: memoryStore(), clock })
  const started = await withTime(time, engine.start())
  if (started === 'no answer' || started._tag !== 'started') return 'it does not start'
  const registered = await withTime(time, engine.register('s', { attended: false }))
  const isFree = registered !== 'no answer' && registered._tag === 'registered'
  if (!isFree && policy.enabled) return 'it registers nothing'
  await withTime(time, engine.update('s', { outputBuffer: ['x'] }))
  const recovering = engine.recover('s', 'network down')
  const recovered = await withTime(time, recovering)
  if (recovered === 'no answer' && policy.recoveryDelay <= 60_000) {
    if (policy.stableAfterMs === 0) return 'it never answers of a recovery'
  }
  if (/NaN|Infinity/.test(inspect(engine.stats(), { depth: 5 })))
    return 'its statistics are no numbers'
  const stopped = await withTime(time, engine.stop())
  return stopped === 'no answer' && policy.stopTimeoutMs <= 60_000 ? 'it does not stop' : undefined
}

const onPolicy: Subject = async (chance) => {
  const input = spoilt({ ...defaultPolicy }, chance)
  const read = policyFrom(input)
  if (E.isLeft(read)) {
    const { _tag, path, message } = read.left
    return _tag === 'DecodeError'
      ? refusal(`${path} ${message}`, Object.keys(input))
      : { refused: true, broken: 'not typed' }
  }
  const problem = await works(read.right)
  return problem === undefined ? fine : { refused: false, broken: problem }
}

const onClass: Subject = async (chance) => {
  const time = new VirtualClock()
  const { clock } = time.fork()
  const sound = { ...defaultConfig, persistenceEnabled: false }
  const options: Plain = {
    acceptClaims: true,
    secretNames: ['x'],
    snapshotLimit: { historyLines: 1, outputBytes: 1 },
    clock: { ...clock },
    logger: () => undefined,
    store: { ...memoryStore() },
    secrets: { put: () => async () => E.right(undefined), get: () => async () => E.right('x') },
  }
  const ofConfig = chance.percent(50)
  const config = ofConfig ? spoilt(sound, chance) : sound
  const given = ofConfig ? options : spoilt(options, chance)
  const nothing = chance.percent(2)
  let recovery: SessionRecovery
  try {
    recovery = new SessionRecovery(
      (nothing && ofConfig ? null : config) as never,
      (nothing && !ofConfig ? null : given) as never,
    )
  } catch (error) {
    if (isOwn(error)) return { refused: true }
    if (!(error instanceof SessionRecoveryError)) return { refused: true, broken: untyped(error) }
    return refusal(error.message, [
      'config',
      'options',
      ...Object.keys(config),
      ...Object.keys(given),
    ])
  }
  recovery.on('session-restore-request', () => undefined)
  const enabled = await used(recovery, given.clock === options.clock ? time : undefined)
  return enabled === undefined ? fine : { refused: false, broken: enabled }
}

/** Thrown by a function that was given: that is the app's own error. */
const isOwn = (error: unknown): boolean => error instanceof Error && error.message === 'called'

const untyped = (error: unknown): string =>
  `throws what is not typed: ${error instanceof Error ? (error.stack ?? error.message).slice(0, 400) : typeof error}`

/** Starts the class, and uses it a little; what it rejects must be typed. */
const used = async (
  recovery: SessionRecovery,
  time: VirtualClock | undefined,
): Promise<string | undefined> => {
  const steps = async () => {
    await recovery.start()
    await recovery.registerSession('s', { a: 1 }, { command: 'bash' })
    await recovery.updateSessionSnapshot('s', { outputBuffer: ['x'] })
    void recovery.recoverSession('s', 'gone').catch(() => undefined)
    recovery.getRecoveryStatistics()
    await recovery.destroy()
  }
  const run = steps().then(
    () => undefined,
    (error: unknown) =>
      error instanceof SessionRecoveryError || isOwn(error) ? undefined : untyped(error),
  )
  const answer = time === undefined ? await run : await withTime(time, run)
  return answer === 'no answer' ? undefined : answer
}

const onFileStore: Subject = async (chance) => {
  const key = randomBytes(32)
  const sound: Plain = {
    directory: '/store',
    limitBytes: 1 << 20,
    journalEntriesPerSession: 10,
    forgottenSessions: 10,
    secretNames: ['x'],
    sealing: { current: 'k', keys: { k: key }, lostKeys: ['j'], acceptUnsealed: false },
    storeOutput: true,
    logger: () => undefined,
    wallMs: () => 0,
    schedule: () => () => undefined,
    scrubEveryMs: 60_000,
    archives: 10,
    archiveAgeMs: 60_000,
  }
  const options = chance.percent(2) ? null : spoilt(sound, chance)
  try {
    const store = fileStore(options as never as FileStoreOptions, memoryDisk())
    const opened = await store.open()
    if (E.isLeft(opened)) {
      const { _tag, message } = opened.left
      return refusal(`${_tag} ${message}`, [...Object.keys(sound), 'unknown', 'options'])
    }
    await store.checkpoint(null, 0)()
    await store.close()
    return fine
  } catch (error) {
    return isOwn(error) ? { refused: true } : { refused: true, broken: untyped(error) }
  }
}

// ------------------------------------------------------------------------------------------ trial

const subjects: readonly [string, Subject][] = [
  ['policy', onPolicy],
  ['class', onClass],
  ['file store', onFileStore],
]

/** One configuration, spoilt as `seed` says. */
export const configTrial = async (seed: number): Promise<ConfigTrial & { readonly of: string }> => {
  const [of, subject] = subjects[seed % subjects.length] ?? ['policy', onPolicy]
  const trial = await subject(chanceOf(seed)).catch(
    (error: unknown): ConfigTrial =>
      isOwn(error) ? { refused: true } : { refused: false, broken: untyped(error) },
  )
  const isClean = !('polluted' in {})
  return { of, ...trial, ...(isClean ? {} : { broken: 'what all objects inherit was changed' }) }
}
