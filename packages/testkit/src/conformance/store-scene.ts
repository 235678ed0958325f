/**
 * Asking a store as the engine does: an answer that is no member of the closed union, a rejection, or none
 * in time is a breach, whatever the case is about.
 */
import { isDeepStrictEqual } from 'node:util'
import { type Loaded, loadedSessions, type Store, type StoreError } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import type { StoreLocation } from './store-rig.js'

// ------------------------------------------------------------------------------------------ model

/** A place in use. Stores that are opened here are closed when the case is over. */
export interface StoreScene {
  readonly place: StoreLocation
  /** A new store, opened. */
  readonly open: () => Promise<OpenedStore>
  /** Closes the store, and opens another at the place. */
  readonly reopen: (opened: OpenedStore) => Promise<OpenedStore>
  /** Crashes what runs, and opens another store at the place. */
  readonly crashed: () => Promise<OpenedStore>
  /** Has the store closed when the case is over. */
  readonly track: (store: Store) => Store
  /** Runs a call that must succeed. */
  readonly done: <A>(what: string, call: TE.TaskEither<StoreError, A>) => Promise<A>
  /** Runs a call that must be refused with one of `tags`. */
  readonly refused: <A>(
    what: string,
    call: TE.TaskEither<StoreError, A>,
    ...tags: readonly StoreError['_tag'][]
  ) => Promise<StoreError>
  /** Runs a call that may be refused. */
  readonly asked: <A>(
    what: string,
    call: TE.TaskEither<StoreError, A>,
  ) => Promise<E.Either<StoreError, A>>
  readonly end: () => Promise<void>
}

export interface OpenedStore {
  readonly store: Store
  readonly loaded: Loaded
}

/** A breach of the port. */
export class Breach extends Error {}

const tags: ReadonlySet<string> = new Set<StoreError['_tag']>([
  'RevisionConflict',
  'StoreUnavailable',
  'StoreOwned',
  'StoreUnusable',
  'TooLarge',
  'NotFound',
  'KeyMissing',
  'SealBroken',
])

// ----------------------------------------------------------------------------------- constructors

export const storeSceneOf = (place: StoreLocation, patienceMs: number): StoreScene => {
  const tracked = new Set<Store>()
  const asked: StoreScene['asked'] = async (what, call) =>
    typed(what, await inTime(what, patienceMs, called(what, call)))
  const done: StoreScene['done'] = async (what, call) => {
    const answer = await asked(what, call)
    if (E.isRight(answer)) return answer.right
    throw new Breach(`${what}: refused: ${answer.left._tag}: ${answer.left.message}`)
  }
  const track = (store: Store): Store => {
    tracked.add(store)
    return store
  }
  const open = async () => {
    const store = track(place.store())
    const loaded = await done('open', store.open)
    return { store, loaded: { ...loaded, sessions: loadedSessions(loaded) } }
  }
  return {
    place,
    open,
    track,
    asked,
    done,
    refused: async (what, call, ...expected) => {
      const answer = await asked(what, call)
      if (E.isRight(answer)) throw new Breach(`${what}: accepted, which had to be refused`)
      if (expected.includes(answer.left._tag)) return answer.left
      throw new Breach(`${what}: expected ${expected.join(' or ')}, got ${answer.left._tag}`)
    },
    reopen: async ({ store }) => {
      await inTime('close', patienceMs, store.close())
      return open()
    },
    crashed: async () => {
      tracked.clear()
      await inTime('the crash', patienceMs, place.crash())
      return open()
    },
    end: async () => {
      for (const store of tracked) await inTime('close', patienceMs, store.close())
    },
  }
}

// ------------------------------------------------------------------------------------ combinators

const called = async <A>(what: string, call: TE.TaskEither<StoreError, A>) => {
  try {
    return await call()
  } catch (error) {
    throw new Breach(`${what}: threw ${String(error)}`)
  }
}

const typed = <A>(what: string, answer: E.Either<StoreError, A>): E.Either<StoreError, A> => {
  if (E.isRight(answer)) return answer
  if (!tags.has(answer.left._tag) || typeof answer.left.message !== 'string') {
    throw new Breach(`${what}: no error of a store: ${JSON.stringify(answer.left)}`)
  }
  return answer
}

/** Waits for `work`, but not for ever. */
export const inTime = async <A>(what: string, patienceMs: number, work: Promise<A>): Promise<A> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Breach(`${what}: no answer within ${patienceMs} ms`)),
      patienceMs,
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

const shownCharacters = 400

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text
}

/** Breaks off the case where `actual` is not `expected`, to the last field. */
export const same = (what: string, actual: unknown, expected: unknown): void => {
  if (isDeepStrictEqual(actual, expected)) return
  throw new Breach(`${what}: expected ${shown(expected)}, got ${shown(actual)}`)
}

/** Breaks off the case where `holds` is false. */
export const sure = (what: string, holds: boolean): void => {
  if (!holds) throw new Breach(what)
}
