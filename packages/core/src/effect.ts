/**
 * What is to be done to the world, as data. The engine's interpreter is the only place that does it, and
 * only after the commit that decided it is durable.
 */
import * as t from 'io-ts'
import { count, epochMs, tagged, text, variant } from './codec.js'
import { Fact } from './fact.js'
import { RecoveryStrategy } from './strategy.js'

/** Look at the session and keep a snapshot. */
export const CaptureEffect = variant('capture', { token: text })

/** Run a strategy. `repeated`: a crash left an earlier run under the same token in doubt. */
export const RunEffect = variant(
  'run',
  {
    token: text,
    strategy: RecoveryStrategy,
    incident: count,
    attempt: count,
    /** The snapshot to bring back; 0 when none was kept. */
    generation: count,
    repeated: t.boolean,
  },
  { deadlineMs: epochMs },
)

/** Find out whether the session lives, with evidence. */
export const VerifyEffect = variant(
  'verify',
  { token: text, runToken: text, strategy: RecoveryStrategy, incident: count, attempt: count },
  { deadlineMs: epochMs },
)

/** Keep what there is of a session that could not be brought back. */
export const ArchiveEffect = variant('archive', { token: text, incident: count, generation: count })

/** Give up the run, verification or capture with this token; its answer will be ignored. */
export const AbortEffect = variant('abort', { token: text })

/** The session is watched no longer: let the driver and the store forget it. */
export const ReleaseEffect = variant('release', {})

/** Tell those who listen. */
export const TellEffect = variant('tell', { fact: Fact })

export const Effect = tagged('effect', '_tag', [
  CaptureEffect,
  RunEffect,
  VerifyEffect,
  ArchiveEffect,
  AbortEffect,
  ReleaseEffect,
  TellEffect,
])
export type Effect = t.TypeOf<typeof Effect>
