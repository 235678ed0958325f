/** What stands for a session's output and history: another object with whatever changes either. */
import type { Capture } from '@session-recovery/core'
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { type Output, outputOf } from '../src/output.js'
import { requestFor, scriptedShell } from './scripted-shell.js'

type Move = (output: Output) => void

// Of few letters: what is hidden is to be in what is kept.
const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 4 })
const move: fc.Arbitrary<Move> = fc.oneof(
  text.map(
    (said): Move =>
      (output) =>
        output.append(said),
  ),
  text
    .filter((one) => one !== '')
    .map(
      (one): Move =>
        (output) =>
          output.hide(one),
    ),
  text.map(
    (said): Move =>
      (output) =>
        output.replace(said),
  ),
  fc.tuple(text, fc.nat(9)).map(
    ([said, dropped]): Move =>
      (output) =>
        output.takeOver(said, dropped),
  ),
  fc.constant<Move>((output) => output.leaveAlternateScreen()),
)

test('an output that is counted as unchanged says the same', () => {
  holds(
    fc.property(fc.array(move), fc.nat(20), (moves, limitBytes) => {
      const output = outputOf(limitBytes)
      for (const one of moves) {
        const before = [output.changes(), output.text()]
        one(output)
        if (output.changes() === before[0]) expect(output.text()).toBe(before[1])
        else expect(output.changes()).toBeGreaterThan(Number(before[0]))
      }
    }),
  )
})

test('captures have the same object until something is said or entered', async () => {
  const made = scriptedShell()
  const opened = await made.passing(made.driver.open('a', { command: 'bash', cwd: '/', env: {} })())
  if (E.isLeft(opened)) throw new Error(opened.left.message)
  const captured = async (): Promise<Capture> => {
    const capture = await made.passing(made.driver.capture(requestFor({}))())
    if (E.isLeft(capture)) throw new Error(capture.left.message)
    return capture.right
  }
  const first = await captured()
  expect(first.bulkIdentity).toBeTypeOf('object')
  expect((await captured()).bulkIdentity).toBe(first.bulkIdentity)

  // The scripted shell says nothing: the line alone is new.
  opened.right.write('ls\r')
  await made.time.advance(1)
  const entered = await captured()
  expect(entered.update.outputBuffer).toEqual(first.update.outputBuffer)
  expect(entered.update.commandHistory).toEqual(['ls'])
  expect(entered.bulkIdentity).not.toBe(first.bulkIdentity)
  expect((await captured()).bulkIdentity).toBe(entered.bulkIdentity)
})
