/** What goes on behind a start: who is taken up, how many together, who is looked at, and when the next is. */

import type { SessionRecord } from '@session-recovery/core'
import { sampleRecord } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import { Hall } from '../src/hall.js'
import type { Runtime } from '../src/runtime.js'
import type { Seat } from '../src/seat.js'
import { TakingUp } from '../src/taking-up.js'

interface Made {
  state?: SessionRecord['state']
  readonly more?: object
  /** Where its taking up and its look end. */
  readonly taking?: Promise<void>
  readonly looking?: Promise<void>
}

const rig = (resumeConcurrency = 2) => {
  const hall = new Hall()
  const done: string[] = []
  const world = { isStopped: false }
  const ends = new Map<string, () => void>()
  const seat = (id: string, made: Made = {}): Seat => {
    const one = {
      lane: {
        get record() {
          const record = sampleRecord(id, 1, 1, made.state ?? 'registered')
          return { ...record, control: { ...record.control, ...made.more } }
        },
        takeUp: async () => {
          done.push(`take up ${id}`)
          await made.taking
        },
        arm: () => done.push(`arm ${id}`),
        incidentEnd: (incident: number) =>
          new Promise<void>((resolve) => {
            done.push(`wait ${id} ${incident}`)
            ends.set(id, resolve)
          }),
      },
      interpreter: {
        lookAfterStart: async () => {
          done.push(`look ${id}`)
          await made.looking
        },
      },
    } as unknown as Seat
    hall.set(id, one)
    return one
  }
  const runtime = {
    policy: { resumeConcurrency },
    isStopped: () => world.isStopped,
  } as unknown as Runtime
  const taking = (...found: readonly (Seat | string)[]) => new TakingUp(runtime, hall, found)
  const turns = () => new Promise((resolve) => setImmediate(resolve))
  return { hall, done, world, ends, seat, taking, turns }
}

const looks = (done: readonly string[]) => done.filter((one) => one.startsWith('look'))

test('all are taken up, then armed, those at rest as well; of whom there is none any more nothing is', async () => {
  const { hall, done, seat, taking } = rig()
  const [a, b] = [seat('a'), seat('b')]
  hall.delete('b')
  hall.rest({ ids: ['c', 'lost'], read: (id) => (id === 'c' ? ({} as never) : undefined) }, () =>
    seat('c'),
  )
  await taking(a, b, 'c', 'lost').takeUp()
  expect(done).toEqual([...['take up a', 'take up b', 'take up c', 'arm a', 'arm b', 'arm c']])
})

test('so many are taken up together, and the next when they are; none once the engine stops', async () => {
  for (const stops of [false, true]) {
    const { done, world, seat, taking, turns } = rig()
    let goOn = () => {}
    const blocked = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const seats = Array.from({ length: 130 }, (_, i) => seat(`s${i}`, { taking: blocked }))
    const work = taking(...seats).takeUp()
    await turns()
    expect(done).toHaveLength(64)
    world.isStopped = stops
    goOn()
    await work
    expect(done.filter((one) => one.startsWith('take up'))).toHaveLength(stops ? 64 : 130)
    expect(done.filter((one) => one.startsWith('arm'))).toHaveLength(stops ? 64 : 130)
    expect(done.at(-1)).toBe(stops ? 'arm s63' : 'arm s129')
  }
})

test('who seems well is looked at, and nobody else', async () => {
  const { hall, done, seat, taking } = rig(9)
  const states = ['registered', 'snapshotting.idle', 'snapshotting.capturing'] as const
  const others = ['exhausted', 'unregistered', 'recovering.attempting', 'recovering.held'] as const
  const seats = [...states, ...others].map((state) => seat(state, { state }))
  const replaced = seat('replaced')
  seat('replaced')
  hall.rest({ ids: ['lost'], read: () => undefined }, () => seat('never'))
  await taking(...seats, replaced, 'lost').lookAt()
  expect(looks(done)).toEqual(states.map((state) => `look ${state}`))
  expect(done.filter((one) => one.startsWith('take up'))).toHaveLength(8)
})

test('so many are looked at at once, and the next when one is well again', async () => {
  const { done, ends, seat, taking, turns } = rig(2)
  const more = { incident: { number: 7 } }
  const seats = ['a', 'b', 'c'].map((id) => seat(id, { more }))
  const work = taking(...seats).lookAt()
  await turns()
  expect(looks(done)).toEqual(['look a', 'look b'])
  expect(done).toContain('wait a 7')
  ends.get('b')?.()
  await turns()
  expect(looks(done)).toEqual(['look a', 'look b', 'look c'])
  for (const id of ['a', 'c']) ends.get(id)?.()
  await work
})

test('where sessions share a domain the next does not wait for the incident of the one before', async () => {
  const { done, seat, taking } = rig(1)
  const { traits } = sampleRecord('x', 1).control
  const more = { incident: { number: 7 }, traits: { ...traits, domains: ['host:h'] } }
  await taking(...['a', 'b'].map((id) => seat(id, { more }))).lookAt()
  expect(done).toEqual(['take up a', 'look a', 'take up b', 'look b'])
})

test('nobody is looked at once the engine stops', async () => {
  const { done, world, seat, taking } = rig(1)
  const seats = [
    seat('a'),
    seat('b', {
      get taking() {
        world.isStopped = true
        return Promise.resolve()
      },
    }),
    seat('c'),
  ]
  await taking(...seats).lookAt()
  expect(done).toEqual(['take up a', 'look a', 'take up b'])
})
