/**
 * What the rows of the seed's mistakes are tried on: the drop-in class, or, to see each row fail, any other
 * with the seed's face, whose module `SEED_CLASS` names.
 */
import { afterEach } from 'vitest'
import {
  type RecoveryEventMap,
  SessionRecovery,
  type SessionRecoveryOptions,
} from '../src/index.js'

const other = process.env.SEED_CLASS

export const Subject: typeof SessionRecovery =
  other === undefined || other === ''
    ? SessionRecovery
    : ((await import(/* @vite-ignore */ other)) as { SessionRecovery: typeof SessionRecovery })
        .SessionRecovery

const made: SessionRecovery[] = []

afterEach(async () => {
  for (const one of made.splice(0)) {
    one.removeAllListeners()
    await one.destroy()
  }
})

/** One of them, in memory, without waits and periodic snapshots unless `config` says otherwise. */
export const subject = (
  config: ConstructorParameters<typeof SessionRecovery>[0] = {},
  options: SessionRecoveryOptions = {},
): SessionRecovery => {
  const one = new Subject(
    { persistenceEnabled: false, snapshotInterval: 0, recoveryDelay: 1_000, ...config },
    options,
  )
  made.push(one)
  return one
}

/** The names and payloads of what is told from now on. */
export const heard = (
  recovery: SessionRecovery,
  ...events: readonly (keyof RecoveryEventMap)[]
): { readonly event: string; readonly payload: Record<string, unknown> }[] => {
  const all: { event: string; payload: Record<string, unknown> }[] = []
  for (const event of events) {
    recovery.on(event, (...told: unknown[]) => {
      all.push({ event, payload: (told[0] ?? {}) as Record<string, unknown> })
    })
  }
  return all
}

const throws = (): never => {
  throw new Error('no')
}

/** Has every strategy fail, in whatever way the subject lets it: by the request, and by its announcement. */
export const failing = (recovery: SessionRecovery): SessionRecovery => {
  for (const event of [
    'recovery-strategy-attempt',
    'session-restart-request',
    'session-restore-request',
    'session-replicate-request',
    'ssh-reconnect-request',
    'recovery-fallback',
  ] as const) {
    recovery.on(event, throws)
  }
  return recovery
}
