/**
 * The conformance suite over the file store: on the real disk, where a crash is kill -9 of the process that
 * holds it, and on a disk that forgets, where it is a power cut. And the suite itself is tried on stores
 * that lie: a file store whose disk does not flush when it says so.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type MemoryDisk,
  memoryDisk,
  StoreHosts,
  type StoreLocation,
  storeCases,
} from '@session-recovery/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { type Disk, type DiskFile, fileStore } from '../src/index.js'

const limitBytes = 64 << 10
const { name, durability, exclusive } = fileStore({ directory: '/unused' })

/** Flips one bit of `bytes` wherever `text` stands; `false`: nowhere. */
const spoil = (bytes: Buffer, text: string): boolean => {
  let found = false
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
    bytes[at + 2] = (bytes[at + 2] ?? 0) ^ 1
    found = true
  }
  return found
}

// ----------------------------------------------------------------------------- on the real disk

const hosts = new StoreHosts({
  program: fileURLToPath(new URL('store-host.mjs', import.meta.url)),
  declared: { name, durability, limitBytes, ...(exclusive === true ? { exclusive } : {}) },
})
afterAll(() => hosts.close())

const realPlace = (): StoreLocation => {
  const directory = mkdtempSync(join(tmpdir(), 'session-recovery-place-'))
  return hosts.location(directory, {
    spoil: async (text) => {
      const log = join(directory, 'log')
      let any = false
      for (const segment of readdirSync(log)) {
        const bytes = readFileSync(join(log, segment))
        if (!spoil(bytes, text)) continue
        writeFileSync(join(log, segment), bytes)
        any = true
      }
      return any
    },
    remove: async () => rmSync(directory, { recursive: true, force: true }),
  })
}

const onRealDisk = await storeCases({
  name: 'kill -9',
  make: async () => realPlace(),
  // Each crash costs a process, and the machine may have much else to do.
  patienceMs: 60_000,
})

describe('on the real disk, killed', () => {
  for (const { name: what, run } of onRealDisk) test(what, run, 240_000)

  test('nothing is left out', () => {
    expect(onRealDisk.filter(({ skipped }) => skipped !== undefined)).toEqual([])
  })
})

// ------------------------------------------------------------------------ on a disk that forgets

const forgetfulPlace = (
  seen: (disk: MemoryDisk) => Disk = (disk) => disk,
  rollFrom = 1_000,
): StoreLocation => {
  let disk = memoryDisk()
  let chance = 0
  return {
    store: () => fileStore({ directory: '/data/store', limitBytes, rollFrom }, seen(disk)),
    crash: async () => {
      disk = disk.cut(() => {
        chance = (chance + 0.37) % 1
        return chance
      })
    },
    spoil: async (text) => {
      // They are the disk's own bytes, not copies.
      const spoilt = [...disk.files().values()].filter((bytes) => spoil(bytes, text))
      return spoilt.length > 0
    },
    remove: async () => {},
  }
}

const onForgetfulDisk = await storeCases({ name: 'power', make: async () => forgetfulPlace() })

describe('on a disk that forgets what was not flushed', () => {
  for (const { name: what, run } of onForgetfulDisk) test(what, run)
})

const rolled = await storeCases({
  name: 'power, with rolls',
  make: async () => forgetfulPlace(undefined, 1),
})

describe('on a disk that forgets, with a roll of every checkpoint', () => {
  for (const { name: what, run } of rolled) test(what, run)
})

/** Answers a flush of what `skipped` names without making it. */
const lying =
  (skipped: (what: 'sync' | 'syncDirectory', path: string) => boolean) =>
  (disk: MemoryDisk): Disk => {
    const opened = (path: string, file: DiskFile): DiskFile => ({
      ...file,
      sync: async () => (skipped('sync', path) ? undefined : file.sync()),
    })
    return {
      status: disk.status,
      makeDirectory: disk.makeDirectory,
      setMode: disk.setMode,
      list: disk.list,
      rename: disk.rename,
      remove: disk.remove,
      filesystemType: disk.filesystemType,
      create: async (path) => opened(path, await disk.create(path)),
      open: async (path) => opened(path, await disk.open(path)),
      syncDirectory: async (path) =>
        skipped('syncDirectory', path) ? undefined : disk.syncDirectory(path),
    }
  }

describe('a file store whose disk lies about a flush is caught:', () => {
  for (const [what, skipped, caughtBy] of [
    [
      'of the log',
      (name: string, path: string) => name === 'sync' && path.endsWith('.jsonl'),
      'an acknowledged commit survives a crash',
    ],
    [
      'of an archive',
      (name: string, path: string) => name === 'sync' && path.includes('/archives/'),
      'an acknowledged archive survives a crash',
    ],
    [
      'of the log directory',
      (name: string, path: string) => name === 'syncDirectory' && path.endsWith('/log'),
      'an acknowledged commit survives a crash',
    ],
  ] as const) {
    test(what, async () => {
      const make = async () => forgetfulPlace(lying(skipped))
      const cases = await storeCases({ name: what, make })
      const found = cases.find(({ name: one }) => one === caughtBy)
      await expect(found?.run()).rejects.toThrow()
    })
  }
})
