/**
 * Session ids that are paths, names of the store's own files, parts of other languages, or no text at all,
 * in a store that stands among somebody else's files: none of those is touched, and every id is a session.
 */
import { createHash } from 'node:crypto'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileStore } from '@session-recovery/adapter-fs'
import {
  digest,
  type JournalEntry,
  loadedSessions,
  type SessionRecord,
} from '@session-recovery/core'
import { type Chance, chance as chanceOf } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'

// ------------------------------------------------------------------------------------------ model

export interface IdTrial {
  readonly tried: number
  readonly lost: readonly string[]
}

const pieces: readonly [string, ...string[]] = [
  '..',
  ...['../', '../../', '/', '//', '.', '~', '~root', '%2e%2e%2f', '..%c0%af', '\\', '..\\'],
  ...['/etc/passwd', 'outside/treasure', '../outside/treasure', 'C:', 'NUL', 'con', 'aux'],
  ...[
    'log',
    'archives',
    'quarantine',
    'imported',
    '00000001-00000001.jsonl',
    '.tmp',
    '.snapshot.json',
  ],
  ...[
    '\0',
    '\n',
    '\r',
    '\t',
    '\x1b[2J',
    '\x7f',
    ' ',
    '  ',
    '"',
    "'",
    '`',
    '$(id)',
    '|',
    ';',
    '&',
    '*',
  ],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'null', 'undefined'],
  ...['\ud800', '\udc00', '😀', 'é', 'e\u0301', '\u202e', '\ufeff', '\u2028', '日本', 'ﬁ', 'İ'],
  ...['a', 'A', '0', '-', '--', '-rf', '{}', '[]', '{"crc":"00000000"', ',"sessionId":"a"'],
]

// ----------------------------------------------------------------------------------- constructors

/** An id of one to six such pieces; every hundredth is very long. */
export const hostileId = (chance: Chance): string => {
  const parts = Array.from({ length: chance.whole(1, 6) }, () => chance.pick(pieces))
  return chance.percent(1) ? parts.join('').repeat(chance.whole(10, 500)) : parts.join('')
}

const recordOf = (sessionId: string): SessionRecord => ({
  v: 1,
  rev: 1,
  state: 'registered',
  control: {
    sessionId,
    incarnation: 1,
    registeredAtMs: 1,
    traits: {
      kind: 'local',
      attended: false,
      shell: true,
      rerunnable: false,
      failureExitCodes: [],
      idempotentCommands: [],
    },
    used: 0,
    incidents: 0,
  },
})

const entryOf = (record: SessionRecord, seq: number): JournalEntry => ({
  v: 1,
  seq,
  sessionId: record.control.sessionId,
  incarnation: 1,
  rev: 1,
  stepVersion: 1,
  policyDigest: 'torture',
  wallMs: 1,
  event: { type: 'registered', atMs: 1, traits: record.control.traits },
  to: record.state,
  effects: [],
  recordDigest: digest(record),
})

// ------------------------------------------------------------------------------------ combinators

/** All that a tree says: names, kinds, modes, times and contents; not how many other names a file has. */
export const printOf = (directory: string): string =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      if (entry.isSymbolicLink()) return `${path} -> ${readlinkSync(path)}`
      const { mode, mtimeMs, size, ino } = statSync(path)
      const content = entry.isFile()
        ? createHash('sha256').update(readFileSync(path)).digest('hex')
        : ''
      return `${path} ${mode} ${mtimeMs} ${entry.isDirectory() ? '' : size} ${ino} ${content}`
    })
    .sort()
    .join('\n')

/** What the names in a store look like, whatever the sessions are called. */
const ownNames = [
  /^(log|archives|quarantine|imported)$/,
  /^log\/\d{8,15}-\d{8,15}\.(jsonl|roll)$/,
  /^archives\/[0-9a-f-]{36}\.json$/,
]

const groupIds = 1_000

/** `count` ids in a store in `directory`, beside files that are nobody's business. */
export const idTrial = async (
  count: number,
  seed: number,
  directory: string,
  progress: (tried: number) => void = () => {},
): Promise<IdTrial> => {
  const chance = chanceOf(seed)
  const outside = join(directory, 'outside')
  mkdirSync(outside, { recursive: true })
  writeFileSync(join(outside, 'treasure'), 'precious')
  writeFileSync(join(outside, 'treasure.snapshot.json'), '{}')
  const before = printOf(outside)
  const around = readdirSync(directory).length + 1
  const store = fileStore({ directory: join(directory, 'store') })
  const opened = await store.open()
  if (E.isLeft(opened)) return { tried: 0, lost: [`seed ${seed}: ${opened.left.message}`] }
  const lost: string[] = []
  const ids = new Set<string>()
  while (ids.size < count) {
    const group = new Set<string>()
    for (let i = 0; i < groupIds && ids.size + group.size < count; i++) {
      const id = hostileId(chance)
      if (!ids.has(id)) group.add(id)
    }
    const done = await Promise.all([...group].map((id, i) => stored(store, id, ids.size + i)))
    for (const problem of done) if (problem !== undefined) lost.push(`seed ${seed}: ${problem}`)
    for (const id of group) ids.add(id)
    progress(ids.size)
  }
  await store.close()
  const again = await store.open()
  const found = E.isRight(again) ? again.right : undefined
  const sessions = found === undefined ? [] : loadedSessions(found)
  const held = new Set(sessions.map(({ record }) => record.control.sessionId))
  for (const id of ids) if (!held.has(id)) lost.push(`seed ${seed}: ${JSON.stringify(id)} is gone`)
  if (found?.quarantined.length !== 0) lost.push(`seed ${seed}: something was set aside`)
  await store.close()
  if (printOf(outside) !== before) lost.push(`seed ${seed}: files outside were touched`)
  if (readdirSync(directory).length !== around) lost.push(`seed ${seed}: files were made beside`)
  for (const name of readdirSync(join(directory, 'store'), { recursive: true }) as string[]) {
    if (!ownNames.some((pattern) => pattern.test(name))) lost.push(`seed ${seed}: ${name}`)
  }
  return { tried: ids.size, lost }
}

const stored = async (
  store: ReturnType<typeof fileStore>,
  sessionId: string,
  place: number,
): Promise<string | undefined> => {
  const record = recordOf(sessionId)
  const committed = store.commit({ record, expectedRev: 0, entry: entryOf(record, place + 1) })()
  const view = { generation: 1, capturedAtMs: 1 }
  const snapshot = { sessionId, incarnation: 1, view, body: { sessionId } }
  const saved = store.saveSnapshot(snapshot)()
  const archive = {
    v: 1,
    sessionId,
    incarnation: 1,
    incident: 1,
    token: sessionId,
    atMs: 1,
  } as const
  const archived =
    place % 500 === 0
      ? store.archive({ ...archive, record, snapshot })()
      : Promise.resolve(undefined)
  for (const done of [await committed, await saved, await archived]) {
    if (done !== undefined && E.isLeft(done))
      return `${JSON.stringify(sessionId)}: ${done.left.message}`
  }
  const read = await store.readSnapshot(sessionId)()
  return E.isRight(read) && read.right.sessionId === sessionId
    ? undefined
    : `${JSON.stringify(sessionId)}: another snapshot is read`
}
