/**
 * What the rows about memory, disk and load share: sessions, records, entries and 20 KB snapshots, alike in
 * every row, and stores that hold as many of them as are asked for.
 */
import {
  type Commit,
  type Driver,
  defaultPolicy,
  digest,
  type JournalEntry,
  type Json,
  register,
  type Store,
  type StoredSnapshot,
  type StoreError,
  type Traits,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { instantDriver } from './instant-driver.js'

// ------------------------------------------------------------------------------------------ model

/** How many sessions "many" are: as many as the variable `SESSIONS` says, or a hundred thousand. */
export const manySessions = (): number => {
  const asked = Number(process.env.SESSIONS ?? 100_000)
  if (Number.isSafeInteger(asked) && asked >= 1_000) return asked
  throw new Error(`SESSIONS must be a whole number of at least 1,000, not ${process.env.SESSIONS}`)
}

export const callers = 1_000

const traits = (): Traits => ({
  kind: 'local',
  attended: false,
  shell: true,
  rerunnable: false,
  failureExitCodes: [],
  idempotentCommands: [],
})

// ----------------------------------------------------------------------------------- constructors

export const idOf = (i: number): string => `session-${String(i).padStart(6, '0')}`

export const sessionOptions = { command: 'bash', cwd: '/home/user', env: { PATH: '/usr/bin' } }

/** A session's registration, as its first commit. */
export const firstCommit = (sessionId: string, seq: number, atMs: number): Commit => {
  const event = { type: 'registered' as const, atMs, traits: traits() }
  const [record] = register(sessionId, 1, event, defaultPolicy)
  const recordDigest = digest(record)
  const entry: JournalEntry = {
    v: 1,
    seq,
    sessionId,
    incarnation: 1,
    rev: 1,
    stepVersion: 1,
    policyDigest: recordDigest,
    wallMs: atMs,
    event,
    to: record.state,
    effects: [],
    recordDigest,
  }
  return { record, expectedRev: 0, entry }
}

/** A decision of the same session later on, of the size that decisions have. */
export const laterCommit = ({ record, entry }: Commit, seq: number): Commit => ({
  record: { ...record, rev: record.rev + 1 },
  expectedRev: record.rev,
  entry: {
    ...entry,
    seq,
    rev: record.rev + 1,
    event: { type: 'cancelled', atMs: entry.event.atMs, why: 'asked for' },
    from: record.state,
    follows: entry.recordDigest,
  },
})

/** 20 KB of screen, history and environment, another for each `turn`. */
export const bulkOf = (turn: number) => ({
  environment: Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`VARIABLE_${i}`, `value ${i} of some length`]),
  ),
  workingDirectory: '/home/user/project',
  commandHistory: Array.from({ length: 80 }, (_, i) => `make target-${i}`),
  outputBuffer: Array.from({ length: 240 }, (_, i) => `${turn} ${i} ${'output '.repeat(9)}\n`),
})

export const snapshotOf = (
  sessionId: string,
  generation: number,
  atMs: number,
  bulk: ReturnType<typeof bulkOf> = bulkOf(generation),
): StoredSnapshot => ({
  sessionId,
  incarnation: 1,
  view: { generation, capturedAtMs: atMs },
  body: {
    sessionId,
    timestamp: new Date(atMs).toISOString(),
    sessionState: null,
    sessionOptions,
    ...bulk,
  } satisfies Json,
})

/** A driver that does nothing but let sessions be. */
export const idleDriver: Driver = {
  ...instantDriver(false),
  supports: { strategies: new Set(), capture: false, proof: 'none' },
}

// ------------------------------------------------------------------------------------ combinators

/** What a store answered; that it refused is no figure. */
export const done = async <A>(work: TE.TaskEither<StoreError, A>): Promise<A> => {
  const answer = await work()
  if (E.isLeft(answer)) throw new Error(`${answer.left._tag}: ${answer.left.message}`)
  return answer.right
}

/** Fills an open store with so many sessions, each with a snapshot where `withSnapshots`. */
export const populate = async (
  store: Store,
  sessions: number,
  withSnapshots: boolean,
  progress: (doing: string) => void,
): Promise<void> => {
  const atMs = Date.now()
  for (let first = 0; first < sessions; first += callers) {
    progress(`storing session ${first} of ${sessions}`)
    const some = Math.min(callers, sessions - first)
    await Promise.all(
      Array.from({ length: some }, async (_, k) => {
        const id = idOf(first + k)
        await done(store.commit(firstCommit(id, first + k + 1, atMs)))
        if (withSnapshots) await done(store.saveSnapshot(snapshotOf(id, 1, atMs)))
      }),
    )
  }
  await done(store.checkpoint(null, sessions))
}

/** The heap in use once what nobody refers to is gone, with the buffers that stand beside it. */
export const heapBytes = (): number => {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('heaps are measured with --expose-gc')
  for (let i = 0; i < 3; i++) gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
