/** Which files are segments, what their headers say, and which of them make up the log. */
import { memoryDisk, probed } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { lineOf } from '../src/line.js'
import {
  declaredLimitBytes,
  type FoundSegment,
  findSegments,
  headerLine,
  layoutOf,
  lineLimitBytes,
  segmentName,
  segmentNumbers,
} from '../src/segment.js'
import type { SegmentHeader } from '../src/statement.js'

const header = (
  term: number,
  sequence: number,
  before: SegmentHeader['before'] = [],
): SegmentHeader => ({ format: 1, term, sequence, limitBytes: 1_000, whole: false, before })

const found = (
  term: number,
  sequence: number,
  said: FoundSegment['header'] = E.right(header(term, sequence)),
): FoundSegment => ({
  name: segmentName(term, sequence),
  term,
  sequence,
  sizeBytes: 100 + sequence,
  header: said,
})
const damaged = E.left('damaged')

test('a name has term and sequence, and one way to be written', () => {
  expect(segmentName(1, 23)).toBe('00000001-00000023.jsonl')
  expect(segmentNumbers('00000001-00000023.jsonl')).toEqual({ term: 1, sequence: 23 })
  expect(segmentNumbers(segmentName(123_456_789, 1))).toEqual({ term: 123_456_789, sequence: 1 })
  for (const name of [
    '',
    '1-1.jsonl',
    '000000001-00000001.jsonl',
    '00000001-00000001.jsonl.tmp',
    'x00000001-00000001.jsonl',
    '00000001-00000001xjsonl',
    '00000001-00000001.json',
    '00000001_00000001.jsonl',
    `${'9'.repeat(16)}-00000001.jsonl`,
    `00000001-${'9'.repeat(16)}.jsonl`,
  ])
    expect(segmentNumbers(name), name).toBeUndefined()
  const most = 9.99e14
  expect(segmentNumbers(segmentName(most, most))).toEqual({ term: most, sequence: most })
})

describe('what is found', () => {
  const here = '/log'
  const findIn = async (files: Readonly<Record<string, Buffer>>) => {
    const disk = memoryDisk()
    await disk.makeDirectory(here)
    for (const [name, bytes] of Object.entries(files)) disk.put(`${here}/${name}`, bytes)
    let open = 0
    const counted = probed(disk, ({ name }) => {
      if (name === 'open') open += 1
      if (name === 'close') open -= 1
    })
    const found = await findSegments(counted, here, Object.keys(files))
    expect(open).toBe(0)
    return found
  }
  const { format: _, ...first } = header(1, 2, [{ name: 'x', bytes: 3 }])

  test('is in order of term and sequence, with its size and its header', async () => {
    const line = headerLine(first)
    const { segments, newer } = await findIn({
      [segmentName(2, 1)]: headerLine({ ...first, term: 2, sequence: 1 }),
      [segmentName(1, 10)]: headerLine({ ...first, sequence: 10 }),
      'something-else': line,
      [segmentName(1, 2)]: Buffer.concat([line, Buffer.from('more')]),
    })
    expect(newer).toBeUndefined()
    expect(segments.map(({ term, sequence }) => [term, sequence])).toEqual([
      [1, 2],
      [1, 10],
      [2, 1],
    ])
    expect(segments[0]).toEqual({
      name: segmentName(1, 2),
      term: 1,
      sequence: 2,
      sizeBytes: line.length + 4,
      header: E.right({ format: 2, ...first }),
    })
  })

  test('has a header, or what is wrong with it', async () => {
    const problem = async (bytes: Buffer) => {
      const { segments, newer } = await findIn({ [segmentName(1, 2)]: bytes })
      return [segments[0]?.header, newer]
    }
    expect(await problem(Buffer.alloc(0))).toEqual([E.left('the line is cut off'), undefined])
    expect(await problem(lineOf('forget', { sessionId: 'a', incarnation: 1 }))).toEqual([
      E.left('segment: no header'),
      undefined,
    ])
    expect(await problem(lineOf('segment', { ...first, format: 1, term: -1 }))).toEqual([
      E.left(expect.stringContaining('segment: term')),
      undefined,
    ])
    const other = E.left('segment: its name says another term or sequence')
    for (const change of [{ term: 2 }, { sequence: 3 }])
      expect(await problem(headerLine({ ...first, ...change }))).toEqual([other, undefined])
    const later = lineOf('segment', { ...first, format: 3 })
    expect(await problem(later)).toEqual([
      E.left(expect.stringContaining('version 3')),
      expect.stringMatching(/^00000001-00000002[.]jsonl: .*version 3/),
    ])
  })
})

describe('the log', () => {
  const names = (segments: readonly { readonly segment: FoundSegment; readonly bytes: number }[]) =>
    segments.map(({ segment, bytes }) => [segment.sequence, bytes])

  test('is the newest segment, and what it lists, as far as it lists it', () => {
    const before = [
      { name: segmentName(1, 2), bytes: 50 },
      { name: segmentName(1, 3), bytes: 60 },
    ]
    const segments = [found(1, 1), found(1, 2), found(1, 4, E.right(header(1, 4, before)))]
    const { live, missing, superseded } = layoutOf(segments)
    expect(names(live)).toEqual([
      [2, 50],
      [4, 104],
    ])
    expect(live.map(({ durable }) => durable)).toEqual([true, false])
    expect(missing).toEqual([before[1]])
    expect(superseded).toEqual([segmentName(1, 1)])
  })

  test('goes on through segments whose headers are damaged', () => {
    const before = [{ name: segmentName(1, 1), bytes: 50 }]
    const segments = [found(1, 1), found(1, 2, E.right(header(1, 2, before))), found(1, 3, damaged)]
    const { live, superseded } = layoutOf(segments)
    expect(names(live)).toEqual([
      [1, 50],
      [2, 102],
      [3, 103],
    ])
    expect(superseded).toEqual([])
    expect(names(layoutOf([found(1, 1, damaged), found(1, 2, damaged)]).live)).toEqual([
      [1, 101],
      [2, 102],
    ])
    expect(layoutOf([])).toEqual({ live: [], missing: [], superseded: [] })
  })
})

test('a line may be as long as the higher of the limits allows for two', () => {
  const headBytes = 4 << 20
  expect(declaredLimitBytes(found(1, 1))).toBe(1_000)
  expect(declaredLimitBytes(found(1, 1, damaged))).toBe(0)
  expect(lineLimitBytes(found(1, 1), 10)).toBe(2_000 + headBytes)
  expect(lineLimitBytes(found(1, 1), 1_500)).toBe(3_000 + headBytes)
})

test('of one whose size nobody knows any more nothing is read', async () => {
  const disk = memoryDisk()
  await disk.makeDirectory('/log')
  const name = segmentName(1, 1)
  disk.put(`/log/${name}`, headerLine({ ...header(1, 1) }))
  const vanishing = { ...disk, status: async () => undefined }
  expect(await findSegments(vanishing, '/log', [name])).toEqual({
    segments: [{ name, term: 1, sequence: 1, sizeBytes: 0, header: E.left('the line is cut off') }],
    newer: undefined,
  })
})
