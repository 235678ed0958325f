/**
 * Acknowledged writes of a thousand callers at once, beside a loop that appends the same bytes in the same
 * batches and flushes each: what the checks, the encoding, the checksums and the promises cost.
 */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileStore } from '@session-recovery/adapter-fs'
import type { Commit, Store, StoredSnapshot } from '@session-recovery/core'
import type { SeedClass } from './baseline.js'
import { inPairs, rateOf } from './pairing.js'
import {
  bulkOf,
  callers,
  done,
  firstCommit,
  idOf,
  laterCommit,
  sessionOptions,
  snapshotOf,
} from './population.js'
import { atLeast, type Figure, type Measured, type Row, type Trial } from './row.js'

const ids = Array.from({ length: callers }, (_, i) => idOf(i))
const commitTurns = 10
const snapshotTurns = 3
const groupBytes = 8 << 20
const asText = 'a loop that makes JSON of the same values, and nothing else'

// -------------------------------------------------------------------------------------- the least

/** Appends and flushes one batch after the other. */
const appended = async (path: string, batches: Iterable<Buffer>): Promise<void> => {
  const file = await open(path, 'w')
  let position = 0
  try {
    for (const batch of batches) {
      for (let from = 0; from < batch.length; from += groupBytes) {
        const piece = batch.subarray(from, from + groupBytes)
        await file.write(piece, 0, piece.length, position)
        await file.datasync()
        position += piece.length
      }
    }
  } finally {
    await file.close()
  }
}

const linesOf = (
  turns: number,
  line: (id: string, turn: number) => string,
): (() => Iterable<Buffer>) =>
  function* () {
    for (let turn = 0; turn < turns; turn++) {
      yield Buffer.from(ids.map((id) => line(id, turn)).join(''))
    }
  }

const bareRate = (path: string, turns: number, batches: () => Iterable<Buffer>) => () =>
  rateOf(turns * callers, () => appended(path, batches()))

/** Makes texts of `values` and nothing else: no store of JSON lines can do with less. */
const textRate = (values: () => Iterable<unknown>, count: number) => (): Promise<number> => {
  const ready = [...values()]
  return rateOf(count, () => {
    let characters = 0
    for (const value of ready) characters += JSON.stringify(value).length
    if (characters === 0) throw new Error('nothing was made')
  })
}

// --------------------------------------------------------------------------------------- measured

const opened = async (
  directory: string,
): Promise<{ store: Store; commits: Map<string, Commit> }> => {
  const store = fileStore({ directory: join(directory, 'store') })
  await done(store.open)
  const atMs = Date.now()
  const commits = new Map(ids.map((id, i) => [id, firstCommit(id, i + 1, atMs)]))
  await Promise.all([...commits.values()].map((commit) => done(store.commit(commit))))
  return { store, commits }
}

const commits = async ({ rounds, directory, progress }: Trial): Promise<Measured> => {
  const { store, commits: last } = await opened(directory)
  let seq = callers
  // Made before they are stored: what a caller gives is as ready as the bytes it is measured beside.
  const nextOf = (id: string): readonly Commit[] =>
    Array.from({ length: commitTurns }, () => {
      const next = laterCommit(last.get(id) as Commit, ++seq)
      last.set(id, next)
      return next
    })
  const each = async (ready: readonly Commit[]): Promise<void> => {
    for (const next of ready) await done(store.commit(next))
  }
  const measured = () => {
    const ready = ids.map(nextOf)
    return rateOf(commitTurns * callers, () => Promise.all(ready.map(each)))
  }
  const lineOf = (commit: Commit) => `{"crc":"00000000","commit":${JSON.stringify(commit)}}\n`
  const ready = [...linesOf(1, (id) => lineOf(last.get(id) as Commit))()][0] ?? Buffer.alloc(0)
  const path = join(directory, 'bare')
  const same = (): Iterable<Buffer> => Array.from({ length: commitTurns }, () => ready)
  const written = linesOf(commitTurns, (id) => lineOf(last.get(id) as Commit))
  const what = 'acknowledged record commits, 1,000 callers'
  const bare = 'a raw append and fdatasync loop, same bytes and batch'
  const options = { rounds, measured, progress, warmUps: 3 }
  const pairs = await inPairs({ ...options, reference: bareRate(path, commitTurns, () => same()) })
  const serialised = await inPairs({ ...options, reference: bareRate(path, commitTurns, written) })
  const values = () => Array.from({ length: commitTurns }, () => [...last.values()]).flat()
  const texts = await inPairs({ ...options, reference: textRate(values, commitTurns * callers) })
  await store.close()
  return {
    figures: [
      { what, unit: '/s', reference: bare, pairs, bound: atLeast(0.5) },
      { what, unit: '/s', reference: 'a raw loop that also serialises', pairs: serialised },
      { what, unit: '/s', reference: asText, pairs: texts },
    ],
  }
}

