/**
 * The kinds of fault a simulation knows, each of which can be switched on and off and is counted when it
 * really happened. What befalls the sessions themselves is no fault, but what an engine is there for.
 */
import type { Chance } from './chance.js'

// ------------------------------------------------------------------------------------------ model

export const faultKinds = [
  /** The driver takes what it was asked for and never answers. */
  'driver hangs',
  /** It throws. */
  'driver throws',
  /** It answers that it cannot. */
  'driver refuses',
  /** It says that it did what it did not do. */
  'driver lies',
  /** It answers, and acts, long after it should have. */
  'driver is late',
  /** It answers twice, the second time something else, and tells what it noticed twice. */
  'driver answers twice',
  /** What it brought back dies before it is looked at. */
  'driver breaks it',
  /** What it was asked for does not work, for one of the reasons there are. */
  'strategy fails',
  /** The host that several sessions share dies, and comes back after a while. */
  'dead host',
  /** The credential that they share is not taken. */
  'refused credential',
  /** Somebody's word is all the proof there is. */
  'proof is a claim',
  /** A healthy session looks stuck. */
  'false alarm',
  /** The disk answers one call with that. */
  'EIO',
  'ENOSPC',
  'EACCES',
  /** It does what it is asked, and answers that it failed. */
  'false failure',
  /** It takes fewer bytes than it was given. */
  'short write',
  'slow disk',
  /** It refuses everything for a while. */
  'disk outage',
  /** What the engine was writing when it died is there in part. */
  'torn tail',
  /** The machine loses its power: what was not flushed may be gone. */
  'power cut',
  /** The engine dies between any two things it does. */
  'engine crash',
  'wall clock jump',
  /** The machine sleeps: every timer is late. */
  'suspend',
] as const
export type FaultKind = (typeof faultKinds)[number]

/** What a simulation keeps its sessions in. */
export const storeKinds = ['memory', 'disk', 'fs'] as const
/** A store in memory; the store on a disk in memory, which forgets; the same on this machine's disk. */
export type StoreKind = (typeof storeKinds)[number]

const ofFiles: ReadonlySet<FaultKind> = new Set(['false failure', 'short write', 'torn tail'])

/** The faults that can happen where sessions are kept in `store`. */
export const faultsOf = (store: StoreKind): readonly FaultKind[] =>
  faultKinds.filter(
    (kind) =>
      (store !== 'memory' || !ofFiles.has(kind)) && (kind !== 'power cut' || store === 'disk'),
  )

// ------------------------------------------------------------------------------------------- book

/** Which faults may happen, and how often each did. */
export class FaultBook {
  readonly #on: ReadonlySet<FaultKind>
  readonly #chance: Chance
  readonly #counts = new Map<FaultKind, number>()
  #isCalm = false

  constructor(on: Iterable<FaultKind>, chance: Chance) {
    this.#on = new Set(on)
    this.#chance = chance
  }

  /** How often each kind happened. */
  get counts(): ReadonlyMap<FaultKind, number> {
    return this.#counts
  }

  /** Whether no fault happens any more. */
  get isCalm(): boolean {
    return this.#isCalm
  }

  may(kind: FaultKind): boolean {
    return !this.#isCalm && this.#on.has(kind)
  }

  /** Whether `kind` happens now, which it does in `percent` of a hundred cases; counted if so. */
  strikes(kind: FaultKind, percent: number): boolean {
    if (!this.may(kind) || !this.#chance.percent(percent)) return false
    this.happened(kind)
    return true
  }

  /** The one of `kinds` that happens now, each in `percent` of a hundred cases. */
  oneOf<K extends FaultKind>(kinds: readonly K[], percent: number): K | undefined {
    return kinds.find((kind) => this.strikes(kind, percent))
  }

  happened(kind: FaultKind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
  }

  /** From now on no fault happens. */
  calm(): void {
    this.#isCalm = true
  }
}
