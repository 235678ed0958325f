/**
 * The ten ways to bring a session back, and the facts about each that planning and safety rest on.
 */
import { oneOf } from './codec.js'

export type RecoveryStrategy =
  | 'restart'
  | 'reconnect'
  | 'restore'
  | 'replicate'
  | 'migrate'
  | 'fallback'
  | 'prompt-interrupt'
  | 'prompt-reset'
  | 'session-refresh'
  | 'command-retry'

/** Every strategy, in the order of the seed's type. */
export const recoveryStrategies: readonly RecoveryStrategy[] = [
  'restart',
  'reconnect',
  'restore',
  'replicate',
  'migrate',
  'fallback',
  'prompt-interrupt',
  'prompt-reset',
  'session-refresh',
  'command-retry',
]

export const RecoveryStrategy = oneOf<RecoveryStrategy>('recovery strategy', ...recoveryStrategies)

/** Strategies that type into, or signal, a living session: never used on an attended one. */
export const touchesLiving: ReadonlySet<RecoveryStrategy> = new Set<RecoveryStrategy>([
  'prompt-interrupt',
  'prompt-reset',
  'session-refresh',
  'command-retry',
])

/** Strategies that may be run again under the same token when a crash left their outcome in doubt. */
export const repeatable: ReadonlySet<RecoveryStrategy> = new Set<RecoveryStrategy>([
  'restart',
  'reconnect',
  'restore',
  'prompt-interrupt',
  'prompt-reset',
  'session-refresh',
])

/** Strategies that log in again: pointless once the credential itself was refused. */
export const needsCredential: ReadonlySet<RecoveryStrategy> = new Set<RecoveryStrategy>([
  'restart',
  'reconnect',
  'restore',
  'replicate',
  'migrate',
])
