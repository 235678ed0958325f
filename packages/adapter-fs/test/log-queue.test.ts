/** The queue of the log by itself: what goes into one group, what is settled how, and when a later owner is seen. */
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { beforeEach, expect, test, vi } from 'vitest'
import type { Disk } from '../src/index.js'
import { lineText } from '../src/line.js'
import { isFenced, Log, type LogOptions, type Write } from '../src/log.js'

const directory = '/log'
let disk = memoryDisk()
beforeEach(async () => {
  disk = memoryDisk()
  await disk.makeDirectory(directory)
})
const logOn = (on: Disk, more: Partial<LogOptions> = {}): Log =>
  new Log({
    ...{ disk: on, directory, term: 3, limitBytes: 1_000, live: [], failed: () => undefined },
    ...more,
  })
const mebibyte = 1 << 20
const written: string[] = []
beforeEach(() => void written.splice(0))
const said = (text: string) => lineText('said', JSON.stringify(text))
const write = (text: string, rank?: readonly [number, number], key = 'k'): Write => ({
  ...{ operation: `write ${text}`, lines: [said(text)] },
  written: ({ segment, offset }) => written.push(`${text} ${segment} ${offset}`),
  ...(rank === undefined ? {} : { latest: { key, rank } }),
})
const lengths = (sum: number, { length }: { readonly length: number }): number => sum + length
const segment = '00000003-00000001.jsonl'
/** What the lines behind the header say. */
const textOf = (name = segment): string => {
  const lines = disk.files().get(`${directory}/${name}`)?.toString().trimEnd().split('\n') ?? []
  return lines
    .slice(1)
    .map((line) => (JSON.parse(line) as { readonly said: string }).said)
    .join()
}
const right = E.right(undefined)

test('writes that wait together have their places one behind the other', async () => {
  const log = logOn(disk)
  expect(await Promise.all(['one', 'three', 'x'].map((text) => log.append(write(text))))).toEqual([
    ...[right, right, right],
  ])
  const start = log.active?.headerBytes ?? 0
  expect(written).toEqual([
    `one ${segment} ${start}`,
    `three ${segment} ${start + said('one').length}`,
    `x ${segment} ${start + said('one').length + said('three').length}`,
  ])
  expect(log.active?.bytes).toBe(start + ['one', 'three', 'x'].map(said).reduce(lengths, 0))
  expect(textOf()).toBe('one,three,x')
})

test('the lines of a write stand one behind the other, and the next one behind them', async () => {
  const log = logOn(disk)
  const lines = [said('one'), said('é')]
  await Promise.all([log.append({ ...write('one'), lines }), log.append(write('two'))])
  const start = log.active?.headerBytes ?? 0
  expect(written).toEqual([
    `one ${segment} ${start}`,
    `two ${segment} ${start + lines.reduce(lengths, 0)}`,
  ])
  expect(textOf()).toBe('one,é,two')
})

test('of those of one key the highest rank alone is written, and of equal ones the last', async () => {
  const log = logOn(disk)
  const ranks = [
    [[1, 2], 'a'],
    [[1, 1], 'lower generation'],
    [[0, 9], 'lower life'],
    [[1, 2], 'same'],
  ] as const
  await Promise.all(ranks.map(([rank, text]) => log.append(write(text, rank))))
  expect(textOf()).toBe('same')
  await Promise.all([
    log.append(write('p', [1, 3])),
    log.append(write('q', [2, 0])),
    log.append(write('other', [1, 0], 'another')),
    log.append(write('lower life', [0, 9], 'another')),
  ])
  // One that was written is waited for no more.
  await log.append(write('late', [0, 0]))
  expect(textOf()).toBe('same,q,other,late')
})

test('a write that is replaced makes room for what comes then', async () => {
  const made = vi.spyOn(Buffer, 'allocUnsafeSlow')
  const log = logOn(disk)
  const sized = (text: string, generation: number) => write(text.repeat(250_000), [1, generation])
  const first = log.append(sized('1', 1))
  const rest = Array.from({ length: 40 }, (_, i) => log.append(sized('2', i + 2)))
  await Promise.all([first, ...rest])
  expect(textOf()).toBe('2'.repeat(250_000))
  // One for what waits, one for their group.
  expect(made.mock.calls.filter(([bytes]) => bytes >= 250_000)).toHaveLength(2)
  made.mockRestore()
})

test('work that runs alone splits what waits, and answers for itself', async () => {
  const log = logOn(disk)
  const seen: string[] = []
  const alone = async () => {
    seen.push(textOf())
    return E.left({ _tag: 'StoreOwned', message: 'no' } as const)
  }
  const all = [log.append(write('before')), log.alone('alone', alone), log.append(write('after'))]
  expect(await Promise.all(all)).toEqual([right, await alone(), right])
  expect(seen[0]).toBe('before')
  expect(textOf()).toBe('before,after')
})

