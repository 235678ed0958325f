/**
 * The engine's face: what an embedding app calls and what it is answered. Plain promises and a typed
 * subscription; every answer is one of a closed union, never a bare boolean.
 */
import type {
  Clock,
  DecodeError,
  DomainRecord,
  Driver,
  Failure,
  InteractiveStatistics,
  JournalEntry,
  Logger,
  PlanningView,
  Policy,
  Quarantined,
  Receipt,
  RecoveryAttempt,
  RecoverySnapshot,
  RecoveryStatistics,
  RecoveryStrategy,
  Secrets,
  SessionRecord,
  Sink,
  SnapshotUpdate,
  Store,
  StoreError,
  TriggerAdvice,
} from '@session-recovery/core'

// ---------------------------------------------------------------------------------------- options

export interface EngineOptions {
  /** Made by `policyFrom` in core. Default: the seed's numbers and plans. */
  readonly policy?: Policy
  readonly driver: Driver
  readonly store: Store
  /** Keeps secret values; by default in memory, until the process ends. */
  readonly secrets?: Secrets
  readonly clock?: Clock
  readonly logger?: Logger
}

/** What is declared of a session when it is registered. */
export interface Registration {
  /** The app's own state and options: stored as JSON with dates kept. */
  readonly sessionState?: unknown
  /** Of these the engine reads `command`, `cwd`, `env` or `environment`, and `sshOptions`. */
  readonly sessionOptions?: unknown
  /** Somebody sits at it: it is never typed at. Default true: what is unknown is not interrupted. */
  readonly attended?: boolean
  /** Default: whether `sessionOptions.command` reads as one; declare it where its path holds spaces. */
  readonly shell?: boolean
  /** The command may be started again although it is no shell. Default false. */
  readonly rerunnable?: boolean
  /** Exit codes that are failures; any other exit with a code is an end. Default none. */
  readonly failureExitCodes?: readonly number[]
  /**
   * Command lines, to the letter, that may be run again when it is not known whether they ran. Default
   * none: a command that was seen starting and not finishing is reported and never run again.
   */
  readonly idempotentCommands?: readonly string[]
  /**
   * What it shares with other sessions and fails together with them by, e.g. `host:build` or `rack-7`;
   * besides what the driver knows of its options. One that begins with `credential:` can be refused: then
   * nobody asks with it again. Default none: it is recovered by itself.
   */
  readonly domains?: readonly string[]
  /** What to do with a session that has this id already. Default `refuse`. */
  readonly whenRegistered?: 'refuse' | 'replace'
}

// ---------------------------------------------------------------------------------------- answers

interface Refused {
  readonly _tag: 'store-failed'
  readonly error: StoreError
}
type NotRunning = { readonly _tag: 'not-running' }
type NotRegistered = { readonly _tag: 'not-registered' }
type Invalid = { readonly _tag: 'invalid'; readonly error: DecodeError }
type Disabled = { readonly _tag: 'disabled' }

export type StartResult =
  | {
      readonly _tag: 'started'
      readonly sessions: number
      readonly quarantined: readonly Quarantined[]
    }
  | { readonly _tag: 'already-running' }
  /** It was stopped before it had started. */
  | { readonly _tag: 'stopped' }
  | Refused

/** `unfinished`: pieces of work that did not end within the deadline; what they answer is ignored. */
export type StopResult = { readonly _tag: 'stopped'; readonly unfinished: number } | NotRunning

/** `durable: false`: the store refused some of it, and it is kept in memory alone. */
export type RegisterResult =
  | { readonly _tag: 'registered'; readonly incarnation: number; readonly durable: boolean }
  | { readonly _tag: 'already-registered' }
  | Invalid
  | Disabled
  | NotRunning
  | Refused

export type UpdateResult =
  | { readonly _tag: 'updated'; readonly generation: number; readonly durable: boolean }
  | Invalid
  | NotRegistered
  | NotRunning
  | Refused

/** How a report of a failure was taken. */
export type ReportResult =
  | { readonly _tag: 'opened'; readonly incident: number }
  | { readonly _tag: 'already-recovering'; readonly incident: number }
  | { readonly _tag: 'exhausted'; readonly archive?: string }
  | Invalid
  | Disabled
  | NotRegistered
  | NotRunning
  | Refused

