/** What goes on in the background: its pauses, who may end them, and what is done again and again. */
import { quiet, VirtualClock } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import { inTurns, Pace, repeated } from '../src/pace.js'

const clocked = () => {
  const time = new VirtualClock()
  const { clock, pending } = time.fork()
  /** Time passes, and whoever it wakes gets some turns of the loop. */
  const advance = async (byMs: number): Promise<void> => {
    await time.advance(byMs)
    for (let turn = 0; turn < 3; turn++) await quiet()
  }
  return { time, pending, advance, schedule: clock.schedule }
}

const paced = (pauseMs: number) => {
  const { pending, advance, schedule } = clocked()
  const pace = new Pace(schedule, pauseMs)
  const told: boolean[] = []
  const ask = () => void pace.goOn().then((may) => told.push(may))
  return { pending, advance, pace, told, ask }
}

test('each piece waits for its pause', async () => {
  const { advance, pending, told, ask } = paced(100)
  ask()
  await advance(99)
  expect([told, pending()]).toEqual([[], 1])
  await advance(1)
  expect(told).toEqual([true])
  const none = paced(0)
  none.ask()
  expect(none.told).toEqual([])
  await none.advance(0)
  expect(none.told).toEqual([true])
})

test('whoever is hurried waits no more, now and later', async () => {
  const { advance, pending, pace, told, ask } = paced(100)
  ask()
  await advance(1)
  pace.hurry()
  await advance(0)
  expect([told, pending()]).toEqual([[true], 0])
  ask()
  await advance(0)
  expect(told).toEqual([true, true])
  paced(100).pace.hurry()
})

test('once it ceases nothing goes on, and no timer is left', async () => {
  const { advance, pending, pace, told, ask } = paced(100)
  ask()
  await advance(1)
  pace.cease()
  await advance(0)
  expect([told, pending()]).toEqual([[false], 0])
  ask()
  expect(pending()).toBe(0)
  await advance(0)
  expect(told).toEqual([false, false])
})

test('work is done again so long after it has ended, until that is over', async () => {
  const { time, pending, schedule } = clocked()
  const done: number[] = []
  const work = async () => {
    done.push(time.nowMs)
    await new Promise<void>((resolve) => void schedule(5, resolve))
  }
  const end = repeated(schedule, 10, 100, work)
  await time.advance(300)
  expect(done).toEqual([10, 115, 220])
  end()
  expect(pending()).toBe(0)
  await time.advance(300)
  expect(done).toHaveLength(3)
})

test('work that is under way when it is over is not done again', async () => {
  const { time, pending, schedule } = clocked()
  let times = 0
  const end = repeated(schedule, 10, 100, async () => {
    times += 1
    await new Promise<void>((resolve) => void schedule(5, resolve))
  })
  await time.advance(12)
  end()
  await time.advance(1_000)
  expect([times, pending()]).toEqual([1, 0])
})

test.each([
  [1, 1],
  [5, 1],
  [6, 2],
  [10, 2],
  [1_000, 200],
])(
  'of many sessions, which %d are, %d have a turn together, until it is enough',
  async (rollFrom, together) => {
    const seen: number[] = []
    const turns: number[] = []
    const items = Array.from({ length: 4 * together - 1 }, (_, i) => i)
    const work = (item: number) => void seen.push(item)
    const goOn = async () => turns.push(seen.length) < 9
    await inTurns({ rollFrom, goOn }, items, work)
    expect([seen, turns]).toEqual([items, [together, 2 * together, 3 * together]])
    seen.splice(0)
    await inTurns({ rollFrom, goOn: async () => false }, items, work)
    expect(seen).toHaveLength(together)
  },
)
