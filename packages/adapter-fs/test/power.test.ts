/**
 * Power cuts, on a disk that forgets what was not flushed, at any step of any operation: what was
 * acknowledged is there. And the check itself is checked: with any one kind of flush taken out, it fails.
 */
import type { Json, Store } from '@session-recovery/core'
import {
  campaign,
  changing,
  type MemoryDisk,
  memoryDisk,
  type Operation,
  probed,
  type Random,
  systemError,
} from '@session-recovery/testkit'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { type Disk, type DiskFile, fileStore } from '../src/index.js'
import { archiveOf, commitOf, done, snapshotOf } from './sample.js'

const directory = '/data/store'
const ids = ['a', 'b', 'c', 'd']

/** What was acknowledged, and how far it was tried. */
interface Promised {
  /** The highest revision of each session that must be there. */
  readonly revs: Map<string, number>
  readonly tried: Map<string, number>
  readonly generations: Map<string, number>
  readonly archives: Map<string, string>
  /** The places of the entries that were acknowledged or loaded, by session and revision. */
  readonly seqs: Map<string, number>
  /** What each projection that may be there holds: through which entry. */
  readonly projections: Map<number, number>
  checkpoint: number
  seq: number
}

const promised = (): Promised => ({
  revs: new Map(),
  tried: new Map(),
  generations: new Map(),
  archives: new Map(),
  seqs: new Map(),
  projections: new Map([[0, 0]]),
  checkpoint: 0,
  seq: 0,
})

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

const tries = 4

/** Repeats a call a few times, as an engine does that waits for its disk; `undefined`: it never succeeded. */
const persistent = async <A>(call: () => Promise<E.Either<unknown, A>>): Promise<A | undefined> => {
  for (let i = 0; i < tries; i++) {
    const result = await call()
    if (E.isRight(result)) return result.right
    await turn()
  }
  return undefined
}

const live = async (store: Store, id: string, loaded: number, so: Promised) => {
  let rev = loaded
  for (let step = 0; step < 10; step++) {
    if (step % 3 === 2) await turn()
    so.tried.set(id, Math.max(so.tried.get(id) ?? 0, rev + 1))
    const next = rev + 1
    const seq = await persistent(async () => {
      so.seq += 1
      const place = so.seq
      return E.map(() => place)(await store.commit(commitOf(id, next, 1, place))())
    })
    if (seq === undefined) return
    rev = next
    so.revs.set(id, rev)
    so.seqs.set(`${id} ${rev}`, seq)
    const generation = 100 * rev
    if (rev % 2 === 0) {
      const save = store.saveSnapshot(snapshotOf(id, generation, 1, 'o'.repeat(rev * 37)))
      if (E.isRight(await save())) so.generations.set(id, generation)
    }
    if (rev % 8 === 0) {
      const archive = archiveOf(id, `${id} ${rev}`)
      const kept = await persistent(store.archive(archive))
      if (kept !== undefined) so.archives.set(kept, archive.token)
    }
  }
}

const compact = async (store: Store, times: number, so: Promised) => {
  for (let i = 0; i < times; i++) {
    await turn()
    const number = Math.max(...so.projections.keys()) + 1
    // It may lag behind what is acknowledged, but never falls behind the one before it.
    const throughSeq = Math.max(
      ...so.projections.values(),
      Math.max(0, ...so.seqs.values()) - (number % 3),
    )
    so.projections.set(number, throughSeq)
    if (E.isRight(await store.checkpoint(number, throughSeq)())) so.checkpoint = number
  }
}

/** What befalls a disk while it is worked with, in numbers of changes made to it. */
interface Fate {
  /** When the power goes. */
  readonly steps: number
  /** When it starts to fail, for how many changes, and whether it does what it says has failed. */
  readonly failsAt: number
  readonly fails: number
  readonly lies: boolean
  /** Whether the power goes in the end, or the process alone is killed. */
  readonly cut: boolean
  readonly checkpoints: number
  /** How many blanks are written ahead. */
  readonly aheadBytes: number
}

