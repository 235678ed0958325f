/** What is kept of archives and quarantine, what goes first, and that a crash at any step loses nothing else. */
import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Archive } from '@session-recovery/core'
import {
  changing,
  type MemoryDisk,
  memoryDisk,
  probed,
  systemError,
} from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { type FileStoreOptions, fileStore, surveyStore } from '../src/index.js'
import { beyond } from '../src/retention.js'
import {
  archiveOf,
  closing,
  commitOf,
  done,
  everything,
  freshDirectory,
  recordOf,
  refused,
  snapshotOf,
} from './sample.js'

const file = (name: string, modifiedMs: number, bytes = 10, wanted = false) => ({
  ...{ name, modifiedMs, bytes, wanted },
})
const roomy = { count: 100, bytes: 10_000, ageMs: 10_000 }
const names = (files: readonly { readonly name: string }[]) => files.map(({ name }) => name)

describe('of files that are kept', () => {
  const files = [file('c', 3), file('a', 1), file('b', 2, 500, true), file('d', 4)]

  test.each([
    ['all stay that are within the bounds', roomy, 5, []],
    ['the oldest go when there are too many', { ...roomy, count: 3 }, 5, ['a']],
    ['those that somebody refers to go last', { ...roomy, count: 2 }, 5, ['a', 'c']],
    ['they go until there is not too much', { ...roomy, bytes: 519 }, 5, ['a', 'c']],
    ['the newest stays, whatever its size', { ...roomy, bytes: 0 }, 5, ['a', 'c', 'b']],
    ['what is too old goes', { ...roomy, ageMs: 10 }, 13, ['a', 'b']],
    ['a clock that ran back drops nothing', { ...roomy, ageMs: 10 }, -1_000_000, []],
  ] as const)('%s', (_, bounds, nowMs, gone) => {
    expect(names(beyond(files, bounds, nowMs)).sort()).toEqual([...gone].sort())
  })
})

const unguarded = async () => E.right({ release: async () => {} })

const archivesOn = async (directory: string, options: Partial<FileStoreOptions> = {}) => {
  const told: unknown[] = []
  const logger = (_: string, __: string, detail: unknown) => told.push(detail)
  const store = closing(fileStore({ directory, logger, ...options }))
  await done(store.open)
  return { store, told }
}

const fill = async (store: Awaited<ReturnType<typeof archivesOn>>['store'], directory: string) => {
  const locations: string[] = []
  for (let i = 0; i < 10; i++) {
    const location = await done(store.archive(archiveOf('a', `token ${i}`)))
    utimesSync(join(directory, location), 1_000 + i, 1_000 + i)
    locations.push(location)
  }
  return locations
}

test('a checkpoint and a start keep the newest archives, and one that a session names; what went is counted', async () => {
  const directory = freshDirectory()
  const { store, told } = await archivesOn(directory, { archives: 3 })
  const locations = await fill(store, directory)
  const record = recordOf('a', 1, 1, 'exhausted')
  const lastEnd = { incident: 1, attempts: 1, archive: locations[0] ?? '' }
  const naming = { ...record, control: { ...record.control, lastEnd } }
  await done(store.commit({ ...commitOf('a', 1), record: naming }))
  await done(store.checkpoint(null, everything))
  const there = readdirSync(join(directory, 'archives')).map((name) => `archives/${name}`)
  expect(there.sort()).toEqual([0, 8, 9].map((i) => locations[i]).sort())
  expect(store.dropped()).toMatchObject({ archives: 7, quarantined: 0 })
  expect(store.dropped()?.archiveBytes).toBeGreaterThan(7 * 500)
  expect(told).toMatchObject([{ _tag: 'Dropped', now: { archives: 7 }, sum: { archives: 7 } }])
  expect(await refused(store.readArchive(locations[1] ?? ''))).toMatchObject({ _tag: 'NotFound' })
  await store.close()
  const { store: again } = await archivesOn(directory, { archives: 1 })
  expect(again.dropped()?.archives).toBe(2 + 7)
})

