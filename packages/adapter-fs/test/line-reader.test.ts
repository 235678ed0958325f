/** Lines and where they stand, however long they are and wherever the pieces end that a file is read in. */
import { expect, test } from 'vitest'
import type { DiskFile } from '../src/index.js'
import { lineReader } from '../src/line-reader.js'

const mebibyte = 1 << 20

const fileOf = (text: string): DiskFile & { readonly reads: [number, number][] } => {
  const bytes = Buffer.from(text)
  const reads: [number, number][] = []
  return {
    reads,
    read: async (position, length) => {
      reads.push([position, length])
      return bytes.subarray(position, position + length)
    },
    write: async () => 0,
    sync: async () => undefined,
    close: async () => undefined,
  }
}

/** Every line up to byte `end`: where it starts, its length, its number, and its text unless it is too long. */
const linesOf = async (file: DiskFile, end: number, limitBytes: number) => {
  const reader = lineReader(file, end, limitBytes)
  const lines: [number, number, number, string | undefined][] = []
  for (let line = await reader.next(); line !== undefined; line = await reader.next())
    lines.push([line.offset, line.bytes, line.number, line.content?.toString()])
  expect(await reader.next()).toBeUndefined()
  return lines
}

test('lines have their places, and the last one needs no newline', async () => {
  expect(await linesOf(fileOf('one\n\nthree'), 10, 100)).toEqual([
    [0, 4, 1, 'one\n'],
    [4, 1, 2, '\n'],
    [5, 5, 3, 'three'],
  ])
})

test('nothing beyond the end is read, nor anything of a file that is shorter than it was', async () => {
  const file = fileOf('one\ntwo\nthree\n')
  expect(await linesOf(file, 6, 100)).toEqual([
    [0, 4, 1, 'one\n'],
    [4, 2, 2, 'tw'],
  ])
  expect(Math.max(...file.reads.map(([position, length]) => position + length))).toBe(6)
  expect(await linesOf(fileOf(''), 6, 100)).toEqual([])
  expect(await linesOf(fileOf('one\ntw'), 12, 100)).toEqual([
    [0, 4, 1, 'one\n'],
    [4, 2, 2, 'tw'],
  ])
})

test('a line over several pieces is whole, up to the limit', async () => {
  const long = 'x'.repeat(mebibyte + 5)
  const file = fileOf(`a\n${long}\nb\n`)
  const end = long.length + 5
  expect(await linesOf(file, end, 2 * mebibyte)).toEqual([
    [0, 2, 1, 'a\n'],
    [2, long.length + 1, 2, `${long}\n`],
    [long.length + 3, 2, 3, 'b\n'],
  ])
  expect(file.reads).toEqual([
    [0, mebibyte],
    [mebibyte, 10],
  ])
})

test('a line that is longer than the limit is passed over, piece by piece', async () => {
  const long = 'x'.repeat(3 * mebibyte)
  const file = fileOf(`${long}\nb\n`)
  expect(await linesOf(file, long.length + 3, 100)).toEqual([
    [0, long.length + 1, 1, undefined],
    [long.length + 1, 2, 2, 'b\n'],
  ])
  expect(Math.max(...file.reads.map(([, length]) => length))).toBe(mebibyte)
  expect(await linesOf(fileOf(long), long.length, 100)).toEqual([[0, long.length, 1, undefined]])
  expect(await linesOf(fileOf(`b\n${long}`), long.length + 2, 100)).toEqual([
    [0, 2, 1, 'b\n'],
    [2, long.length, 2, undefined],
  ])
  // What has no end is as long as it is.
  expect(await linesOf(fileOf('b\n12345'), 7, 5)).toEqual([
    [0, 2, 1, 'b\n'],
    [2, 5, 2, '12345'],
  ])
  const atTheEnd = fileOf(`${'x'.repeat(2 * mebibyte - 1)}\nb\n`)
  expect(await linesOf(atTheEnd, 2 * mebibyte + 2, 100)).toEqual([
    [0, 2 * mebibyte, 1, undefined],
    [2 * mebibyte, 2, 2, 'b\n'],
  ])
})

test('what was held of one place is not taken for another', async () => {
  const file = fileOf('one\ntwo\nthree\n')
  const reader = lineReader(file, 14, 100)
  expect(await reader.next()).toMatchObject({ offset: 0, number: 1 })
  reader.seek(8, 3)
  const third = await reader.next()
  expect([third?.offset, third?.number, third?.content?.toString()]).toEqual([8, 3, 'three\n'])
  reader.seek(4, 2)
  const second = await reader.next()
  expect([second?.offset, second?.number, second?.content?.toString()]).toEqual([4, 2, 'two\n'])
  expect(file.reads).toEqual([[0, 14]])
})

test('what stands before all that is held is read again', async () => {
  const before = `one\ntwo\n${'x'.repeat(mebibyte)}\n`
  const reader = lineReader(fileOf(`${before}last\n`), before.length + 5, 2 * mebibyte)
  reader.seek(before.length, 4)
  expect((await reader.next())?.content?.toString()).toBe('last\n')
  reader.seek(4, 2)
  expect((await reader.next())?.content?.toString()).toBe('two\n')
})

test('an empty line is one wherever it stands', async () => {
  expect(await linesOf(fileOf('\n\nx\n'), 4, 100)).toEqual([
    [0, 1, 1, '\n'],
    [1, 1, 2, '\n'],
    [2, 2, 3, 'x\n'],
  ])
})
