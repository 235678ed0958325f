/** What a line says, or why it says nothing: what a later version wrote is told apart from damage. */
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { lineOf, readLine } from '../src/line.js'
import { statementOf } from '../src/statement.js'
import { commitOf, entryOf, recordOf } from './sample.js'

const record = recordOf('a', 1)
const entry = entryOf(record)
const body = { bytes: 5, crc: 7 }
const view = { generation: 1, capturedAtMs: 2 }

const said = {
  segment: {
    format: 1,
    term: 1,
    sequence: 2,
    limitBytes: 3,
    whole: true,
    before: [{ name: 'x', bytes: 4 }],
  },
  commit: { record, entry },
  snapshot: { sessionId: 'a', incarnation: 1, view, body: { ...body, key: 'k' } },
  forget: { sessionId: 'a', incarnation: 1 },
  dropped: { archives: 1, archiveBytes: 2, quarantined: 3, quarantinedBytes: 4 },
  session: {
    sessionId: 'a',
    entries: [3],
    record,
    forgotten: 1,
    snapshot: { incarnation: 1, view, body },
  },
  checkpoint: { projection: { any: 1 }, unfolded: [entry], latestMs: 5, latestSeq: 6 },
  entry,
} as const
type Kind = keyof typeof said
const kinds = Object.keys(said) as Kind[]

const read = (kind: string, payload: unknown) => {
  const line = readLine(lineOf(kind, payload))
  if (E.isLeft(line)) throw new Error(line.left)
  return statementOf(line.right)
}

test.each(kinds)('%s is read back', (kind) => {
  expect(read(kind, said[kind])).toEqual(E.right({ kind, said: said[kind] }))
})

test.each(kinds.flatMap((kind) => Object.keys(said[kind]).map((field) => [kind, field] as const)))(
  '%s without %s names the field, unless it may be missing',
  (kind, field) => {
    const { [field]: _, ...rest } = said[kind] as Readonly<Record<string, unknown>>
    const optional: readonly string[] =
      kind === 'session' ? ['record', 'forgotten', 'snapshot'] : []
    const result = read(kind, rest)
    if (optional.includes(field) || field === 'projection') {
      expect(E.isRight(result)).toBe(true)
      return
    }
    expect(result).toMatchObject({ _tag: 'Left', left: { newer: false } })
    const problem = E.isLeft(result) ? result.left.problem : ''
    expect(problem.startsWith(`${kind}: ${field}`)).toBe(true)
  },
)

test('a line of no known kind, or that is no JSON, says nothing', () => {
  expect(read('strange', {})).toEqual(
    E.left({ problem: 'strange: unknown kind of line', newer: false }),
  )
  expect(read('constructor', {})).toMatchObject({ left: { newer: false } })
  const broken = { kind: 'entry', crc: 0, payload: () => E.left('broken') }
  expect(statementOf(broken)).toEqual(E.left({ problem: 'broken', newer: false }))
})

describe('a later version', () => {
  const { record: committed, entry: written } = commitOf('a', 1)
  test.each([
    ['segment', { ...said.segment, format: 3 }, 'segment: format: version 3', 2],
    ['commit', { record: { ...committed, v: 2 }, entry }, 'commit: record.v: version 2', 1],
    ['commit', { record, entry: { ...written, v: 9 } }, 'commit: entry.v: version 9', 1],
    [
      'session',
      { ...said.session, record: { ...record, v: 2 } },
      'session: record.v: version 2',
      1,
    ],
    ['entry', { ...entry, v: 2 }, 'entry: v: version 2', 1],
  ])('of %s is told with its number', (kind, payload, problem, known) => {
    expect(read(kind, payload)).toEqual(
      E.left({ problem: `${problem}, this program knows up to ${known}`, newer: true }),
    )
  })

  test('is a number that is higher', () => {
    for (const format of [0, -1, '2', null, undefined])
      expect(read('segment', { ...said.segment, format })).toMatchObject({ left: { newer: false } })
    expect(read('segment', null)).toMatchObject({ left: { newer: false } })
    expect(read('commit', { record: null, entry })).toMatchObject({ left: { newer: false } })
    expect(read('commit', 5)).toMatchObject({ left: { newer: false } })
  })
})

test('what is damaged says whose it was, where that can be read', () => {
  const sessionOf = (kind: Kind, payload: unknown) => {
    const result = read(kind, payload)
    return E.isLeft(result) ? result.left.sessionId : 'read'
  }
  expect(sessionOf('forget', { sessionId: 'a' })).toBe('a')
  expect(sessionOf('commit', { record: 1, entry })).toBe('a')
  expect(sessionOf('commit', { record: 1, entry: { ...entry, sessionId: 5 } })).toBeUndefined()
  expect(sessionOf('forget', { incarnation: 1 })).toBeUndefined()
  expect(read('forget', {})).toEqual(
    E.left({ problem: expect.stringMatching(/^forget: /), newer: false }),
  )
})
