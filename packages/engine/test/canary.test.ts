/** A canary by itself: what is asked of the driver, what comes of each answer, and what is written down of it. */
import type { DriverError, Probed, SessionEvent, SessionRecord } from '@session-recovery/core'
import { sampleRecord } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { sendCanary } from '../src/canary.js'
import type { Runtime } from '../src/runtime.js'
import type { Waiting } from '../src/waiting-line.js'
import { never } from './scripted-world.js'

type Answer = Promise<E.Either<DriverError, Probed>>

const held = sampleRecord('s', 4, 2, 'recovering.held')
const secret = 'correct-horse-battery'

/** A session that waits, and a driver that answers a probe so; absent: it has none. */
const rig = (answer?: () => Answer, record: SessionRecord = held) => {
  const asked: unknown[] = []
  const events: (SessionEvent | undefined)[] = []
  const order: string[] = []
  const kept: { snapshot?: unknown } = {}
  const probe = (request: unknown) => () => {
    asked.push(request)
    return answer?.()
  }
  const driver = { name: 'scripted', ...(answer === undefined ? {} : { probe }) }
  const keeper = {
    learnt: async () => void order.push('learnt'),
    known: { secrets: new Map([['secret:1', secret]]), declared: [] },
    retrieve: async () => {
      order.push('retrieved')
      return kept.snapshot === undefined ? undefined : { snapshot: kept.snapshot }
    },
    letGo: () => void order.push('let go'),
  }
  const lane = {
    record,
    insist: async (make: (atMs: number, record: SessionRecord) => SessionEvent | undefined) => {
      order.push('written')
      events.push(make(7_000, record))
    },
  }
  const waiting = { guest: { lane, keeper }, sessionId: 's' } as unknown as Waiting
  const controller = new AbortController()
  const request = { domain: 'host:h', token: 't1', signal: controller.signal }
  const send = (more: object = {}) =>
    sendCanary({ driver } as unknown as Runtime, waiting, { ...request, ...more }, (verdict) =>
      verdict === 'unreachable' ? 3 : 0,
    )
  return { asked, events, order, kept, controller, request, send }
}

const found = (verdict: Probed['verdict'], detail = 'as it says') =>
  rig(async () => E.right({ verdict, detail }))

test.each(['reachable', 'unreachable', 'refused'] as const)(
  'what it found is written down before it is told: %s',
  async (verdict) => {
    const { events, order, send } = found(verdict, `it said ${secret}`)
    const told = await send()
    expect(told.verdict).toBe(verdict)
    expect(told.detail).toMatch(/^it said /)
    expect(JSON.stringify([told, events])).not.toContain(secret)
    expect(order).toEqual(['retrieved', 'let go', 'learnt', 'written'])
    const tries = verdict === 'unreachable' ? 3 : 0
    expect(events).toEqual([
      { type: 'probed', atMs: 7_000, domain: 'host:h', verdict, tries, detail: told.detail },
    ])
  },
)

test('of a session that waits no more nothing is written down', async () => {
  const gone = rig(
    async () => E.right({ verdict: 'reachable', detail: 'yes' }),
    sampleRecord('s', 5, 2, 'registered'),
  )
  expect(await gone.send()).toEqual({ verdict: 'reachable', detail: 'yes' })
  expect(gone.events).toEqual([undefined])
})

test('the driver is told whose transport, for what, until when, and what was kept', async () => {
  const { asked, kept, request, send } = found('reachable')
  await send()
  const { incarnation, traits } = held.control
  expect(asked).toEqual([{ sessionId: 's', incarnation, traits, ...request }])
  kept.snapshot = { sessionId: 's' }
  await send({ deadlineMs: 500 })
  expect(asked[1]).toEqual({
    ...{ sessionId: 's', incarnation, traits, ...request },
    ...{ deadlineMs: 500, snapshot: { sessionId: 's' } },
  })
})

test('where the driver cannot probe whoever goes first is the try', async () => {
  expect(await rig().send()).toEqual({ verdict: 'reachable', detail: 'scripted cannot probe' })
})

test.each<readonly [string, () => Answer]>([
  ['no route', async () => E.left({ _tag: 'DriverFailed', message: 'no route' } as never)],
  ['it broke', () => Promise.reject(new Error('it broke'))],
  ['a word', () => Promise.reject('a word')],
])('what the driver cannot answer is unreachable: %s', async (detail, answer) => {
  expect(await rig(answer).send()).toEqual({ verdict: 'unreachable', detail })
})

test('one that is given up gave no answer, and did not go where it was given up before', async () => {
  const lost = rig(() => never)
  const sent = lost.send()
  await new Promise((resolve) => setImmediate(resolve))
  expect(lost.asked).toHaveLength(1)
  lost.controller.abort()
  const nothing = { verdict: 'unreachable', detail: 'it gave no answer in time' }
  expect(await sent).toEqual(nothing)
  const before = rig(() => never)
  before.controller.abort()
  expect(await before.send()).toEqual(nothing)
  expect(before.asked).toEqual([])
})
