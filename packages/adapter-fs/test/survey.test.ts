/** The state of a store, told without touching it: also while an engine has it open. */
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Disk, fileStore, realDisk, surveyStore } from '../src/index.js'
import { lineOf } from '../src/line.js'
import {
  archiveOf,
  closing,
  commitOf,
  done,
  freshDirectory,
  refused,
  snapshotOf,
} from './sample.js'

const filled = async (directory: string) => {
  const store = closing(fileStore({ directory }))
  await done(store.open)
  for (const id of ['a', 'b']) {
    await done(store.commit(commitOf(id, 1)))
    await done(store.saveSnapshot(snapshotOf(id, 1)))
  }
  const archive = await done(store.archive(archiveOf('a', 'token')))
  return { store, archive }
}

/** Every path with its mode, size and content. */
const everythingIn = (directory: string): readonly unknown[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => {
      const { mode, size, mtimeMs } = statSync(path)
      return [path, mode, size, mtimeMs, statSync(path).isFile() ? readFileSync(path, 'hex') : '']
    })

const found = async (directory: string, scrub = false) =>
  (await done(surveyStore({ directory, scrub }))).findings.map(
    ({ _tag, severity, where }) => `${severity} ${_tag} ${where.split(':')[0]}`,
  )

test('a sound store has nothing wrong, open or closed, and is not touched', async () => {
  const directory = freshDirectory()
  const { store, archive } = await filled(directory)
  for (const owner of ['owned', 'free'] as const) {
    if (owner === 'free') await store.close()
    const before = everythingIn(directory)
    const survey = await done(surveyStore({ directory, scrub: true }))
    expect(survey).toMatchObject({
      ...{ formatVersion: 2, term: 1, snapshots: 2, findings: [], sessions: { registered: 2 } },
      ...(process.platform === 'linux' ? { owner } : {}),
    })
    expect(survey.archives.map(({ location, sessionId }) => [location, sessionId])).toEqual([
      [archive, 'a'],
    ])
    expect(survey.scrubbed?.lines).toBeGreaterThanOrEqual(7)
    expect(everythingIn(directory)).toEqual(before)
  }
})

test('where there is no store it says so, and makes none', async () => {
  const directory = freshDirectory()
  expect(await refused(surveyStore({ directory }))).toMatchObject({ _tag: 'NotFound' })
  const nowhere = join(directory, 'nowhere')
  expect(await refused(surveyStore({ directory: nowhere }))).toMatchObject({ _tag: 'NotFound' })
  symlinkSync(directory, join(directory, 'link'))
  const link = join(directory, 'link')
  expect(await refused(surveyStore({ directory: link }))).toMatchObject({ _tag: 'StoreUnusable' })
  expect(readdirSync(directory)).toEqual(['link'])
})

test('all that is wrong is named with its place, and whose it is where that can be told', async () => {
  const directory = freshDirectory()
  const { store, archive } = await filled(directory)
  await done(store.commit({ ...commitOf('b', 2) }))
  await done(store.commit({ ...commitOf('a', 2) }))
  await store.close()
  const log = join(directory, 'log')
  const [segment = ''] = readdirSync(log)
  const bytes = readFileSync(join(log, segment))
  const at = bytes.lastIndexOf('"sessionId":"b"')
  bytes[at] = 0x21
  writeFileSync(join(log, segment), bytes)
  writeFileSync(join(directory, archive), readFileSync(join(directory, archive)).subarray(0, 50))
  writeFileSync(join(log, '00000009-00000009.jsonl.tmp'), 'half', { mode: 0o600 })
  writeFileSync(join(log, 'notes.txt'), 'mine', { mode: 0o600 })
  writeFileSync(join(directory, 'x.snapshot.json'), '{}', { mode: 0o600 })
  writeFileSync(join(directory, 'README'), 'mine', { mode: 0o600 })
  linkSync(join(directory, 'README'), join(log, '00000001-00000009.jsonl'))
  chmodSync(join(directory, archive), 0o644)
  chmodSync(join(directory, 'archives'), 0o755)
  expect((await found(directory)).sort()).toEqual(
    [
      `problem damaged-log log/${segment}`,
      'problem foreign-file log/00000001-00000009.jsonl',
      `problem damaged-archive ${archive}`,
      'problem open-to-others archives',
      `problem open-to-others ${archive}`,
      'note left-over log/00000009-00000009.jsonl.tmp',
      'note foreign-file log/notes.txt',
      'note foreign-file README',
      'note to-be-imported x.snapshot.json',
    ].sort(),
  )
})

