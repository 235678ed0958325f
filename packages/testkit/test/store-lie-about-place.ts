/** Stores that lie about crashes, owners and damage. */
import type { Store } from '@session-recovery/core'
import { memoryMedium } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import type { Medium } from './memory-place.js'
import { behind, but, opening, type StoreLie, turn, yes } from './store-lie.js'

export const aboutCrashes: readonly StoreLie[] = [
  ...(
    [
      ['saveSnapshot', 'an acknowledged snapshot survives a crash'],
      ['archive', 'an acknowledged archive survives a crash'],
      ['forget', 'what was forgotten stays so after a crash'],
      ['checkpoint', 'an acknowledged checkpoint survives a crash'],
    ] as const
  ).map(([name, caughtBy]) => ({
    lie: `holds ${name} back until it is closed`,
    caughtBy,
    tell: behind(new Set([name]), 'on closing'),
  })),
  {
    lie: 'empties the medium before it writes the checkpoint',
    caughtBy: 'a crash while a checkpoint is written loses nothing',
    tell: but((truth, medium) => ({
      checkpoint: (projection, through) => async () => {
        const then = medium.held
        const emptied = memoryMedium()
        medium.held = emptied
        for (let i = 0; i < 4; i++) await turn()
        if (medium.held === emptied) medium.held = then
        return truth.checkpoint(projection, through)()
      },
      commit: (commit) => async () => {
        const answer = await truth.commit(commit)()
        if (E.isLeft(answer) && answer.left._tag === 'RevisionConflict') return yes
        return answer
      },
    })),
  },
  {
    lie: 'is not there for a third time without having been closed',
    caughtBy: 'a crash right after a crash loses nothing',
    tell: (() => {
      const crashes = new WeakMap<Medium, number>()
      return but((truth, medium) => ({
        open: async () => {
          const before = crashes.get(medium) ?? 0
          crashes.set(medium, before + 1)
          if (before > 2) medium.held = memoryMedium()
          return truth.open()
        },
        close: async () => {
          crashes.set(medium, 0)
          await truth.close()
        },
      }))
    })(),
  },
]

export const aboutOwners: readonly StoreLie[] = [
  {
    lie: 'takes the place from whoever has it',
    caughtBy: 'one store at a time owns a place',
    tell: but((truth, medium) => ({
      open: async () => {
        medium.owner = undefined
        return truth.open()
      },
    })),
  },
  {
    lie: 'looks whether the place is free, and takes it later',
    caughtBy: 'of many that open at once one owns the place',
    tell: but((truth, medium) => ({
      open: async () => {
        const isFree = medium.owner === undefined
        await turn()
        if (isFree) medium.owner = undefined
        return truth.open()
      },
    })),
  },
  {
    lie: 'waits for an owner that is dead',
    caughtBy: 'a crash frees the place at once',
    tell: (() => {
      const owned = new WeakSet<Medium>()
      return but((truth, medium) => ({
        open: async () => {
          if (owned.has(medium)) return E.left({ _tag: 'StoreOwned', message: 'it says so' })
          const answer = await truth.open()
          if (E.isRight(answer)) owned.add(medium)
          return answer
        },
        close: async () => {
          owned.delete(medium)
          await truth.close()
        },
      }))
    })(),
  },
]

const unchecked = (_: Store, medium: Medium): Partial<Store> => ({
  readSnapshot: (id) => async () => {
    const found = medium.held.sessions.get(id)?.snapshot
    if (found !== undefined) return E.right(found)
    return E.left({ _tag: 'NotFound', what: id, message: 'it is not there' })
  },
})

export const aboutDamage: readonly StoreLie[] = [
  {
    lie: 'reads what was spoilt as if it were whole',
    caughtBy: 'a snapshot that was spoilt while closed is never handed out; others load',
    tell: but(unchecked),
  },
  {
    lie: 'takes what was spoilt into a checkpoint as if it were whole',
    caughtBy: 'a snapshot that was spoilt while open is never handed out; others load',
    tell: but((truth, medium) => ({
      checkpoint: (projection, through) => async () => {
        medium.spoilt.clear()
        return truth.checkpoint(projection, through)()
      },
    })),
  },
  {
    lie: 'says nothing of what it had to set aside',
    caughtBy: 'a spoilt record is set aside and told; others load',
    tell: but((truth) => ({
      open: opening(truth, (loaded) => ({ ...loaded, quarantined: [] })),
    })),
  },
]
