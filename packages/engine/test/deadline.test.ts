/** A deadline passes once, at its time, unless it is none or was taken away. */
import { VirtualClock } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import { deadline } from '../src/deadline.js'

test('a deadline of 0 is none, and one that is taken away does not pass', async () => {
  const time = new VirtualClock()
  const { clock, pending } = time.fork()
  const passed: string[] = []
  const watch = (delayMs: number) => {
    const { over, end } = deadline(clock, delayMs)
    void over.then((what) => passed.push(`${what} ${delayMs}`))
    return end
  }
  watch(0)
  expect(pending()).toBe(0)
  watch(5)
  watch(7)()
  expect(pending()).toBe(1)
  await time.advance(10)
  expect(passed).toEqual(['over 5'])
})
