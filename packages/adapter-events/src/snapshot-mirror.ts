/**
 * What the app told of its sessions, in memory: the class answers at once, and from before the store has
 * answered, as the seed did. Nothing in it is shared with the app: what goes in and out are values.
 */
import {
  applicationJson,
  bounded,
  type InteractiveState,
  type RecoverySnapshot,
  type SnapshotLimit,
  type SnapshotUpdate,
  withUpdate,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { withSince } from './interactive-state.js'

export class SnapshotMirror {
  readonly #limit: SnapshotLimit
  readonly #wallMs: () => number
  readonly #snapshots = new Map<string, RecoverySnapshot>()

  /** @param wallMs milliseconds since the epoch. */
  constructor(limit: SnapshotLimit, wallMs: () => number) {
    this.#limit = limit
    this.#wallMs = wallMs
  }

  get size(): number {
    return this.#snapshots.size
  }

  has(sessionId: string): boolean {
    return this.#snapshots.has(sessionId)
  }

  /** The snapshot as a value, of which the caller may do as it likes. */
  get(sessionId: string): RecoverySnapshot | undefined {
    return structuredClone(this.#snapshots.get(sessionId))
  }

  ids(): readonly string[] {
    return [...this.#snapshots.keys()]
  }

  interactive(sessionId: string): InteractiveState | undefined {
    return this.#snapshots.get(sessionId)?.interactiveState
  }

  /** Begins a session, or begins it anew. */
  put(snapshot: RecoverySnapshot): void {
    const { sessionState, sessionOptions, ...rest } = snapshot
    const value = {
      ...structuredClone(rest),
      sessionState: asStored(sessionState),
      sessionOptions: asStored(sessionOptions),
    }
    this.#snapshots.set(snapshot.sessionId, bounded(value, this.#limit))
  }

  /**
   * Changes what is known of a session; nothing happens where none is.
   *
   * @returns the update with the times it lacks, which is what the engine is to be told.
   */
  change(sessionId: string, update: SnapshotUpdate): SnapshotUpdate {
    const now = new Date(this.#wallMs())
    const before = this.#snapshots.get(sessionId)
    const { interactiveState } = update
    const whole =
      interactiveState === undefined
        ? update
        : {
            ...update,
            interactiveState: withSince(before?.interactiveState, interactiveState, now),
          }
    if (before !== undefined) this.put(withUpdate(before, whole, now))
    return whole
  }

  delete(sessionId: string): void {
    this.#snapshots.delete(sessionId)
  }

  clear(): void {
    this.#snapshots.clear()
  }
}

/** What a store would give back: a value without what cannot be stored, such as functions. */
const asStored = (value: unknown): unknown => {
  const read = applicationJson.decode(applicationJson.encode(value))
  return E.isRight(read) ? read.right : null
}
