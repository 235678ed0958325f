/**
 * Links, queues, second names and directories in every place where a store looks for a file of its own:
 * what they stand for is not touched, and the store works or says why it does not.
 */
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileStore } from '@session-recovery/adapter-fs'
import { type Chance, chance as chanceOf, sampleCommit } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { printOf } from './hostile-id.js'

// ------------------------------------------------------------------------------------------ trial

/** Where a store of term 1 or 2 would look for, or make, something. */
const placesInside: readonly [string, ...string[]] = [
  'log',
  'archives',
  'quarantine',
  'imported',
  'log/00000001-00000001.jsonl',
  'log/00000002-00000001.jsonl',
  'log/00000002-00000002.jsonl',
  'log/00000002-00000002.jsonl.tmp',
  'log/00000003-00000001.jsonl',
  'log/00000009-00000009.jsonl',
  'archives/00000000-0000-5000-8000-000000000000.json',
  'archives/x.json.tmp',
  'quarantine/00000001-00000001.jsonl.0',
  'imported/h.snapshot.json',
  'h.snapshot.json',
  '.snapshot.json',
]

const kinds = [
  'link',
  'link to a directory',
  'dangling link',
  'second name',
  'queue',
  'directory',
] as const

/** One store with two to five such things in it; what was lost, if anything. */
export const placeTrial = async (seed: number, directory: string): Promise<string | undefined> => {
  const chance = chanceOf(seed)
  const outside = join(directory, 'outside')
  const inside = join(directory, 'store')
  mkdirSync(join(outside, 'deep'), { recursive: true })
  writeFileSync(join(outside, 'treasure'), seedFile('h'), { mode: 0o644 })
  writeFileSync(join(outside, 'deep', '00000001-00000001.jsonl'), 'not yours')
  mkdirSync(inside, { mode: 0o700 })
  const planted: string[] = []
  if (chance.percent(50)) await lived(inside, 'before')
  for (let left = chance.whole(2, 5); left > 0; left--) planted.push(plant(inside, outside, chance))
  // A second name of a file outside counts there, too.
  const before = printOf(outside)
  try {
    for (const life of ['first', 'second']) await lived(inside, life)
  } catch (error) {
    return `seed ${seed}: ${planted.join(', ')}: ${error instanceof Error ? error.stack : error}`
  }
  const after = printOf(outside)
  const around = readdirSync(directory).sort().join()
  rmSync(directory, { recursive: true, force: true })
  return after === before && around === 'outside,store'
    ? undefined
    : `seed ${seed}: ${planted.join(', ')}: files outside were touched`
}

const plant = (inside: string, outside: string, chance: Chance): string => {
  const name = chance.pick(placesInside)
  const kind = chance.pick<(typeof kinds)[number]>(kinds)
  const path = join(inside, name)
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    rmSync(path, { recursive: true, force: true })
    switch (kind) {
      case 'link':
        symlinkSync(join(outside, 'treasure'), path)
        break
      case 'link to a directory':
        symlinkSync(join(outside, 'deep'), path)
        break
      case 'dangling link':
        symlinkSync(join(outside, 'nowhere'), path)
        break
      case 'second name':
        linkSync(join(outside, 'treasure'), path)
        break
      case 'queue':
        execFileSync('mkfifo', [path])
        break
      case 'directory':
        mkdirSync(path)
        break
    }
  } catch {
    // A thing planted before stands in the way: it would be planted through it, outside.
    return `(${name})`
  }
  return `${kind} at ${name}`
}

const seedFile = (sessionId: string): string =>
  JSON.stringify({
    sessionId,
    timestamp: '2024-01-01T00:00:00.000Z',
    sessionState: {},
    sessionOptions: {},
    environment: {},
    workingDirectory: '',
    commandHistory: [],
    outputBuffer: [],
  })

/** Everything a store does, whatever comes of each. */
const lived = async (directory: string, life: string): Promise<void> => {
  const store = fileStore({ directory })
  const opened = await store.open()
  if (E.isLeft(opened)) {
    if (opened.left.message === '') throw new Error(`${opened.left._tag} says nothing`)
    return
  }
  const view = { generation: 1, capturedAtMs: 1 }
  await store.commit(sampleCommit(life, 1))()
  await store.saveSnapshot({ sessionId: life, incarnation: 1, view, body: { life } })()
  await store.checkpoint({ life }, 0)()
  await store.readSnapshot(life)()
  await store.readArchive('archives/00000000-0000-5000-8000-000000000000.json')()
  await store.close()
}
