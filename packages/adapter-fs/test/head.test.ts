/** Which commit may follow: the one that names the head, with what waits to be written counted in. */
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { headIndex } from '../src/head.js'
import { SessionIndex } from '../src/session-index.js'
import { commitOf, entryOf, recordOf } from './sample.js'

const place = { segment: 'x', offset: 0, bytes: 1 }

const holding = (rev: number, incarnation = 1) => {
  const index = new SessionIndex(10)
  const record = recordOf('a', rev, incarnation)
  index.commit(record, place, entryOf(record))
  return headIndex(index)
}

const asked = (heads: ReturnType<typeof headIndex>, rev: number, incarnation = 1) => {
  const answer = heads.check(commitOf('a', rev, incarnation))
  return E.isRight(answer) ? 'follows' : answer.left
}

test('the first commit of a life names nothing, and each other one the one before it', () => {
  const none = headIndex(new SessionIndex(10))
  expect(none.current('a')).toEqual({ incarnation: 0, rev: 0 })
  expect(asked(none, 1)).toBe('follows')
  expect(asked(none, 2)).toEqual({
    _tag: 'RevisionConflict',
    sessionId: 'a',
    expectedRev: 1,
    actualRev: 0,
    message: 'expected revision 1, the store has 0',
  })
  const heads = holding(3)
  expect(heads.current('a')).toEqual({ incarnation: 1, rev: 3 })
  expect(asked(heads, 4)).toBe('follows')
  expect(asked(heads, 3)).toMatchObject({
    ...{ expectedRev: 2, actualRev: 3, message: 'expected revision 2, the store has 3' },
  })
  expect(asked(heads, 5)).toMatchObject({ expectedRev: 4, actualRev: 3 })
})

test('a later life begins anew, an earlier one is over', () => {
  const heads = holding(3, 2)
  expect(asked(heads, 1, 3)).toBe('follows')
  expect(asked(heads, 4, 3)).toMatchObject({ expectedRev: 3, actualRev: 0 })
  expect(asked(heads, 4, 2)).toBe('follows')
  expect(asked(heads, 4, 1)).toMatchObject({
    actualRev: 3,
    message: 'incarnation 1 is over, the store has 2',
  })
})

test('what waits counts until it is reached, or until nothing waits any more', () => {
  const heads = holding(3)
  const [first, second] = [
    { incarnation: 1, rev: 4 },
    { incarnation: 1, rev: 5 },
  ]
  heads.expect('a', first)
  expect(heads.current('a')).toBe(first)
  expect(asked(heads, 4)).toMatchObject({ actualRev: 4 })
  heads.expect('a', second)
  heads.reached('a', first)
  expect(heads.current('a')).toBe(second)
  heads.reached('a', second)
  expect(heads.current('a')).toEqual({ incarnation: 1, rev: 3 })
  heads.expect('a', second)
  heads.reset()
  expect(heads.current('a')).toEqual({ incarnation: 1, rev: 3 })
})