const seedRate = async (Seed: SeedClass, directory: string): Promise<() => Promise<number>> => {
  const seed = new Seed({ persistencePath: join(directory, 'seed'), snapshotInterval: 0 })
  await seed.start()
  for (const id of ids) await seed.registerSession(id, {}, sessionOptions)
  let turn = 0
  return () => {
    turn += 1
    const bulk = bulkOf(turn)
    const update = (id: string) => seed.updateSessionSnapshot(id, bulk)
    return rateOf(callers, () => Promise.all(ids.map(update)))
  }
}

const snapshots = async (trial: Trial): Promise<Measured> => {
  const { rounds, directory, progress, seed } = trial
  const { store } = await opened(directory)
  const atMs = Date.now()
  let generation = 0
  // One bulk a turn, made before: as the seed is given, and as the raw loop is.
  const turnsOf = (): ((id: string) => readonly StoredSnapshot[]) => {
    const bulks = Array.from({ length: snapshotTurns }, () => bulkOf(++generation))
    const first = generation - snapshotTurns + 1
    return (id) => bulks.map((bulk, turn) => snapshotOf(id, first + turn, atMs, bulk))
  }
  const measured = (): Promise<number> => {
    const ready = ids.map(turnsOf())
    const each = async (turns: readonly StoredSnapshot[]): Promise<void> => {
      for (const snapshot of turns) await done(store.saveSnapshot(snapshot))
    }
    return rateOf(snapshotTurns * callers, () => Promise.all(ready.map(each)))
  }
  const reference = (): Promise<number> => {
    const of = turnsOf()
    const ready = new Map(ids.map((id) => [id, of(id)]))
    const written = linesOf(
      snapshotTurns,
      (id, turn) => `${JSON.stringify(ready.get(id)?.[turn])}\n`,
    )
    return bareRate(join(directory, 'bare'), snapshotTurns, written)()
  }
  const options = { rounds, measured, progress, warmUps: 2 }
  const what = 'acknowledged 20 KB snapshots, 1,000 callers'
  const figures: Figure[] = [
    {
      what,
      unit: '/s',
      reference: 'a raw append and fdatasync loop that also serialises',
      pairs: await inPairs({ ...options, reference }),
      bound: atLeast(0.6),
    },
  ]
  const values = () => ids.flatMap(turnsOf())
  const texts = await inPairs({
    ...options,
    reference: textRate(values, snapshotTurns * callers),
  })
  figures.push({ what, unit: '/s', reference: asText, pairs: texts })
  if (seed !== undefined) {
    const pairs = await inPairs({ ...options, reference: await seedRate(seed, directory) })
    const writes = "the seed's writes, which are not durable"
    figures.push({ what, unit: '/s', reference: writes, pairs, bound: atLeast(15) })
  }
  await store.close()
  return { figures }
}

export const appendRows: readonly Row[] = [
  { name: 'commit', what: 'acknowledged record commits, 1,000 callers', rounds: 11, run: commits },
  {
    name: 'snapshot',
    what: 'acknowledged 20 KB snapshots, 1,000 callers',
    rounds: 7,
    run: snapshots,
  },
]
