/** What is damaged is kept beside the log, to the byte; what is not ours is moved, and nothing overwritten. */
import { memoryDisk, probed } from '@session-recovery/testkit'
import { beforeEach, expect, test } from 'vitest'
import type { Damage } from '../src/damage.js'
import { setAsideFile, setAsideStretch } from '../src/quarantine.js'

const log = '/store/log'
const quarantine = '/store/quarantine'
const mebibyte = 1 << 20
const damage: Damage = { segment: 's.jsonl', offset: 3, bytes: 4, line: 2, problem: 'bad' }

let disk = memoryDisk()
beforeEach(async () => {
  disk = memoryDisk()
  await disk.makeDirectory(log)
  await disk.makeDirectory(quarantine)
})
const kept = (name: string) => disk.files().get(`${quarantine}/${name}`)

test('a stretch is copied under a name made of its place', async () => {
  disk.put(`${log}/s.jsonl`, Buffer.from('0123456789'))
  expect(await setAsideStretch(disk, log, quarantine, { ...damage, sessionId: 'a' })).toEqual({
    source: 'log/s.jsonl: line 2',
    keptAs: 'quarantine/s.jsonl.3',
    problem: 'bad',
    sessionId: 'a',
  })
  expect(kept('s.jsonl.3')?.toString()).toBe('3456')
  const byByte = await setAsideStretch(disk, log, quarantine, { ...damage, line: 0 })
  expect(byByte).toEqual({
    source: 'log/s.jsonl: byte 3',
    keptAs: 'quarantine/s.jsonl.3',
    problem: 'bad',
  })
})

test('of a stretch without bytes there is nothing to keep', async () => {
  const nothing = await setAsideStretch(disk, log, quarantine, { ...damage, bytes: 0 })
  expect(nothing).toEqual({ source: 'log/s.jsonl: line 2', keptAs: '', problem: 'bad' })
  expect(disk.files().size).toBe(0)
})

test('a long stretch is copied piece by piece, and no byte beyond it', async () => {
  const bytes = Buffer.alloc(3 * mebibyte)
  for (let i = 0; i < bytes.length; i += 1_000) bytes[i] = i % 251
  disk.put(`${log}/s.jsonl`, bytes)
  const length = 2 * mebibyte + 5
  await setAsideStretch(disk, log, quarantine, { ...damage, bytes: length })
  expect(kept('s.jsonl.3')?.equals(bytes.subarray(3, 3 + length))).toBe(true)
})

test('what was set aside before is not copied again, unless it is not whole', async () => {
  disk.put(`${log}/s.jsonl`, Buffer.from('0123456789'))
  await setAsideStretch(disk, log, quarantine, damage)
  const done: string[] = []
  const watched = probed(disk, ({ name, path }) => {
    done.push(`${name} ${path}`)
  })
  await setAsideStretch(watched, log, quarantine, damage)
  expect(done.filter((one) => one.startsWith('open') || one.startsWith('create'))).toEqual([])
  await setAsideStretch(watched, log, quarantine, { ...damage, bytes: 5 })
  expect(kept('s.jsonl.3')?.toString()).toBe('34567')
  expect(done.filter((one) => one === `close ${log}/s.jsonl`)).toHaveLength(1)
})

test('a file is moved under its own name, or under another where that is taken', async () => {
  const into = { path: quarantine, name: 'quarantine' }
  const names: string[] = []
  for (const content of ['one', 'two', 'three']) {
    disk.put(`${log}/x`, Buffer.from(content))
    names.push(await setAsideFile(disk, log, 'x', into))
  }
  expect(names[0]).toBe('quarantine/x')
  expect(new Set(names).size).toBe(3)
  for (const name of names.slice(1)) expect(name).toMatch(/^quarantine[/][0-9a-f-]{36}[.]json$/)
  const contents = names.map((name) => disk.files().get(`/store/${name}`)?.toString())
  expect(contents).toEqual(['one', 'two', 'three'])
  expect(disk.files().has(`${log}/x`)).toBe(false)
})
