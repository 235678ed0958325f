/**
 * Stores that are truthful but for one thing, and the case of the conformance suite that has to see
 * through each.
 */
import type { Loaded, Store, StoreError } from '@session-recovery/core'
import { memoryMedium } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { type Medium, mediumCopy, type Tell } from './memory-place.js'

// ------------------------------------------------------------------------------------------ model

export interface StoreLie {
  readonly lie: string
  readonly caughtBy: string
  readonly tell: Tell
}

type Write = 'commit' | 'saveSnapshot' | 'archive' | 'forget' | 'checkpoint'
const writes: readonly Write[] = ['commit', 'saveSnapshot', 'archive', 'forget', 'checkpoint']

// ----------------------------------------------------------------------------------- constructors

/** The truth but for what `change` makes of it. */
export const but =
  (change: (truth: Store, medium: Medium) => Partial<Store>): Tell =>
  (medium, truthful) => {
    const truth = truthful(medium)
    return { ...truth, ...change(truth, medium) }
  }

/**
 * What `late` names is answered before it is on the medium: it gets there when the store is closed, soon,
 * or when the next write comes.
 */
export const behind =
  (late: ReadonlySet<Write>, catchesUp: 'on closing' | 'soon' | 'with the next write'): Tell =>
  (medium, truthful) => {
    const shadow: Medium = { held: memoryMedium(), owner: undefined, spoilt: medium.spoilt }
    const [front, back] = [truthful(shadow), truthful(medium)]
    const waiting: (() => Promise<unknown>)[] = []
    const drain = async () => {
      for (const one of waiting.splice(0)) await one()
    }
    type AnyCall = (...args: readonly unknown[]) => () => Promise<E.Either<StoreError, unknown>>
    const write =
      (name: Write) =>
      (...args: readonly unknown[]) =>
      async () => {
        const answer = await (front[name] as AnyCall)(...args)()
        if (E.isLeft(answer)) return answer
        const through = (back[name] as AnyCall)(...args)
        if (catchesUp === 'with the next write') await drain()
        if (!late.has(name)) await through()
        else waiting.push(through)
        if (catchesUp === 'soon') setTimeout(() => void drain(), 2)
        return answer
      }
    return {
      ...front,
      ...(Object.fromEntries(writes.map((name) => [name, write(name)])) as Pick<Store, Write>),
      open: async () => {
        const opened = await back.open()
        if (E.isRight(opened)) {
          shadow.held = mediumCopy(medium.held)
          await front.open()
        }
        return opened
      },
      close: async () => {
        if (catchesUp !== 'with the next write') await drain()
        await front.close()
        await back.close()
      },
    }
  }

export const opening = (truth: Store, change: (loaded: Loaded) => Loaded): Store['open'] => {
  return async () => E.map(change)(await truth.open())
}

export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

export const yes: E.Either<never, void> = E.right(undefined)

// ------------------------------------------------------------------------------------ the planted

export const planted: readonly StoreLie[] = [
  {
    lie: 'caches: what it acknowledged is on the medium when it is closed',
    caughtBy: 'an acknowledged commit survives a crash',
    tell: behind(new Set(writes), 'on closing'),
  },
  {
    lie: 'acknowledges early: what it acknowledged is on the medium soon',
    caughtBy: 'a crash under load loses nothing and tears nothing',
    tell: behind(new Set(writes), 'soon'),
  },
  {
    lie: 'loses the last write',
    caughtBy: 'records are there when the place is opened again',
    tell: behind(new Set(writes), 'with the next write'),
  },
]
