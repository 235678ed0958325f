/**
 * The events a host hears: their names, and what each carries. Names and fields are the seed's; what is
 * new is said to be. Hosts written in TypeScript get these types from `on`, `once` and `emit`.
 */
import type {
  InteractiveState,
  Receipt,
  RecoveryPlan,
  RecoveryStrategy,
  RecoverySnapshot as Snapshot,
  SnapshotUpdate,
} from '@session-recovery/core'

// ------------------------------------------------------------------------------------------ model

/** The app's own session state and options. The seed's listeners were untyped; a host of it compiles. */
// biome-ignore lint/suspicious/noExplicitAny: what the app owns has the type the app gives it.
export type AppOwned = any

/** The snapshot as a host sees it: `sessionState` and `sessionOptions` are its own. */
export type RecoverySnapshot = Omit<Snapshot, 'sessionState' | 'sessionOptions'> & {
  readonly sessionState: AppOwned
  readonly sessionOptions: AppOwned
}

/** Where a session stood: what a new process is to be given. */
export interface RestoreState {
  readonly workingDirectory: string
  readonly environment: Record<string, string>
}

/** A session by its id. */
export interface SessionNamed {
  readonly sessionId: string
}

/** A session with its snapshot. Secrets in it are references. */
export interface SnapshotTold extends SessionNamed {
  readonly snapshot: RecoverySnapshot
}

export interface AttemptStarted extends SessionNamed {
  readonly attemptNumber: number
  readonly plan: RecoveryPlan
  readonly failureReason: string | undefined
}

/** `receipt` is new: what was restored, lost or is unknown, and how well that is known. */
export interface RecoverySucceeded extends SessionNamed {
  readonly attemptNumber: number
  readonly plan: RecoveryPlan
  readonly receipt: Receipt
}

export interface RecoveryErred extends SessionNamed {
  readonly attemptNumber: number
  readonly error: string
}

export interface StrategyAttempted extends SessionNamed {
  readonly strategy: RecoveryStrategy
  readonly message: string
}

/** `archiveLocation` is null where nothing outlives the process, or archiving failed. */
export interface FallenBack extends SnapshotTold {
  readonly message: string
  readonly archiveLocation: string | null
}

/** Answers a `snapshot-request`; only the first answer counts. */
export type SnapshotCallback = (updates?: SnapshotUpdate | Partial<RecoverySnapshot>) => void

/**
 * What is asked of the host to bring a session back. A listener acknowledges by returning, or by a promise that
 * resolves; it refuses by throwing, or by a promise that rejects. These carry the real options, secrets
 * included: the host gave them.
 */
export interface RequestMap {
  'session-restart-request': [
    SessionNamed & { readonly sessionOptions: AppOwned; readonly restoreState: RestoreState },
  ]
  'ssh-reconnect-request': [SessionNamed & { readonly sshOptions: AppOwned }]
  'session-restore-request': [
    SessionNamed & {
      readonly snapshot: Pick<
        RecoverySnapshot,
        'sessionState' | 'environment' | 'workingDirectory' | 'commandHistory'
      >
    },
  ]
  /** `newSessionId` is the same whenever the same run is asked for again. */
  'session-replicate-request': [
    {
      readonly originalSessionId: string
      readonly newSessionId: string
      readonly sessionOptions: AppOwned
      readonly restoreState: RecoverySnapshot
    },
  ]
  'session-migrate-request': [
    SessionNamed & {
      readonly currentSnapshot: RecoverySnapshot
      readonly migrationOptions: {
        readonly preferredHosts: readonly string[]
        readonly resourceRequirements: AppOwned
      }
    },
  ]
  'session-interrupt-request': [
    SessionNamed & {
      readonly interruptType: 'prompt'
      readonly signals: readonly string[]
      readonly interactiveState: InteractiveState | undefined
    },
  ]
  'session-prompt-reset-request': [
    SessionNamed & { readonly actions: readonly string[]; readonly preserveState: RestoreState },
  ]
  /** `timeout` is milliseconds. */
  'session-refresh-request': [
    SessionNamed & {
      readonly refreshActions: readonly string[]
      readonly timeout: number
      readonly fallbackToRestart: boolean
      readonly preserveState: InteractiveState | undefined
    },
  ]
  /** Delays and timeouts are milliseconds. */
  'session-command-retry-request': [
    SessionNamed & {
      readonly commands: readonly string[]
      readonly retryConfig: {
        readonly maxRetries: number
        readonly baseDelay: number
        readonly backoffMultiplier: number
        readonly maxDelay: number
        readonly jitter: boolean
      }
      readonly verification: {
        readonly checkPrompt: boolean
        readonly timeoutPerCommand: number
        readonly verifyOutput: boolean
      }
    },
  ]
}

/** The name of an event that asks the host to act on a session. */
export type RequestEvent = keyof RequestMap

/** Every event, with the arguments its listeners get. */
export interface RecoveryEventMap extends RequestMap {
  started: []
  stopped: []
  'session-registered': [SnapshotTold]
  'session-unregistered': [SessionNamed]
  'snapshot-updated': [SnapshotTold]
  'interactive-state-updated': [SessionNamed & { readonly interactiveState: InteractiveState }]
  'snapshot-request': [SessionNamed & { readonly callback: SnapshotCallback }]
  'recovery-max-attempts': [SessionNamed & { readonly attempts: number }]
  'recovery-started': [AttemptStarted]
  'recovery-strategy-attempt': [StrategyAttempted]
  'recovery-success': [RecoverySucceeded]
  'recovery-error': [RecoveryErred]
  'recovery-fallback': [FallenBack]
  /**
   * New. Is the session alive? A listener answers by returning evidence (`HostEvidence`), or a promise of it.
   * `strategy` is what was done before; undefined when a session is looked at on start.
   */
  'session-verify-request': [
    SessionNamed & {
      readonly strategy: RecoveryStrategy | undefined
      readonly token: string
      readonly restoreState: RestoreState | undefined
    },
  ]
}

export type RecoveryEventName = keyof RecoveryEventMap

/** What the listeners of an event get. */
export type PayloadOf<K extends RecoveryEventName> = RecoveryEventMap[K] extends [infer Payload]
  ? Payload
  : undefined
