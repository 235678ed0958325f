/**
 * The seed's statistics: what the engine counts, in exactly the fields the seed's hosts know.
 */
import type { RecoveryConfig, RecoveryStatistics } from '@session-recovery/core'
import type { EngineStatistics } from '@session-recovery/engine'

/** Times are milliseconds, `successRate` is percent. */
export interface Statistics
  extends Omit<RecoveryStatistics, 'strategiesSucceeded' | 'exhausted' | 'cancelled'> {
  /** Sessions that are being recovered, those that wait for their next attempt included. */
  readonly activeRecoveries: number
  readonly registeredSessions: number
  readonly config: RecoveryConfig
  readonly isRunning: boolean
}

export const statisticsOf = (
  counted: EngineStatistics & Pick<Statistics, 'config'>,
): Statistics => ({
  totalRecoveryAttempts: counted.totalRecoveryAttempts,
  successfulRecoveries: counted.successfulRecoveries,
  failedRecoveries: counted.failedRecoveries,
  averageRecoveryTime: counted.averageRecoveryTime,
  sessionsSaved: counted.sessionsSaved,
  sessionsRestored: counted.sessionsRestored,
  bytesRestored: counted.bytesRestored,
  strategiesUsed: { ...counted.strategiesUsed },
  lastRecovery: counted.lastRecovery === null ? null : new Date(counted.lastRecovery),
  activeRecoveries: counted.activeRecoveries,
  registeredSessions: counted.registeredSessions,
  successRate: counted.successRate,
  config: counted.config,
  isRunning: counted.isRunning,
})
