/** Small records, entries, snapshots and archives for the tests, and the ways to run a store's calls. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Archive,
  type Commit,
  digest,
  type JournalEntry,
  type SessionRecord,
  type SessionStateName,
  type Store,
  type StoredSnapshot,
  type StoreError,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { onTestFinished } from 'vitest'

const traits = {
  kind: 'local',
  attended: false,
  shell: true,
  rerunnable: false,
  failureExitCodes: [137],
  idempotentCommands: [],
} as const

export const recordOf = (
  sessionId: string,
  rev: number,
  incarnation = 1,
  state: SessionStateName = 'registered',
): SessionRecord => ({
  v: 1,
  rev,
  state,
  control: {
    sessionId,
    incarnation,
    registeredAtMs: 1_000,
    traits: { ...traits, failureExitCodes: [...traits.failureExitCodes], idempotentCommands: [] },
    used: 0,
    incidents: 0,
  },
})

/** An entry whose place is its revision, unless it matters and is given. */
export const entryOf = (record: SessionRecord, seq = record.rev): JournalEntry => ({
  v: 1,
  seq,
  sessionId: record.control.sessionId,
  incarnation: record.control.incarnation,
  rev: record.rev,
  stepVersion: 1,
  policyDigest: 'test',
  wallMs: 1_000 + record.rev,
  event: { type: 'registered', atMs: 1_000 + record.rev, traits: record.control.traits },
  to: record.state,
  effects: [],
  recordDigest: digest(record),
})

/** A commit that leads to revision `rev`. */
export const commitOf = (sessionId: string, rev: number, incarnation = 1, seq?: number): Commit => {
  const record = recordOf(sessionId, rev, incarnation)
  return { record, expectedRev: rev - 1, entry: entryOf(record, seq) }
}

export const snapshotOf = (
  sessionId: string,
  generation: number,
  incarnation = 1,
  output = 'some output',
): StoredSnapshot => ({
  sessionId,
  incarnation,
  view: {
    generation,
    capturedAtMs: 500 + generation,
    interactive: {
      isInteractive: true,
      pendingCommands: ['ls'],
      sessionUnresponsive: false,
      timeoutCount: 0,
      lastPromptDetected: new Date(1_700_000_000_000 + generation),
    },
  },
  body: { sessionId, generation, output: `${output} – ${generation}\n` },
})

export const archiveOf = (sessionId: string, token: string): Archive => ({
  v: 1,
  sessionId,
  incarnation: 1,
  incident: 1,
  token,
  atMs: 9_000,
  record: recordOf(sessionId, 7, 1, 'exhausted'),
  snapshot: snapshotOf(sessionId, 3),
})

/** Folds all there is into a checkpoint. */
export const everything = Number.MAX_SAFE_INTEGER

/** Runs a call that must succeed. */
export const done = async <A>(call: TE.TaskEither<StoreError, A>): Promise<A> => {
  const result = await call()
  if (E.isLeft(result)) throw new Error(`${result.left._tag}: ${result.left.message}`)
  return result.right
}

/** Runs a call that must fail, and returns its error. */
export const refused = async <A>(call: TE.TaskEither<StoreError, A>): Promise<StoreError> => {
  const result = await call()
  if (E.isRight(result)) throw new Error('expected an error, got an answer')
  return result.left
}

/** A directory that is removed after the test. */
export const freshDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'session-recovery-fs-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Has `store` closed after the test. */
export const closing = <S extends Store>(store: S): S => {
  onTestFinished(() => store.close())
  return store
}

/** How many file descriptors this process has open; always 0 where that cannot be told. */
export const openFiles = (): number =>
  existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0
