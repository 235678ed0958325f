/** Updates that say the same have the same fingerprint, and those that differ in anything another. */
import { emptyInteractiveState } from '@session-recovery/core'
import { expect, test } from 'vitest'
import { fingerprintBesideBulk, fingerprintOf } from '../src/fingerprint.js'

test('the same is the same, be it made anew', () => {
  const update = () => ({
    ...{ workingDirectory: '/x', environment: { A: '1' }, commandHistory: ['ls'] },
    sessionState: { at: new Date(5), n: [1, null] },
  })
  expect(fingerprintOf(update())).toBe(fingerprintOf(update()))
  expect(fingerprintOf(update())).toMatch(/^[A-Za-z0-9+/]{43}=$/)
})

test('each that says anything else has another', () => {
  const updates = [
    ...[{}, { workingDirectory: '/x' }, { workingDirectory: '/y' }, { environment: { A: '1' } }],
    ...[{ commandHistory: ['ls'] }, { outputBuffer: ['ls'] }, { commandHistory: ['l', 's'] }],
    ...[{ sessionState: null }, { sessionState: 5 }, { sessionState: { at: new Date(5) } }],
    ...[{ sessionState: { at: new Date(5).toISOString() } }, { sessionState: { at: new Date(6) } }],
    ...[{ interactiveState: emptyInteractiveState }, { outputBuffer: [] }, { outputBuffer: [''] }],
    ...[{ outputBuffer: ['l', 's'] }, { outputBuffer: ['', 'ls'] }, { outputBuffer: ['ls', ''] }],
    ...[
      { outputBuffer: ['l'], commandHistory: ['s'] },
      { outputBuffer: [], commandHistory: [] },
    ],
    ...[{ outputBuffer: ['\ud800'] }, { outputBuffer: ['\udfff'] }, { outputBuffer: ['\ufffd'] }],
    ...[{ outputBuffer: ['\ud83d', '\ude00'] }, { outputBuffer: ['\ud83d\ude00'] }],
    ...[{ commandHistory: ['la'] }, { outputBuffer: ['la'] }],
    ...[{ workingDirectory: '\ud800' }, { workingDirectory: '\udfff' }],
  ]
  expect(new Set(updates.map(fingerprintOf)).size).toBe(updates.length)
})

test('beside the bulk all else is told apart, and output and history are not', () => {
  const rests = [
    ...[{}, { workingDirectory: '/x' }, { workingDirectory: '/y' }, { environment: { A: '1' } }],
    ...[{ sessionState: null }, { sessionState: { at: new Date(5) } }, { droppedOutputBytes: 1 }],
    ...[{ interactiveState: emptyInteractiveState }, { droppedHistoryLines: 1 }],
  ]
  const bulks = [{}, { outputBuffer: ['x'] }, { commandHistory: ['x'], outputBuffer: [] }]
  const prints = rests.map((rest) => {
    const print = new Set(bulks.map((bulk) => fingerprintBesideBulk({ ...rest, ...bulk })))
    expect(print.size).toBe(1)
    const [one] = print
    expect(one).toMatch(/^[A-Za-z0-9+/]{43}=$/)
    return one
  })
  expect(new Set(prints).size).toBe(rests.length)
})
