/** Blanks are written ahead of the log, and what a crash leaves of them says nothing and is no damage. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { endBeforeBlanks, Room, writeAhead } from '../src/ahead.js'
import { type Disk, fileStore, realDisk } from '../src/index.js'
import { lineText } from '../src/line.js'
import { Shelf } from '../src/shelf.js'
import { commitOf, done, freshDirectory } from './sample.js'

const aheadBytes = 8_192

/** The real disk, with few blanks ahead, watched. */
const watched = () => {
  const writes: string[] = []
  const disk: Disk = {
    ...probed(realDisk, ({ name }) => {
      if (name === 'write' || name === 'sync') writes.push(name)
    }),
    aheadBytes,
  }
  return { disk, writes }
}

const logOf = (directory: string): string => join(directory, 'log')

const segments = (directory: string): readonly Buffer[] =>
  readdirSync(logOf(directory))
    .sort()
    .map((name) => readFileSync(join(logOf(directory), name)))

/** What is there when the process is killed now. */
const copyOf = (directory: string): string => {
  const copy = freshDirectory()
  mkdirSync(logOf(copy), { mode: 0o700 })
  for (const name of readdirSync(logOf(directory))) {
    copyFileSync(join(logOf(directory), name), join(logOf(copy), name))
  }
  return copy
}

const revOf = async (directory: string) => {
  const store = fileStore({ directory })
  const { sessions, quarantined } = await done(store.open)
  await store.close()
  return { rev: sessions[0]?.record.rev, quarantined }
}

test('a segment keeps its size while commits fit in what is written, each with one write and one flush', async () => {
  const directory = freshDirectory()
  const { disk, writes } = watched()
  const store = fileStore({ directory }, disk)
  await done(store.open)
  const sizes: number[] = []
  for (let rev = 1; rev <= 40; rev++) {
    writes.length = 0
    await done(store.commit(commitOf('a', rev)))
    if (rev > 1) expect(writes).toEqual(['write', 'sync'])
    sizes.push(segments(directory)[0]?.length ?? 0)
  }
  const grown = new Set(sizes).size - 1
  expect(grown).toBeGreaterThan(1)
  expect(grown).toBeLessThan(20)
  expect(segments(directory)[0]?.at(-1)).toBe(0x20)
  expect(await revOf(copyOf(directory))).toEqual({ rev: 40, quarantined: [] })
  await store.close()
  expect(await revOf(directory)).toEqual({ rev: 40, quarantined: [] })
})

test('what a crash leaves of them is no damage, whatever came after', async () => {
  const directory = freshDirectory()
  const store = fileStore({ directory }, watched().disk)
  await done(store.open)
  for (let rev = 1; rev <= 3; rev++) await done(store.commit(commitOf('a', rev)))
  const leave = (file: string, content: Buffer): string => {
    const copy = copyOf(directory)
    writeFileSync(join(logOf(copy), file), content, { mode: 0o600 })
    return copy
  }
  const [first = ''] = readdirSync(logOf(directory))
  const [content = Buffer.alloc(0)] = segments(directory)
  // The next segment was only just begun.
  expect(await revOf(leave('00000009-00000001.jsonl', Buffer.alloc(0)))).toEqual({
    rev: 3,
    quarantined: [],
  })
  expect(await revOf(leave('00000009-00000001.jsonl', Buffer.alloc(aheadBytes, ' ')))).toEqual({
    rev: 3,
    quarantined: [],
  })
  // The last commit was cut off, with blanks behind it.
  const end = content.findLastIndex((byte) => byte !== 0x20)
  const torn = Buffer.from(content).fill(' ', end - 20)
  expect(await revOf(leave(first, torn))).toEqual({ rev: 2, quarantined: [] })
  // Damage before them is found all the same.
  const lines = content.subarray(0, end).toString().split('\n')
  const inSecond = (lines[0]?.length ?? 0) + 1 + (lines[1]?.length ?? 0) + 50
  const hurt = Buffer.from(content).fill(0, inSecond, inSecond + 5)
  const { rev, quarantined } = await revOf(leave(first, hurt))
  expect(rev).toBe(3)
  expect(quarantined).toHaveLength(1)
  await store.close()
})

test('where there is no room for them the log goes on without; any other failure gives its file up', async () => {
  for (const [code, files] of [
    ['ENOSPC', 1],
    ['EIO', 2],
  ] as const) {
    const directory = freshDirectory()
    const { disk } = watched()
    let failing = false
    const full: Disk = {
      ...disk,
      create: async (path) => {
        const file = await disk.create(path)
        return {
          ...file,
          write: async (bytes, position) => {
            if (failing && bytes.length > aheadBytes) throw systemError(code)
            return file.write(bytes, position)
          },
        }
      },
    }
    const store = fileStore({ directory }, full)
    await done(store.open)
    await done(store.commit(commitOf('a', 1)))
    failing = true
    let rev = 2
    while (rev < 20) {
      const result = await store.commit(commitOf('a', rev))()
      if (E.isRight(result)) rev += 1
      else failing = false
    }
    expect(segments(directory)).toHaveLength(files)
    expect(await revOf(copyOf(directory))).toEqual({ rev: 19, quarantined: [] })
    await store.close()
  }
})

