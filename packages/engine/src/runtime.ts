/**
 * What all sessions of one engine share while it runs: the policy and its step, the ports, engine time,
 * and the set of work in progress that `stop` waits for.
 */
import type {
  Clock,
  Driver,
  Logger,
  Notice,
  Policy,
  Secrets,
  SessionRecord,
  Store,
} from '@session-recovery/core'
import type { Alarm } from './alarm.js'
import type { Ledger } from './ledger.js'
import type { Step } from './step.js'

export interface Runtime {
  readonly policy: Policy
  readonly policyDigest: string
  readonly step: Step
  readonly driver: Driver
  readonly store: Store
  readonly secrets: Secrets
  readonly clock: Clock
  readonly alarm: Pick<Alarm, 'set'>
  readonly logger: Logger
  readonly ledger: Ledger
  /** Engine time. */
  readonly nowMs: () => number
  readonly notify: (notice: Notice) => void
  /** Once true nothing is decided any more, and late answers are dropped. */
  readonly isStopped: () => boolean
  /**
   * Registers the session that took the place of the one `record` is of.
   *
   * @returns why that cannot be.
   */
  readonly replicated: (record: SessionRecord, replicaId: string) => Promise<string | undefined>
  /** Runs `work` in the background; what it throws is logged. `stop` waits for it. */
  readonly background: (what: string, work: () => Promise<void>) => void
}
