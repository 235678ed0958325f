/** What is kept of lines that were set aside is bounded, the newest first, and each is kept to the letter. */
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keepAside, type SetAside, settleAside } from '../src/set-aside.js'

const none = (): SetAside => ({ setAside: [], typed: undefined })

test('the newest are kept, in order, within the bounds', () => {
  const lines = fc.array(fc.string({ minLength: 1, maxLength: 65_536, size: 'max' }), {
    minLength: 1,
    maxLength: 8,
  })
  holds(
    fc.property(lines, fc.integer({ min: 1, max: 30 }), (some, times) => {
      const session = none()
      const all = Array.from({ length: times }, () => some).flat()
      for (const line of all) expect(keepAside(session, line)).toBe(true)
      const kept = session.setAside
      expect(kept).toEqual(all.slice(-kept.length))
      expect(kept.length).toBeLessThanOrEqual(64)
      const characters = (of: readonly string[]) => of.reduce((sum, { length }) => sum + length, 0)
      expect(characters(kept)).toBeLessThanOrEqual(262_144)
      const oneMore = all.slice(-kept.length - 1)
      const isFull = kept.length === 64 || characters(oneMore) > 262_144
      expect(isFull || kept.length === all.length).toBe(true)
    }),
    60,
  )
})

test('nothing is kept of an empty line, nor of the one that exec typed and the shell refused', () => {
  const session = { ...none(), typed: 'echo )' }
  expect(keepAside(session, '')).toBe(false)
  expect(keepAside(session, 'echo )')).toBe(false)
  expect(keepAside(session, 'echo )')).toBe(true)
  expect(session.setAside).toEqual(['echo )'])
})

test('what is settled is named no more, one at a time', () => {
  const session = none()
  for (const line of ['a', 'b', 'a']) keepAside(session, line)
  expect(settleAside(session, 'a')).toBe(true)
  expect(session.setAside).toEqual(['b', 'a'])
  expect(settleAside(session, 'c')).toBe(false)
})
