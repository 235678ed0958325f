/** The seed's snapshot files: taken over whole, set aside with the field named, and never lost. */
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { JournalEntry, type Json, RecoverySnapshot, SessionRecord } from '@session-recovery/core'
import { probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { type FileStoreOptions, fileStore, realDisk } from '../src/index.js'
import { isNestedDeeper } from '../src/nesting.js'
import { closing, commitOf, done, freshDirectory, openFiles, refused } from './sample.js'

const secret = 'hunter2-hunter2'

const seed = (sessionId: string, changes: Record<string, unknown> = {}) => ({
  sessionId,
  timestamp: '2024-03-01T10:00:00.000Z',
  sessionState: { pid: 42, startedAt: '2024-03-01T09:00:00.000Z', $date: 'not a mark' },
  sessionOptions: { command: 'bash', sshOptions: { host: 'h', password: secret } },
  environment: { PATH: '/bin', API_TOKEN: secret, NOTE: `contains ${secret}`, MINE: 'declared' },
  workingDirectory: '/home/me',
  commandHistory: ['ls', 'cd /tmp'],
  outputBuffer: ['line 1', 'line 2'],
  errorContext: { lastError: 'gone', errorTimestamp: '2024-03-01T09:59:00.000Z', errorCount: 2 },
  interactiveState: {
    isInteractive: true,
    pendingCommands: ['make'],
    sessionUnresponsive: false,
    timeoutCount: 1,
    lastPromptDetected: '2024-03-01T09:58:00.000Z',
  },
  ...changes,
})

const put = (directory: string, sessionId: string, content: unknown) =>
  writeFileSync(
    join(directory, `${sessionId}.snapshot.json`),
    typeof content === 'string' ? content : JSON.stringify(content, null, 2),
  )

const wallMs = () => Date.parse('2025-01-01T00:00:00Z')

const opened = async (directory: string, options: Partial<FileStoreOptions> = {}) => {
  const store = closing(fileStore({ directory, wallMs, ...options }))
  return { store, loaded: await done(store.open) }
}

const snapshotIn = (body: Json) => {
  const decoded = RecoverySnapshot.decode(body)
  if (E.isLeft(decoded)) throw new Error('the stored body is no snapshot')
  return decoded.right
}

test('a file becomes a session with one snapshot, and is moved away', async () => {
  const directory = freshDirectory()
  put(directory, 'web-1', seed('web-1'))
  const { store, loaded } = await opened(directory, { secretNames: ['MINE'] })
  expect(loaded.quarantined).toEqual([])
  const [session] = loaded.sessions
  expect(session?.record).toEqual({
    v: 1,
    rev: 1,
    state: 'registered',
    control: {
      sessionId: 'web-1',
      incarnation: 1,
      registeredAtMs: Date.parse('2024-03-01T10:00:00Z'),
      traits: {
        kind: 'ssh',
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
  expect(SessionRecord.is(session?.record)).toBe(true)
  expect(session?.view).toMatchObject({
    generation: 1,
    capturedAtMs: Date.parse('2024-03-01T10:00:00Z'),
    interactive: { lastPromptDetected: new Date('2024-03-01T09:58:00Z') },
  })
  expect(loaded.entries.length).toBe(1)
  expect(loaded.entries[0]).toMatchObject({
    event: { type: 'registered', atMs: Date.parse('2024-03-01T10:00:00Z') },
    wallMs: wallMs(),
    policyDigest: 'import',
    rev: 1,
  })
  expect(JournalEntry.is(loaded.entries[0])).toBe(true)
  const { body } = await done(store.readSnapshot('web-1'))
  const kept = snapshotIn(body)
  expect(kept.sessionState).toMatchObject({ pid: 42, $date: 'not a mark' })
  expect(kept.errorContext?.errorTimestamp).toEqual(new Date('2024-03-01T09:59:00Z'))
  expect([kept.commandHistory, kept.outputBuffer]).toEqual([[], []])
  expect(kept.environment.PATH).toBe('/bin')
  expect(existsSync(join(directory, 'web-1.snapshot.json'))).toBe(false)
  const original = join(directory, 'imported', 'web-1.snapshot.json')
  expect(JSON.parse(readFileSync(original, 'utf8'))).toEqual(seed('web-1'))
  expect(statSync(original).mode & 0o777).toBe(0o600)
  for (const name of readdirSync(join(directory, 'log'))) {
    const text = readFileSync(join(directory, 'log', name), 'utf8')
    expect(text).not.toContain(secret)
    expect(text).not.toContain('declared')
  }
  await store.close()
  expect((await done(store.open)).sessions).toEqual(loaded.sessions)
})

test('output and history are kept when asked for', async () => {
  const directory = freshDirectory()
  put(directory, 'a', seed('a'))
  const { store } = await opened(directory, { storeOutput: true })
  const kept = snapshotIn((await done(store.readSnapshot('a'))).body)
  expect([kept.commandHistory, kept.outputBuffer]).toEqual([
    ['ls', 'cd /tmp'],
    ['line 1', 'line 2'],
  ])
})

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

const refusals: readonly (readonly [string, unknown, string])[] = [
  ['empty', '', 'the file is empty'],
  ['torn', JSON.stringify(seed('torn')).slice(0, 200), 'not JSON, or torn'],
  ['array', '[]', 'expected'],
  ['null', 'null', 'expected'],
  ['number', '7', 'expected'],
  ['other', seed('someone'), 'sessionId'],
  ['undated', seed('undated', { timestamp: 'yesterday' }), 'timestamp'],
  ['invalid', seed('invalid', { timestamp: '2024-99-99T00:00:00Z' }), 'timestamp'],
  [
    'dateless',
    seed('dateless', {
      interactiveState: {
        isInteractive: true,
        pendingCommands: [],
        sessionUnresponsive: false,
        timeoutCount: 0,
        lastPromptDetected: 'x',
      },
    }),
    'interactiveState.lastPromptDetected',
  ],
  ['env', seed('env', { environment: { A: 1 } }), 'environment.A'],
  ['history', seed('history', { commandHistory: 'ls' }), 'commandHistory'],
  [
    'deep',
    JSON.stringify(seed('deep', { sessionState: 'HERE' })).replace('"HERE"', nested(10_000)),
    'nested deeper',
  ],
  ['utf8', Buffer.from([0x22, 0xff, 0xfe, 0x22]).toString('latin1'), 'expected'],
  ['big', seed('big', { outputBuffer: ['x'.repeat(70_000)] }), 'bytes, at most'],
]

test('what is torn, foreign or hostile is set aside with the field named; the rest is taken over', async () => {
  const directory = freshDirectory()
  for (const [id, content] of refusals) put(directory, id, content)
  writeFileSync(join(directory, 'raw.snapshot.json'), Buffer.from([0x22, 0xff, 0xfe, 0x22]))
  put(directory, 'good', seed('good'))
  put(
    directory,
    '__proto__',
    JSON.stringify(seed('__proto__')).replace('"pid":42', '"__proto__":{"polluted":1}'),
  )
  writeFileSync(join(directory, '.snapshot.json'), JSON.stringify(seed('')))
  writeFileSync(join(directory, 'notes.txt'), 'mine')
  const { store, loaded } = await opened(directory, { limitBytes: 65_536 })
  const problems = new Map(loaded.quarantined.map((one) => [one.source, one]))
  for (const [id, , problem] of refusals) {
    const one = problems.get(`${id}.snapshot.json`)
    expect(one?.problem).toContain(problem)
    expect(one?.keptAs).toBe(`quarantine/${id}.snapshot.json`)
    expect(existsSync(join(directory, one?.keptAs ?? 'nowhere'))).toBe(true)
  }
  expect(problems.get('raw.snapshot.json')?.problem).toContain('not UTF-8')
  expect(problems.get('.snapshot.json')?.problem).toContain('sessionId')
  expect(problems.get('env.snapshot.json')?.sessionId).toBe('env')
  expect(loaded.sessions.map(({ record }) => record.control.sessionId).sort()).toEqual([
    '__proto__',
    'good',
  ])
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  expect(readFileSync(join(directory, 'notes.txt'), 'utf8')).toBe('mine')
  for (const { problem } of loaded.quarantined) expect(problem).not.toContain(secret)
  await store.close()
  expect((await done(store.open)).quarantined).toEqual([])
})

test('an import never overwrites what the log has', async () => {
  const directory = freshDirectory()
  const { store } = await opened(directory)
  for (const rev of [1, 2]) await done(store.commit(commitOf('a', rev)))
  await done(store.commit(commitOf('gone', 1)))
  await done(store.forget('gone', 1))
  await store.close()
  put(directory, 'a', seed('a'))
  put(directory, 'gone', seed('gone'))
  const { sessions } = await done(store.open)
  expect(sessions.map(({ record }) => [record.control.sessionId, record.rev])).toEqual([['a', 2]])
  expect(readdirSync(join(directory, 'imported')).sort()).toEqual([
    'a.snapshot.json',
    'gone.snapshot.json',
  ])
  expect(await refused(store.readSnapshot('a'))).toMatchObject({ _tag: 'NotFound' })
})

test('a second file of one name does not replace the first that was moved away', async () => {
  const directory = freshDirectory()
  for (const timestamp of [
    '2024-01-01T00:00:00Z',
    '2024-01-02T00:00:00Z',
    '2024-01-03T00:00:00Z',
  ]) {
    put(directory, 'a', seed('a', { timestamp }))
    const { store } = await opened(directory)
    await store.close()
  }
  expect(readdirSync(join(directory, 'imported')).length).toBe(3)
})

test('a file from the future does not move the engine there', async () => {
  const directory = freshDirectory()
  put(directory, 'a', seed('a', { timestamp: '9999-01-01T00:00:00.000Z' }))
  expect((await opened(directory)).loaded.latestMs).toBe(wallMs())
})

test('a crash at any step of an import loses no session and takes none twice', async () => {
  const origin = freshDirectory()
  for (const id of ['a', 'b', 'c']) put(origin, id, seed(id))
  put(origin, 'torn', '{')
  let steps = 0
  const before = openFiles()
  for (let crashAt = 1; ; crashAt++) {
    const directory = freshDirectory()
    cpSync(origin, directory, { recursive: true })
    steps = 0
    const disk = probed(realDisk, ({ name }) => {
      if (name === 'status' || name === 'list' || name === 'read' || name === 'close') return
      steps += 1
      if (steps >= crashAt) throw systemError('EIO')
    })
    const first = fileStore({ directory, wallMs }, disk)
    const crashed = await first.open()
    await first.close()
    const { store, loaded } = await opened(directory)
    expect(loaded.sessions.map(({ record }) => record.control.sessionId).sort()).toEqual([
      'a',
      'b',
      'c',
    ])
    expect(loaded.entries.length).toBe(3)
    for (const id of ['a', 'b', 'c']) await done(store.readSnapshot(id))
    const files = ['imported', 'quarantine'].flatMap((name) => readdirSync(join(directory, name)))
    expect(files.sort()).toEqual(['a', 'b', 'c', 'torn'].map((id) => `${id}.snapshot.json`))
    await store.close()
    expect(openFiles()).toBe(before)
    if (E.isRight(crashed)) break
  }
  expect(steps).toBeGreaterThan(20)
})

test('nesting is counted outside of strings, whatever is quoted in them', () => {
  for (const [text, limit, deeper] of [
    ['[[[]]]', 3, false],
    ['[[[]]]', 2, true],
    ['{"a":"[[[[["}', 1, false],
    ['{"a":"\\"[[[","b":[]}', 2, false],
    ['{"a":"\\\\","b":[[]]}', 2, true],
    ['[],[],[]', 1, false],
  ] as const) {
    expect([text, isNestedDeeper(Buffer.from(text), limit)]).toEqual([text, deeper])
  }
})
