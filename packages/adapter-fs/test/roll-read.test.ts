/** A roll whose checksums are right is believed only where it says what can be used, to the letter. */
import { crc32 } from 'node:zlib'
import { memoryDisk } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { lineOf } from '../src/line.js'
import {
  blockBytes,
  crcOfBlock,
  type RollStatement,
  readRoll,
  rolledSegment,
  rollLine,
  rollName,
} from '../src/roll.js'
import { sessionHead } from './segment-sample.js'

const segment = '00000001-00000001.jsonl'
const heads = [sessionHead('a', []), sessionHead('b', [])]
const [lengthA = 0, lengthB = 0] = heads.map(({ length }) => length)
const named = {
  ids: ['a', 'b'],
  sizes: [lengthA, lengthB],
  places: [100, 100 + lengthA],
  due: [1],
}
const end = 100 + lengthA + lengthB
const good = blockBytes(named, heads)

const statement = (more: Partial<RollStatement> = {}, ...blocks: readonly Buffer[]) =>
  ({
    ...{ format: 1, record: 1, segment, keys: [] },
    checkpoint: { offset: end, bytes: 10, line: 4, crc: 5 },
    blocks: blocks.map((bytes) => ({ bytes: bytes.length, crc: crcOfBlock(bytes) })),
    ...more,
  }) as RollStatement

const readIn = async (...parts: readonly Buffer[]) => {
  const disk = memoryDisk()
  await disk.makeDirectory('/log')
  const bytes = Buffer.concat([...parts])
  disk.put('/log/roll', bytes)
  const file = await disk.open('/log/roll')
  const read: typeof file.read = (position, length) => {
    // As a disk would say of what stands before the beginning of a file.
    if (position < 0) throw new RangeError(`no position: ${position}`)
    return file.read(position, length)
  }
  return readRoll({ ...file, read }, bytes.length, segment)
}

/** What is wrong with a roll of these blocks, each with a right checksum. */
const wrong = async (more: Partial<RollStatement>, ...blocks: readonly Buffer[]) => {
  const read = await readIn(...blocks, rollLine(statement(more, ...blocks)))
  return E.isLeft(read) ? read.left : undefined
}

test('it has the name of its segment, and no other file has', () => {
  expect(rollName(segment)).toBe('00000001-00000001.roll')
  expect(rolledSegment('00000001-00000001.roll')).toBe(segment)
  expect(rolledSegment('x.roll.roll')).toBe('x.roll.jsonl')
  expect(rollName('x.jsonl.jsonl')).toBe('x.jsonl.roll')
  for (const other of [segment, 'roll', 'x.rolls', 'x.roll.tmp'])
    expect(rolledSegment(other)).toBeUndefined()
})

test('blocks are read with their sessions, and who is due; each head where it stands', async () => {
  const second = blockBytes({ ids: ['c'], sizes: [lengthA], places: [end], due: [] }, [
    sessionHead('c', []),
  ])
  const checkpoint = { offset: end + lengthA, bytes: 10, line: 5, crc: 6 }
  const read = await readIn(good, second, rollLine(statement({ checkpoint }, good, second)))
  if (E.isLeft(read)) throw new Error(read.left)
  const { blocks } = read.right
  expect(read.right.statement.checkpoint).toEqual(checkpoint)
  expect(blocks.map(({ ids, due }) => [ids, due])).toEqual([
    [['a', 'b'], ['b']],
    [['c'], []],
  ])
  for (const [block, at, id] of [
    [0, 0, 'a'],
    [0, 1, 'b'],
    [1, 0, 'c'],
  ] as const)
    expect(blocks[block]?.heldAt(at)).toMatchObject({
      right: { record: { control: { sessionId: id } }, entries: [] },
    })
})

test('a block without sessions and a roll without blocks are whole', async () => {
  expect(await wrong({})).toBeUndefined()
  const empty = blockBytes({ ids: [], sizes: [], places: [], due: [] }, [])
  expect(await wrong({}, empty, good)).toBeUndefined()
})

test.each([
  ['that is none', lineOf('other', named)],
  ['of nothing', lineOf('block', null)],
  ['of a text', lineOf('block', 'text')],
  ['without ids', lineOf('block', { ...named, ids: undefined })],
  ['with an id that is no text', lineOf('block', { ...named, ids: ['a', 5] })],
  ['with a negative size', lineOf('block', { ...named, sizes: [lengthA, -1] })],
  ['with a place that is no whole number', lineOf('block', { ...named, places: [100, 0.5] })],
  ['with a list of due that is none', lineOf('block', { ...named, due: 1 })],
  ['with fewer sizes', lineOf('block', { ...named, sizes: [lengthA] })],
  ['with fewer places', lineOf('block', { ...named, places: [100] })],
])('a block %s says nothing that can be used', async (_, line) => {
  expect(await wrong({}, Buffer.concat([line, ...heads]))).toBe(
    'block: it says nothing that can be used',
  )
})

