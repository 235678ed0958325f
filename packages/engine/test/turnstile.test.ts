/** However many come at once, so many are inside, and none is forgotten. */
import { describe, expect, test } from 'vitest'
import { Turnstile } from '../src/turnstile.js'

const width = 32

const turnstile = () => {
  let nowMs = 0
  const timers = new Set<() => void>()
  const made = new Turnstile({
    monotonicMs: () => nowMs,
    schedule: (_delayMs, task) => {
      timers.add(task)
      return () => timers.delete(task)
    },
  })
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

describe('a turnstile', () => {
  test('lets in at once while there is room, without a timer', () => {
    const { made, timers } = turnstile()
    for (let i = 0; i < width; i++) expect(made.enter()).toBeUndefined()
    for (let i = 0; i < width; i++) made.leave()
    expect(made.enter()).toBeUndefined()
    expect([made.heldBack, timers.size]).toEqual([0, 0])
  })

  test('holds back the rest, and gives each place on, first come first', async () => {
    const { made, turn, pass } = turnstile()
    for (let i = 0; i < width; i++) void made.enter()
    const inside: number[] = []
    for (let i = 0; i < 100; i++) void made.enter()?.then(() => inside.push(i))
    expect(made.heldBack).toBe(100)
    made.leave()
    await Promise.resolve()
    expect(inside).toEqual([])
    await turn()
    expect(inside).toEqual([0])
    // Within the slice the next comes at once; after it, with the next turn of the loop.
    made.leave()
    await Promise.resolve()
    expect(inside).toEqual([0, 1])
    pass(10)
    for (let i = 0; i < 3; i++) made.leave()
    await Promise.resolve()
    expect(inside).toEqual([0, 1])
    await turn()
    expect(inside).toEqual([0, 1, 2, 3, 4])
    for (let left = made.heldBack + width; left > 0; left--) {
      made.leave()
      await turn()
    }
    expect(inside).toHaveLength(100)
    for (let i = 0; i < width; i++) expect(made.enter()).toBeUndefined()
    expect(made.enter()).toBeDefined()
  })

  test('keeps nobody when it is closed, and no timer', async () => {
    const { made, timers } = turnstile()
    for (let i = 0; i < width; i++) void made.enter()
    const waiting = Array.from({ length: 10 }, () => made.enter())
    made.leave()
    expect(timers.size).toBe(1)
    made.close()
    await Promise.all(waiting)
    expect([made.heldBack, timers.size]).toEqual([0, 0])
  })
})
