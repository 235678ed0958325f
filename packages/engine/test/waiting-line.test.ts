/** The line of those who wait: the oldest incident first, whoever left is passed over. */
import { sampleRecord } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import { type Guest, type Waiting, WaitingLine, waitingOf } from '../src/waiting-line.js'

const guest = {} as Guest

const waiting = (sessionId: string, openedAtMs: number): Waiting => ({
  ...{ guest, sessionId, domains: ['d'], kind: 'timeout', openedAtMs, heldAtMs: 9 },
  standsIn: undefined,
  passed: [],
})

test('the oldest incident comes first, and of several as old the first id', () => {
  const line = new WaitingLine('d')
  for (const [id, atMs] of [
    ['b', 2],
    ['late', 3],
    ['a', 2],
    ['c', 2],
    ['early', 1],
  ] as const)
    line.push(waiting(id, atMs))
  expect(line.peek()?.sessionId).toBe('early')
  const order = [1, 2, 3, 4, 5, 6].map(() => line.pop()?.sessionId)
  expect(order).toEqual(['early', 'a', 'b', 'c', 'late', undefined])
  expect(line.peek()).toBeUndefined()
})

test('each stands where it was pushed, until it is taken or has left', () => {
  const line = new WaitingLine('d')
  const [first, second] = [waiting('first', 1), waiting('second', 2)]
  for (const one of [first, second]) line.push(one)
  expect([first.standsIn, second.standsIn]).toEqual(['d', 'd'])
  first.standsIn = undefined
  expect(line.peek()).toBe(second)
  expect(line.pop()).toBe(second)
  expect(second.standsIn).toBeUndefined()
  // In another line it is none of this one's.
  line.push(first)
  first.standsIn = 'e'
  expect([line.peek(), line.pop()]).toEqual([undefined, undefined])
})

test('what waits is told by its incident; without one nothing does', () => {
  const record = sampleRecord('s', 1)
  expect(waitingOf(guest, record)).toBeUndefined()
  const failure = { kind: 'network' }
  const held = (incident: object, traits: object = {}) => {
    const control = { ...record.control, traits: { ...record.control.traits, ...traits }, incident }
    return waitingOf(guest, { ...record, control } as never)
  }
  expect(held({ openedAtMs: 5, failure }, { domains: ['x', 'y'] })).toEqual({
    ...{ guest, sessionId: 's', domains: ['x', 'y'], kind: 'network', openedAtMs: 5, heldAtMs: 5 },
    standsIn: undefined,
    passed: [],
  })
  expect(held({ openedAtMs: 5, heldAtMs: 7, failure })).toMatchObject({ domains: [], heldAtMs: 7 })
})
