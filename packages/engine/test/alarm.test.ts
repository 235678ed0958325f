/** One timer wakes all, each on time; what can wait is spread, and nothing is left when it is over. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { VirtualClock } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import { Alarm, type Sleeper } from '../src/alarm.js'

const rig = (intervalMs = 0, sessions = 100) => {
  const time = new VirtualClock()
  const { clock: untold, pending } = time.fork()
  const armed: number[] = []
  const clock: typeof untold = {
    ...untold,
    schedule: (delayMs, task) => {
      armed.push(delayMs)
      return untold.schedule(delayMs, task)
    },
  }
  const nowMs = () => time.nowMs
  const alarm = new Alarm({ clock, nowMs, intervalMs, sessions: () => sessions })
  const woken: string[] = []
  const sleeper = (name: string, canWait = false): Sleeper => ({
    wakesAtMs: undefined,
    queuedAtMs: undefined,
    canWait,
    wake: () => void woken.push(`${name} ${time.nowMs}`),
  })
  return { time, pending, armed, alarm, woken, sleeper }
}

test('each is woken when its time comes, by one timer', async () => {
  const { time, pending, alarm, woken, sleeper } = rig()
  alarm.set(sleeper('late'), 30)
  alarm.set(sleeper('early'), 10)
  alarm.set(sleeper('between'), 20)
  expect(pending()).toBe(1)
  await time.advance(25)
  expect(woken).toEqual(['early 10', 'between 20'])
  await time.advance(25)
  expect(woken).toEqual(['early 10', 'between 20', 'late 30'])
  expect(pending()).toBe(0)
})

test('what is set anew counts, sooner, later or not at all', async () => {
  const { time, pending, alarm, woken, sleeper } = rig()
  const [sooner, later, never] = ['sooner', 'later', 'never'].map((name) => sleeper(name))
  for (const one of [sooner, later, never]) if (one !== undefined) alarm.set(one, 20)
  if (sooner !== undefined) alarm.set(sooner, 5)
  if (later !== undefined) alarm.set(later, 40)
  if (never !== undefined) alarm.set(never, undefined)
  await time.advance(100)
  expect(woken).toEqual(['sooner 5', 'later 40'])
  expect(pending()).toBe(0)
})

test('whoever is told the same time again, or a later one, keeps its place and its timer', async () => {
  const { time, armed, alarm, woken, sleeper } = rig()
  const one = sleeper('one')
  for (const atMs of [20, 20, 30, 20]) alarm.set(one, atMs)
  expect(armed).toEqual([20])
  await time.advance(100)
  expect(woken).toEqual(['one 20'])
})

test('those who can wait are woken some at a time; whom a recovery waits for is not held back', async () => {
  const { time, alarm, woken, sleeper } = rig(60_000)
  for (let i = 0; i < 40; i++) alarm.set(sleeper('idle', true), 10)
  alarm.set(sleeper('urgent'), 10)
  await time.advance(10)
  expect(woken[0]).toBe('urgent 10')
  expect(woken).toHaveLength(17)
  expect(alarm.waiting).toBe(24)
  await time.advance(20)
  expect(woken).toHaveLength(41)
  expect(alarm.waiting).toBe(0)
})

test('closed, it wakes nobody and leaves no timer', async () => {
  const { time, pending, alarm, woken, sleeper } = rig(60_000)
  for (let i = 0; i < 40; i++) alarm.set(sleeper('idle', true), 10)
  alarm.set(sleeper('urgent'), 50)
  await time.advance(10)
  alarm.close()
  expect([pending(), alarm.waiting]).toEqual([0, 0])
  const before = woken.length
  alarm.set(sleeper('new'), 60)
  await time.advance(1_000)
  expect(woken).toHaveLength(before)
})

test('they are woken a quarter faster than once an interval each', async () => {
  const { time, alarm, woken, sleeper } = rig(1_000, 8_000)
  for (let i = 0; i < 300; i++) alarm.set(sleeper('idle', true), 10)
  await time.advance(10)
  expect(woken).toHaveLength(100)
})

test('who falls due while others wait has its turn after them', async () => {
  const { time, alarm, woken, sleeper } = rig()
  for (let i = 0; i < 20; i++) alarm.set(sleeper('first', true), 10)
  for (let i = 0; i < 20; i++) alarm.set(sleeper('second', true), 15)
  await time.advance(15)
  expect(woken).toHaveLength(16)
  await time.advance(5)
  expect(woken).toHaveLength(32)
  expect(woken.slice(16, 20)).toEqual(Array.from({ length: 4 }, () => 'first 20'))
})

test('who is told to sleep on while it waits is not woken before its time', async () => {
  const { time, alarm, woken, sleeper } = rig()
  for (let i = 0; i < 32; i++) alarm.set(sleeper('first', true), 10)
  const [later, never] = [sleeper('later', true), sleeper('never', true)]
  for (const one of [later, never]) alarm.set(one, 12)
  await time.advance(12)
  expect([woken.length, alarm.waiting]).toEqual([16, 18])
  alarm.set(later, 500)
  alarm.set(never, undefined)
  await time.advance(400)
  expect([woken.length, alarm.waiting]).toEqual([32, 0])
  await time.advance(100)
  expect(woken.slice(32)).toEqual(['later 500'])
})

test('whoever sleeps on alone leaves no timer', async () => {
  const { pending, alarm, sleeper } = rig()
  const one = sleeper('one')
  alarm.set(one, 10)
  alarm.set(one, undefined)
  expect(pending()).toBe(0)
  for (const atMs of [20, 10, undefined]) alarm.set(one, atMs)
  expect(pending()).toBe(0)
})

test('whoever was never to be woken takes nobody’s place with it', async () => {
  const { time, alarm, woken, sleeper } = rig()
  alarm.set(sleeper('one'), 10)
  alarm.set(sleeper('never'), undefined)
  await time.advance(10)
  expect(woken).toEqual(['one 10'])
})

test('once all have left there is no timer, whether or not the time of some has come', async () => {
  const { time, pending, alarm, woken, sleeper } = rig()
  const [first, second, last] = [sleeper('first'), sleeper('second'), sleeper('last')]
  for (const [one, atMs] of [
    [first, 10],
    [second, 20],
    [last, 30],
  ] as const)
    alarm.set(one, atMs)
  alarm.set(first, undefined)
  alarm.set(second, undefined)
  await time.advance(10)
  expect(pending()).toBe(1)
  alarm.set(last, undefined)
  expect([pending(), woken]).toEqual([0, []])
})

test('of thousands that wait each is woken once', async () => {
  const { time, pending, alarm, woken, sleeper } = rig()
  for (let i = 0; i < 3_000; i++) alarm.set(sleeper(`${i}`, true), 10)
  await time.advance(10)
  const waiting = [alarm.waiting]
  for (let round = 0; round < 200; round++) {
    await time.advance(10)
    waiting.push(alarm.waiting)
  }
  expect(waiting.slice(0, 3)).toEqual([2_984, 2_968, 2_952])
  expect(waiting.at(-1)).toBe(0)
  expect([woken.length, new Set(woken.map((line) => line.split(' ')[0])).size]).toEqual([
    3_000, 3_000,
  ])
  expect(pending()).toBe(0)
})

/** Collects what nobody holds. */
const collected = async (): Promise<void> => {
  setFlagsFromString('--expose-gc')
  await new Promise((resolve) => setImmediate(resolve))
  runInNewContext('gc')()
}

