/** A store on a disk in memory whose checkpoint has a roll, and what is to be found of it, whoever reads it. */
import { type Loaded, loadedSessions } from '@session-recovery/core'
import { type MemoryDisk, memoryDisk } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect } from 'vitest'
import { type Disk, type FileStore, fileStore } from '../src/index.js'
import { lineOf } from '../src/line.js'
import { crcOfBlock, rollLine } from '../src/roll.js'
import { commitOf, done, everything, snapshotOf } from './sample.js'

export const ids = ['a', 'b', 'c', 'd']
const own = async () => E.right({ release: async () => {} })

export const storeOn = (disk: Disk, options = {}): FileStore =>
  fileStore({ directory: '/store', rollFrom: 1, ...options }, disk, own)

/** A snapshot whose view tells of no interaction: whoever has one does not rest. */
export const quietOf = (id: string, generation: number) => ({
  ...snapshotOf(id, generation),
  view: { generation, capturedAtMs: 500 + generation },
})

/** Four sessions in a checkpoint; of `d` something is open. */
export const fill = async (store: FileStore): Promise<void> => {
  await done(store.open)
  let seq = 0
  for (const rev of [1, 2]) {
    for (const id of ids) {
      seq += 1
      const commit = commitOf(id, rev, 1, seq)
      const state = id === 'd' ? 'unregistered' : 'snapshotting.idle'
      await done(store.commit({ ...commit, record: { ...commit.record, state } }))
    }
  }
  for (const id of ids) await done(store.saveSnapshot(quietOf(id, 2)))
  await done(store.checkpoint('folded', everything))
}

export const filled = async (options = {}): Promise<MemoryDisk> => {
  const disk = memoryDisk()
  const store = storeOn(disk, options)
  await fill(store)
  await store.close()
  return disk
}

/** `''`: there is none. */
export const rollPath = (disk: MemoryDisk): string =>
  [...disk.files().keys()].find((path) => path.endsWith('.roll')) ?? ''

export const logPath = (disk: MemoryDisk): string => rollPath(disk).replace(/roll$/, 'jsonl')

export const contentOf = (disk: MemoryDisk, path: string): Buffer =>
  disk.files().get(path) ?? Buffer.alloc(0)

export const recordsIn = (loaded: Loaded): Record<string, string> =>
  Object.fromEntries(
    loadedSessions(loaded).map(({ record, view }) => [
      record.control.sessionId,
      `${record.state} ${record.rev} ${view?.generation}`,
    ]),
  )

export const whole = {
  a: 'snapshotting.idle 2 2',
  b: 'snapshotting.idle 2 2',
  c: 'snapshotting.idle 2 2',
  d: 'unregistered 2 2',
}

export const expectWhole = async (disk: Disk, options = {}): Promise<Loaded> => {
  const store = storeOn(disk, options)
  const loaded = await done(store.open)
  expect(recordsIn(loaded)).toEqual(whole)
  expect([loaded.projection, loaded.entries, loaded.latestSeq]).toEqual(['folded', [], 8])
  expect(loaded.quarantined).toEqual([])
  for (const id of ids) {
    expect(await done(store.readSnapshot(id))).toEqual(quietOf(id, 2))
    expect((await done(store.readJournal(id))).map(({ rev }) => rev)).toEqual([1, 2])
  }
  await store.close()
  return loaded
}

/** A store whose roll has another head for `sessionId`, every checksum of it right. */
export const withHead = async (
  sessionId: string,
  change: (head: string) => string,
): Promise<MemoryDisk> => {
  const disk = await filled()
  const path = rollPath(disk)
  const lines = contentOf(disk, path)
    .toString()
    .split(/(?<=\n)/)
  const said = (line: string) => JSON.parse(line)
  const heads = lines.slice(1, -1).map((line) => {
    const { crc: _, ...head } = said(line)
    if (head.session.sessionId !== sessionId) return Buffer.from(line)
    return lineOf('session', JSON.parse(change(JSON.stringify(head.session))))
  })
  const named = { ...said(lines[0] ?? '').block, sizes: heads.map(({ length }) => length) }
  const block = Buffer.concat([lineOf('block', named), ...heads])
  const roll = { ...said(lines.at(-1) ?? '').roll }
  roll.blocks = [{ bytes: block.length, crc: crcOfBlock(block) }]
  disk.put(path, Buffer.concat([block, rollLine(roll)]))
  return disk
}
