/** What is kept of a session: updates, bounds, and the small view of it that planning needs. */
import { deepStrictEqual } from 'node:assert/strict'
import {
  bounded,
  decode,
  PlanningView,
  planningView,
  RecoverySnapshot,
  SnapshotUpdate,
  storedBytes,
  withUpdate,
} from '@session-recovery/core'
import { anyCharacter, anyText, arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'

const anySnapshot = arbitraryOf(RecoverySnapshot)
const at = new Date(1)

test('an update changes what it defines, and nothing else', () => {
  holds(
    fc.property(anySnapshot, arbitraryOf(SnapshotUpdate), (base, update) => {
      const { droppedOutputBytes, droppedHistoryLines, ...rest } = base
      deepStrictEqual(withUpdate(base, update, at), {
        ...rest,
        ...(droppedOutputBytes === undefined || 'outputBuffer' in update
          ? {}
          : { droppedOutputBytes }),
        ...(droppedHistoryLines === undefined || 'commandHistory' in update
          ? {}
          : { droppedHistoryLines }),
        ...update,
        timestamp: at,
      })
    }),
  )
})

test('what was dropped of an output that is replaced is no more of a matter', () => {
  const base = { ...sample, droppedOutputBytes: 7, droppedHistoryLines: 2 }
  expect(withUpdate(base, { outputBuffer: ['new'] }, at)).toEqual({
    ...sample,
    outputBuffer: ['new'],
    droppedHistoryLines: 2,
  })
  const told = { commandHistory: ['ls'], droppedHistoryLines: 5 }
  expect(withUpdate(base, told, at)).toEqual({ ...base, ...told })
})

test('an undefined field of an update changes nothing', () => {
  holds(
    fc.property(anySnapshot, (base) => {
      const fields = Object.keys(SnapshotUpdate.optional).map((name) => [name, undefined])
      deepStrictEqual(withUpdate(base, Object.fromEntries(fields), at), { ...base, timestamp: at })
    }),
  )
})

test('whom a snapshot belongs to is nothing an update can say', () => {
  const read = decode(
    SnapshotUpdate,
    'update',
  )({ sessionId: 'other', timestamp: 0, sessionOptions: 1 })
  expect(read).toEqual(E.right({}))
})

test('an update decoded from live values keeps their dates', () => {
  const update = {
    sessionState: { since: at },
    errorContext: { lastError: '', errorTimestamp: at, errorCount: 0 },
  }
  expect(decode(SnapshotUpdate, 'update')(update)).toEqual(E.right(update))
})

const anyLimit = fc.record({ historyLines: fc.nat(4), outputBytes: fc.nat(40) })
const anyLines = fc.array(fc.oneof(anyText, fc.string({ unit: 'grapheme', maxLength: 20 })), {
  maxLength: 6,
})
const utf8Of = (texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + utf8(text), 0)
const omit = (object: object, names: readonly string[]): object =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
const utf8 = (text: string): number => new TextEncoder().encode(text).length

test('sizes are those of UTF-8', () => {
  holds(
    fc.property(fc.oneof(anyText, fc.string({ unit: anyCharacter })), (text) => {
      expect(storedBytes(text)).toBe(utf8(text))
    }),
  )
})

test('what is kept is within its bounds, the newest, and as much as fits', () => {
  holds(
    fc.property(anySnapshot, anyLines, anyLines, anyLimit, (rest, history, output, limit) => {
      const whole = { ...rest, commandHistory: history, outputBuffer: output }
      const { commandHistory, outputBuffer, ...more } = bounded(whole, limit)
      const { droppedOutputBytes, droppedHistoryLines, ...kept } = more
      const { commandHistory: _, outputBuffer: __, ...others } = whole
      const { droppedOutputBytes: bytesBefore, droppedHistoryLines: linesBefore } = others
      deepStrictEqual(kept, omit(others, ['droppedOutputBytes', 'droppedHistoryLines']))
      const counted = (before: number | undefined, cut: number) =>
        Math.min((before ?? 0) + cut, Number.MAX_SAFE_INTEGER)
      expect(droppedOutputBytes ?? 0).toBe(
        counted(bytesBefore, utf8Of(output) - utf8Of(outputBuffer)),
      )
      expect(droppedHistoryLines ?? 0).toBe(
        counted(linesBefore, history.length - commandHistory.length),
      )
      // Cut once more, nothing is cut nor counted.
      deepStrictEqual(bounded(bounded(whole, limit), limit), bounded(whole, limit))
      deepStrictEqual(
        commandHistory,
        history.slice(Math.max(0, history.length - limit.historyLines)),
      )
      const text = outputBuffer.join('')
      const all = output.join('')
      expect(all.endsWith(text)).toBe(true)
      const bytes = outputBuffer.reduce((sum, chunk) => sum + utf8(chunk), 0)
      expect(bytes).toBeLessThanOrEqual(limit.outputBytes)
      // One character more would not have fitted.
      if (text.length < all.length) expect(bytes).toBeGreaterThan(limit.outputBytes - 4)
    }),
    2_000,
  )
})

test('no character is cut in two', () => {
  const rocket = '🚀'
  const limit = (outputBytes: number) => ({ historyLines: 1, outputBytes })
  const output = (outputBytes: number) =>
    bounded({ ...sample, outputBuffer: [`a${rocket}b`] }, limit(outputBytes)).outputBuffer
  expect([0, 1, 4, 5, 6].map(output)).toEqual([[], ['b'], ['b'], [`${rocket}b`], [`a${rocket}b`]])
})

const sample: RecoverySnapshot = {
  sessionId: 's',
  timestamp: at,
  sessionState: null,
  sessionOptions: null,
  environment: {},
  workingDirectory: '',
  commandHistory: [],
  outputBuffer: [],
}

test('what was kept before anything was counted is read, and counts nothing', () => {
  const { timestamp, ...stored } = sample
  const old = { ...stored, timestamp: timestamp.toISOString() }
  expect(decode(RecoverySnapshot, 'snapshot')(old)).toEqual(E.right(sample))
  const counted = { ...old, droppedOutputBytes: 3, droppedHistoryLines: 1 }
  expect(decode(RecoverySnapshot, 'snapshot')(counted)).toEqual(
    E.right({ ...sample, droppedOutputBytes: 3, droppedHistoryLines: 1 }),
  )
  const wrong = decode(RecoverySnapshot, 'snapshot')({ ...counted, droppedOutputBytes: -1 })
  expect(wrong).toMatchObject({ left: { path: 'droppedOutputBytes' } })
})

test('the planning view is small whatever the snapshot, and a valid one', () => {
  const long = fc.string({ minLength: 1_000, maxLength: 1_100 })
  const commands = fc.array(long, { minLength: 15, maxLength: 20 })
  holds(
    fc.property(commands, long, fc.nat(), (pendingCommands, promptType, generation) => {
      const interactiveState = {
        isInteractive: true,
        sessionUnresponsive: false,
        timeoutCount: 0,
        pendingCommands,
        unknownCommands: pendingCommands,
        setAside: pendingCommands,
        promptType,
      }
      const view = planningView({ ...sample, interactiveState }, generation)
      expect(PlanningView.is(view)).toBe(true)
      expect(view).toMatchObject({ generation, capturedAtMs: 1 })
      const some = pendingCommands.slice(0, 16).map((command) => command.slice(0, 1_024))
      expect(view.interactive?.pendingCommands).toEqual(some)
      expect(view.interactive?.unknownCommands).toEqual(some)
      expect(view.interactive?.setAside).toEqual(some)
      expect(view.interactive?.promptType).toBe(promptType.slice(0, 1_024))
    }),
    50,
  )
  expect(planningView(sample, 0)).toEqual({ generation: 0, capturedAtMs: 1 })
})
