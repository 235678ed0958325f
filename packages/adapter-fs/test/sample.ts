/** Small records, entries, snapshots and archives for the tests, and the ways to run a store's calls. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Archive, Store, StoredSnapshot, StoreError } from '@session-recovery/core'
import { sampleRecord, sampleSnapshot } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { onTestFinished } from 'vitest'

export {
  sampleCommit as commitOf,
  sampleEntry as entryOf,
  sampleRecord as recordOf,
} from '@session-recovery/testkit'

export const snapshotOf = (
  sessionId: string,
  generation: number,
  incarnation = 1,
  output = 'some output',
): StoredSnapshot => ({
  ...sampleSnapshot(sessionId, generation, incarnation),
  body: { sessionId, generation, output: `${output} – ${generation}\n` },
})

export const archiveOf = (sessionId: string, token: string): Archive => ({
  v: 1,
  sessionId,
  incarnation: 1,
  incident: 1,
  token,
  atMs: 9_000,
  record: sampleRecord(sessionId, 7, 1, 'exhausted'),
  snapshot: snapshotOf(sessionId, 3),
})

/** Folds all there is into a checkpoint. */
/** Where it is said, in the commit of the record of `sessionId` at `rev`, which revision that is. */
export const revisionIn = (bytes: Buffer, sessionId: string, rev: number): number =>
  bytes.toString('latin1').search(new RegExp(`"rev":${rev},"seq":\\d+,"sessionId":"${sessionId}"`))

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