test('a newer format is named and left byte for byte', async () => {
  const directory = freshDirectory()
  mkdirSync(join(directory, 'log'), { mode: 0o700 })
  chmodSync(directory, 0o700)
  const header = { format: 3, term: 1, sequence: 1, limitBytes: 1_000, whole: false, before: [] }
  writeFileSync(join(directory, 'log', '00000001-00000001.jsonl'), lineOf('segment', header), {
    mode: 0o600,
  })
  const before = everythingIn(directory)
  expect(await found(directory)).toEqual(['problem newer-format log'])
  expect(everythingIn(directory)).toEqual(before)
})

test('what a start leaps over is found by a scrub alone', async () => {
  const directory = freshDirectory()
  const { store } = await filled(directory)
  await done(store.checkpoint(null, 9))
  await done(store.commit(commitOf('a', 2)))
  await store.close()
  const log = join(directory, 'log')
  const [segment = ''] = readdirSync(log)
  const bytes = readFileSync(join(log, segment))
  const at = bytes.indexOf('some output')
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(join(log, segment), bytes)
  expect(await found(directory)).toEqual([])
  expect(await found(directory, true)).toEqual([`problem rotten-line log/${segment}`])
})

test('what the owner is writing is no leftover', async () => {
  const directory = freshDirectory()
  const { store } = await filled(directory)
  writeFileSync(join(directory, 'log', '00000009-00000009.jsonl.tmp'), 'half', { mode: 0o600 })
  const leftover = 'note left-over log/00000009-00000009.jsonl.tmp'
  expect(await found(directory)).toEqual(process.platform === 'linux' ? [] : [leftover])
  await store.close()
  expect(await found(directory)).toEqual([leftover])
})

test('a segment that the disk does not give to a scrub is a problem', async () => {
  const directory = freshDirectory()
  const { store } = await filled(directory)
  await store.close()
  const [segment = ''] = readdirSync(join(directory, 'log'))
  let opened = 0
  const failing: Disk = {
    ...realDisk,
    open: async (path) => {
      if (path.endsWith(segment)) opened += 1
      // For its header, for its lines, and then for the scrub.
      if (opened === 3) throw Object.assign(new Error('EIO'), { code: 'EIO' })
      return realDisk.open(path)
    },
  }
  const { findings } = await done(surveyStore({ directory, scrub: true }, failing))
  expect(findings).toMatchObject([
    { _tag: 'rotten-line', where: `log/${segment}`, what: 'it cannot be read: EIO' },
  ])
})

test('what was caught while the owner was at it is looked at again', async () => {
  const directory = freshDirectory()
  await filled(directory)
  let opened = 0
  const torn: Disk = {
    ...realDisk,
    open: async (path) => {
      const file = await realDisk.open(path)
      opened += 1
      // For the header, and then for the lines.
      if (opened !== 2) return file
      return {
        ...file,
        read: async (position, count) => {
          const bytes = await file.read(position, count)
          bytes[300] = (bytes[300] ?? 0) ^ 1
          return bytes
        },
      }
    },
  }
  const { findings, owner } = await done(surveyStore({ directory }, torn))
  expect(findings.map(({ _tag }) => _tag)).toEqual(owner === 'owned' ? [] : ['damaged-log'])
})
