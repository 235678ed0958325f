/** A life that ends before it has begun: its store is closed by whoever opened it, once, and nothing is wrong. */
import { expect, test } from 'vitest'
import { answered, world } from './scripted-world.js'

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