test('heads are side by side, in their order, and before the checkpoint', async () => {
  const checkpoint = { offset: end, bytes: 10, line: 4, crc: 5 }
  expect(await wrong({ checkpoint }, good)).toBeUndefined()
  expect(await wrong({ checkpoint: { ...checkpoint, offset: end - 1 } }, good)).toBe(
    'block: a place behind the checkpoint',
  )
  const overlapping = { ...named, places: [100, 99 + lengthA] }
  expect(await wrong({}, blockBytes(overlapping, heads))).toBe(
    'block: a place before the one before it',
  )
  for (const some of [heads.slice(0, 1), [...heads, Buffer.from('\n')]])
    expect(await wrong({}, blockBytes(named, some))).toBe('block: heads are missing')
})

test('each block is checked, and the line that names them is the last', async () => {
  const line = rollLine(statement({}, good))
  const changed = Buffer.from(good)
  changed[good.length - 9] = (changed[good.length - 9] ?? 0) ^ 1
  expect(await readIn(changed, line)).toEqual(E.left('block: a wrong checksum'))
  const tooLong = rollLine(statement({ blocks: [{ bytes: 1 << 20, crc: crcOfBlock(good) }] }))
  expect(await readIn(good, tooLong)).toEqual(E.left('block: a wrong checksum'))
  expect(await readIn(good, line.subarray(0, -1))).toEqual(E.left('the line is cut off'))
  expect(await readIn(good)).toEqual(E.left('roll: no last line'))
  expect(await readIn()).toEqual(E.left('the line is cut off'))
  expect(await wrong({ segment: 'another.jsonl' }, good)).toBe('roll: that of another segment')
  expect(await readIn(good, lineOf('roll', { ...statement({}, good), format: 2 }))).toMatchObject({
    left: expect.stringMatching(/^roll: format: expected/),
  })
})

test.each([1, 40, 1_000, 4_000])(
  'the last line is found however long it is: %i keys',
  async (count) => {
    const keys = Array.from({ length: count }, (_, i) => ({
      ...{ sessionId: `s${i}`, key: `key-${i}`.repeat(20) },
    }))
    const read = await readIn(good, rollLine(statement({ keys }, good)))
    expect(E.isRight(read) && read.right.statement.keys).toEqual(keys)
    const alone = await readIn(rollLine(statement({ keys })))
    expect(E.isRight(alone) && alone.right.blocks).toEqual([])
  },
)

test('a line of a block that is none is no block, though the whole has a right checksum', async () => {
  const line = lineOf('block', named)
  const rotten = Buffer.from(line)
  rotten[line.length - 5] = (rotten[line.length - 5] ?? 0) ^ 1
  const unfinished = Buffer.from('"block":{"ids"\n')
  const crc = crc32(unfinished.subarray(0, -1)).toString(16).padStart(8, '0')
  const broken = Buffer.concat([Buffer.from(`{"crc":"${crc}",`), unfinished])
  for (const first of [rotten, broken])
    expect(await wrong({}, Buffer.concat([first, ...heads]))).toBe(
      'block: it says nothing that can be used',
    )
})

test('a last line that is none is told as what it is, though it has a right checksum', async () => {
  const said = Buffer.from('"roll":{"format"}\n')
  const crc = crc32(said.subarray(0, -1)).toString(16).padStart(8, '0')
  const line = Buffer.concat([Buffer.from(`{"crc":"${crc}",`), said])
  expect(await readIn(good, line)).toEqual(E.left('roll: not JSON'))
})

test('a head that is none is damage of its session, and the others are held', async () => {
  const rotten = Buffer.from(heads[0] ?? '')
  rotten[20] = (rotten[20] ?? 0) ^ 1
  const stranger = sessionHead('x', [])
  for (const [head, problem] of [
    [rotten, /^crc: expected/],
    [stranger, /^session: sessionId: expected that of the roll$/],
    [lineOf('forget', { sessionId: 'a', incarnation: 1 }), /^session: sessionId: expected/],
    [lineOf('session', { sessionId: 'a' }), /^session: entries: expected/],
  ] as const) {
    const sizes = [head.length, lengthB]
    const places = [100, 100 + head.length]
    const block = blockBytes({ ...named, sizes, places }, [head, heads[1] ?? head])
    const checkpoint = { offset: 1_000, bytes: 10, line: 4, crc: 5 }
    const read = await readIn(block, rollLine(statement({ checkpoint }, block)))
    if (E.isLeft(read)) throw new Error(read.left)
    const [only] = read.right.blocks
    const where = { segment, offset: 100, bytes: head.length, line: 0, sessionId: 'a' }
    expect(only?.heldAt(0)).toEqual(E.left({ ...where, problem: expect.stringMatching(problem) }))
    expect(only?.heldAt(1)).toMatchObject({ right: { record: {} } })
  }
})
