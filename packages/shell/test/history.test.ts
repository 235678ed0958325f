/** The history is kept in bounds: the newest lines, and a count of those that were let go. */
import type { Capture } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { requestFor, scriptedShell } from './scripted-shell.js'

test('lines of the history that are let go are counted', async () => {
  const made = scriptedShell()
  const opened = await made.passing(made.driver.open('a', { command: 'bash', cwd: '/', env: {} })())
  if (E.isLeft(opened)) throw new Error(opened.left.message)
  const captured = async (): Promise<Capture['update']> => {
    const capture = await made.passing(made.driver.capture(requestFor({}))())
    if (E.isLeft(capture)) throw new Error(capture.left.message)
    return capture.right.update
  }
  const enter = async (count: number) => {
    for (let i = 0; i < count; i++) {
      opened.right.write(`: ${i}\r`)
      await made.time.advance(1)
    }
  }
  await enter(1_000)
  expect(await captured()).not.toHaveProperty('droppedHistoryLines')
  await enter(3)
  const { commandHistory = [], droppedHistoryLines } = await captured()
  expect([commandHistory.length, droppedHistoryLines]).toEqual([1_000, 3])
  expect(commandHistory.at(-1)).toBe(': 2')
})
