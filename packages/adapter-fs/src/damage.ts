/**
 * Damage to the log: where it is, and what is wrong.
 */

/** A stretch of a segment that cannot be used. */
export interface Damage {
  readonly segment: string
  readonly offset: number
  readonly bytes: number
  /** The number of its first line. */
  readonly line: number
  readonly problem: string
  readonly sessionId?: string
  /** It stands where not everything had been flushed: a power cut may have left it so. */
  readonly torn?: true
}
