/** Bugs planted between the engine and its ports: each is found by simulations, within a few runs. */
import {
  type Driver,
  type Loaded,
  type RunRequest,
  receiptOf,
  type Store,
  type Verdict,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { type Alteration, type SimulationOptions, simulate } from '../src/index.js'

const mostRuns = 100

/** Acknowledges a decision before it is durable. */
const eager = (store: Store): Store => ({
  ...store,
  commit: (commit) => async () => {
    void store.commit(commit)()
    return E.right(undefined)
  },
})

/** Acknowledges what it never writes, now and then. */
const lossy = (): Alteration => {
  let commits = 0
  return {
    store: (store) => ({
      ...store,
      commit: (commit) => async () => {
        commits += 1
        return commits % 7 === 0 ? E.right(undefined) : store.commit(commit)()
      },
    }),
  }
}

/** Shows what it held when it was opened before. */
const stale = (): Alteration => {
  let before: Awaited<ReturnType<Store['open']>> | undefined
  return {
    store: (store) => ({
      ...store,
      open: async () => {
        const opened = await store.open()
        const shown = before !== undefined && E.isRight(opened) ? before : opened
        if (E.isRight(opened)) before = opened
        return shown
      },
    }),
  }
}

/** Counts what was used of the budget twice when it is opened. */
const doubling = (store: Store): Store => ({
  ...store,
  open: async () =>
    E.map((loaded: Loaded) => ({
      ...loaded,
      sessions: loaded.sessions.map(({ record, ...rest }) => ({
        ...rest,
        record: { ...record, control: { ...record.control, used: 2 * record.control.used } },
      })),
    }))(await store.open()),
})

/** After a crash runs again, blindly, whatever was not answered. */
const blind = (): Alteration => {
  let unanswered: RunRequest | undefined
  return {
    driver: (driver) => ({
      ...driver,
      watch: (listen) => {
        if (unanswered !== undefined)
          void driver
            .run(unanswered)()
            .catch(() => undefined)
        unanswered = undefined
        return driver.watch(listen)
      },
      run: (request) => async () => {
        unanswered = request
        const outcome = await driver.run(request)()
        unanswered = undefined
        return outcome
      },
    }),
  }
}

/** Runs every strategy twice, to be sure. */
const twofold = (driver: Driver): Driver => ({
  ...driver,
  run: (request) => async () => {
    const [outcome] = await Promise.all([driver.run(request)(), driver.run(request)()])
    return outcome
  },
})

/** Says that a session lives without having looked. */
const believing = (driver: Driver): Driver => ({
  ...driver,
  verify: (request) => async () =>
    E.map((verdict: Verdict) =>
      verdict._tag === 'alive'
        ? verdict
        : ({ _tag: 'alive', receipt: receiptOf('observed', {}) } as const),
    )(await driver.verify(request)()),
})

/** A disk whose flushes do nothing, of files or of directories. */
const unflushed = (what: 'files' | 'names'): Alteration => ({
  disk: (disk) => {
    const skipping = (file: Awaited<ReturnType<typeof disk.open>>) =>
      what === 'files' ? { ...file, sync: async () => {} } : file
    return {
      ...disk,
      create: async (path) => skipping(await disk.create(path)),
      open: async (path) => skipping(await disk.open(path)),
      syncDirectory: async (path) => {
        if (what === 'files') await disk.syncDirectory(path)
      },
    }
  },
})

const bugs: readonly (readonly [string, () => SimulationOptions['alteration'], RegExp])[] = [
  ['a decision is acknowledged before it is durable', () => ({ store: eager }), /^law [26]/],
  ['a decision is acknowledged and never written', lossy, /^law [126]/],
  ['what was decided since is not shown when a store is opened', stale, /^law [16]/],
  ['the budget is counted twice', () => ({ store: doubling }), /^law [14]/],
  ['what a crash interrupted is repeated blindly', blind, /^law [247]/],
  ['a strategy is run twice', () => ({ driver: twofold }), /^law [47]/],
  ['nobody looked whether a session lives', () => ({ driver: believing }), /^law 3/],
  ['files are not flushed', () => unflushed('files'), /^law 6/],
  ['names are not flushed', () => unflushed('names'), /^law 6/],
]

test.each(bugs)('it is found when %s', async (_, alteration, law) => {
  const altered = alteration()
  const planted = altered === undefined ? {} : { alteration: altered }
  for (let seed = 1; seed <= mostRuns; seed++) {
    const { breaches } = await simulate({ seed, ...planted })
    if (breaches.some((breach) => law.test(breach))) return
  }
  expect.fail(`${mostRuns} simulations did not find it`)
})
