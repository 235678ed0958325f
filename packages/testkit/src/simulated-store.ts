/**
 * The store of a simulation as one life of an engine sees it: whatever it is beneath, it tells what was
 * tried, what was acknowledged and what was found, and the engine may die on either side of every call.
 */
import type { Loaded, Store, StoreError } from '@session-recovery/core'
import { type MemoryMedium, memoryStore } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import type { Chance } from './chance.js'
import { type EngineLife, never } from './engine-life.js'
import type { FaultBook } from './fault.js'
import type { Pledge } from './pledge.js'

type Answer<A> = Promise<E.Either<StoreError, A>>

/** `inner` for one life; `pledge` is told what it promises. */
export const simulatedStore = (inner: Store, life: EngineLife, pledge: Pledge): Store => {
  const mortal = async <A>(ask: () => Answer<A>, told: (answer: A) => void): Answer<A> => {
    if (!life.passes()) return never()
    const answer = await ask()
    // What was answered before the engine died is a promise, whether or not the engine heard it.
    if (!life.isDead && E.isRight(answer)) told(answer.right)
    return life.passes() ? answer : never()
  }
  const nothing = () => undefined
  const wakeable = (loaded: Loaded): Loaded => {
    const { resting } = loaded
    if (resting === undefined) return loaded
    const read = (sessionId: string) => {
      const found = resting.read(sessionId)
      if (!life.isDead) pledge.woken(sessionId, found)
      return found
    }
    return { ...loaded, resting: { ...resting, read } }
  }
  return {
    ...inner,
    open: async () => E.map(wakeable)(await mortal(inner.open, (loaded) => pledge.found(loaded))),
    commit: (commit) => () => {
      if (!life.isDead) pledge.tries(commit)
      return mortal(inner.commit(commit), () => pledge.committed(commit))
    },
    saveSnapshot: (snapshot) => () => {
      if (!life.isDead) pledge.triesToSave(snapshot)
      return mortal(inner.saveSnapshot(snapshot), () => pledge.saved(snapshot))
    },
    archive: (archive) => () =>
      mortal(inner.archive(archive), (location) => pledge.archived(location, archive.token)),
    forget: (sessionId, incarnation) => () => {
      if (!life.isDead) pledge.triesToForget(sessionId, incarnation)
      return mortal(inner.forget(sessionId, incarnation), () =>
        pledge.forgotten(sessionId, incarnation),
      )
    },
    readSnapshot: (sessionId) => () => mortal(inner.readSnapshot(sessionId), nothing),
    readJournal: (sessionId) => () => mortal(inner.readJournal(sessionId), nothing),
    readArchive: (location) => () => mortal(inner.readArchive(location), nothing),
    checkpoint: (projection, throughSeq) => () =>
      mortal(inner.checkpoint(projection, throughSeq), nothing),
    close: async () => {
      if (life.passes()) await inner.close()
      else await never()
    },
  }
}

/** What the store in memory needs to know of its disk's habits. */
export interface MemoryHabits {
  readonly medium: MemoryMedium
  readonly life: EngineLife
  readonly faults: FaultBook
  readonly chance: Chance
  readonly isDown: () => boolean
}

const failures = ['EIO', 'ENOSPC', 'EACCES'] as const

const refusal = (operation: string, code: string): StoreError => ({
  _tag: 'StoreUnavailable',
  operation,
  code,
  message: `${code}: the disk refuses`,
})

/** A store in memory with a disk's habits: slow, refusing, and a crash comes before or after a write. */
export const moodyStore = ({ medium, life, faults, chance, isDown }: MemoryHabits): Store => {
  const store = memoryStore(medium)
  const refusedBy = (operation: string): StoreError | undefined => {
    if (isDown()) return refusal(operation, 'EIO')
    const code = faults.oneOf(failures, 1)
    return code === undefined ? undefined : refusal(operation, code)
  }
  const moody = async <A>(operation: string, write: () => Answer<A>): Answer<A> => {
    if (faults.strikes('slow disk', 25)) {
      const over = life.whenDying(() => {
        if (chance.percent(50)) void write()
      })
      await life.wait(chance.pick([0, 1, 3, 20, 3_000]))
      over()
    }
    const refused = refusedBy(operation)
    return refused === undefined ? write() : E.left(refused)
  }
  return {
    ...store,
    commit: (commit) => () => moody('commit', store.commit(commit)),
    saveSnapshot: (snapshot) => () => moody('saveSnapshot', store.saveSnapshot(snapshot)),
    archive: (archive) => () => moody('archive', store.archive(archive)),
    forget: (sessionId, incarnation) => () => moody('forget', store.forget(sessionId, incarnation)),
    checkpoint: (projection, throughSeq) => () =>
      moody('checkpoint', store.checkpoint(projection, throughSeq)),
  }
}
