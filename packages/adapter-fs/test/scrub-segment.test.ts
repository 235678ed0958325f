/** What a scrub says of each line, of what is missing, of what cannot be read, and when it is called off. */
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import { beforeEach, expect, test } from 'vitest'
import type { Disk } from '../src/index.js'
import { lineOf } from '../src/line.js'
import { scrub } from '../src/scrub.js'

const directory = '/store'
const log = `${directory}/log`
const go = async () => true
const sound = lineOf('body', 'sound')
const rotten = Buffer.from(sound)
rotten[22] = (rotten[22] ?? 0) ^ 1
const archive = 'archives/00000000-0000-0000-0000-000000000000.json'

let disk = memoryDisk()
beforeEach(async () => {
  disk = memoryDisk()
  for (const path of [log, `${directory}/archives`]) await disk.makeDirectory(path)
})
/** Puts a segment of these lines, and says how much of it counts. */
const put = (name: string, ...lines: readonly Buffer[]) => {
  const bytes = Buffer.concat(lines)
  disk.put(`${log}/${name}`, bytes)
  return { name, bytes: bytes.length }
}
const { length } = sound

test('each line that is rotten is told, with what stands there', async () => {
  const spans = [put('s', sound, rotten, sound), put('t', sound, rotten)]
  const found = await scrub(disk, directory, spans, go)
  const one = { segment: 's', offset: length, bytes: length, line: 2, content: rotten }
  const problem = expect.stringMatching(/^crc: expected/)
  expect(found).toEqual({
    ...{ lines: 5, bytes: 5 * length, unreadable: [], archivesRead: 0, calledOff: false },
    rot: [
      { ...one, problem },
      { ...one, segment: 't', problem },
    ],
  })
})

test('what lies behind what counts is not looked at, and what is missing of it is told', async () => {
  const { name } = put('s', sound, rotten)
  const before = await scrub(disk, directory, [{ name, bytes: length }], go)
  expect(before).toMatchObject({ rot: [], lines: 1 })
  disk.put(`${log}/s`, sound)
  const { rot } = await scrub(disk, directory, [{ name, bytes: length + 7 }], go)
  expect(rot).toEqual([
    {
      ...{ segment: 's', offset: length, bytes: 0, line: 2, problem: '7 bytes are missing' },
      content: Buffer.alloc(0),
    },
  ])
})

test('a segment that is gone or counts no longer is no loss; one that cannot be read is told', async () => {
  const spans = [put('s', sound), put('t', sound)]
  const failing = (code: string, at: 'open' | 'read') =>
    probed(disk, ({ name, path }) => {
      if (name === at && path === `${log}/s`) throw systemError(code)
    })
  const of = (from: Disk, counts?: (name: string) => boolean) =>
    scrub(from, directory, spans, go, counts)
  expect(await of(failing('ENOENT', 'open'))).toMatchObject({ unreadable: [], lines: 1 })
  for (const at of ['open', 'read'] as const) {
    expect(await of(failing('EIO', at))).toMatchObject({
      ...{ unreadable: [{ location: 'log/s', problem: 'it cannot be read: EIO' }], lines: 1 },
      calledOff: false,
    })
  }
  expect(await of(failing('EIO', 'read'), () => false)).toMatchObject({ unreadable: [] })
  const broken = probed(disk, ({ name }) => {
    if (name === 'read') throw new Error('no error of a disk')
  })
  await expect(of(broken)).rejects.toThrow('no error of a disk')
})

test('what was opened is closed, whatever became of it', async () => {
  const spans = [put('s', sound), put('t', sound)]
  const seen: string[] = []
  const watched = probed(disk, ({ name, path }) => {
    if (name === 'open' || name === 'close') seen.push(name)
    if (name === 'read' && path === `${log}/s`) throw systemError('EIO')
  })
  await scrub(watched, directory, spans, go)
  expect(seen).toEqual(['open', 'close', 'open', 'close'])
})

test('after each mebibyte it asks whether to go on, and stops when it is not to', async () => {
  const half = lineOf('body', 'x'.repeat((1 << 19) - 29))
  expect(half.length).toBe(1 << 19)
  const spans = [put('s', half, half, half, half, half), put('t', half)]
  let asked = 0
  const answers = (yes: number) => async () => {
    asked += 1
    return asked <= yes
  }
  const whole = await scrub(disk, directory, spans, answers(9))
  expect([whole.lines, whole.calledOff, asked]).toEqual([6, false, 2])
  asked = 0
  const stopped = await scrub(disk, directory, spans, answers(0))
  expect([stopped.lines, stopped.calledOff, stopped.archivesRead, asked]).toEqual([2, true, 0, 1])
  const replaced = await scrub(disk, directory, spans, go, (name) => name !== 's')
  expect([replaced.lines, replaced.calledOff]).toEqual([3, false])
})

test('archives are read one by one; one that is dropped meanwhile is no loss', async () => {
  disk.put(`${directory}/${archive}`, Buffer.from('{}\n'))
  disk.put(`${directory}/archives/notes`, Buffer.from('mine'))
  const problem = `${archive}: crc: no checksum`
  expect(await scrub(disk, directory, [], go)).toMatchObject({
    ...{ unreadable: [{ location: archive, problem }], archivesRead: 1, calledOff: false },
  })
  expect(await scrub(disk, directory, [], async () => false)).toMatchObject({
    ...{ unreadable: [], archivesRead: 0, calledOff: true },
  })
  const failing = (code: string) =>
    probed(disk, ({ name }) => {
      if (name === 'open') throw systemError(code)
    })
  expect(await scrub(failing('ENOENT'), directory, [], go)).toMatchObject({ archivesRead: 0 })
  expect(await scrub(failing('EIO'), directory, [], go)).toMatchObject({
    ...{ unreadable: [{ location: archive, problem: 'it cannot be read: EIO' }], archivesRead: 1 },
  })
  const without: Disk = {
    ...disk,
    status: async (path) => (path.endsWith('.json') ? undefined : disk.status(path)),
  }
  expect(await scrub(without, directory, [], go)).toMatchObject({ unreadable: [], archivesRead: 0 })
})

test('a line that is longer than any that was stored is told, and is not kept', async () => {
  const bytes = 300 << 20
  const span = put('s', sound)
  const endless: Disk = {
    ...disk,
    open: async (path) => ({
      ...(await disk.open(path)),
      read: async (position, length) =>
        position === 0 ? Buffer.alloc(bytes) : Buffer.alloc(Math.min(length, 0)),
    }),
  }
  const { rot } = await scrub(endless, directory, [{ ...span, bytes }], go)
  expect(rot).toEqual([
    {
      ...{ segment: 's', offset: 0, bytes, line: 1, problem: 'the line is too long' },
      content: undefined,
    },
  ])
})
