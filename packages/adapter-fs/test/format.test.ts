/**
 * What earlier formats stored is read for ever: a store of each, as it lay on a disk, opens whole.
 */
import { chmodSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Json, RecoverySnapshot } from '@session-recovery/core'
import {
  sampleArchive,
  sampleCommit,
  sampleRecord,
  sampleSnapshot,
} from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { fileStore } from '../src/index.js'
import { crcOf, lineOf } from '../src/line.js'
import { closing, done, freshDirectory, refused } from './sample.js'

const fixtures = new URL('fixture/', import.meta.url)

const copyOf = (name: string): string => {
  const directory = join(freshDirectory(), 'store')
  cpSync(new URL(name, fixtures), directory, { recursive: true })
  // Git keeps no modes but the one for programs.
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600)
  }
  chmodSync(directory, 0o700)
  return directory
}

const linesOf = (directory: string): readonly string[] =>
  readdirSync(join(directory, 'log')).flatMap((name) =>
    readFileSync(join(directory, 'log', name), 'utf8').split(/(?<=\n)/),
  )

test('there is a fixture of every format, and a line of every kind', () => {
  const names = [
    ...['format-0', 'format-1', 'format-1-killed', 'format-1-sealed'],
    ...['format-2-killed', 'format-2-sealed'],
  ]
  expect(readdirSync(fixtures).sort()).toEqual(names)
  const kinds = names
    .filter((name) => name !== 'format-0')
    .flatMap((name) => linesOf(copyOf(name)))
    .filter((line) => line.trim() !== '')
    .map((line) => /^\{"crc":"[0-9a-f]{8}","([a-z]+)":/.exec(line)?.[1])
  expect([...new Set(kinds)].sort()).toEqual([
    ...['body', 'checkpoint', 'commit', 'dropped', 'entry', 'forget', 'sealed'],
    ...['segment', 'session', 'snapshot'],
  ])
})

test('format 0: the files of the program before this one', async () => {
  const store = fileStore({ directory: copyOf('format-0'), storeOutput: true })
  try {
    const { sessions, quarantined } = await done(store.open)
    expect(quarantined).toEqual([])
    const ids = sessions.map(({ record }) => record.control.sessionId).sort()
    expect(ids).toEqual(['interactive', 'plain', 'remote'])
    for (const id of ids) {
      const snapshot = RecoverySnapshot.decode((await done(store.readSnapshot(id))).body)
      expect(E.isRight(snapshot) && snapshot.right).toMatchObject({
        timestamp: new Date(1_709_287_200_000),
        sessionState: { pid: 42, startedAt: new Date(1_709_283_600_000).toISOString() },
        environment: { LANG: 'C.UTF-8' },
        commandHistory: ['ls', 'make'],
        outputBuffer: ['one', 'two'],
      })
    }
    const interactive = sessions.find(({ record }) => record.control.sessionId === 'interactive')
    expect(interactive?.view?.interactive).toMatchObject({
      pendingCommands: ['read x'],
      lastPromptDetected: new Date(1_709_287_100_000),
    })
    const remote = sessions.find(({ record }) => record.control.sessionId === 'remote')
    expect(remote?.record.control.traits.kind).toBe('ssh')
  } finally {
    await store.close()
  }
})

const sealing = { current: 'k1', keys: { k1: new Uint8Array(32).fill(7) } }

test.each([
  ['format 1, as kill -9 left it', 'format-1-killed', {}, 0],
  ['format 1, sealed', 'format-1-sealed', { sealing }, 0],
  ['format 2, as kill -9 left it, with blanks behind it', 'format-2-killed', {}, 1],
  ['format 2, sealed', 'format-2-sealed', { sealing }, 1],
])('%s', async (_, name, options, dropped) => {
  const store = fileStore({ directory: copyOf(name), ...options })
  try {
    const loaded = await done(store.open)
    expect(loaded.quarantined).toEqual([])
    expect(loaded.projection).toEqual({ folded: [2, 'two'] })
    expect(loaded.entries.map(({ seq }) => seq)).toEqual([3, 4, 5])
    expect([loaded.latestSeq, loaded.latestMs]).toEqual([5, 1_002])
    expect(loaded.sessions.map(({ record, view }) => [record, view])).toEqual([
      [sampleRecord('a', 2), sampleSnapshot('a', 2).view],
      [sampleRecord('b', 1, 2), undefined],
    ])
    expect(await done(store.readSnapshot('a'))).toEqual(sampleSnapshot('a', 2))
    expect((await done(store.readJournal('a'))).map(({ rev }) => rev)).toEqual([1, 2])
    expect((await done(store.readJournal('c'))).length).toBe(1)
    expect(store.dropped()?.archives).toBe(dropped)
    const [archive = ''] = readdirSync(join(fileURLToPath(new URL(name, fixtures)), 'archives'))
    expect(await done(store.readArchive(`archives/${archive}`))).toEqual(
      sampleArchive('a', 'token'),
    )
  } finally {
    await store.close()
  }
})

/** Every path in a directory but those of directories, with its bytes. */
const bytesIn = (directory: string): readonly (readonly [string, string])[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [path.slice(directory.length), readFileSync(path, 'hex')] as const)

const newest: Readonly<Record<string, (said: Readonly<Record<string, object>>) => unknown>> = {
  segment: (said) => ({ ...said, format: 3, more: 'of it' }),
  'commit: record': ({ record, ...said }) => ({ ...said, record: { ...record, v: 2 } }),
  'commit: entry': ({ entry, ...said }) => ({ ...said, entry: { ...entry, v: 2 } }),
  session: ({ record, ...said }) => ({ ...said, record: { ...record, v: 9 } }),
}

test.each(Object.keys(newest))(
  'a newer %s is refused by name, and left byte for byte',
  async (what) => {
    const [kind = ''] = what.split(':')
    const directory = copyOf('format-1-killed')
    const [name = ''] = readdirSync(join(directory, 'log'))
    const lines = linesOf(directory)
    const at = lines.findIndex((line) => line.includes(`,"${kind}":{`))
    const said = JSON.parse(lines[at] ?? '{}')[kind]
    const line = lineOf(kind, newest[what]?.(said))
    const changed = [...lines.slice(0, at), line.toString(), ...lines.slice(at + 1)]
    writeFileSync(join(directory, 'log', name), changed.join(''))
    const before = bytesIn(directory)
    for (let times = 0; times < 2; times++) {
      const error = await refused(fileStore({ directory }).open)
      expect(error._tag).toBe('StoreUnusable')
      expect(error.message).toContain(name)
      expect(error.message).toMatch(/: version \d+, this program knows up to [12]$/)
      expect(bytesIn(directory)).toEqual(before)
    }
  },
)

test('a newer journal entry that a checkpoint holds is refused as newer, and handed on by the next', async () => {
  const directory = copyOf('format-1-killed')
  const [name = ''] = readdirSync(join(directory, 'log'))
  const lines = linesOf(directory)
  const at = lines.findIndex((line) => line.includes(',"entry":{'))
  const newer = lineOf('entry', { ...JSON.parse(lines[at] ?? '{}').entry, v: 2 }).toString()
  expect(newer.length).toBe(lines[at]?.length)
  const changed = [...lines.slice(0, at), newer, ...lines.slice(at + 1)]
  writeFileSync(join(directory, 'log', name), changed.join(''))
  const store = closing(fileStore({ directory }))
  await done(store.open)
  const error = await refused(store.readJournal('a'))
  expect(error._tag).toBe('StoreUnusable')
  expect(error.message).toMatch(/^journal of session a: log\/.*entry: v: version 2/)
  expect(readdirSync(join(directory, 'quarantine'))).toEqual([])
  expect((await done(store.readJournal('b'))).length).toBeGreaterThan(0)
  await done(store.checkpoint('folded', 5))
  await store.close()
  expect(linesOf(directory)).toContain(newer)
})

const nested = (levels: number): unknown => {
  let inner: unknown = 0
  for (let i = 0; i < levels; i++) inner = [inner]
  return inner
}

test.each([
  ['in a short line', 300],
  ['in a long one, told before it is parsed', 100_000],
])('what nests too deep %s is set aside; others load', async (_, levels) => {
  const directory = copyOf('format-1-killed')
  const [name = ''] = readdirSync(join(directory, 'log'))
  const raw = `"commit":{"record":${'['.repeat(levels)}${']'.repeat(levels)},"entry":0}}\n`
  const whole = Buffer.from(`{"crc":"00000000",${raw}`)
  whole.write(crcOf(whole).toString(16).padStart(8, '0'), '{"crc":"'.length, 'latin1')
  const lines = linesOf(directory)
  writeFileSync(join(directory, 'log', name), [lines[0], whole, ...lines.slice(1)].join(''))
  const store = fileStore({ directory })
  try {
    const { quarantined, sessions } = await done(store.open)
    expect(quarantined.map(({ problem }) => problem)).toEqual(['commit: nested deeper than 272'])
    expect(sessions.length).toBe(2)
  } finally {
    await store.close()
  }
})

test('what nests too deep is not accepted either, so that all that is acknowledged can be read', async () => {
  const store = closing(fileStore({ directory: freshDirectory() }))
  await done(store.open)
  const commit = store.commit(sampleCommit('a', 1))
  await done(commit)
  const body = { deep: nested(254) } as unknown as Json
  await done(store.saveSnapshot({ ...sampleSnapshot('a', 1), body }))
  const deeper = { deep: nested(256) } as unknown as Json
  const tooDeep = { _tag: 'TooLarge', limitDepth: 256 }
  const abyss = nested(100_000) as Json
  for (const one of [deeper, abyss]) {
    const snapshot = { ...sampleSnapshot('a', 2), body: one }
    expect(await refused(store.saveSnapshot(snapshot))).toMatchObject(tooDeep)
    expect(await refused(store.archive({ ...sampleArchive('a', 't'), snapshot }))).toMatchObject(
      tooDeep,
    )
    expect(await refused(store.checkpoint(one, 1))).toMatchObject(tooDeep)
  }
  await store.close()
  await done(store.open)
  expect((await done(store.readSnapshot('a'))).body).toEqual(body)
})

test('format 1, before sessions declared idempotent commands and receipts told of aliases', async () => {
  const store = fileStore({ directory: copyOf('format-1') })
  try {
    const { sessions, quarantined } = await done(store.open)
    expect(quarantined).toEqual([])
    expect(sessions.map(({ record }) => [record.control.sessionId, record.state])).toEqual([
      ['kept', 'snapshotting.idle'],
      ['gone', 'exhausted'],
    ])
    expect(sessions[0]?.record.control.traits.idempotentCommands).toEqual([])
    const { body } = await done(store.readSnapshot('kept'))
    const snapshot = RecoverySnapshot.decode(body)
    expect(E.isRight(snapshot) && snapshot.right.environment.WORK).toBe('done')
    const proved = (await done(store.readJournal('kept'))).at(-1)?.event
    expect(proved?.type === 'verified' && proved.verdict._tag === 'alive').toBe(true)
    const archive = sessions[1]?.record.control.lastEnd?.archive ?? ''
    expect((await done(store.readArchive(archive))).sessionId).toBe('gone')
  } finally {
    await store.close()
  }
})

test('a store of a former format goes on in the present one, so that a program of its time refuses it', async () => {
  const directory = copyOf('format-1-killed')
  const store = closing(fileStore({ directory }))
  await done(store.open)
  const formats = linesOf(directory).flatMap(
    (line) => /^\{"crc":"[0-9a-f]{8}","segment":\{"format":(\d)/.exec(line)?.[1] ?? [],
  )
  expect(formats).toEqual(['1', '2'])
})