test('whoever left is not held until its time comes, and those who stay are woken', async () => {
  const { time, alarm, woken, sleeper } = rig()
  const left: WeakRef<Sleeper>[] = []
  const leaves = (count: number) => {
    for (let i = 0; i < count; i++) {
      const one = sleeper('left')
      left.push(new WeakRef(one))
      alarm.set(one, 1_000)
      alarm.set(one, undefined)
    }
  }
  const held = async () => {
    await collected()
    return left.filter((one) => one.deref() !== undefined).length
  }
  for (let i = 0; i < 1_100; i++) alarm.set(sleeper(`${i}`), 500 + i)
  leaves(1_023)
  expect(await held()).toBe(1_023)
  leaves(100)
  expect(await held()).toBeLessThan(100)
  await time.advance(2_000)
  expect(woken).toEqual(Array.from({ length: 1_100 }, (_, i) => `${i} ${500 + i}`))
})

test('for few that left among many the queue is not made anew', async () => {
  const { alarm, sleeper } = rig()
  for (let i = 0; i < 4_000; i++) alarm.set(sleeper(`${i}`), 500 + i)
  const left: WeakRef<Sleeper>[] = []
  for (let i = 0; i < 1_100; i++) {
    const one = sleeper('left')
    left.push(new WeakRef(one))
    alarm.set(one, 10_000)
    alarm.set(one, undefined)
  }
  await collected()
  expect(left.filter((one) => one.deref() !== undefined).length).toBe(1_100)
  // It is the alarm that holds them.
  alarm.close()
  await collected()
  expect(left.filter((one) => one.deref() !== undefined).length).toBeLessThan(100)
})
