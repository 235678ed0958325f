/**
 * A memory store with a disk's bad habits: it takes its time, refuses, and a crash may come before or
 * after what it was writing took effect.
 */
import type { Clock, JournalEntry, SessionRecord, Store, StoreError } from '@session-recovery/core'
import { type MemoryMedium, memoryStore } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import type { Chance } from './chance.js'

/** What a simulation knows of its disk; it outlives a crash of the engine. */
export interface FakeDisk {
  readonly medium: MemoryMedium
  /** Tokens of effects whose decision is durable. */
  readonly decided: Set<string>
  /** Every entry that became durable, in order, with its record. */
  readonly entries: { readonly entry: JournalEntry; readonly record: SessionRecord }[]
  /** The disk refuses everything. */
  down: boolean
  /** Percent of writes refused while it is up. */
  refusals: number
}

export interface FaultyStore extends Store {
  /** The process dies: writes under way take effect or not, and nothing is answered any more. */
  readonly crash: () => void
}

const broken: StoreError = {
  _tag: 'StoreUnavailable',
  operation: 'write',
  code: 'EIO',
  message: 'the disk refuses',
}

export const faultyStore = (disk: FakeDisk, clock: Clock, chance: Chance): FaultyStore => {
  const store = memoryStore(disk.medium)
  const writing = new Set<() => void>()
  let crashed = false

  /** Takes its time, then writes or refuses, then takes its time to say so. */
  const slowly = async <A>(write: () => Promise<E.Either<StoreError, A>>) => {
    let result: E.Either<StoreError, A> = E.left(broken)
    let finish = () => {}
    const applied = new Promise<void>((resolve) => {
      finish = resolve
    })
    const refused = disk.down || chance.percent(disk.refusals)
    const apply = async () => {
      writing.delete(inFlight)
      if (!refused) result = await write()
      finish()
    }
    const inFlight = () => void apply()
    writing.add(inFlight)
    clock.schedule(chance.pick([0, 0, 1, 3, 20]), inFlight)
    await applied
    if (crashed) return new Promise<never>(() => {})
    return result
  }

  return {
    ...store,
    durability: 'memory',
    commit: (commit) => () =>
      slowly(async () => {
        const result = await store.commit(commit)()
        if (E.isRight(result)) {
          disk.entries.push({ entry: commit.entry, record: commit.record })
          for (const effect of commit.entry.effects) {
            if ('token' in effect) disk.decided.add(effect.token)
          }
        }
        return result
      }),
    saveSnapshot: (snapshot) => () => slowly(store.saveSnapshot(snapshot)),
    archive: (archive) => () => slowly(store.archive(archive)),
    crash: () => {
      crashed = true
      for (const inFlight of [...writing]) {
        writing.delete(inFlight)
        if (chance.percent(50)) inFlight()
      }
    },
  }
}
