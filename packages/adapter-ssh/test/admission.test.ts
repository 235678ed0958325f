/** No account is locked: what was refused is not tried again, and of many at once one goes first. */
import type { StartFailure } from '@session-recovery/shell'
import { VirtualClock } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { type Admission, admissionOf, calledOff, type Door, notInTime } from '../src/admission.js'

const refused: StartFailure = { detail: 'refused', credentialRefused: true }
const unreached: StartFailure = { detail: 'unreached' }

// A door at which the tries are counted, and answered when the test says so.
const doorOf = (
  admission: Admission,
  mark: string,
  place = 'h',
  bound: Door['bound'] = { untilMs: Number.MAX_SAFE_INTEGER },
) => {
  const answers: ((outcome: E.Either<StartFailure, string>) => void)[] = []
  let tries = 0
  const knock = (again = false) =>
    admission.enter({ mark, place, again, bound }, () => {
      tries += 1
      return new Promise<E.Either<StartFailure, string>>((resolve) => answers.push(resolve))
    })
  return {
    knock,
    tries: () => tries,
    answer: async (outcome: E.Either<StartFailure, string>) => {
      answers.shift()?.(outcome)
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

describe('a credential', () => {
  const { clock } = new VirtualClock().fork()

  test('that was refused is not tried again until the app asks for it', async () => {
    const door = doorOf(admissionOf(clock), 'a')
    const first = door.knock()
    await door.answer(E.left(refused))
    expect(await first).toEqual(E.left(refused))
    expect(await door.knock()).toEqual(E.left(refused))
    expect(door.tries()).toBe(1)
    const again = door.knock(true)
    await door.answer(E.right('in'))
    expect(await again).toEqual(E.right('in'))
    expect(door.tries()).toBe(2)
  })

  test('that changed is another', async () => {
    const admission = admissionOf(clock)
    const before = doorOf(admission, 'a')
    void before.knock()
    await before.answer(E.left(refused))
    const after = doorOf(admission, 'b')
    void after.knock()
    await after.answer(E.right('in'))
    expect(after.tries()).toBe(1)
  })

  test('of many at once is tried by one, whose refusal all take', async () => {
    const door = doorOf(admissionOf(clock), 'a')
    const many = Array.from({ length: 100 }, () => door.knock())
    await door.answer(E.left(refused))
    expect(await Promise.all(many)).toEqual(many.map(() => E.left(refused)))
    expect(door.tries()).toBe(1)
  })

  test('of many at once, once it was let in, lets all in side by side', async () => {
    const door = doorOf(admissionOf(clock), 'a')
    const many = Array.from({ length: 3 }, () => door.knock())
    await door.answer(E.right('in'))
    expect(door.tries()).toBe(3)
    await door.answer(E.right('in'))
    await door.answer(E.right('in'))
    expect(await Promise.all(many)).toEqual(many.map(() => E.right('in')))
  })

  test('is asked for by the next one when the first was called off', async () => {
    const door = doorOf(admissionOf(clock), 'a')
    const first = door.knock()
    const second = door.knock()
    await door.answer(E.left(calledOff))
    expect(await first).toEqual(E.left(calledOff))
    await door.answer(E.left(unreached))
    expect(await second).toEqual(E.left(unreached))
  })

  test('is not waited for at another host', async () => {
    const admission = admissionOf(clock)
    void doorOf(admission, 'a', 'dark').knock()
    const other = doorOf(admission, 'a', 'bright')
    const entered = other.knock()
    await other.answer(E.right('in'))
    expect(await entered).toEqual(E.right('in'))
  })

  test('that one host let in is tried at another by one, too', async () => {
    const admission = admissionOf(clock)
    const good = doorOf(admission, 'a', 'good')
    void good.knock()
    await good.answer(E.right('in'))
    const other = doorOf(admission, 'a', 'other')
    const many = Array.from({ length: 100 }, () => other.knock())
    await other.answer(E.left(refused))
    expect(await Promise.all(many)).toEqual(many.map(() => E.left(refused)))
    expect(other.tries()).toBe(1)
    // Nor is it tried where it was good: it is refused until the app asks for it.
    expect(await good.knock()).toEqual(E.left(refused))
  })

  test('is not waited for when that is called off, nor for longer than the bound', async () => {
    const time = new VirtualClock()
    const { clock: virtual } = time.fork()
    const admission = admissionOf(virtual)
    const first = doorOf(admission, 'a')
    void first.knock()
    const over = new AbortController()
    const untilMs = virtual.monotonicMs() + 1_000
    const called = doorOf(admission, 'a', 'h', { untilMs, signal: over.signal }).knock()
    const bounded = doorOf(admission, 'a', 'h', { untilMs }).knock()
    over.abort()
    expect(await called).toEqual(E.left(calledOff))
    await time.advance(1_000)
    expect(await bounded).toEqual(E.left(notInTime))
    expect(first.tries()).toBe(1)
  })
})
