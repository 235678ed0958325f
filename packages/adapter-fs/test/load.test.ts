/** The whole log as it is read: which segments count, how much of each, and what is found missing. */
import { memoryDisk } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import type { Disk } from '../src/index.js'
import { lineOf } from '../src/line.js'
import { loadLog } from '../src/load.js'
import { headerLine, type Span, segmentName } from '../src/segment.js'
import { commitOf } from './sample.js'
import { bodyLine, checkpoint, commitLine, snapshotHead } from './segment-sample.js'

const directory = '/log'

interface Written {
  readonly term?: number
  readonly limitBytes?: number
  readonly whole?: boolean
  readonly before?: readonly Span[]
  readonly lines?: readonly Buffer[]
}

/** A disk with these segments, numbered from 1. */
const diskWith = async (...segments: readonly Written[]) => {
  const disk = memoryDisk()
  await disk.makeDirectory(directory)
  const names: string[] = []
  for (const [i, written] of segments.entries()) {
    const { term = 1, limitBytes = 1_000, whole = false, before = [], lines = [] } = written
    const sequence = i + 1
    const header = headerLine({ term, sequence, limitBytes, whole, before: [...before] })
    names.push(segmentName(term, sequence))
    disk.put(`${directory}/${names[i]}`, Buffer.concat([header, ...lines]))
  }
  return { disk, names }
}

const loaded = async (disk: Disk, limitBytes = 1_000) => {
  const read = await loadLog(disk, directory, limitBytes, 10)
  if (E.isLeft(read)) throw new Error(read.left)
  return read.right
}

const sizeOf = async (disk: Disk, name: string) =>
  (await disk.status(`${directory}/${name}`))?.sizeBytes ?? 0

test('an empty directory is an empty log', async () => {
  const { disk } = await diskWith()
  for (const name of ['notes.txt', 'notes.roll'])
    disk.put(`${directory}/${name}`, Buffer.from('mine'))
  const { index, ...rest } = await loaded(disk)
  expect([...index.entries()]).toEqual([])
  expect(rest).toEqual({
    ...{ projection: undefined, damages: [], live: [], unsure: [], superseded: [], foreign: [] },
    ...{ term: 0, limitBytes: 0, rolls: [], roll: undefined, rollProblem: undefined },
  })
})

test('what a manifest lists counts as far as it says; what is behind that, or is not listed, does not', async () => {
  const ghost = commitLine('ghost', 1)
  const lines = [commitLine('a', 1), commitLine('b', 1)]
  const { disk, names } = await diskWith(
    { lines: [...lines, ghost], limitBytes: 5_000 },
    { lines: [ghost] },
    { lines: [commitLine('a', 2)], term: 2 },
  )
  const [one = '', two = '', three = ''] = names
  const counted = (await sizeOf(disk, one)) - ghost.length
  const header = headerLine({
    ...{ term: 2, sequence: 3, limitBytes: 1_000, whole: false },
    before: [{ name: one, bytes: counted }],
  })
  disk.put(`${directory}/${three}`, Buffer.concat([header, commitLine('a', 2)]))
  const found = await loaded(disk)
  expect([...found.index.entries()].map(([id, { record }]) => [id, record?.rev])).toEqual([
    ...[
      ['a', 2],
      ['b', 1],
    ],
  ])
  expect(found).toMatchObject({
    live: [
      { name: one, bytes: counted },
      { name: three, bytes: await sizeOf(disk, three) },
    ],
    ...{ unsure: [three], superseded: [two], damages: [], term: 2, limitBytes: 5_000 },
  })
})

test('what is missing of a listed segment, or the whole of it, is told', async () => {
  const line = commitLine('a', 1)
  const { disk, names } = await diskWith({ lines: [line] })
  const [one = ''] = names
  const size = await sizeOf(disk, one)
  const gone = segmentName(1, 2)
  const last = segmentName(1, 3)
  const before = [
    { name: one, bytes: size + 70 },
    { name: gone, bytes: 90 },
  ]
  const header = { term: 1, sequence: 3, limitBytes: 1_000, whole: false, before }
  disk.put(`${directory}/${last}`, headerLine(header))
  const { damages, live, superseded } = await loaded(disk)
  expect(damages).toEqual([
    { segment: gone, offset: 0, bytes: 0, line: 0, problem: '90 bytes are missing' },
    { segment: one, offset: size, bytes: 0, line: 0, problem: '70 bytes are missing' },
  ])
  expect(live).toEqual([{ name: one, bytes: size }])
  // Nothing is said in it yet.
  expect(superseded).toEqual([last])
})

