/**
 * Every tunable number and rule, as data with a codec: the seed's twelve config fields under their own
 * names, and the numbers the seed had hard-coded.
 *
 * 0 is legal where it means something: no attempts (straight to the last resort), no delay, no waiting,
 * no periodic snapshots, no timeout.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import {
  atLeastOne,
  count,
  type DecodeError,
  decode,
  exitStatus,
  intervalMs,
  nonNegative,
  oneOf,
  share,
  struct,
  text,
} from './codec.js'
import { defaultReasonRules, ReasonRule } from './failure.js'
import { digest } from './id.js'
import { checkRules, defaultPlanRules, PlanRule } from './rule.js'

// ------------------------------------------------------------------------------------------ model

const configFields = {
  enabled: t.boolean,
  /** Attempts per budget; 0 goes straight to the last resort. */
  maxRecoveryAttempts: count,
  /** The wait before the second attempt. */
  recoveryDelay: nonNegative,
  backoffMultiplier: atLeastOne,
  maxBackoffDelay: nonNegative,
  /** Off: everything is kept in memory only. */
  persistenceEnabled: t.boolean,
  persistencePath: text,
  /** Off: the reason for a failure does not influence the plan. */
  enableSmartRecovery: t.boolean,
  enablePersistentSession: t.boolean,
  /** Between two periodic snapshots, at least 100; 0 for none. */
  snapshotInterval: intervalMs,
  /** Bounds one attempt; 0 for no bound. */
  recoveryTimeout: nonNegative,
  enableRecoveryMetrics: t.boolean,
}
/** The seed's config. Durations are milliseconds. */
export const RecoveryConfig = struct('config', configFields)
export type RecoveryConfig = t.TypeOf<typeof RecoveryConfig>

export const TriggerThreshold = struct('trigger thresholds', {
  unresponsiveAfterMs: nonNegative,
  timeoutCount: count,
  promptStuckAfterMs: nonNegative,
  pendingAfterMs: nonNegative,
})
export type TriggerThreshold = t.TypeOf<typeof TriggerThreshold>

/** Domains: what sessions share and fail together by. */
export const DomainPolicy = struct('domain policy', {
  /** Attempts that may be under way at once on the sessions of one domain. */
  concurrency: atLeastOne,
  /** The same of all domains together. */
  overallConcurrency: atLeastOne,
  /** How many go first once a canary has come back; with each that recovers one more may be under way. */
  firstStage: atLeastOne,
  /** Attempts in a row that miss until the domain is probed again. */
  suspectAfter: atLeastOne,
  /** Bounds one probe; 0 for no bound. */
  probeTimeoutMs: nonNegative,
})
export type DomainPolicy = t.TypeOf<typeof DomainPolicy>

export const Policy = struct('policy', {
  ...configFields,
  /** A recovered session that stays well for this long gets a fresh budget. */
  stableAfterMs: nonNegative,
  /** Bounds one strategy and its verification; 0 for no bound of its own. */
  strategyTimeoutMs: nonNegative,
  /** Bounds one capture; 0 for no bound. */
  captureTimeoutMs: nonNegative,
  /** The share of a delay that jitter may take off: 0 gives the seed's schedule. */
  jitter: share,
  /** What jitter is a function of, besides the session, the incident and the attempt. */
  jitterSeed: t.string,
  /** Sessions found dead when the engine starts are recovered. */
  resumeOnStart: t.boolean,
  /** How many sessions may be recovered at once when the engine starts. */
  resumeConcurrency: atLeastOne,
  onStoreFailure: oneOf('store failure rule', 'halt', 'degrade'),
  /** A host's word, without evidence, is enough for success; the result then says `claimed`. */
  acceptClaims: t.boolean,
  /** Exit codes that are failures for every session, besides those a session declares. */
  failureExitCodes: t.array(exitStatus),
  stopTimeoutMs: nonNegative,
  triggers: TriggerThreshold,
  commandRetry: struct('command retry', {
    maxRetries: count,
    baseDelayMs: nonNegative,
    backoffMultiplier: atLeastOne,
    maxDelayMs: nonNegative,
    timeoutPerCommandMs: nonNegative,
    /** Command lines, to the letter, that every session may run again; a session declares its own, too. */
    idempotentCommands: t.array(text),
  }),
  refresh: struct('session refresh', { timeoutMs: nonNegative, fallbackToRestart: t.boolean }),
  /**
   * Output and history are stored only where this is on, or where the store seals what it keeps; otherwise
   * they live in memory alone.
   */
  storeOutput: t.boolean,
  /** Names of variables and fields that hold secrets, besides those that look like it. */
  secretNames: t.array(text),
  /** Variables that can make programs run code and are brought back all the same. */
  restoredExecutables: t.array(text),
  /** Variables that belong to a moment of the host: today's value stands, besides those known as such. */
  volatileNames: t.array(text),
  snapshotLimit: struct('snapshot limit', { historyLines: count, outputBytes: count }),
  /** Attempts remembered per session, for `history`; of all together some fifteen thousand, the latest. */
  historyLimit: count,
  /** Decisions and snapshots between two checkpoints of the store, or more where sessions are many. */
  checkpointEvery: atLeastOne,
  /** How sessions that share a domain are recovered. */
  domain: DomainPolicy,
  reasonRules: t.array(ReasonRule),
  planRules: t.array(PlanRule),
})

export type Policy = t.TypeOf<typeof Policy>

// ----------------------------------------------------------------------------------- constructors

