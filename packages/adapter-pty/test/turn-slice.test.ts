/** Starts that come at once are spread over turns of the loop; one alone waits for none. */
import { VirtualClock } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import { turnSlices } from '../src/turn-slice.js'

/** In which turn of the loop each of so many starts came, where each takes `takesMs`. */
const turnsOf = async (starts: number, takesMs: number): Promise<readonly number[]> => {
  let [nowMs, turn, isOver] = [1_000, 0, false]
  const slice = turnSlices({ monotonicMs: () => nowMs })
  const count = (): void => {
    turn += 1
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const all = Array.from({ length: starts }, async () => {
    await slice()
    nowMs += takesMs
    return turn
  })
  const seen = await Promise.all(all)
  isOver = true
  return seen
}

test('one alone, and the first of many, begin in the turn in which they come', async () => {
  expect(await turnsOf(1, 4)).toEqual([0])
  expect((await turnsOf(9, 4))[0]).toBe(0)
})

test('so many share a turn as fit into its slice', async () => {
  const shared = async (takesMs: number) => {
    const turns = await turnsOf(24, takesMs)
    expect(turns).toEqual([...turns].sort((a, b) => a - b))
    const sizes = new Map<number, number>()
    for (const turn of turns) sizes.set(turn, (sizes.get(turn) ?? 0) + 1)
    return [...new Set(sizes.values())]
  }
  expect(await shared(4)).toEqual([2])
  expect(await shared(3)).toEqual([3])
  expect(await shared(20)).toEqual([1])
  expect(await shared(0)).toEqual([24])
})

test('a turn that has passed counts for nothing', async () => {
  const time = new VirtualClock()
  const slice = turnSlices(time.fork().clock)
  await slice()
  await new Promise((resolve) => setImmediate(resolve))
  await time.advance(20)
  let turns = 0
  setImmediate(() => {
    turns += 1
  })
  await slice()
  expect(turns).toBe(0)
})
