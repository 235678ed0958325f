/**
 * One of many processes that want the same store: opens it again and again, commits while it owns it, gives
 * it up, and writes down what it does. Whoever is stopped or killed meanwhile is so at any point of that.
 *
 * Now and then it plays a former owner that goes on: it appends to its old segment, after another has taken
 * over, a commit of a session that nobody ever registered, which must never be seen again.
 */
import {
  closeSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileStore, realDisk, type TakeOwnership } from '@session-recovery/adapter-fs'
import {
  type Commit,
  digest,
  type Loaded,
  type Store,
  type StoreError,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { type Note, noteLine, notesIn } from './ownership-log.js'
import { commitAt } from './store-value.js'

// ------------------------------------------------------------------------------------------ model

/** What a rival is told. */
export interface RivalTask {
  readonly directory: string
  readonly slot: number
  readonly acquisitions: number
  readonly seed: number
  /** How many want the store: the more, the less often each asks, so that the owner gets its turn of the processor. */
  readonly rivals: number
  /** Nothing keeps a second owner away, so that it can be seen that this is noticed. */
  readonly unprotected?: true
}

const task = JSON.parse(process.argv[2] ?? '') as RivalTask
const place = join(task.directory, 'store')
const log = join(place, 'log')
const noteFile = join(task.directory, 'notes.jsonl')
const holderFile = join(task.directory, 'holder')
const notes = openSync(noteFile, 'a+', 0o600)
const write = (note: Note) => writeSync(notes, noteLine(note))
const { pid } = process

const shared = 'shared'
const ghost = 'ghost'
const unprotected: TakeOwnership = async () => E.right({ release: async () => {} })

// Small numbers of no quality: what matters is that rivals differ.
let state = (task.seed ^ (pid * 2_654_435_761)) >>> 0
const chance = (below: number): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}

const storeAt = (directory: string): Store =>
  task.unprotected === true
    ? fileStore({ directory }, realDisk, unprotected)
    : fileStore({ directory })

const must = async <A>(call: TE.TaskEither<StoreError, A>): Promise<A> => {
  const answer = await call()
  if (E.isRight(answer)) return answer.right
  throw new Error(`${answer.left._tag}: ${answer.left.message}`)
}

// ------------------------------------------------------------------------------------ combinators

const commitOf = (sessionId: string, rev: number): Commit => {
  const { record, entry } = commitAt(sessionId, 1, rev)
  const at = { ...record, rev }
  return { record: at, expectedRev: rev - 1, entry: { ...entry, rev, recordDigest: digest(at) } }
}

/** A line that commits the ghost, as a store would have written it. */
const ghostLine = async (): Promise<string> => {
  const directory = await mkdtemp(join(task.directory, 'ghost-'))
  const store = fileStore({ directory })
  await must(store.open)
  await must(store.commit(commitOf(ghost, 1)))
  await store.close()
  const [segment = ''] = await readdir(join(directory, 'log'))
  const [, line = ''] = readFileSync(join(directory, 'log', segment), 'utf8').split('\n')
  await rm(directory, { recursive: true })
  return `${line}\n`
}

/** Whether a process can still act: a dying one has given up what it owns before it is gone. */
const isActing = async (other: number): Promise<boolean> => {
  for (let left = 400; left > 0; left--) {
    try {
      const status = readFileSync(`/proc/${other}/stat`, 'latin1')
      if (/^\d+ \(.*\) [ZX]/.test(status)) return false
    } catch {
      return false
    }
    await sleep(5)
  }
  return true
}

/** Looks, by other means than the store's, whether somebody else is the owner. */
const lookForAnother = async () => {
  const holder = Number(readIfThere(holderFile))
  if (holder > 0 && holder !== pid && (await isActing(holder))) {
    write({ _tag: 'wrong', pid, what: `took over from ${holder}, which lives` })
  }
  writeFileSync(holderFile, String(pid))
}

/** What was noted from there on. */
const notedSince = (from: number): string => {
  const piece = Buffer.alloc(statSync(noteFile).size - from)
  return piece.toString('utf8', 0, readSync(notes, piece, 0, piece.length, from))
}

const readIfThere = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const lookAt = ({ sessions, quarantined }: Loaded): number => {
  for (const { source, problem } of quarantined) {
    write({ _tag: 'wrong', pid, what: `set aside: ${source}: ${problem}` })
  }
  if (sessions.some(({ record }) => record.control.sessionId === ghost)) {
    write({ _tag: 'wrong', pid, what: 'what a former owner wrote was read' })
  }
  return sessions.find(({ record }) => record.control.sessionId === shared)?.record.rev ?? 0
}

/** Owns the store for a while; returns its segment, open. */
const hold = async (store: Store, loaded: Loaded): Promise<number> => {
  let rev = lookAt(loaded)
  const names = (await readdir(log)).filter((name) => name.endsWith('.jsonl')).sort()
  const segment = openSync(join(log, names.at(-1) ?? ''), 'a')
  write({ _tag: 'acquired', slot: task.slot, pid, rev })
  await lookForAnother()
  for (let left = 1 + chance(4); left > 0; left--) {
    await must(store.commit(commitOf(shared, rev + 1)))
    rev += 1
    write({ _tag: 'committed', pid, rev })
    if (chance(4) === 0) await sleep(chance(4))
  }
  if (chance(5) === 0) await must(store.checkpoint(rev, rev))
  rmSync(holderFile, { force: true })
  write({ _tag: 'releasing', pid })
  await store.close()
  return segment
}

/** Waits, though not for ever, until another owns the store; then goes on as if nothing had happened. */
const goOnWriting = async (segment: number, line: string) => {
  const own = statSync(noteFile).size
  for (let left = 60; left > 0; left--) {
    if (notesIn(notedSince(own)).some((note) => note._tag === 'acquired' && note.pid !== pid)) {
      writeSync(segment, line)
      write({ _tag: 'stale', pid })
      return
    }
    await sleep(10)
  }
}

const line = await ghostLine()
for (let acquired = 0; acquired < task.acquisitions; ) {
  const store = storeAt(place)
  const opened = await store.open()
  if (E.isLeft(opened)) {
    if (opened.left._tag !== 'StoreOwned') {
      write({ _tag: 'wrong', pid, what: `${opened.left._tag}: ${opened.left.message}` })
    }
    await sleep(5 + chance(10 * task.rivals))
    continue
  }
  acquired += 1
  try {
    const segment = await hold(store, opened.right)
    if (chance(6) === 0) await goOnWriting(segment, line)
    closeSync(segment)
  } catch (error) {
    write({ _tag: 'wrong', pid, what: String(error) })
    await store.close()
  }
}
