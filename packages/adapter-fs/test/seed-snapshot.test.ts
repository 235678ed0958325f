/** A file of the former program: what of it is taken over, and what is wrong with one that is not. */
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { type SeedRules, seedNestingLimit, seedSnapshot } from '../src/seed-snapshot.js'

const name = 's.snapshot.json'
const plain = {
  ...{ sessionId: 's', timestamp: '2024-03-01T10:00:00.000Z', sessionState: {} as unknown },
  ...{ sessionOptions: {} as unknown, environment: {}, workingDirectory: '/' },
  ...{ commandHistory: ['ls'], outputBuffer: ['file'] },
}
const open: SeedRules = { secretNames: [], storeOutput: true }

const read = (content: unknown, rules = open, called = name) =>
  seedSnapshot(
    called,
    Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content)),
    rules,
  )
const problem = (content: unknown, called = name) => {
  const found = read(content, open, called)
  return E.isLeft(found) ? found.left : undefined
}

test('all of it is taken over, output and history only where they may be stored', () => {
  const taken = read(plain)
  expect(taken).toEqual(E.right({ ...plain, timestamp: new Date(plain.timestamp) }))
  expect(read(plain, { ...open, storeOutput: false })).toMatchObject({
    right: { commandHistory: [], outputBuffer: [], workingDirectory: '/' },
  })
})

test('secrets are taken out, of declared names, too', () => {
  const environment = { API_TOKEN: 'correct-horse-battery', MINE: 'declared-to-be-secret' }
  const taken = JSON.stringify(read({ ...plain, environment }, { ...open, secretNames: ['MINE'] }))
  expect(taken).not.toContain('correct-horse-battery')
  expect(taken).not.toContain('declared-to-be-secret')
})

test('what looks like a marked date in the app’s own data stays as it is', () => {
  for (const sessionState of [{ $date: 'mine' }, { at: ['2024', { $date: 5 }] }, 'text', null, 7]) {
    expect(read({ ...plain, sessionState, sessionOptions: sessionState })).toMatchObject({
      right: { sessionState, sessionOptions: sessionState },
    })
  }
  const environment = { $date: 'mine', PATH: '/bin' }
  expect(read({ ...plain, environment })).toMatchObject({ right: { environment } })
})

test.each<readonly [string, Buffer | object | string | number]>([
  ['the file is empty', Buffer.alloc(0)],
  ['not JSON, or torn', Buffer.from('{"sessionId":')],
  ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ['expected', []],
  ['expected', 'text'],
  ['expected', 7],
])('%s is said of what is none', (what, content) => {
  const found = problem(content)
  expect(found?.problem).toMatch(/^recovery snapshot: /)
  expect(found?.problem).toContain(what)
  expect(found).not.toHaveProperty('sessionId')
})

test('what is no object is none as a whole, whichever field it lacks', () => {
  for (const content of [7, 'text', [], Buffer.from('null')])
    expect(problem(content)?.problem).toMatch(/^recovery snapshot: expected /)
})

test('null is none, and a field at fault is named with the session', () => {
  expect(problem(Buffer.from('null'))?.problem).toContain('recovery snapshot')
  expect(problem({ ...plain, environment: 7 })).toEqual({
    ...{ problem: expect.stringContaining('environment'), sessionId: 's' },
  })
  expect(problem({ ...plain, sessionId: 7 })).toEqual({
    ...{ problem: expect.stringContaining('sessionId') },
  })
})

test('it must be the one in the file’s name', () => {
  const wrong = { problem: "recovery snapshot: sessionId: expected the one in the file's name" }
  expect(problem(plain, 't.snapshot.json')).toEqual(wrong)
  expect(problem(plain, 's.json')).toEqual(wrong)
  expect(problem({ ...plain, sessionId: '' }, '.snapshot.json')?.problem).toContain('sessionId')
})

test('it nests as deep as the limit says and no deeper', () => {
  const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)
  const deep = (depth: number) => problem({ ...plain, sessionState: nested(depth) })
  expect(deep(seedNestingLimit - 1)).toBeUndefined()
  expect(deep(seedNestingLimit)).toEqual({
    problem: `recovery snapshot: nested deeper than ${seedNestingLimit}`,
  })
})
