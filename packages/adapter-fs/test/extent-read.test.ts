/** What stands at a place is what was expected there, or is told with the place; files are opened once. */
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { bodyAt, entryAt, lineAt, placeName, rawEntry, segmentFiles } from '../src/extent-read.js'
import { crcOf, lineOf, readLine } from '../src/line.js'
import { commitOf, entryOf, recordOf } from './sample.js'

const extent = { segment: 'one.jsonl', offset: 7, bytes: 3 }
const place = 'one.jsonl: byte 7'
const { record, entry } = commitOf('a', 1)
const commit = lineOf('commit', { record, entry })

test('a file is opened once and closed at the end, whatever became of it', async () => {
  const disk = memoryDisk()
  await disk.makeDirectory('/log')
  disk.put('/log/one.jsonl', Buffer.from('0123456789abc'))
  const done: string[] = []
  const files = segmentFiles(
    probed(disk, ({ name, path }) => {
      done.push(`${name} ${path}`)
    }),
    '/log',
  )
  expect((await files.bytes(extent)).toString()).toBe('789')
  expect((await files.bytes({ ...extent, offset: 0 })).toString()).toBe('012')
  await expect(files.bytes({ ...extent, segment: 'gone.jsonl' })).rejects.toMatchObject({
    code: 'ENOENT',
  })
  await files.close()
  const opened = done.filter((one) => one.startsWith('open'))
  expect(opened).toEqual(['open /log/one.jsonl', 'open /log/gone.jsonl'])
  expect(done.filter((one) => one.startsWith('close'))).toEqual(['close /log/one.jsonl'])
})

test.each([
  [1, '789'],
  [2, '789'],
  [3, undefined],
])('a read that fails %d times in a row is made again, up to three times', async (fails, read) => {
  const disk = memoryDisk()
  await disk.makeDirectory('/log')
  disk.put('/log/one.jsonl', Buffer.from('0123456789abc'))
  let reads = 0
  const failing = probed(disk, ({ name }) => {
    if (name !== 'read') return
    reads += 1
    if (reads <= fails) throw systemError('EIO')
  })
  const files = segmentFiles(failing, '/log')
  const answer = files.bytes(extent)
  if (read === undefined) await expect(answer).rejects.toMatchObject({ code: 'EIO' })
  else expect((await answer).toString()).toBe(read)
  await files.close()
})

test('a line of a kind that is expected, or why not', () => {
  expect(placeName(extent)).toBe(place)
  expect(lineAt(commit, extent, 'entry', 'commit')).toMatchObject(E.right({ kind: 'commit' }))
  expect(lineAt(commit, extent, 'entry', 'body')).toEqual(
    E.left(`${place}: expected entry or body, got commit`),
  )
  expect(lineAt(Buffer.from('x'), extent, 'commit')).toEqual(
    E.left(`${place}: the line is cut off`),
  )
})

test('a body is that of its snapshot', () => {
  const bytes = lineOf('body', { some: 'text' })
  const held = {
    incarnation: 1,
    view: { generation: 1, capturedAtMs: 1 },
    body: extent,
    bodyCrc: crcOf(bytes),
    key: undefined,
  }
  expect(bodyAt(bytes, held)).toMatchObject(E.right({ kind: 'body' }))
  expect(bodyAt(bytes, { ...held, bodyCrc: 1 })).toEqual(
    E.left(`${place}: body: that of another snapshot`),
  )
  expect(bodyAt(commit, held)).toEqual(E.left(`${place}: expected body or sealed, got commit`))
  const sealed = lineOf('sealed', 1)
  expect(E.isRight(bodyAt(sealed, { ...held, bodyCrc: crcOf(sealed) }))).toBe(true)
})

test('an entry is that of its session, in a commit or by itself', () => {
  expect(entryAt(commit, extent, 'a')).toEqual(E.right(entry))
  const alone = entryOf(recordOf('b', 2))
  expect(entryAt(lineOf('entry', alone), extent, 'b')).toEqual(E.right(alone))
  const wrong = (problem: unknown, newer = false) => E.left({ problem, newer })
  const foreign = wrong(`${place}: entry: sessionId: expected that of the session`)
  expect(entryAt(commit, extent, 'b')).toEqual(foreign)
  expect(entryAt(lineOf('entry', alone), extent, 'a')).toEqual(foreign)
  expect(entryAt(lineOf('body', {}), extent, 'a')).toEqual(
    wrong(`${place}: expected commit or entry, got body`),
  )
  expect(entryAt(lineOf('entry', { ...alone, rev: -1 }), extent, 'b')).toEqual(
    wrong(expect.stringMatching(/^one[.]jsonl: byte 7: entry: rev: expected/)),
  )
  expect(entryAt(lineOf('entry', { ...alone, v: 2 }), extent, 'b')).toEqual(
    wrong(expect.stringMatching(/^one[.]jsonl: byte 7: entry: v: version 2/), true),
  )
})

test('the entry of a commit is read without being understood, if there is one', () => {
  const raw = (bytes: Buffer) => {
    const line = readLine(bytes)
    if (E.isLeft(line)) throw new Error(line.left)
    return rawEntry(line.right)
  }
  expect(raw(lineOf('commit', { entry: 5 }))).toBe(5)
  expect(raw(lineOf('commit', {}))).toBeUndefined()
  for (const said of [null, 'text', 5]) expect(raw(lineOf('commit', said))).toBeUndefined()
  const broken = { kind: 'commit', crc: 0, payload: () => E.left('broken') }
  expect(rawEntry(broken)).toBeUndefined()
})
