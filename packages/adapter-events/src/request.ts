/**
 * What each strategy asks of the host: the seed's request events with the seed's fields, made from the
 * snapshot that is to be brought back. Pure.
 */
import {
  isSecretReference,
  type RecoverySnapshot,
  type RecoveryStrategy,
  type RunRequest,
  replicaId,
} from '@session-recovery/core'
import type { RequestEvent, RequestMap, RestoreState } from './event.js'

// ------------------------------------------------------------------------------------------ model

/** An event to ask by, with what it carries. */
export type HostRequest = {
  readonly [K in RequestEvent]: { readonly event: K; readonly payload: RequestMap[K][0] }
}[RequestEvent]

/** The strategies that ask the host; the last resort asks nobody. */
export type AskedStrategy = Exclude<RecoveryStrategy, 'fallback'>

type Need = Pick<RunRequest, 'sessionId' | 'token' | 'policy'>

// ----------------------------------------------------------------------------------- constructors

/** What `recovery-strategy-attempt` says of each strategy: the seed's words. */
export const strategyMessage: Readonly<Record<RecoveryStrategy, string>> = {
  restart: 'Restarting session with same configuration',
  reconnect: 'Attempting to reconnect to SSH session',
  restore: 'Restoring session from snapshot data',
  replicate: 'Replicating session on alternative resources',
  migrate: 'Migrating session to alternative host',
  fallback: 'Executing fallback recovery - notifying user and archiving session',
  'prompt-interrupt': 'Interrupting stuck interactive prompt',
  'prompt-reset': 'Resetting prompt state and clearing buffers',
  'session-refresh': 'Refreshing session state without full restart',
  'command-retry': 'Retrying failed commands with intelligent backoff',
}

/** Where a session stood. */
export const restoreState = (snapshot: RecoverySnapshot): RestoreState => ({
  workingDirectory: snapshot.workingDirectory,
  environment: snapshot.environment,
})

type Make = (snapshot: RecoverySnapshot, need: Need) => HostRequest

const requests: Readonly<Record<AskedStrategy, Make>> = {
  restart: (snapshot, { sessionId }) => ({
    event: 'session-restart-request',
    payload: {
      sessionId,
      sessionOptions: snapshot.sessionOptions,
      restoreState: restoreState(snapshot),
    },
  }),
  reconnect: (snapshot, { sessionId }) => ({
    event: 'ssh-reconnect-request',
    payload: { sessionId, sshOptions: sshOptionsOf(snapshot) },
  }),
  restore: (snapshot, { sessionId }) => ({
    event: 'session-restore-request',
    payload: {
      sessionId,
      snapshot: {
        sessionState: snapshot.sessionState,
        environment: snapshot.environment,
        workingDirectory: snapshot.workingDirectory,
        commandHistory: snapshot.commandHistory,
      },
    },
  }),
  replicate: (snapshot, { sessionId, token }) => ({
    event: 'session-replicate-request',
    payload: {
      originalSessionId: sessionId,
      newSessionId: replicaId(sessionId, token),
      sessionOptions: snapshot.sessionOptions,
      restoreState: snapshot,
    },
  }),
  migrate: (snapshot, { sessionId }) => ({
    event: 'session-migrate-request',
    payload: {
      sessionId,
      currentSnapshot: snapshot,
      migrationOptions: { preferredHosts: [], resourceRequirements: snapshot.sessionOptions },
    },
  }),
  'prompt-interrupt': (snapshot, { sessionId }) => ({
    event: 'session-interrupt-request',
    payload: {
      sessionId,
      interruptType: 'prompt',
      signals: ['SIGINT', 'CTRL_C', 'ESC'],
      interactiveState: snapshot.interactiveState,
    },
  }),
  'prompt-reset': (snapshot, { sessionId }) => ({
    event: 'session-prompt-reset-request',
    payload: {
      sessionId,
      actions: [
        'clear-output-buffer',
        'reset-prompt-detector',
        'flush-pending-commands',
        'reinitialize-prompt-patterns',
      ],
      preserveState: restoreState(snapshot),
    },
  }),
  'session-refresh': (snapshot, { sessionId, policy }) => ({
    event: 'session-refresh-request',
    payload: {
      sessionId,
      refreshActions: ['send-newline', 'check-responsiveness', 'verify-prompt', 'restore-context'],
      timeout: policy.refresh.timeoutMs,
      fallbackToRestart: policy.refresh.fallbackToRestart,
      preserveState: snapshot.interactiveState,
    },
  }),
  'command-retry': (snapshot, { sessionId, policy: { commandRetry } }) => ({
    event: 'session-command-retry-request',
    payload: {
      sessionId,
      commands: snapshot.interactiveState?.pendingCommands ?? [],
      retryConfig: {
        maxRetries: commandRetry.maxRetries,
        baseDelay: commandRetry.baseDelayMs,
        backoffMultiplier: commandRetry.backoffMultiplier,
        maxDelay: commandRetry.maxDelayMs,
        jitter: true,
      },
      verification: {
        checkPrompt: true,
        timeoutPerCommand: commandRetry.timeoutPerCommandMs,
        verifyOutput: true,
      },
    },
  }),
}

/** The strategies this protocol knows how to ask for. */
export const askedStrategies: ReadonlySet<RecoveryStrategy> = new Set(
  Object.keys(requests) as AskedStrategy[],
)

// ------------------------------------------------------------------------------------ combinators

/** What `strategy` asks of the host to bring `snapshot` back. */
export const hostRequest = (
  strategy: AskedStrategy,
  snapshot: RecoverySnapshot,
  need: Need,
): HostRequest => requests[strategy](snapshot, need)

/** The `sshOptions` among a session's options. */
export const sshOptionsOf = ({ sessionOptions }: RecoverySnapshot): unknown =>
  typeof sessionOptions === 'object' && sessionOptions !== null && 'sshOptions' in sessionOptions
    ? sessionOptions.sshOptions
    : undefined

/**
 * `snapshot` without the references nobody could resolve: a host must not take one for the password it
 * stands for.
 */
export const withoutLost = (
  snapshot: RecoverySnapshot,
  lost: readonly string[],
): RecoverySnapshot => {
  if (lost.length === 0) return snapshot
  return {
    ...snapshot,
    sessionState: pruned(snapshot.sessionState, new Set(lost)),
    sessionOptions: pruned(snapshot.sessionOptions, new Set(lost)),
  }
}

const pruned = (value: unknown, lost: ReadonlySet<string>): unknown => {
  if (Array.isArray(value)) return value.map((item) => pruned(item, lost))
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([, inner]) => !(typeof inner === 'string' && isSecretReference(inner) && lost.has(inner)),
      )
      .map(([key, inner]) => [key, pruned(inner, lost)]),
  )
}