test('blanks behind the last line are passed over, and are none of the log', async () => {
  const { disk, names } = await diskWith({ lines: [commitLine('a', 1), Buffer.alloc(300, ' ')] })
  const [one = ''] = names
  const { live, damages } = await loaded(disk)
  expect(live).toEqual([{ name: one, bytes: (await sizeOf(disk, one)) - 300 }])
  expect(damages).toEqual([])
})

test('a checkpoint is read as the whole', async () => {
  const body = bodyLine('a', 1)
  const { disk, names } = await diskWith(
    { lines: [commitLine('b', 1)] },
    { whole: true, lines: [checkpoint(), commitLine('a', 1), snapshotHead('a', 1, body), body] },
  )
  const { index, projection, live, superseded } = await loaded(disk)
  expect([projection, live.map(({ name }) => name), superseded]).toEqual([
    ...['folded', [names[1]], [names[0]]],
  ])
  expect([index.get('a')?.snapshot?.view.generation, index.get('b')]).toEqual([1, undefined])
})

test('a later format is left as it is: of a header, and of a line', async () => {
  const { disk, names } = await diskWith({ lines: [commitLine('a', 1)] })
  const header = { format: 99, term: 1, sequence: 1, limitBytes: 1, whole: false, before: [] }
  disk.put(`${directory}/${names[0]}`, lineOf('segment', header))
  expect(await loadLog(disk, directory, 1_000, 10)).toMatchObject({
    left: expect.stringContaining(`${names[0]}: `),
  })
  const record = { ...commitOf('a', 1).record, v: 99 }
  const later = await diskWith({ lines: [lineOf('commit', { ...commitOf('a', 1), record })] })
  expect(await loadLog(later.disk, directory, 1_000, 10)).toMatchObject({
    left: expect.stringContaining(`${later.names[0]}`),
  })
})

test('what bears no name of a segment is let be', async () => {
  const { disk, names } = await diskWith({ lines: [commitLine('a', 1)] })
  const asked: string[] = []
  const beside: Disk = {
    ...disk,
    list: async (path) => ['notes.txt', ...(await disk.list(path)), 'zebra'],
    status: async (path) => {
      asked.push(path)
      return disk.status(`${directory}/${names[0]}`)
    },
  }
  expect(await loaded(beside)).toMatchObject({ foreign: [], live: [{ name: names[0] }] })
  expect(new Set(asked)).toEqual(new Set([`${directory}/${names[0]}`]))
})

test('what bears the name of a segment and is no file of our own is foreign, and its files are closed', async () => {
  const { disk, names } = await diskWith({ lines: [commitLine('a', 1)] })
  const [one = ''] = names
  const [second, link, gone] = [7, 8, 9].map((sequence) => segmentName(1, sequence))
  let open = 0
  const odd: Disk = {
    ...disk,
    list: async (path) => [...(await disk.list(path)), second ?? '', link ?? '', gone ?? ''],
    status: async (path) => {
      if (path.endsWith(gone ?? '')) return undefined
      const found = await disk.status(`${directory}/${one}`)
      if (found === undefined) return undefined
      if (path.endsWith(second ?? '')) return { ...found, links: 2 }
      return path.endsWith(link ?? '') ? { ...found, kind: 'link' } : found
    },
    open: async (path) => {
      open += 1
      const file = await disk.open(path)
      return {
        ...file,
        close: async () => {
          open -= 1
        },
      }
    },
  }
  expect(await loaded(odd)).toMatchObject({ foreign: [second, link], live: [{ name: one }] })
  expect(open).toBe(0)
})

test('a line is as long as the limits allow, the one that was in force and the one that is', async () => {
  const long = lineOf('body', { text: 'x'.repeat(9 << 20) })
  const lines = [snapshotHead('a', 1, long), long]
  const of = async (limitBytes: number, then: number) => {
    const { disk } = await diskWith({ limitBytes: then, lines: [commitLine('a', 1), ...lines] })
    return (await loaded(disk, limitBytes)).index.get('a')?.snapshot !== undefined
  }
  expect([await of(1, 1), await of(4 << 20, 1), await of(1, 4 << 20)]).toEqual([false, true, true])
})

test('only the newest may be torn at its end: behind another one that is damage', async () => {
  const cut = commitLine('b', 1).subarray(0, -9)
  const { disk, names } = await diskWith({ lines: [commitLine('a', 1), cut] })
  expect((await loaded(disk)).damages).toEqual([])
  disk.put(`${directory}/${segmentName(1, 2)}`, Buffer.from('no header\n'))
  expect((await loaded(disk)).damages).toMatchObject([
    { segment: names[0], line: 3, problem: 'the line is cut off' },
  ])
})