/** The seed's defaults. */
export const defaultConfig: RecoveryConfig = {
  enabled: true,
  maxRecoveryAttempts: 3,
  recoveryDelay: 5_000,
  backoffMultiplier: 2,
  maxBackoffDelay: 60_000,
  persistenceEnabled: true,
  persistencePath: './data/session-snapshots',
  enableSmartRecovery: true,
  enablePersistentSession: true,
  snapshotInterval: 30_000,
  recoveryTimeout: 120_000,
  enableRecoveryMetrics: true,
}

export const defaultPolicy: Policy = {
  ...defaultConfig,
  stableAfterMs: 300_000,
  strategyTimeoutMs: 30_000,
  captureTimeoutMs: 10_000,
  jitter: 0,
  jitterSeed: '',
  resumeOnStart: true,
  resumeConcurrency: 16,
  onStoreFailure: 'degrade',
  acceptClaims: false,
  failureExitCodes: [],
  stopTimeoutMs: 30_000,
  triggers: {
    unresponsiveAfterMs: 30_000,
    timeoutCount: 3,
    promptStuckAfterMs: 60_000,
    pendingAfterMs: 45_000,
  },
  commandRetry: {
    maxRetries: 3,
    baseDelayMs: 1_000,
    backoffMultiplier: 2,
    maxDelayMs: 10_000,
    timeoutPerCommandMs: 15_000,
    idempotentCommands: [],
  },
  refresh: { timeoutMs: 10_000, fallbackToRestart: true },
  storeOutput: false,
  secretNames: [],
  restoredExecutables: [],
  volatileNames: [],
  snapshotLimit: { historyLines: 1_000, outputBytes: 262_144 },
  historyLimit: 30,
  checkpointEvery: 10_000,
  domain: {
    concurrency: 32,
    overallConcurrency: 128,
    firstStage: 1,
    suspectAfter: 3,
    probeTimeoutMs: 15_000,
  },
  reasonRules: [...defaultReasonRules],
  planRules: [...defaultPlanRules],
}

/** Any part of a policy; nested groups may be given in part, too. */
export type PolicyInput = {
  readonly [K in keyof Policy]?: Policy[K] extends readonly unknown[]
    ? Policy[K]
    : Policy[K] extends object
      ? Partial<Policy[K]>
      : Policy[K]
}

/**
 * A whole policy from any part of one: what is not given, or `undefined`, has its default.
 *
 * @returns the policy, or the first field that is unknown or out of range; a rule set that is not total,
 * has an unreachable rule or lacks the last resort is refused, too.
 *
 * @example
 * policyFrom({ recoveryDelay: 0 }).right.maxRecoveryAttempts // => 3
 * policyFrom({ recoveryDelay: -1 }).left.path // => 'recoveryDelay'
 */
export const policyFrom = (input: unknown = {}): E.Either<DecodeError, Policy> => {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return E.left(refused('', 'an object', input))
  }
  const unknown = Object.keys(input).find((key) => !Object.hasOwn(defaultPolicy, key))
  if (unknown !== undefined) {
    return E.left(refused(named(unknown), 'a field of the policy', unknown))
  }
  const given = input as Readonly<Record<string, unknown>>
  const whole = Object.fromEntries(
    Object.entries(defaultPolicy).map(([key, fallback]) => [key, merged(fallback, given[key])]),
  )
  const decoded = decode(Policy, 'policy')(whole)
  if (E.isLeft(decoded)) return decoded
  const dropped = droppedField(whole, decoded.right)
  if (dropped !== undefined) return E.left(refused(dropped, 'a field of the policy', dropped))
  const [problem] = checkRules(decoded.right.planRules)
  return problem === undefined
    ? decoded
    : E.left(refused('planRules', 'a complete rule set', problem))
}

/** What journal entries know a policy by; found out once for each, as it is long and never changes. */
export const policyDigest = (policy: Policy): string => {
  const known = digests.get(policy)
  if (known !== undefined) return known
  const { domain, ...before } = policy
  // What was added since the first entries were written counts only where it is not as it is by default.
  const isAsBefore = digest(domain) === digest(defaultPolicy.domain)
  const found = digest(isAsBefore ? before : policy)
  digests.set(policy, found)
  return found
}

const digests = new WeakMap<Policy, string>()

const merged = (fallback: unknown, given: unknown): unknown => {
  if (given === undefined) return fallback
  const nested = (u: unknown): u is object =>
    typeof u === 'object' && u !== null && !Array.isArray(u)
  if (!nested(fallback) || !nested(given)) return given
  const defined = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...fallback, ...Object.fromEntries(defined) }
}

/** The first field of `given` that did not make it into `read`: a slip of the pen must not go unnoticed. */
const droppedField = (given: unknown, read: unknown): string | undefined => {
  if (typeof given !== 'object' || given === null) return undefined
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue
    const kept = Object.entries(read ?? {}).find(([name]) => name === key)
    if (kept === undefined) return named(key)
    const inside = droppedField(value, kept[1])
    if (inside !== undefined) return `${named(key)}.${inside}`
  }
  return undefined
}

// An empty name would read as none.
const named = (key: string): string => (key === '' ? '""' : key)

const refused = (path: string, expected: string, actual: unknown): DecodeError => {
  const kind = actual === null ? 'null' : Array.isArray(actual) ? 'a list' : typeof actual
  const shown = typeof actual === 'string' ? actual : kind
  return {
    _tag: 'DecodeError',
    subject: 'policy',
    path,
    expected,
    actual: shown,
    message: `policy${path === '' ? '' : `: ${path}`}: expected ${expected}, got ${shown}`,
  }
}