/** Opens the store, and works until the disk is gone or everything is done. */
const work = async (
  disk: Disk,
  { steps, failsAt, fails, lies, checkpoints, aheadBytes }: Fate,
  so: Promised,
) => {
  let count = 0
  const probe = probed(disk, ({ name }: Operation) => {
    if (changing.has(name)) count += 1
    if (count > steps) throw systemError('EIO')
    if (!changing.has(name) || count <= failsAt || count > failsAt + fails) return undefined
    if (!lies) throw systemError('ENOSPC')
    return { failsAfterwards: 'EIO' }
  })
  const options = { directory, journalEntriesPerSession: 1_000 }
  const store = fileStore(options, { ...probe, aheadBytes })
  const loaded = await store.open()
  if (E.isRight(loaded)) {
    const revs = new Map(
      loaded.right.sessions.map(({ record }) => [record.control.sessionId, record.rev]),
    )
    // What was loaded is built upon, and from now on as good as acknowledged.
    for (const [id, rev] of revs) so.revs.set(id, rev)
    for (const { sessionId, rev, seq } of loaded.right.entries)
      so.seqs.set(`${sessionId} ${rev}`, seq)
    so.seq = loaded.right.latestSeq
    await Promise.all([
      ...ids.map((id) => live(store, id, revs.get(id) ?? 0, so)),
      compact(store, checkpoints, so),
    ])
  }
  await store.close()
}

const check = async (disk: Disk, so: Promised) => {
  const store = fileStore({ directory, journalEntriesPerSession: 1_000 }, disk)
  const loaded = await done(store.open)
  try {
    const revs = new Map(
      loaded.sessions.map(({ record }) => [record.control.sessionId, record.rev]),
    )
    const number = (loaded.projection as Json) ?? 0
    expect(number).toBeGreaterThanOrEqual(so.checkpoint)
    const throughSeq = so.projections.get(Number(number)) ?? 0
    expect(loaded.latestSeq).toBeGreaterThanOrEqual(Math.max(0, ...so.seqs.values()))
    for (const id of ids) {
      const rev = revs.get(id) ?? 0
      expect(rev).toBeGreaterThanOrEqual(so.revs.get(id) ?? 0)
      expect(rev).toBeLessThanOrEqual(so.tried.get(id) ?? 0)
      // Exactly what the projection lacks is handed out: nothing twice, nothing left out.
      const entries = loaded.entries.filter(({ sessionId }) => sessionId === id)
      for (const { seq } of entries) expect(seq).toBeGreaterThan(throughSeq)
      const known = Array.from({ length: so.revs.get(id) ?? 0 }, (_, i) => i + 1)
      const lacking = known.filter((one) => (so.seqs.get(`${id} ${one}`) ?? 0) > throughSeq)
      expect(entries.map((entry) => entry.rev).slice(0, lacking.length)).toEqual(lacking)
      expect(entries.length - lacking.length).toBe(rev - (so.revs.get(id) ?? 0))
      const journal = await done(store.readJournal(id))
      expect(journal.map((entry) => entry.rev)).toEqual(
        Array.from({ length: rev }, (_, i) => i + 1),
      )
      const snapshot = await store.readSnapshot(id)()
      const generation = E.isRight(snapshot) ? snapshot.right.view.generation : 0
      expect(generation).toBeGreaterThanOrEqual(so.generations.get(id) ?? 0)
    }
    for (const [location, token] of so.archives) {
      expect((await done(store.readArchive(location))).token).toBe(token)
    }
    const strays = await disk.list(`${directory}/log`)
    expect(strays.filter((name) => name.endsWith('.tmp'))).toEqual([])
  } finally {
    await store.close()
  }
}

