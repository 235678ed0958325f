/** However many come at once, so many are inside, and none is forgotten. */
import { describe, expect, test } from 'vitest'
import { Turnstile } from '../src/turnstile.js'

const width = 32

const turnstile = () => {
  let nowMs = 0
  const timers = new Set<() => void>()
  const clock = {
    monotonicMs: () => nowMs,
    schedule: (_delayMs: number, task: () => void) => {
      timers.add(task)
      return () => timers.delete(task)
    },
  }
  const made = new Turnstile<() => Promise<void>>(clock, (work) => work())
  const turn = async (): Promise<void> => {
    nowMs += 1
    for (const task of [...timers]) {
      timers.delete(task)
      task()
    }
    await Promise.resolve()
  }
  return { made, timers, turn, pass: (ms: number) => (nowMs += ms) }
}

/** Work that is inside until it is told to leave. */
const visitors = (made: Turnstile<() => Promise<void>>) => {
  const inside: number[] = []
  const leaving: (() => void)[] = []
  let came = 0
  const come = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const visitor = came++
      made.admit(() => {
        inside.push(visitor)
        return new Promise((resolve) => leaving.push(resolve))
      })
    }
  }
  const leave = async (): Promise<void> => {
    leaving.shift()?.()
    await Promise.resolve()
    await Promise.resolve()
  }
  return { inside, come, leave }
}

describe('a turnstile', () => {
  test('lets in at once while there is room, without a timer', async () => {
    const { made, timers } = turnstile()
    const { inside, come, leave } = visitors(made)
    come(width)
    expect(inside).toHaveLength(width)
    for (let i = 0; i < width; i++) await leave()
    come(1)
    expect(inside).toHaveLength(width + 1)
    expect([made.heldBack, timers.size]).toEqual([0, 0])
  })

  test('holds back the rest, and gives each place on, first come first', async () => {
    const { made, turn, pass } = turnstile()
    const { inside, come, leave } = visitors(made)
    come(width + 100)
    expect([inside.length, made.heldBack]).toEqual([width, 100])
    await leave()
    expect(inside).toHaveLength(width)
    await turn()
    expect([inside.length, inside.at(-1)]).toEqual([width + 1, width])
    // Within the slice the next comes at once; after it, with the next turn of the loop.
    await leave()
    expect(inside.at(-1)).toBe(width + 1)
    pass(7)
    await leave()
    expect(inside.at(-1)).toBe(width + 2)
    pass(1)
    for (let i = 0; i < 3; i++) await leave()
    expect(inside.at(-1)).toBe(width + 2)
    await turn()
    expect([inside.length, inside.at(-1)]).toEqual([width + 6, width + 5])
    for (let left = made.heldBack + width; left > 0; left--) {
      await leave()
      await turn()
    }
    expect(inside).toEqual(Array.from({ length: width + 100 }, (_, i) => i))
    come(width + 1)
    expect([inside.length, made.heldBack]).toEqual([2 * width + 100, 1])
  })

  test('lets eight in at once while a thousand wait, and more when fewer do', async () => {
    const { made, turn } = turnstile()
    const { inside, come, leave } = visitors(made)
    come(width + 1_010)
    for (let left = 0; left < width; left++) await leave()
    expect(inside).toHaveLength(width)
    await turn()
    expect([inside.length, made.heldBack]).toEqual([width + 8, 1_002])
    for (const more of [1, 2]) {
      await leave()
      expect([inside.length, made.heldBack]).toEqual([width + 8 + more, 1_002 - more])
    }
    // With the next there are less than a thousand, and all places are given away again.
    await leave()
    expect([inside.length, made.heldBack]).toEqual([width + 10 + 25, 975])
    await leave()
    expect(inside).toHaveLength(width + 36)
    come(1_000)
    await leave()
    expect(inside).toHaveLength(width + 36)
  })

  test('lets nobody pass who came later, though there are places', async () => {
    const { made, turn } = turnstile()
    const { inside, come, leave } = visitors(made)
    come(width + 2)
    for (let left = 0; left < 5; left++) await leave()
    come(1)
    expect([inside.length, made.heldBack]).toEqual([width, 3])
    await turn()
    expect(inside.slice(width)).toEqual([width, width + 1, width + 2])
    expect(made.heldBack).toBe(0)
  })

  test('keeps nobody when it is closed, and no timer', async () => {
    const { made, timers } = turnstile()
    const { inside, come, leave } = visitors(made)
    come(width + 10)
    await leave()
    expect(timers.size).toBe(1)
    made.close()
    expect(inside).toHaveLength(width + 10)
    expect([made.heldBack, timers.size]).toEqual([0, 0])
    // Also who comes while those inside are still there.
    come(1)
    expect(inside).toHaveLength(width + 11)
    expect([made.heldBack, timers.size]).toEqual([0, 0])
  })
})