test('what went is counted from the beginning: through closing, checkpoints and kill -9', async () => {
  const disk = memoryDisk()
  const bounded = { archives: 1 }
  const opened = async () => {
    const store = fileStore({ directory: '/data/store', ...bounded }, disk, unguarded)
    await done(store.open)
    return store
  }
  const drop = async (store: Awaited<ReturnType<typeof opened>>, token: string) => {
    await done(store.archive(archiveOf('a', token)))
    await done(store.checkpoint(null, everything))
  }
  const first = await opened()
  await drop(first, 'token 1')
  await drop(first, 'token 2')
  expect(first.dropped()).toMatchObject({ archives: 1, quarantined: 0, quarantinedBytes: 0 })
  await first.close()
  expect(first.dropped()).toBeUndefined()
  const second = await opened()
  await drop(second, 'token 3')
  // Not closed: it was killed.
  const third = await opened()
  const sum = third.dropped()
  expect(sum?.archives).toBe(2)
  await done(third.checkpoint(null, everything))
  await third.close()
  const last = await opened()
  expect(last.dropped()).toEqual(sum)
  expect((await done(surveyStore({ directory: '/data/store' }, disk))).dropped).toEqual(sum)
  await last.close()
})

test('archives are bounded although nobody writes a checkpoint', async () => {
  const { store } = await archivesOn(freshDirectory(), { archives: 1 })
  for (let i = 0; i < 15; i++) await done(store.archive(archiveOf('a', `token ${i}`)))
  expect(store.dropped()?.archives).toBe(0)
  for (let i = 15; i < 17; i++) await done(store.archive(archiveOf('a', `token ${i}`)))
  expect(store.dropped()?.archives).toBeGreaterThan(0)
})

test('bytes and age bound archives and quarantine, too', async () => {
  const directory = freshDirectory()
  const { store } = await archivesOn(directory)
  const locations = await fill(store, directory)
  const { size } = statSync(join(directory, locations[0] ?? ''))
  for (const i of [1, 2, 3]) {
    const path = join(directory, 'quarantine', `x${i}`)
    writeFileSync(path, 'x'.repeat(100), { mode: 0o600 })
    utimesSync(path, 1_000 + i, 1_000 + i)
  }
  await store.close()
  const wallMs = () => 1_009_500 + 60_000
  const bytes = await archivesOn(directory, { archiveBytes: 4 * size + 10, quarantinedBytes: 250 })
  expect(bytes.store.dropped()).toMatchObject({ archives: 6, quarantined: 1 })
  await bytes.store.close()
  const age = { archiveAgeMs: 62_000, quarantinedAgeMs: 60_000, wallMs }
  const old = await archivesOn(directory, age)
  expect(old.store.dropped()).toMatchObject({ archives: 6 + 2, quarantined: 1 + 2 })
})

test.each([
  ['archives', 0],
  ['archives', 1.5],
  ['archiveBytes', -1],
  ['archiveAgeMs', 1],
  ['quarantined', 1_000_001],
  ['quarantinedBytes', Number.NaN],
  ['quarantinedAgeMs', Number.POSITIVE_INFINITY],
])('%s of %d is refused by name', async (name, value) => {
  const store = fileStore({ directory: freshDirectory(), [name]: value })
  const error = await refused(store.open)
  expect(error._tag).toBe('StoreUnusable')
  expect(error.message).toMatch(new RegExp(`^options: ${name}: expected a whole number from`))
})

// ------------------------------------------------------------------------- a crash at every step

const directory = '/data/store'
const keep = { archives: 2, quarantined: 2, journalEntriesPerSession: 50, forgottenSessions: 1 }

interface Acknowledged {
  readonly revs: Map<string, number>
  readonly generations: Map<string, number>
  readonly archives: { readonly location: string; readonly archive: Archive }[]
  archivesTried: number
  checkpoint: number
  readonly forgotten: Set<string>
}

