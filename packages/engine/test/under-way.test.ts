/** What is under way: called off by its token, once, and told apart from what came later under the same. */
import { expect, test } from 'vitest'
import { UnderWay } from '../src/under-way.js'

test('is called off by its token, and by what it is', () => {
  const works = new UnderWay()
  const one = works.begin('a', 'capture', 1)
  const other = works.begin('b', 'look', 2)
  works.abort('a')
  expect([one.signal.aborted, other.signal.aborted]).toEqual([true, false])
  works.abortWhere(({ kind, rev }) => kind === 'look' && rev === 2)
  expect(other.signal.aborted).toBe(true)
})

test('nothing is asked about where nothing is under way, or all is over', () => {
  const works = new UnderWay()
  const asked: unknown[] = []
  const ask = () => works.abortWhere((work) => asked.push(work) > 0)
  ask()
  const one = works.begin('a', 'run', 1)
  works.end('a', one)
  ask()
  works.end('a', one)
  works.abort('a')
  expect(asked).toEqual([])
  expect(one.signal.aborted).toBe(false)
})

test('the end of a former one is not that of the later under its token', () => {
  const works = new UnderWay()
  const former = works.begin('a', 'verify', 1)
  const later = works.begin('a', 'verify', 2)
  works.end('a', former)
  works.abort('a')
  expect(later.signal.aborted).toBe(true)
})