/** How an incident ended. `durable: false`: the store refused some of it and the engine went on. */
export type RecoverResult =
  | {
      readonly _tag: 'recovered'
      readonly receipt: Receipt
      readonly strategy: RecoveryStrategy
      /** Attempts made in this incident. */
      readonly attempts: number
      readonly durable: boolean
    }
  | {
      readonly _tag: 'exhausted'
      readonly attempts: number
      readonly archive?: string
      readonly archiveError?: string
      readonly durable: boolean
    }
  | { readonly _tag: 'cancelled'; readonly why: string; readonly durable: boolean }
  | { readonly _tag: 'already-recovering'; readonly incident: number }
  /** The engine was stopped first; the incident goes on when it starts again. */
  | { readonly _tag: 'stopped' }
  | Invalid
  | Disabled
  | NotRegistered
  | NotRunning
  | Refused

export type CancelResult =
  | { readonly _tag: 'cancelled' }
  | { readonly _tag: 'not-recovering' }
  | NotRegistered
  | NotRunning
  | Refused

export type ResetResult =
  | { readonly _tag: 'reset' }
  | { readonly _tag: 'not-exhausted' }
  | NotRegistered
  | NotRunning
  | Refused

/** `unknown`: nothing is known of such a domain, and there is nothing to try. */
export type RenewResult = { readonly _tag: 'renewed' } | { readonly _tag: 'unknown' } | NotRunning

export type UnregisterResult =
  | { readonly _tag: 'unregistered' }
  | NotRegistered
  | NotRunning
  | Refused

/** One session as it stands: values, never live objects. */
export interface SessionStatus {
  readonly sessionId: string
  readonly record: SessionRecord
  readonly view: PlanningView | undefined
}

export interface EngineStatistics extends RecoveryStatistics {
  readonly activeRecoveries: number
  readonly registeredSessions: number
  /** Failures that wait to be taken in: so many came at once. */
  readonly heldBack: number
  /** Of those, the ones that wait for a domain. */
  readonly heldSessions: number
  readonly isRunning: boolean
  readonly interactive: InteractiveStatistics
}

// ------------------------------------------------------------------------------------------- face

export interface Engine {
  readonly start: () => Promise<StartResult>
  /** Ends within `stopTimeoutMs`: no timer fires and nothing is decided afterwards. */
  readonly stop: () => Promise<StopResult>
  /** Stops and forgets every subscriber. */
  readonly destroy: () => Promise<void>
  /**
   * Watches a session. Its id is told to everybody: one that holds a secret of what it is registered with,
   * or reads like one, is `invalid`.
   */
  readonly register: (sessionId: string, registration?: Registration) => Promise<RegisterResult>
  readonly unregister: (sessionId: string) => Promise<UnregisterResult>
  /** Changes what is kept of a session; resolves when it is durable, or says that it is not. */
  readonly update: (sessionId: string, update: SnapshotUpdate) => Promise<UpdateResult>
  /** Reports a failure, as a text to be classified or typed; resolves when the incident is open. */
  readonly reportFailure: (sessionId: string, failure?: string | Failure) => Promise<ReportResult>
  /** Reports a failure and waits for the incident's end. */
  readonly recover: (sessionId: string, failure?: string | Failure) => Promise<RecoverResult>
  readonly cancel: (sessionId: string, why?: string) => Promise<CancelResult>
  /** Gives an exhausted session a fresh budget and watches it again. */
  readonly reset: (sessionId: string) => Promise<ResetResult>
  readonly sessions: () => readonly SessionStatus[]
  readonly status: (sessionId: string) => SessionStatus | undefined
  readonly stats: () => EngineStatistics
  /** Every domain of which there is something to know: where it stands, who waits, who was let go. */
  readonly domains: () => readonly DomainRecord[]
  /**
   * Says that a domain is worth trying again: a credential that was refused is another now, or the next
   * canary need not wait. Resetting a session says the same of its domains.
   */
  readonly renew: (domain: string) => RenewResult
  readonly history: (sessionId: string) => readonly RecoveryAttempt[]
  /** Whether interactive recovery is advised, as the seed's triggers say. */
  readonly advice: (sessionId: string) => TriggerAdvice
  readonly snapshot: (sessionId: string) => Promise<RecoverySnapshot | undefined>
  readonly snapshots: () => Promise<Readonly<Record<string, RecoverySnapshot>>>
  /** The journal of one session, oldest first: what a timeline is drawn from and a replay checks. */
  readonly journal: (sessionId: string) => Promise<readonly JournalEntry[]>
  /** Is told of everything from now on; returns what ends it. */
  readonly subscribe: (sink: Sink) => () => void
  readonly policy: Policy
}
