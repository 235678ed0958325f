/** Updates that wait together: the latest wins, and of what it overwrites all is told that could name a secret. */
import { emptyInteractiveState, type SnapshotUpdate } from '@session-recovery/core'
import { expect, test } from 'vitest'
import { join, overwritten } from '../src/waiting-update.js'

test('of what waits the latest of each field is kept, and nothing stands for both together', () => {
  const waiting = {
    bulk: {},
    ...{ update: { workingDirectory: '/a', environment: { A: '1' } } as SnapshotUpdate },
    kept: Promise.resolve(),
  }
  join(waiting, { workingDirectory: '/b', commandHistory: ['ls'] })
  expect(waiting.update).toEqual({
    ...{ workingDirectory: '/b', environment: { A: '1' }, commandHistory: ['ls'] },
  })
  expect(waiting.bulk).toBeUndefined()
})

const interactiveState = { ...emptyInteractiveState, pendingCommands: ['one'] }

test.each<readonly [string, SnapshotUpdate, SnapshotUpdate]>([
  ['environment', { environment: { A: '1' } }, { environment: { A: '2' } }],
  ['sessionState', { sessionState: { a: 1 } }, { sessionState: { a: 2 } }],
  ['sessionState', { sessionState: 1 }, { sessionState: 2 }],
  ['interactiveState', { interactiveState }, { interactiveState: emptyInteractiveState }],
])('what %s held before is told where it is another now', (_, earlier, later) => {
  expect(overwritten(earlier, later)).toEqual(earlier)
  expect(overwritten(earlier, structuredClone(earlier))).toBeUndefined()
  expect(overwritten(earlier, earlier)).toBeUndefined()
  expect(overwritten(earlier, {})).toBeUndefined()
  expect(overwritten({}, later)).toBeUndefined()
})

test('of lines those are told that are gone', () => {
  const history = (...commandHistory: string[]): SnapshotUpdate => ({ commandHistory })
  expect(overwritten(history('a', 'b', 'c'), history('b', 'd'))).toEqual(history('a', 'c'))
  expect(overwritten(history('a', 'b'), history('c', 'b', 'a'))).toBeUndefined()
  expect(overwritten(history('a', 'b'), history('a', 'c'))).toEqual(history('b'))
  expect(overwritten(history(), history('a'))).toBeUndefined()
  // What is no list of lines is told whole.
  const state = (sessionState: unknown): SnapshotUpdate => ({ sessionState })
  expect(overwritten(state(['a', 'b']), state(['b', 1]))).toEqual(state(['a', 'b']))
  expect(overwritten(state(['a', 1]), state(['b']))).toEqual(state(['a', 1]))
  expect(overwritten(state(['a', 'b']), state('ab'))).toEqual(state(['a', 'b']))
})

test('of output nothing is told, and of several fields each', () => {
  const earlier = { outputBuffer: ['x'], commandHistory: ['a'], environment: { A: '1' } }
  const later = { outputBuffer: ['y'], commandHistory: ['b'], environment: { A: '2' } }
  expect(overwritten({ outputBuffer: ['x'] }, { outputBuffer: ['y'] })).toBeUndefined()
  expect(overwritten(earlier, later)).toEqual({ commandHistory: ['a'], environment: { A: '1' } })
})

test('of the same in another order nothing is told, and what was nothing is told as such', () => {
  const state = (sessionState: unknown): SnapshotUpdate => ({ sessionState })
  expect(overwritten(state({ a: 1, b: 2 }), state({ b: 2, a: 1 }))).toBeUndefined()
  expect(overwritten(state(null), state({ a: 1 }))).toEqual(state(null))
  expect(overwritten(state({ a: 1 }), state(null))).toEqual(state({ a: 1 }))
})
