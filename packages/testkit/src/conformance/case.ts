/** A case of the conformance suite, and what a driver must be able to do for it to apply. */
import type { DriverSupport, RecoveryStrategy } from '@session-recovery/core'
import type { Scene } from './asking.js'
import type { Fault } from './rig.js'

// ------------------------------------------------------------------------------------------ model

export interface Case {
  readonly name: string
  /** Strategies the driver must declare. */
  readonly strategies?: readonly RecoveryStrategy[]
  /** Faults the rig must be able to bring about. */
  readonly faults?: readonly Fault[]
  readonly capture?: true
  /** The driver must declare what it shows. */
  readonly shows?: true
  readonly play: (scene: Scene) => Promise<void>
}

// ----------------------------------------------------------------------------------- constructors

/** Strategies after which the session has a process that answers. */
export const reviving = ['restart', 'reconnect', 'restore'] as const

/** Strategies whose effect is a new process. */
export const renewing = ['restart', 'restore'] as const

/** Faults that leave nothing that could be proved alive. */
export const disabling = ['exit', 'killed', 'hang', 'half-open'] as const

// ------------------------------------------------------------------------------------ combinators

/** Why a case does not apply, from what is declared alone; `undefined` when it does. */
export const inapplicable = (
  { strategies = [], faults = [], capture, shows }: Case,
  supports: DriverSupport,
  possible: ReadonlySet<Fault>,
): string | undefined => {
  const undeclared = strategies.filter((strategy) => !supports.strategies.has(strategy))
  if (undeclared.length > 0) return `the driver does not declare ${undeclared.join(', ')}`
  if (capture === true && !supports.capture) return 'the driver does not declare captures'
  if (shows === true && supports.shows === undefined) return 'the driver declares nothing it shows'
  const missing = faults.filter((fault) => !possible.has(fault))
  return missing.length > 0 ? `the harness has no fault ${missing.join(', ')}` : undefined
}
