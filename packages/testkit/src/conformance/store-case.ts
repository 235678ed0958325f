/** A case of the conformance suite of stores, and what a store must declare for it to apply. */
import type { Store } from '@session-recovery/core'
import type { StoreLocation } from './store-rig.js'
import type { StoreScene } from './store-scene.js'

// ------------------------------------------------------------------------------------------ model

export interface PlannedCase {
  readonly name: string
  readonly needs?: readonly Need[]
  readonly play: (scene: StoreScene) => Promise<void>
}

/**
 * `crash`: what was acknowledged survives one; `exclusive`: one store at a time; `limit`: what is larger
 * is refused; `spoil`: the harness can spoil what is stored.
 */
export type Need = 'crash' | 'exclusive' | 'limit' | 'spoil'

// ------------------------------------------------------------------------------------ combinators

/** Why a case does not apply, from what is declared alone; `undefined` when it does. */
export const storeCaseSkipped = (
  { needs = [] }: PlannedCase,
  store: Store,
  place: StoreLocation,
): string | undefined => {
  const why: Readonly<Record<Need, string | undefined>> = {
    crash:
      store.durability === 'disk' ? undefined : 'the store declares that no process outlives it',
    exclusive: store.exclusive === true ? undefined : 'the store does not declare to be exclusive',
    limit: store.limitBytes === undefined ? 'the store declares no limit' : undefined,
    spoil: place.spoil === undefined ? 'the harness cannot spoil what is stored' : undefined,
  }
  return needs.flatMap((need) => why[need] ?? [])[0]
}
