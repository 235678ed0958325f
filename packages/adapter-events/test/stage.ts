/**
 * A stage for the drop-in class: virtual time, a log, and a record of what hosts were told. The record
 * listens to tidings only; a listener of a request would acknowledge it.
 */
import type { LogLevel, RecoveryStrategy } from '@session-recovery/core'
import { VirtualClock } from '@session-recovery/testkit'
import {
  type RecoveryConfig,
  type RecoveryEventMap,
  type RecoveryEventName,
  SessionRecovery,
  type SessionRecoveryOptions,
} from '../src/index.js'

/** The seed's 22 events, and how each is answered. */
export const tidings = [
  'started',
  'stopped',
  'session-registered',
  'session-unregistered',
  'snapshot-updated',
  'recovery-max-attempts',
  'recovery-started',
  'recovery-success',
  'recovery-error',
  'recovery-strategy-attempt',
  'recovery-fallback',
  'interactive-state-updated',
] as const satisfies readonly RecoveryEventName[]

export const requests = [
  'session-restart-request',
  'ssh-reconnect-request',
  'session-restore-request',
  'session-replicate-request',
  'session-migrate-request',
  'session-interrupt-request',
  'session-prompt-reset-request',
  'session-refresh-request',
  'session-command-retry-request',
] as const satisfies readonly RecoveryEventName[]

export interface Told {
  readonly event: RecoveryEventName
  readonly payload: Readonly<Record<string, unknown>>
}

type Answer = (payload: never) => unknown

export interface Stage {
  readonly recovery: SessionRecovery
  readonly time: VirtualClock
  readonly pendingTimers: () => number
  readonly told: Told[]
  readonly logged: {
    readonly level: LogLevel
    readonly message: string
    readonly detail: unknown
  }[]
  /** The names of what was told since the last call. */
  readonly heard: () => readonly string[]
  /** Adds a listener of a request, and records what it is asked. */
  readonly answer: (event: RecoveryEventName, answer: Answer) => void
}

/** No jitter, no disk, no captures and one second between attempts, unless `config` says otherwise. */
export const stage = (
  config: Partial<RecoveryConfig> = {},
  options: SessionRecoveryOptions = {},
): Stage => {
  const time = new VirtualClock()
  const { clock, pending } = time.fork()
  const told: Told[] = []
  const logged: Stage['logged'] = []
  const recovery = new SessionRecovery(
    { persistenceEnabled: false, snapshotInterval: 0, recoveryDelay: 1_000, ...config },
    {
      clock,
      logger: (level, message, detail) => void logged.push({ level, message, detail }),
      ...options,
    },
  )
  const note = (event: RecoveryEventName, payload: unknown) =>
    told.push({ event, payload: (payload ?? {}) as Told['payload'] })
  const on = (event: RecoveryEventName, listener: (payload: never) => unknown) =>
    recovery.on(event as keyof RecoveryEventMap, listener as (...args: unknown[]) => void)
  for (const event of tidings) on(event, (payload) => void note(event, payload))
  let from = 0
  return {
    recovery,
    time,
    pendingTimers: pending,
    told,
    logged,
    heard: () => {
      const names = told.slice(from).map(({ event }) => event)
      from = told.length
      return names
    },
    answer: (event, answer) =>
      void on(event, (payload) => {
        note(event, payload)
        return answer(payload)
      }),
  }
}

/** What the last `event` carried. */
export const payloadOf = ({ told }: Stage, event: RecoveryEventName): Told['payload'] => {
  const last = told.findLast((one) => one.event === event)
  if (last === undefined) throw new Error(`${event} was not told`)
  return last.payload
}

/** A policy whose every plan is `strategies` and the last resort. */
export const planOf = (...strategies: readonly RecoveryStrategy[]): SessionRecoveryOptions => ({
  planRules: [
    {
      name: 'the only one',
      when: {},
      strategies: [...strategies, 'fallback'],
      priority: 'medium',
      estimatedTimeMs: 1,
    },
  ],
})
