/**
 * What a simulation is asked for, and what it answers.
 */
import type { Driver, Policy, Store } from '@session-recovery/core'
import type { Action } from './action.js'
import type { Coverage } from './coverage.js'
import type { FaultKind, StoreKind } from './fault.js'
import type { Law } from './invariant.js'
import type { Altered, Retention } from './medium.js'

// ------------------------------------------------------------------------------------------ model

/** What stands between the engine and its ports, to plant a bug there and see it found. */
export interface Alteration extends Altered {
  readonly store?: (store: Store) => Store
  readonly driver?: (driver: Driver) => Driver
}

/** What can be seen of a simulation while it runs. */
export interface Seen {
  /** Virtual time since the beginning. */
  readonly passedMs: number
  /** Whether the engine has come to its start, and has not died since. */
  readonly isRunning: boolean
  /** What is on the disk in memory. */
  readonly files: () => ReadonlyMap<string, Buffer>
}

export interface SimulationOptions {
  /** From 1 to 2³¹ - 1: everything that is not given follows from it. */
  readonly seed: number
  /** How many sessions there are at first: at least 1, by default 3. */
  readonly sessions?: number
  /** What of the policy is fixed; without it everything in it may be anything. */
  readonly policy?: Partial<Policy>
  /** The faults that may happen; by default all that `store` allows. */
  readonly faults?: readonly FaultKind[]
  /** What sessions are kept in. Default: the store on a disk in memory. */
  readonly store?: StoreKind
  /** How many things happen, or which; by default 100. */
  readonly events?: number | readonly Action[]
  /**
   * Instead of `events`: things happen, some four a day to each session, and once a day the engine dies,
   * until so much time has passed.
   */
  readonly durationMs?: number
  readonly alteration?: Alteration
  /** How much a store on a disk keeps of what is over. Default: 1,000 journal entries of each session. */
  readonly retention?: Retention
  /** From how many sessions on a checkpoint on a disk has a roll, at least 1. Default: as the store has it. */
  readonly rollFrom?: number
  /**
   * Of the faults of single calls of a disk that there would be, so many (0.1 to 1) happen: a store of many
   * sessions makes so many calls when it is opened that otherwise one of them would fail each time.
   * Default: all.
   */
  readonly faultShare?: number
  /** Called after each thing that happened. */
  readonly watch?: (seen: Seen) => void
}

/** What a simulated run came to. */
export interface SimulationResult {
  /** What must not happen and did; empty in a sound run. */
  readonly breaches: readonly string[]
  /** What happened, to be given as `events`; of a run of some duration it is not kept. */
  readonly actions: readonly Action[]
  /** Of everything that was decided and told, in order: equal for equal runs. */
  readonly digest: string
  readonly coverage: Coverage
  /** How often each law was checked. */
  readonly checks: ReadonlyMap<Law, number>
  readonly decisions: number
  readonly passedMs: number
}
