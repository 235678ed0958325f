/**
 * What the drop-in class is made with: the seed's config, and options the seed had no place for.
 */
import { fileStore, type SealingOptions } from '@session-recovery/adapter-fs'
import {
  type Clock,
  defaultConfig,
  type Logger,
  type Policy,
  type PolicyInput,
  policyFrom,
  type RecoveryConfig,
  type Secrets,
  type Store,
  storeCalls,
} from '@session-recovery/core'
import { memoryStore, systemClock } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { invalidConfig } from './session-recovery-error.js'

// ------------------------------------------------------------------------------------------ model

/**
 * The rest of the policy, such as `acceptClaims` (success without evidence, which the seed gave always)
 * or `resumeOnStart` (default here: off, as in the seed), and the ports.
 */
export interface SessionRecoveryOptions extends Omit<PolicyInput, keyof RecoveryConfig> {
  readonly logger?: Logger
  readonly clock?: Clock
  /** Keeps secrets beyond this process; by default they are kept in memory. */
  readonly secrets?: Secrets
  /** Instead of the folder `persistencePath`. */
  readonly store?: Store
  /** Seals the snapshots in that folder with a key of the app's; output and history are then stored. */
  readonly sealing?: SealingOptions
}

/** What the class runs on. */
export interface Options {
  readonly policy: Policy
  readonly logger: Logger
  readonly clock: Clock
  readonly store: Store
  readonly secrets: Secrets | undefined
}

// ------------------------------------------------------------------------------------ combinators

/**
 * Reads what the class was made with.
 *
 * @throws SessionRecoveryError `InvalidConfig`, with the field at fault.
 */
export const optionsFrom = (
  config: Partial<RecoveryConfig> | undefined,
  options: SessionRecoveryOptions,
): Options => {
  if (config !== undefined && !isObject(config)) throw wrong('config', 'an object')
  if (!isObject(options)) throw wrong('options', 'an object')
  const { logger = silent, clock = systemClock, secrets, store, sealing, ...extension } = options
  if (typeof logger !== 'function') throw wrong('logger', 'a function')
  checkPort('clock', clock, ['wallMs', 'monotonicMs', 'schedule'])
  if (store !== undefined) checkPort('store', store, storeCalls)
  if (secrets !== undefined) checkPort('secrets', secrets, ['put', 'get'])
  if (store !== undefined && sealing !== undefined) {
    throw wrong('sealing', 'none beside a store of the app’s own, which seals for itself')
  }
  const read = policyFrom({ resumeOnStart: false, ...extension, ...config })
  if (E.isLeft(read)) throw invalidConfig(read.left)
  const policy = read.right
  return {
    policy,
    logger,
    clock,
    secrets,
    store: store ?? storeUnder(policy, logger, clock, sealing),
  }
}

const silent: Logger = () => {}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const checkPort = (name: string, port: unknown, calls: readonly string[]): void => {
  if (!isObject(port)) throw wrong(name, 'an object')
  const missing = calls.find((call) => typeof Reflect.get(port, call) !== 'function')
  if (missing !== undefined) throw wrong(`${name}.${missing}`, 'a function')
}

const wrong = (path: string, expected: string) =>
  invalidConfig({
    _tag: 'DecodeError',
    subject: 'options',
    path,
    expected,
    actual: 'something else',
    message: `options: ${path}: expected ${expected}`,
  })

const storeUnder = (
  policy: Policy,
  logger: Logger,
  clock: Clock,
  sealing: SealingOptions | undefined,
): Store => {
  if (!policy.persistenceEnabled) return memoryStore()
  const { persistencePath: directory, secretNames } = policy
  const storeOutput = policy.storeOutput || sealing !== undefined
  const wallMs = () => clock.wallMs()
  const schedule: Clock['schedule'] = (delayMs, task) => clock.schedule(delayMs, task)
  return fileStore({
    directory,
    secretNames,
    storeOutput,
    logger,
    wallMs,
    schedule,
    ...(sealing === undefined ? {} : { sealing }),
  })
}

/** The seed's twelve fields of a policy. */
export const configOf = (policy: Policy): RecoveryConfig => {
  const fields = Object.keys(defaultConfig) as (keyof RecoveryConfig)[]
  return Object.fromEntries(fields.map((field) => [field, policy[field]])) as RecoveryConfig
}

/**
 * The policy of the engine behind the class. No trigger fires in it: an app's events do not show what
 * stands in the foreground, so that none could be acted on; the app asks for advice itself.
 */
export const enginePolicy = (policy: Policy): Policy => ({
  ...policy,
  triggers: {
    unresponsiveAfterMs: Number.MAX_SAFE_INTEGER,
    timeoutCount: Number.MAX_SAFE_INTEGER,
    promptStuckAfterMs: Number.MAX_SAFE_INTEGER,
    pendingAfterMs: Number.MAX_SAFE_INTEGER,
  },
})
