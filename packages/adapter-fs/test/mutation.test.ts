/** Thousands of random mutations of a log. */
import { campaign, type MemoryDisk, memoryDisk } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fileStore } from '../src/index.js'
import { commitOf, done, everything, recordOf, snapshotOf } from './sample.js'

/** One change to a file: a byte, a stretch of zeros, bytes lost, bytes added, the end lost, a line twice. */
const mutation = fc.record({
  where: fc.nat({ max: 1_000_000 }).map((n) => n / 1_000_001),
  length: fc.integer({ min: 1, max: 60 }),
  kind: fc.constantFrom('byte', 'zeros', 'lost', 'added', 'cut', 'doubled'),
  byte: fc.nat({ max: 255 }),
})

const mutated = (
  bytes: Buffer,
  { where, length, kind, byte }: typeof mutation extends fc.Arbitrary<infer M> ? M : never,
): Buffer => {
  const at = Math.floor(where * bytes.length)
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (kind) {
    case 'byte':
      return Buffer.concat([before, Buffer.from([byte]), after.subarray(1)])
    case 'zeros':
      return Buffer.concat([
        before,
        Buffer.alloc(Math.min(length, after.length)),
        after.subarray(length),
      ])
    case 'lost':
      return Buffer.concat([before, after.subarray(length)])
    case 'added':
      return Buffer.concat([before, Buffer.alloc(length, byte), after])
    case 'cut':
      return before
    default: {
      const start = bytes.lastIndexOf(0x0a, at) + 1
      return Buffer.concat([
        bytes.subarray(0, start),
        bytes.subarray(start, bytes.indexOf(0x0a, at) + 1),
        bytes.subarray(start),
      ])
    }
  }
}

/** The sessions none of whose lines the change touches: they must load as they were. */
const untouched = (before: Buffer, after: Buffer): readonly string[] => {
  const lines = (bytes: Buffer) => bytes.toString('latin1').split(/(?<=\n)/)
  const counts = new Map<string, number>()
  for (const line of lines(after)) counts.set(line, (counts.get(line) ?? 0) + 1)
  return ['a', 'b', 'c'].filter((id) =>
    lines(before).every((line) => !line.includes(`"sessionId":"${id}"`) || counts.get(line) === 1),
  )
}

const directory = '/store'

const spoiltOrigin = async () => {
  const disk = memoryDisk()
  const store = fileStore({ directory }, disk)
  await done(store.open)
  for (const rev of [1, 2, 3]) {
    for (const id of ['a', 'b', 'c']) await done(store.commit(commitOf(id, rev)))
    if (rev === 1)
      for (const id of ['a', 'b', 'c']) await done(store.saveSnapshot(snapshotOf(id, 1)))
    if (rev === 2) {
      await done(store.checkpoint({ folded: 2 }, everything))
      await store.close()
      await done(store.open)
    }
  }
  for (const id of ['a', 'b', 'c']) await done(store.saveSnapshot(snapshotOf(id, 2)))
  await store.close()
  return disk
}

/** What a store makes of a mutated log. */
const survives = (
  disk: MemoryDisk,
  files: readonly (readonly [string, Buffer])[],
  note: (refusals: number) => void,
) =>
  fc.asyncProperty(mutation, fc.nat({ max: files.length - 1 }), async (change, which) => {
    const spoiltDisk = disk.copy()
    const [path, bytes] = files[which] ?? ['', Buffer.alloc(0)]
    const spoilt = mutated(bytes, change)
    spoiltDisk.put(path, spoilt)
    const store = fileStore({ directory }, spoiltDisk)
    const loaded = await done(store.open)
    try {
      for (const one of loaded.quarantined) {
        expect(one.source).toMatch(/^log\/\d+-\d+\.jsonl: (line|byte) \d+$/)
        expect(one.problem).not.toBe('')
        if (one.keptAs !== '')
          expect(spoiltDisk.files().get(`${directory}/${one.keptAs}`)).toBeDefined()
      }
      note(loaded.quarantined.length)
      const records = new Map(
        loaded.sessions.map(({ record }) => [record.control.sessionId, record]),
      )
      // Of a segment that is not the newest only as many bytes count as it had.
      const counted = which === files.length - 1 ? spoilt : spoilt.subarray(0, bytes.length)
      for (const id of untouched(bytes, counted)) {
        expect(records.get(id)).toEqual(recordOf(id, 3))
        expect(await done(store.readSnapshot(id))).toEqual(snapshotOf(id, 2))
        expect((await done(store.readJournal(id))).map(({ rev }) => rev)).toEqual([1, 2, 3])
      }
      for (const id of ['a', 'b', 'c']) {
        await store.readSnapshot(id)()
        await store.readJournal(id)()
      }
    } finally {
      await store.close()
    }
  })

const atLeastRuns = Number(process.env.MUTATIONS ?? 2_000)

test('mutated logs: no crash, what is refused names its place, other sessions load', {
  timeout: 3_600_000,
}, async () => {
  const disk = await spoiltOrigin()
  const files = [...disk.files()].filter(([path]) => path.endsWith('.jsonl')).sort()
  expect(files.length).toBe(2)
  let refusals = 0
  const property = survives(disk, files, (more) => {
    refusals += more
  })
  const runs = await campaign(
    {
      name: 'mutated logs',
      file: 'packages/adapter-fs/test/mutation.test.ts',
      atLeastRuns,
      forMs: 4_000,
    },
    property,
  )
  expect(runs).toBeGreaterThanOrEqual(atLeastRuns)
  expect(refusals).toBeGreaterThan(runs / 10)
})
