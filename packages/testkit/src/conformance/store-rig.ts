/**
 * What the conformance suite needs of the world around a store: a place that outlives it, and the ways in
 * which what runs it can end.
 */
import type { Store } from '@session-recovery/core'

// ------------------------------------------------------------------------------------------ model

/** A place where stores keep what they keep: a directory, a database, a server; made anew for every case. */
export interface StoreLocation {
  /** A store of its own at this place, not open yet, as another process would have it. */
  readonly store: () => Store
  /**
   * Ends whatever runs the stores made so far as kill -9 or a power cut would, at once: what they have not
   * made durable is gone, what they own is free. Afterwards the place is opened by new stores only; calls
   * that were under way may stay unanswered.
   */
  readonly crash: () => Promise<void>
  /**
   * Spoils what the medium holds: flips one bit of every place where `text` (ASCII) stands, behind the back
   * of a store that may be open; `false` where it stands nowhere. Absent: cannot be done.
   */
  readonly spoil?: (text: string) => Promise<boolean>
  /** Ends what still runs, and removes the place. */
  readonly remove: () => Promise<void>
}

export interface StoreHarness {
  readonly name: string
  readonly make: () => Promise<StoreLocation>
  /** How long the suite waits for what must come, in milliseconds. Default 20,000. */
  readonly patienceMs?: number
}
