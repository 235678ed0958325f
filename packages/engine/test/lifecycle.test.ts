/** Lives that end before they have begun, and those that begin meanwhile: a store is closed once, by whoever opened it. */
import { expect, test } from 'vitest'
import { answered, diskFull, world } from './scripted-world.js'

test('an engine that stops while its store opens closes it, and has nothing to complain of', async () => {
  const made = world()
  made.control.holds = (operation) => operation === 'open'
  const starting = made.engine.start()
  await made.time.advance(1)
  const stopping = made.engine.stop()
  await made.time.advance(1)
  expect(made.control.operations).toEqual(['open'])
  made.control.resume()
  expect(await answered(made, stopping, 1)).toEqual({ _tag: 'stopped', unfinished: 0 })
  expect(await answered(made, starting)).toEqual({ _tag: 'stopped' })
  expect(made.control.operations).toEqual(['open', 'close'])
  expect(made.logged).toEqual([])
  expect(await answered(made, made.engine.start(), 1)).toMatchObject({ _tag: 'started' })
})

test('an engine that runs, or is about to, is not started again', async () => {
  const made = world()
  const starting = made.engine.start()
  expect(await made.engine.start()).toEqual({ _tag: 'already-running' })
  expect(await answered(made, starting)).toMatchObject({ _tag: 'started' })
  expect(await made.engine.start()).toEqual({ _tag: 'already-running' })
  expect(made.control.operations.filter((operation) => operation === 'open')).toHaveLength(1)
})

test('a start that fails after it was given up does not end the life that came after it', async () => {
  const made = world()
  made.control.holds = (operation) => operation === 'open'
  const first = made.engine.start()
  await made.time.advance(1)
  const stopping = made.engine.stop()
  const second = made.engine.start()
  let opened = 0
  made.control.refuse = (operation) =>
    operation === 'open' && ++opened === 1 ? diskFull : undefined
  made.control.resume()
  expect(await answered(made, first, 1)).toEqual({ _tag: 'store-failed', error: diskFull })
  await answered(made, stopping)
  expect(await answered(made, second)).toMatchObject({ _tag: 'started' })
  expect(made.engine.stats().isRunning).toBe(true)
})
