/** What is kept of a snapshot without its bulk, and which updates bring all of the bulk anew. */
import { RecoverySnapshot } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { bodyOf, isWhole, remainderLimit, remainderOf } from '../src/remainder.js'
import { first } from './keeper-rig.js'

const shell = { integration: { kind: 'bash' } } as never
const bodyWith = (more: Partial<RecoverySnapshot> = {}) =>
  RecoverySnapshot.encode(first({ ...more })) as Readonly<Record<string, unknown>>
const bulk = { environment: {}, commandHistory: [], outputBuffer: [] }

test('it is all but the bulk, and reads as a snapshot of the session', () => {
  const body = bodyWith({
    ...{ workingDirectory: '/here', sessionState: { n: 1 }, environment: { A: '1' } },
    ...{ commandHistory: ['ls'], outputBuffer: ['file'] },
  })
  const remainder = remainderOf(body)
  if (remainder === undefined) throw new Error('it is little')
  expect(remainder.hasShell).toBe(false)
  for (const gone of ['ls', 'file', '"A"', 'sessionId', 'timestamp'])
    expect(remainder.text).not.toContain(gone)
  expect(RecoverySnapshot.decode(bodyOf(remainder, 'other'))).toEqual(
    E.right({
      ...first({ workingDirectory: '/here', sessionState: { n: 1 } }),
      ...{ sessionId: 'other', timestamp: new Date(0), ...bulk },
    }),
  )
})

test('what a shell told is bulk, and that there was some is known', () => {
  const remainder = remainderOf({ ...bodyWith(), shell: { text: 'x'.repeat(2_000) } })
  expect(remainder).toMatchObject({ hasShell: true })
  expect(remainder?.text).not.toContain('shell')
})

test('it is kept up to a length', () => {
  const lengthOf = (characters: number) =>
    remainderOf(bodyWith({ workingDirectory: 'x'.repeat(characters) }))?.text.length
  const spare = remainderLimit - (lengthOf(10) ?? 0)
  expect(lengthOf(10 + spare)).toBe(remainderLimit)
  expect(lengthOf(11 + spare)).toBeUndefined()
})

test('an update is whole that brings each part of the bulk, and what a shell tells where one told', () => {
  const without = { text: '', hasShell: false }
  const withShell = { text: '', hasShell: true }
  expect(isWhole(without, bulk)).toBe(true)
  expect(isWhole(without, { ...bulk, shell })).toBe(true)
  expect(isWhole(withShell, bulk)).toBe(false)
  expect(isWhole(withShell, { ...bulk, shell })).toBe(true)
  for (const part of Object.keys(bulk)) {
    const { [part as keyof typeof bulk]: _, ...rest } = bulk
    expect(isWhole(without, rest)).toBe(false)
  }
})