/** Deterministic numbers from a list, over and over. */
const randomFrom = (numbers: readonly number[]): Random => {
  let i = 0
  return () => {
    i += 1
    return numbers[i % numbers.length] ?? 0
  }
}

const fate = fc.record({
  steps: fc.integer({ min: 1, max: 150 }),
  failsAt: fc.integer({ min: 0, max: 120 }),
  fails: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4 })),
  lies: fc.boolean(),
  cut: fc.boolean(),
  checkpoints: fc.nat({ max: 3 }),
  // None, or so few that their end is often passed.
  aheadBytes: fc.constantFrom(0, 2_000),
})
const fates = fc.array(fate, { minLength: 1, maxLength: 3 })
const chances = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constant(0.999) },
    { weight: 2, arbitrary: fc.nat({ max: 999 }).map((n) => n / 1_000) },
  ),
  { minLength: 3, maxLength: 12 },
)

const survives = (flushing: (disk: MemoryDisk) => Disk) =>
  fc.asyncProperty(fates, chances, async (befalling, numbers) => {
    const random = randomFrom(numbers)
    const so = promised()
    let disk = memoryDisk()
    for (const one of befalling) {
      await work(flushing(disk), one, so)
      if (one.cut) disk = disk.cut(random)
      await check(flushing(disk.copy()), so)
    }
  })

const atLeastRuns = Number(process.env.POWER_CUTS ?? 200)

test('nothing acknowledged is lost when the power is cut at any step, and the disk fails now and then', {
  timeout: 3_600_000,
}, async () => {
  const runs = await campaign(
    {
      name: 'histories of one to three power cuts',
      file: 'packages/adapter-fs/test/power.test.ts',
      atLeastRuns,
      forMs: 4_000,
    },
    survives((disk) => disk),
  )
  expect(runs).toBeGreaterThanOrEqual(atLeastRuns)
})

interface Flush extends Operation {
  /** The file was made by whoever flushes it, not found. */
  readonly own: boolean
}

const without: readonly (readonly [string, (flush: Flush) => boolean])[] = [
  [
    'the flush of what a killed owner wrote',
    ({ name, path, own }) => name === 'sync' && path.endsWith('.jsonl') && !own,
  ],
  ['the flush of the log', ({ name, path }) => name === 'sync' && path.endsWith('.jsonl')],
  ['the flush of a checkpoint', ({ name, path }) => name === 'sync' && path.endsWith('.jsonl.tmp')],
  ['the flush of an archive', ({ name, path }) => name === 'sync' && path.includes('/archives/')],
  [
    'the flush of the log directory',
    ({ name, path }) => name === 'syncDirectory' && path.endsWith('/log'),
  ],
  [
    'the flush of the archive directory',
    ({ name, path }) => name === 'syncDirectory' && path.endsWith('/archives'),
  ],
  [
    'the flush of the directories above',
    ({ name, path }) =>
      name === 'syncDirectory' && !path.endsWith('/log') && !path.endsWith('/archives'),
  ],
]

for (const [what, skipped] of without) {
  test(`without ${what} something would be lost`, async () => {
    const skipping = (disk: MemoryDisk): Disk => {
      const lying = (flush: Flush, run: () => Promise<void>) =>
        skipped(flush) ? Promise.resolve() : run()
      const opened = (path: string, own: boolean, file: DiskFile): DiskFile => ({
        ...file,
        sync: () => lying({ name: 'sync', path, own }, file.sync),
      })
      return {
        ...disk,
        create: async (path) => opened(path, true, await disk.create(path)),
        open: async (path) => opened(path, false, await disk.open(path)),
        syncDirectory: (path) =>
          lying({ name: 'syncDirectory', path, own: false }, () => disk.syncDirectory(path)),
      }
    }
    const result = await fc.check(survives(skipping), {
      numRuns: 2_000,
      seed: 1,
      endOnFailure: true,
    })
    expect(result.failed).toBe(true)
  })
}