const life = async (disk: MemoryDisk, lastStep: number): Promise<[Acknowledged, number]> => {
  let steps = 0
  const dying = probed(disk, ({ name }) => {
    if (changing.has(name)) steps += 1
    if (steps > lastStep) throw systemError('EIO')
  })
  const so: Acknowledged = {
    ...{ revs: new Map(), generations: new Map(), archives: [], forgotten: new Set() },
    ...{ archivesTried: 0, checkpoint: 0 },
  }
  let seq = 0
  for (let round = 1; round <= 3; round++) {
    const store = fileStore({ directory, ...keep }, dying)
    if (E.isLeft(await store.open())) break
    for (const id of ['a', 'b', `gone${round}`]) {
      seq += 1
      const rev = (so.revs.get(id) ?? 0) + 1
      if (E.isRight(await store.commit(commitOf(id, rev, 1, seq))())) so.revs.set(id, rev)
      if (E.isRight(await store.saveSnapshot(snapshotOf(id, rev))())) so.generations.set(id, rev)
    }
    for (let i = 0; i < 3; i++) {
      so.archivesTried += 1
      const archive = archiveOf('a', `token ${so.archivesTried}`)
      const kept = await store.archive(archive)()
      if (E.isRight(kept)) so.archives.push({ location: kept.right, archive })
    }
    if (E.isRight(await store.forget(`gone${round}`, 1)())) so.forgotten.add(`gone${round}`)
    if (E.isRight(await store.checkpoint(round, seq)())) so.checkpoint = round
    await store.scrub().catch(() => undefined)
    await store.close()
  }
  return [so, steps]
}

const kept = async (disk: MemoryDisk, so: Acknowledged) => {
  const store = fileStore({ directory, ...keep }, disk)
  const { sessions, projection, quarantined } = await done(store.open)
  try {
    expect(quarantined).toEqual([])
    const records = new Map(sessions.map(({ record }) => [record.control.sessionId, record.rev]))
    expect(Number(projection ?? 0)).toBeGreaterThanOrEqual(so.checkpoint)
    for (const [id, rev] of so.revs) {
      if (so.forgotten.has(id)) expect(records.has(id)).toBe(false)
      if (id.startsWith('gone')) continue
      expect(records.get(id)).toBeGreaterThanOrEqual(rev)
      const journal = (await done(store.readJournal(id))).map((entry) => entry.rev)
      expect(journal).toEqual(Array.from({ length: records.get(id) ?? 0 }, (_, i) => i + 1))
    }
    for (const [id, generation] of so.generations) {
      if (id.startsWith('gone')) continue
      const { view } = await done(store.readSnapshot(id))
      expect(view.generation).toBeGreaterThanOrEqual(generation)
    }
    // Of the archives the newest two are kept, also of those that nobody was told of.
    for (const { location, archive } of so.archives) {
      if (Number(archive.token.slice('token '.length)) <= so.archivesTried - keep.archives) continue
      expect(await done(store.readArchive(location))).toEqual(archive)
    }
    for (const folder of ['log', 'archives', 'quarantine']) {
      const strays = (await disk.list(`${directory}/${folder}`)).filter((name) =>
        name.endsWith('.tmp'),
      )
      expect(strays).toEqual([])
    }
  } finally {
    await store.close()
  }
}

test('a crash at any step of commits, archives, checkpoints and retention loses nothing else', async () => {
  const [, steps] = await life(memoryDisk(), Number.MAX_SAFE_INTEGER)
  expect(steps).toBeGreaterThan(100)
  let crashes = 0
  for (let step = 1; step <= steps; step++) {
    for (const chance of [0, 0.5, 0.999]) {
      const disk = memoryDisk()
      const [so] = await life(disk, step)
      await kept(
        disk.cut(() => chance),
        so,
      )
      crashes += 1
    }
  }
  console.log(`${crashes} crashes, one after each of ${steps} steps, three ways each; nothing lost`)
}, 300_000)
