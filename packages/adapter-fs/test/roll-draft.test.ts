/** A roll as it is written: in blocks, each key once, kept only when it is whole, and gone where it is not. */
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import type { Disk } from '../src/index.js'
import { readRoll } from '../src/roll.js'
import { RollDraft } from '../src/roll-draft.js'
import { sessionHead } from './segment-sample.js'

const segment = '00000001-00000001.jsonl'
const path = '/log/00000001-00000001.roll'

const diskWith = async (refuse: (name: string) => void = () => undefined) => {
  const memory = memoryDisk()
  await memory.makeDirectory('/log')
  const done: string[] = []
  const disk = probed(memory, (operation) => {
    done.push(`${operation.name} ${operation.path}`)
    refuse(operation.name)
  })
  return { memory, disk, done }
}

const rollIn = async (disk: Disk) => {
  const status = await disk.status(path)
  const read = await readRoll(await disk.open(path), status?.sizeBytes ?? 0, segment)
  if (E.isLeft(read)) throw new Error(read.left)
  return read.right
}

/** Adds `ids` one behind the other; answers where the checkpoint stands. */
const filled = async (draft: RollDraft, ids: readonly string[], keyOf = (_: string) => '') => {
  let offset = 100
  for (const id of ids) {
    const head = sessionHead(id, [])
    const key = keyOf(id)
    const sealed = key === '' ? undefined : { key: key === 'clear' ? undefined : key }
    const place = { segment, offset, bytes: head.length }
    await draft.add(id, head, place, id.startsWith('due'), sealed)
    offset += head.length
  }
  return { offset, bytes: 9, line: 7, crc: 8 }
}

test('is kept with all that it was told, flushed before it has its name and the name after', async () => {
  const { memory, disk, done } = await diskWith()
  const draft = new RollDraft(disk, '/log', segment)
  const keys: Readonly<Record<string, string>> = { a: 'k1', b: 'clear', c: 'k1', d: 'k2', due: '' }
  const checkpoint = await filled(draft, Object.keys(keys), (id) => keys[id] ?? '')
  expect(await draft.keep(checkpoint)).toBeUndefined()
  await draft.discard()
  const { statement, blocks } = await rollIn(memory)
  expect(statement).toMatchObject({
    ...{ format: 1, segment, checkpoint },
    keys: [{ sessionId: 'a', key: 'k1' }, { sessionId: 'b' }, { sessionId: 'd', key: 'k2' }],
  })
  expect(Object.keys(statement.keys[1] ?? {})).toEqual(['sessionId'])
  expect(blocks.map(({ ids, due }) => [ids, due])).toEqual([[Object.keys(keys), ['due']]])
  expect(done).toEqual([
    ...[`create ${path}.tmp`, `write ${path}.tmp`, `sync ${path}.tmp`, `rename ${path}`],
    ...['syncDirectory /log', `close ${path}.tmp`, `remove ${path}.tmp`],
  ])
})

test('is written block by block, and each is as large as is good to read at once', async () => {
  const { memory, disk } = await diskWith()
  const draft = new RollDraft(disk, '/log', segment)
  const many = Array.from({ length: 9_000 }, (_, i) => (i % 1_000 === 0 ? `due${i}` : `s${i}`))
  expect(await draft.keep(await filled(draft, many))).toBeUndefined()
  const { statement, blocks } = await rollIn(memory)
  expect(blocks.length).toBeGreaterThan(1)
  for (const { bytes } of statement.blocks.slice(0, -1)) {
    expect(bytes).toBeGreaterThan(1 << 20)
    expect(bytes).toBeLessThan(2 << 20)
  }
  expect(blocks.flatMap(({ ids }) => ids)).toEqual(many)
  expect(blocks.flatMap(({ due }) => due)).toEqual(many.filter((id) => id.startsWith('due')))
  const last = blocks.at(-1)
  expect(last?.heldAt((last?.ids.length ?? 0) - 1)).toMatchObject({
    right: { record: { control: { sessionId: 's8999' } } },
  })
})

test('a block ends as soon as it holds a mebibyte', async () => {
  const { memory, disk } = await diskWith()
  const draft = new RollDraft(disk, '/log', segment)
  const half = 1 << 19
  const head = Buffer.from(`${'x'.repeat(half - 1)}\n`)
  for (const [i, id] of ['a', 'b', 'c'].entries()) {
    const place = { segment, offset: 100 + i * half, bytes: half }
    await draft.add(id, head, place, false, undefined)
  }
  const checkpoint = { offset: 100 + 3 * half, bytes: 1, line: 2, crc: 3 }
  expect(await draft.keep(checkpoint)).toBeUndefined()
  expect((await rollIn(memory)).blocks.map(({ ids }) => ids)).toEqual([['a', 'b'], ['c']])
})

test('of no session is one without blocks', async () => {
  const { memory, disk } = await diskWith()
  const draft = new RollDraft(disk, '/log', segment)
  expect(await draft.keep({ offset: 0, bytes: 1, line: 2, crc: 3 })).toBeUndefined()
  expect((await rollIn(memory)).blocks).toEqual([])
})

test.each(['create', 'write', 'sync', 'rename'])(
  'where %s fails it says so once, does no more, and leaves nothing',
  async (failing) => {
    const { memory, disk, done } = await diskWith((name) => {
      if (name === failing) throw systemError('ENOSPC')
    })
    const draft = new RollDraft(disk, '/log', segment)
    const many = Array.from({ length: 9_000 }, (_, i) => `s${i}`)
    const problem = await draft.keep(await filled(draft, many))
    expect(problem?.error).toMatchObject({ code: 'ENOSPC' })
    expect(done.filter((one) => one.startsWith(failing))).toHaveLength(1)
    await draft.discard()
    expect(await memory.list('/log')).toEqual([])
    const before = done.length
    await draft.discard()
    expect(done.length).toBe(before)
  },
)

test('that was not kept is gone, also where its file cannot be closed', async () => {
  const { memory, disk } = await diskWith()
  const broken: Disk = {
    ...disk,
    create: async (at) => ({
      ...(await disk.create(at)),
      close: async () => {
        throw systemError('EIO')
      },
    }),
  }
  const draft = new RollDraft(broken, '/log', segment)
  const many = Array.from({ length: 9_000 }, (_, i) => `s${i}`)
  await filled(draft, many)
  expect(await memory.list('/log')).toEqual(['00000001-00000001.roll.tmp'])
  await draft.discard()
  expect(await memory.list('/log')).toEqual([])
})
