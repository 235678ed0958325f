/** A scrub finds what has rotted where nobody looked, sets it aside, and lets everything else go on. */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Disk, fileStore, realDisk } from '../src/index.js'
import { scrub } from '../src/scrub.js'
import {
  archiveOf,
  closing,
  commitOf,
  done,
  everything,
  freshDirectory,
  revisionIn,
  snapshotOf,
} from './sample.js'

/** Flips a bit of the first place where `text` stands in the log, or in the file at `path`. */
const rot = (directory: string, text: string | readonly [string, number], path?: string) => {
  const log = join(directory, 'log')
  const paths = path === undefined ? readdirSync(log).map((name) => join(log, name)) : [path]
  for (const one of paths) {
    const bytes = readFileSync(one)
    const at = typeof text === 'string' ? bytes.indexOf(text) : revisionIn(bytes, ...text)
    if (at < 0) continue
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(one, bytes)
    return
  }
  throw new Error(`${text} stands nowhere`)
}

const fill = async (directory: string) => {
  const store = closing(fileStore({ directory }))
  await done(store.open)
  for (const id of ['a', 'b', 'c']) {
    for (const rev of [1, 2]) await done(store.commit(commitOf(id, rev)))
    await done(store.saveSnapshot(snapshotOf(id, 1, 1, `output of ${id}`)))
  }
  const archive = await done(store.archive(archiveOf('a', 'token')))
  return { store, archive }
}

test('nothing is found where nothing has rotted', async () => {
  const { store } = await fill(freshDirectory())
  const report = await done(store.scrub)
  expect(report).toMatchObject({ archives: 1, damaged: [], calledOff: false })
  expect(report.lines).toBe(13)
})

test('a rotten body, journal entry and archive are told, set aside, and of whom', async () => {
  const directory = freshDirectory()
  const { store, archive } = await fill(directory)
  rot(directory, 'output of b')
  rot(directory, ['c', 1])
  rot(directory, '"token"', join(directory, archive))
  const { damaged } = await done(store.scrub)
  expect(damaged.map(({ sessionId, source }) => [sessionId, source.split(':')[0]])).toEqual([
    ['b', 'log/00000001-00000001.jsonl'],
    ['c', 'log/00000001-00000001.jsonl'],
    [undefined, archive],
  ])
  for (const { keptAs, problem } of damaged) {
    expect(readFileSync(join(directory, keptAs)).length).toBeGreaterThan(0)
    expect(problem).toMatch(/crc|checksum|line/)
  }
  for (const id of ['a', 'c']) {
    expect(await done(store.readSnapshot(id))).toEqual(snapshotOf(id, 1, 1, `output of ${id}`))
  }
  expect((await done(store.readJournal('c'))).map(({ rev }) => rev)).toEqual([2])
})

test('a segment that has lost its end is told, with what is missing', async () => {
  const directory = freshDirectory()
  const { store } = await fill(directory)
  const [name = ''] = readdirSync(join(directory, 'log'))
  const end = readFileSync(join(directory, 'log', name)).lastIndexOf('\n') + 1
  truncateSync(join(directory, 'log', name), end - 10)
  const { damaged } = await done(store.scrub)
  expect(damaged.map(({ problem }) => problem)).toEqual([
    'the line is cut off',
    '10 bytes are missing',
  ])
  expect(damaged.map(({ keptAs }) => keptAs !== '')).toEqual([true, false])
})

test('what rotted of records is written anew by the next checkpoint', async () => {
  const directory = freshDirectory()
  const { store } = await fill(directory)
  rot(directory, ['b', 2])
  expect((await done(store.scrub)).damaged.length).toBe(1)
  await done(store.checkpoint(null, everything))
  expect((await done(store.scrub)).damaged).toEqual([])
  await store.close()
  const { sessions, quarantined } = await done(store.open)
  expect(sessions.map(({ record }) => record.rev)).toEqual([2, 2, 2])
  expect(quarantined).toEqual([])
})

test('commits and checkpoints go on while it reads, and closing calls it off', async () => {
  const directory = freshDirectory()
  const store = closing(fileStore({ directory }))
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  for (let generation = 1; generation <= 8; generation++) {
    await done(store.saveSnapshot(snapshotOf('a', generation, 1, 'x'.repeat(1 << 20))))
  }
  const scrubbing = store.scrub()
  for (let rev = 2; rev <= 10; rev++) await done(store.commit(commitOf('a', rev)))
  await done(store.checkpoint('folded', everything))
  expect(await scrubbing).toMatchObject({ right: { damaged: [] } })
  const calledOff = store.scrub()
  await store.close()
  expect(await calledOff).toMatchObject({ right: { damaged: [] } })
  expect((await done(store.open)).sessions[0]?.record.rev).toBe(10)
})

test('an archive that is dropped between the look at its name and the reading is no loss', async () => {
  const directory = freshDirectory()
  const ghost = '00000000-0000-0000-0000-000000000000.json'
  const disk: Disk = {
    ...realDisk,
    list: async (path) =>
      path.endsWith('/archives') ? [...(await realDisk.list(path)), ghost] : realDisk.list(path),
  }
  const store = closing(fileStore({ directory }, disk))
  await done(store.open)
  await done(store.archive(archiveOf('a', 'token')))
  expect(await done(store.scrub)).toMatchObject({ archives: 1, damaged: [] })
})

test('a segment that a checkpoint has replaced meanwhile is no loss', async () => {
  let gone = false
  const disk: Disk = {
    ...realDisk,
    open: async (path) => {
      if (gone && path.endsWith('.jsonl'))
        throw Object.assign(new Error('gone'), { code: 'ENOENT' })
      return realDisk.open(path)
    },
  }
  const store = closing(fileStore({ directory: freshDirectory() }, disk))
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  gone = true
  expect(await done(store.scrub)).toMatchObject({ lines: 0, damaged: [], calledOff: false })
})

test('whoever asks for it can call it off after each mebibyte', async () => {
  const directory = freshDirectory()
  const store = closing(fileStore({ directory }))
  await done(store.open)
  await done(store.commit(commitOf('a', 1)))
  for (let generation = 1; generation <= 4; generation++) {
    await done(store.saveSnapshot(snapshotOf('a', generation, 1, 'x'.repeat(1 << 20))))
  }
  const [name = ''] = readdirSync(join(directory, 'log'))
  const bytes = readFileSync(join(directory, 'log', name)).lastIndexOf('\n') + 1
  for (const turns of [0, 2]) {
    let left = turns
    const goOn = async () => {
      left -= 1
      return left >= 0
    }
    // A header, a commit, and two lines for each snapshot.
    expect(await scrub(realDisk, directory, [{ name, bytes }], goOn)).toMatchObject({
      ...{ lines: 4 + 2 * turns, rot: [], unreadable: [], calledOff: true },
    })
  }
})

test('an archive that the disk does not give is told, and the next is read', async () => {
  let refused = 'nothing'
  const disk: Disk = {
    ...realDisk,
    open: async (path) => {
      if (path.endsWith(refused)) throw Object.assign(new Error('EIO'), { code: 'EIO' })
      return realDisk.open(path)
    },
  }
  const store = closing(fileStore({ directory: freshDirectory() }, disk))
  await done(store.open)
  const kept = [await done(store.archive(archiveOf('a', '1')))]
  kept.push(await done(store.archive(archiveOf('a', '2'))))
  const [first = ''] = kept.sort()
  refused = first
  expect(await done(store.scrub)).toMatchObject({
    archives: 2,
    damaged: [{ source: first, problem: 'it cannot be read: EIO' }],
  })
})