test('a group is at most 8 MiB, but for one write that is larger', async () => {
  const sizes: number[] = []
  const sized: Disk = {
    ...disk,
    create: async (path) => {
      const file = await disk.create(path)
      return {
        ...file,
        write: (bytes, position) => {
          sizes.push(bytes.length)
          return file.write(bytes, position)
        },
      }
    },
  }
  const log = logOn(sized)
  await log.append(write('first'))
  sizes.splice(0)
  const line = (bytes: number) => said('x'.repeat(bytes - said('').length))
  const of = (...bytes: readonly number[]) => ({ ...write(''), lines: bytes.map(line) })
  const four = 4 * mebibyte
  await Promise.all(
    [of(four), of(four), of(100), of(9 * mebibyte), of(500)].map((one) => log.append(one)),
  )
  expect(sizes).toEqual([2 * four, 100, 9 * mebibyte, 500])
  sizes.splice(0)
  await Promise.all([of(four), of(100, four), of(200)].map((one) => log.append(one)))
  expect(sizes).toEqual([four, four + 300])
})

test('what fails fails with all that waits, and the next one goes to a new segment', async () => {
  let broken = false
  let failures = 0
  const failing = probed(disk, ({ name }) => {
    if (broken && name === 'sync') throw systemError('ENOSPC')
  })
  const log = logOn(failing, {
    failed: () => {
      failures += 1
    },
  })
  await log.append(write('good'))
  const start = log.active?.bytes
  broken = true
  const work = async () => right
  const results = await Promise.all([log.append(write('a', [9, 9])), log.alone('lone', work)])
  expect(results).toMatchObject([
    { left: { _tag: 'StoreUnavailable', operation: 'write a', code: 'ENOSPC' } },
    { left: { _tag: 'StoreUnavailable', operation: 'lone', code: 'ENOSPC' } },
  ])
  expect([failures, log.active, log.closed]).toEqual([
    ...[1, undefined, [{ name: segment, bytes: start }]],
  ])
  broken = false
  // What failed stands in nobody's way, whatever its rank.
  expect(await log.append(write('b', [0, 1]))).toEqual(right)
  expect(log.active?.name).toBe('00000003-00000002.jsonl')
  expect(textOf('00000003-00000002.jsonl')).toBe('b')
})

test('a segment of which nothing but its header was written is not listed', async () => {
  let broken = false
  const failing = probed(disk, ({ name }) => {
    if (broken && name === 'write') throw systemError('EIO')
  })
  const log = logOn(failing)
  await log.alone('open', async () => {
    await log.ensureActive()
    return right
  })
  broken = true
  expect(E.isLeft(await log.append(write('a')))).toBe(true)
  expect(log.closed).toEqual([])
  // Nor is anything left of one whose header could not be written.
  expect(E.isLeft(await log.append(write('a')))).toBe(true)
  expect(await disk.list(directory)).toEqual([segment])
})

test('what was closed takes nothing more, after what waited', async () => {
  const log = logOn(disk)
  const waited = log.append(write('a'))
  const closing = log.close()
  expect(await log.append(write('late'))).toMatchObject({
    left: { _tag: 'StoreUnavailable', message: 'write late: the store is not open' },
  })
  await closing
  expect(await waited).toEqual(right)
  expect([log.active, log.closed.length]).toEqual([undefined, 1])
})

test('a later owner is seen by its segment: before a new one is made, and after 250 ms', async () => {
  expect(await isFenced(disk, directory, 3)).toBe(false)
  let nowMs = 1_000
  const log = logOn(disk, { monotonicMs: () => nowMs })
  await log.append(write('a'))
  disk.put(`${directory}/00000004-00000001.jsonl`, Buffer.alloc(0))
  disk.put(`${directory}/notes`, Buffer.alloc(0))
  expect([await isFenced(disk, directory, 3), await isFenced(disk, directory, 4)]).toEqual([
    ...[true, false],
  ])
  nowMs += 249
  expect(await log.append(write('b'))).toEqual(right)
  nowMs += 1
  const owned = { left: { _tag: 'StoreOwned', message: 'another engine has taken the store over' } }
  expect(await log.append(write('c'))).toMatchObject(owned)
  expect(await log.append(write('d'))).toMatchObject(owned)
  expect(written.map((one) => one[0])).toEqual(['a', 'b'])
})

test('a directory that cannot be listed for a moment fences nobody', async () => {
  let nowMs = 0
  let isBlind = false
  const blind = probed(disk, ({ name }) => {
    if (isBlind && name === 'list') throw systemError('EIO')
  })
  const log = logOn(blind, { monotonicMs: () => nowMs })
  await log.append(write('a'))
  isBlind = true
  nowMs = 10_000
  expect(await log.append(write('b'))).toEqual(right)
})

test('a name that a later owner has taken is fenced; another error is the disk’s', async () => {
  disk.put(`${directory}/${segment}`, Buffer.alloc(0))
  expect(await logOn(disk).append(write('a'))).toMatchObject({ left: { _tag: 'StoreOwned' } })
  const full = probed(disk, ({ name }) => {
    if (name === 'create') throw systemError('ENOSPC')
  })
  expect(await logOn(full).append(write('a'))).toMatchObject({ left: { code: 'ENOSPC' } })
})