/** A file of a disk in memory that refuses more than `room` bytes at once. */
const fileOn = async (more: { readonly aheadBytes?: number; readonly room?: number } = {}) => {
  const memory = memoryDisk()
  await memory.makeDirectory('/d')
  const { aheadBytes, room = Number.POSITIVE_INFINITY } = more
  const made = await memory.create('/d/f')
  let code = 'ENOSPC'
  const asked: number[] = []
  const space = new Room()
  const file: typeof made = {
    ...made,
    write: async (bytes, position) => {
      asked.push(bytes.length)
      if (bytes.length > room) throw systemError(code)
      return made.write(bytes, position)
    },
  }
  return {
    file,
    asked,
    text: () => memory.files().get('/d/f')?.toString() ?? '',
    failWith: (other: string) => {
      code = other
    },
    ahead: (text: string, position: number, writtenBytes: number) =>
      writeAhead(
        aheadBytes === undefined ? memory : { ...memory, aheadBytes },
        file,
        text.length > 2
          ? [Buffer.from(text.slice(0, 2)), Buffer.from(text.slice(2))]
          : [Buffer.from(text)],
        position,
        writtenBytes,
        space,
      ),
  }
}

test('blanks are written only behind what goes beyond what is written', async () => {
  const { ahead, text } = await fileOn({ aheadBytes: 4 })
  expect(await ahead('ab', 0, 0)).toBe(6)
  expect(text()).toBe('ab    ')
  expect(await ahead('cdef', 2, 6)).toBe(6)
  expect(text()).toBe('abcdef')
  expect(await ahead('g', 6, 6)).toBe(11)
  expect(text()).toBe('abcdefg    ')
  expect(await ahead('h', 7, 11)).toBe(11)
  const without = await fileOn()
  expect(await without.ahead('ab', 0, 0)).toBe(2)
  expect(without.text()).toBe('ab')
  const none = await fileOn({ aheadBytes: 0, room: 2 })
  none.failWith('EIO')
  expect(await none.ahead('ab', 0, 0)).toBe(2)
})

test.each(['ENOSPC', 'EDQUOT', 'EFBIG'])(
  'without room for blanks (%s) none is written',
  async (code) => {
    const { ahead, text, failWith } = await fileOn({ aheadBytes: 4, room: 3 })
    failWith(code)
    expect(await ahead('abc', 0, 0)).toBe(3)
    expect(text()).toBe('abc')
    await expect(ahead('defg', 3, 3)).rejects.toMatchObject({ code })
    failWith('EIO')
    await expect(ahead('d', 3, 3)).rejects.toMatchObject({ code: 'EIO' })
  },
)

test('the end before the blanks is found wherever it is, and what is beyond does not count', async () => {
  const { file } = await fileOn()
  const blanks = (count: number) => ' '.repeat(count)
  const far = 200_000
  await file.write(Buffer.from(`ab c${blanks(far)}x`), 0)
  for (const [end, found] of [
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 4],
    [5, 4],
    [4 + (64 << 10), 4],
    [5 + (64 << 10), 4],
    [4 + far, 4],
    [5 + far, 5 + far],
  ] as const)
    expect([end, await endBeforeBlanks(file, end)]).toEqual([end, found])
  await file.write(Buffer.from(blanks(5 + far)), 0)
  expect(await endBeforeBlanks(file, 5 + far)).toBe(0)
})

test('what is written without blanks is written once, whether or not there is room', async () => {
  const { ahead, asked } = await fileOn({ aheadBytes: 0, room: 1 })
  await expect(ahead('ab', 0, 0)).rejects.toMatchObject({ code: 'ENOSPC' })
  expect(asked).toEqual([2])
})

test('a room is used again, and one that is too large is not kept', () => {
  const space = new Room()
  const first = space.of(10)
  expect(first).toHaveLength(10)
  expect(first.buffer.byteLength).toBe(20)
  for (const bytes of [5, 20]) expect(space.of(bytes).buffer).toBe(first.buffer)
  const mebibyte = 1 << 20
  const most = space.of(mebibyte)
  expect([most.length, space.of(3).buffer === most.buffer]).toEqual([mebibyte, true])
  const beyond = space.of(mebibyte + 1)
  expect([beyond.length, beyond.buffer === most.buffer]).toEqual([mebibyte + 1, false])
  expect(space.of(3).buffer).toBe(most.buffer)
})

test('lines from a shelf and lines in bytes stand one behind the other, whatever stood in their room', async () => {
  const { file, text } = await fileOn()
  const space = new Room()
  space.of(1_000).fill('?')
  const bytes = Buffer.from('bytes\n')
  const shelf = new Shelf()
  const held = (kind: string, json: string) => shelf.hold([lineText(kind, json)])
  const lines = [held('a', '"é😀"'), bytes, held('b', '[1]'), bytes]
  const length = lines.reduce((sum, line) => sum + line.length, 0)
  expect(await writeAhead({ ...memoryDisk(), aheadBytes: 3 }, file, lines, 0, 0, space)).toBe(
    length + 3,
  )
  expect(text().replaceAll(/"crc":"[0-9a-f]{8}",/g, '')).toBe(
    '{"a":"é😀"}\nbytes\n{"b":[1]}\nbytes\n   ',
  )
  expect(Buffer.byteLength(text())).toBe(length + 3)
})
