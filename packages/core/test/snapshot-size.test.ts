/** Sizes in UTF-8 at every bound, what is kept of lines and output at its limit, and fields that stay absent. */
import {
  bounded,
  emptyInteractiveState,
  planningView,
  type RecoverySnapshot,
  storedBytes,
} from '@session-recovery/core'
import { expect, test } from 'vitest'

const plain: RecoverySnapshot = {
  ...{ sessionId: 's', timestamp: new Date(0), sessionState: null, sessionOptions: null },
  ...{ environment: {}, workingDirectory: '/', commandHistory: [], outputBuffer: [] },
}
const keptOf = (outputBuffer: string[], outputBytes: number): readonly string[] =>
  bounded({ ...plain, outputBuffer }, { historyLines: 10, outputBytes }).outputBuffer

test.each([
  ['\x7f', 1],
  ['\x80', 2],
  ['\u07ff', 2],
  ['\u0800', 3],
  ['\uffff', 3],
  ['\u{10000}', 4],
  ['\u{10ffff}', 4],
  // Halves of a pair are stored as what stands for what is none.
  ['\ud800', 3],
  ['\udc00', 3],
])('%j takes %d bytes, alone and at the end of a line', (character, bytes) => {
  expect(storedBytes(character)).toBe(bytes)
  expect(storedBytes(`a${character}b`)).toBe(bytes + 2)
  expect(keptOf([`ab${character}`], bytes)).toEqual([character])
  expect(keptOf([`ab${character}`], bytes + 1)).toEqual([`b${character}`])
  expect(keptOf([`ab${character}`], bytes - 1)).toEqual([])
  expect(Buffer.byteLength(character)).toBe(bytes)
})

test('half of a pair beside another character is no pair', () => {
  expect(keptOf(['xx\udc00'], 4)).toEqual(['x\udc00'])
  expect(keptOf(['x\ud800y'], 2)).toEqual(['y'])
  expect(keptOf(['x\ud800y'], 4)).toEqual(['\ud800y'])
})

test('the newest output is kept up to the limit, and a line that is cut ends it', () => {
  expect(keptOf(['aa', 'bb', 'cc'], 6)).toEqual(['aa', 'bb', 'cc'])
  expect(keptOf(['aa', 'bb', 'cc'], 5)).toEqual(['a', 'bb', 'cc'])
  expect(keptOf(['aa', 'bb', 'cc'], 4)).toEqual(['bb', 'cc'])
  expect(keptOf(['aa', '', 'cc'], 2)).toEqual(['cc'])
  expect(keptOf(['aa', '\u20ac'], 2)).toEqual([])
  expect(keptOf(['aa'], 0)).toEqual([])
})

test('of what was not cut nothing is counted, and what is not there stays away', () => {
  const limit = { historyLines: 1, outputBytes: 3 }
  const names = (snapshot: object) => Object.keys(snapshot).filter((name) => /^dropped/.test(name))
  const whole = { ...plain, commandHistory: ['a'], outputBuffer: ['abc'] }
  expect(names(bounded(whole, limit))).toEqual([])
  expect(bounded({ ...whole, commandHistory: ['a', 'b'] }, limit)).toMatchObject({
    ...{ commandHistory: ['b'], droppedHistoryLines: 1 },
  })
  expect(names(bounded({ ...whole, outputBuffer: ['abcd'] }, limit))).toEqual([
    'droppedOutputBytes',
  ])
  const view = planningView({ ...plain, interactiveState: emptyInteractiveState }, 1)
  expect(Object.keys(view.interactive ?? {}).sort()).toEqual(
    Object.keys(emptyInteractiveState).sort(),
  )
  expect(planningView(plain, 1)).not.toHaveProperty('interactive')
})
