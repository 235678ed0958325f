/** The event side: the event protocol with acknowledgements, and the drop-in class. */

export type {
  RecoveryAttempt,
  RecoveryConfig,
  RecoveryPlan,
  RecoveryStrategy,
} from '@session-recovery/core'
export { replicaId } from '@session-recovery/core'
export * from './event.js'
export * from './event-driver.js'
export type { HostEvidence } from './evidence.js'
export type { InteractiveUpdate } from './interactive-state.js'
export type { SessionRecoveryOptions } from './option.js'
export { strategyMessage } from './request.js'
export * from './session-recovery.js'
export * from './session-recovery-error.js'
