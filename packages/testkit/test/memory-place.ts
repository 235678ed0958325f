/**
 * A store that keeps all its promises, on a medium in memory that outlives it: what the conformance suite
 * is tried on, and what lies are built from. What a call has written is on the medium when it answers.
 */
import type { Archive, Loaded, Store, StoredSnapshot, StoreError } from '@session-recovery/core'
import { type MemoryMedium, memoryMedium, memoryStore } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import type { StoreLocation } from '../src/index.js'

// ------------------------------------------------------------------------------------------ model

/** What a place holds, and who owns it. */
export interface Medium {
  held: MemoryMedium
  owner: Store | undefined
  /** Texts whose every place was spoilt. */
  readonly spoilt: Set<string>
}

/** Makes the store of a place; a lie makes another one. */
export type Tell = (medium: Medium, truth: (medium: Medium) => Store) => Store

const limitBytes = 64 << 10

const fault = (tag: StoreError['_tag'], message: string): StoreError =>
  ({ _tag: tag, operation: 'call', what: 'it', message }) as unknown as StoreError

// ----------------------------------------------------------------------------------- constructors

/** A copy that shares nothing with the original. */
export const mediumCopy = (held: MemoryMedium): MemoryMedium => structuredClone(held)

const has = (value: unknown, spoilt: ReadonlySet<string>): boolean => {
  const text = JSON.stringify(value)
  return [...spoilt].some((one) => text.includes(one))
}

/** The truthful store at a medium. */
export const truthfulStore = (medium: Medium): Store => {
  let open = false
  const inner = () => memoryStore(medium.held)
  const using =
    <A>(call: () => TE.TaskEither<StoreError, A>): TE.TaskEither<StoreError, A> =>
    async () =>
      open && medium.owner === store ? call()() : E.left(fault('StoreUnavailable', 'not open'))
  const bounded =
    <A>(value: unknown, call: () => TE.TaskEither<StoreError, A>): TE.TaskEither<StoreError, A> =>
    async () => {
      const bytes = Buffer.byteLength(JSON.stringify(value))
      if (bytes <= limitBytes) return using(call)()
      return E.left({ _tag: 'TooLarge', what: 'it', bytes, limitBytes, message: 'too large' })
    }
  const whole = (loaded: Loaded): Loaded => {
    const bad = loaded.sessions.filter(({ record }) =>
      has(medium.held.journals.get(record.control.sessionId)?.at(-1), medium.spoilt),
    )
    return {
      ...loaded,
      sessions: loaded.sessions.filter((one) => !bad.includes(one)),
      quarantined: bad.map(() => ({
        source: 'medium',
        keptAs: 'medium',
        problem: 'entry: spoilt',
      })),
    }
  }
  const store: Store = {
    name: 'truthful',
    durability: 'disk',
    exclusive: true,
    limitBytes,
    open: async () => {
      if (medium.owner !== undefined) return E.left(fault('StoreOwned', 'owned by another'))
      medium.owner = store
      open = true
      return E.map(whole)(await inner().open())
    },
    commit: (commit) => bounded(commit, () => inner().commit(commit)),
    saveSnapshot: (snapshot) => bounded(snapshot, () => inner().saveSnapshot(snapshot)),
    readSnapshot: (id) =>
      using(
        () => async () =>
          E.chain((found: StoredSnapshot) =>
            has(found, medium.spoilt)
              ? E.left(fault('StoreUnusable', 'body: spoilt'))
              : E.right(found),
          )(await inner().readSnapshot(id)()),
      ),
    readJournal: (id) => using(() => inner().readJournal(id)),
    archive: (archive: Archive) => bounded(archive, () => inner().archive(archive)),
    readArchive: (location) => using(() => inner().readArchive(location)),
    forget: (id, incarnation) => using(() => inner().forget(id, incarnation)),
    checkpoint: (projection, through) =>
      bounded(projection, () => inner().checkpoint(projection, through)),
    close: async () => {
      open = false
      if (medium.owner === store) medium.owner = undefined
    },
  }
  return store
}

/** A place in memory, with the truthful store or the one that a lie makes. */
export const memoryPlace = (tell: Tell = (medium, truth) => truth(medium)): StoreLocation => {
  const medium: Medium = { held: memoryMedium(), owner: undefined, spoilt: new Set() }
  return {
    store: () => tell(medium, truthfulStore),
    crash: async () => {
      // What those who live on write afterwards is written to nothing.
      medium.held = mediumCopy(medium.held)
      medium.owner = undefined
    },
    spoil: async (text) => {
      const stands = JSON.stringify([...medium.held.sessions, ...medium.held.journals])
      if (!stands.includes(text)) return false
      medium.spoilt.add(text)
      return true
    },
    remove: async () => {},
  }
}
