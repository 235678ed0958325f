/** Traits that are alike are one value, as far as there is room; and two updates are one. */
import {
  SnapshotUpdate as AnyUpdate,
  defaultPolicy,
  joinedUpdate,
  type RecoverySnapshot,
  type SnapshotUpdate,
  Traits,
  traitPool,
  withUpdate,
} from '@session-recovery/core'
import { arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const traits = (idempotentCommands: string[]): Traits => ({
  ...{ kind: 'local', attended: false, shell: true, rerunnable: false },
  ...{ failureExitCodes: [...defaultPolicy.failureExitCodes], idempotentCommands },
})

test('traits that are alike are the same value, others their own; beyond 1,024 kinds each has its own', () => {
  const pooled = traitPool()
  const first = pooled(traits([]))
  expect(first).toEqual(traits([]))
  expect(pooled(first)).toBe(first)
  const alike = traits([])
  expect(pooled(alike)).toBe(first)
  const own = traits(['ls'])
  const other = pooled(own)
  expect(other).toEqual(own)
  expect(pooled(own)).toBe(other)
  // What an app gave stays its own, and what is shared cannot change.
  own.idempotentCommands.push('pwd')
  expect(other.idempotentCommands).toEqual(['ls'])
  expect(Object.isFrozen(other) && Object.isFrozen(other.idempotentCommands)).toBe(true)
  for (let i = 2; i < 1_024; i++) pooled(traits([String(i)]))
  const last = pooled(traits(['1023']))
  expect(pooled(traits(['1023']))).toBe(last)
  const late = traits(['late'])
  expect(pooled(late)).toBe(late)
  const again = traits(['late'])
  expect(pooled(again)).toBe(again)
  expect(pooled(traits([]))).toBe(first)
  expect(Traits.is(first)).toBe(true)
})

const plain: RecoverySnapshot = {
  ...{ sessionId: 's', timestamp: new Date(0), sessionState: null, sessionOptions: null },
  ...{ environment: {}, workingDirectory: '/', commandHistory: [], outputBuffer: [] },
}

test('two updates that are joined make of a snapshot what one after the other make of it', () => {
  const at = new Date(5)
  holds(
    fc.property(arbitraryOf(AnyUpdate), arbitraryOf(AnyUpdate), (earlier, later) => {
      const joined = withUpdate(plain, joinedUpdate(earlier, later), at)
      expect(joined).toEqual(withUpdate(withUpdate(plain, earlier, at), later, at))
    }),
  )
})

test.each<readonly [SnapshotUpdate, SnapshotUpdate, SnapshotUpdate]>([
  [
    { droppedOutputBytes: 3, droppedHistoryLines: 4, workingDirectory: '/a' },
    { workingDirectory: '/b' },
    { droppedOutputBytes: 3, droppedHistoryLines: 4, workingDirectory: '/b' },
  ],
  [
    { droppedOutputBytes: 3, droppedHistoryLines: 4 },
    { outputBuffer: ['x'] },
    { droppedHistoryLines: 4, outputBuffer: ['x'] },
  ],
  [
    { droppedOutputBytes: 3, droppedHistoryLines: 4 },
    { commandHistory: ['ls'] },
    { droppedOutputBytes: 3, commandHistory: ['ls'] },
  ],
  [{ workingDirectory: '/a' }, {}, { workingDirectory: '/a' }],
])('%j and then %j are %j', (earlier, later, both) => {
  expect(joinedUpdate(earlier, later)).toStrictEqual(both)
})
