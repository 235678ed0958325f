/** Who has a seat, who rests and gets one when somebody asks, and who is none of the sessions any more. */
import type { LoadedSession } from '@session-recovery/core'
import { sampleRecord } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import { Hall } from '../src/hall.js'
import type { Seat } from '../src/seat.js'

const seatOf = (name: string, number = 0) => ({ name, number }) as unknown as Seat
const loaded = (id: string): LoadedSession => ({ record: sampleRecord(id, 1), view: undefined })

/** A hall in which `a` has a seat, and these rest; of `lost` the store can make nothing. */
const hallWith = (...ids: readonly string[]) => {
  const hall = new Hall()
  hall.set('a', seatOf('a'))
  const read: string[] = []
  const made: string[] = []
  hall.rest(
    {
      ids,
      read: (id) => {
        read.push(id)
        return id === 'lost' ? undefined : loaded(id)
      },
    },
    ({ record }) => {
      const { sessionId } = record.control
      made.push(sessionId)
      const seat = seatOf(sessionId)
      hall.set(sessionId, seat)
      return seat
    },
  )
  return { hall, read, made }
}

test('who has a seat has it, and nobody else', () => {
  const hall = new Hall()
  expect([hall.size, hall.has('a'), hall.get('a'), [...hall.values()]]).toEqual([
    ...[0, false, undefined, []],
  ])
  const seat = seatOf('a')
  hall.set('a', seat)
  expect([hall.size, hall.has('a'), hall.get('a')]).toEqual([1, true, seat])
  expect([...hall.made()]).toEqual([seat])
  hall.delete('a')
  expect([hall.size, hall.has('a'), hall.get('a')]).toEqual([0, false, undefined])
})

test('who rests counts, and gets a seat once, when it is asked for', () => {
  const { hall, read, made } = hallWith('b', 'c')
  expect([hall.size, hall.has('b'), hall.has('x'), read]).toEqual([3, true, false, []])
  expect([...hall.made()]).toHaveLength(1)
  const seat = hall.get('b')
  expect(seat).toBeDefined()
  expect(hall.get('b')).toBe(seat)
  expect([read, made, hall.size]).toEqual([['b'], ['b'], 3])
  expect(hall.get('x')).toBeUndefined()
  expect(read).toEqual(['b'])
})

test('all get one where all are asked for', () => {
  const { hall, made } = hallWith('b', 'c')
  expect([...hall.values()]).toHaveLength(3)
  expect([made, hall.size, [...hall.values()].length]).toEqual([['b', 'c'], 3, 3])
})

test('of whom the store can make nothing there is none', () => {
  const { hall, made } = hallWith('lost', 'b')
  expect([hall.get('lost'), hall.has('lost'), hall.size]).toEqual([undefined, false, 2])
  expect(made).toEqual([])
  expect([...hall.values()]).toHaveLength(2)
})

test('who was meant is who had the id when so many were registered, and nobody who takes it later', () => {
  const { hall, read } = hallWith('b', 'c')
  expect(hall.registered).toBe(0)
  expect([hall.next(), hall.next(), hall.registered]).toEqual([1, 2, 2])
  hall.set('d', seatOf('d', 2))
  expect(['a', 'd', 'x'].map((id) => hall.seatOf(id, 2))).toEqual([
    ...[hall.get('a'), hall.get('d'), undefined],
  ])
  expect(hall.seatOf('d', 1)).toBeUndefined()
  // One that rests is meant by whoever spoke of it before it had a seat.
  expect(read).toEqual([])
  expect(hall.seatOf('b', 0)).toBe(hall.get('b'))
  expect(read).toEqual(['b'])
  hall.delete('a')
  hall.set('a', seatOf('a', hall.next()))
  expect([hall.seatOf('a', 2), hall.seatOf('a', 3)]).toEqual([undefined, hall.get('a')])
})

test('closed, it gives nobody a seat who has none', () => {
  const { hall, read } = hallWith('b')
  hall.close()
  expect([hall.get('b'), hall.has('b'), hall.size, read]).toEqual([undefined, false, 1, []])
  expect(hall.get('a')).toBeDefined()
  expect([...hall.values()]).toHaveLength(1)
})
