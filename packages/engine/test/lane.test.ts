/** A lane by itself: who can wait, when it is woken again, and what is answered once it is closed. */
import { defaultPolicy, digest, SessionRecord, sessionStateNames } from '@session-recovery/core'
import { memoryMedium, memoryStore, stepUnder } from '@session-recovery/engine'
import { sampleCommit, sampleRecord, VirtualClock } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { Lane } from '../src/lane.js'
import { ledgerFrom } from '../src/ledger.js'
import type { Runtime } from '../src/runtime.js'
import { diskFull } from './scripted-world.js'

const never = 1e15

/** A lane of session `s` in this state, over a store that holds it. */
const laneIn = async (
  state: SessionRecord['state'] = 'registered',
  captureAtMs = never,
  step = stepUnder(defaultPolicy),
) => {
  const store = memoryStore(memoryMedium())
  await store.commit(sampleCommit('s', 1))()
  const loaded = await store.open()
  if (E.isLeft(loaded)) throw new Error('a store in memory opens')
  const alarms: (number | undefined)[] = []
  const logged: unknown[] = []
  const told: unknown[] = []
  const works: Promise<void>[] = []
  const world = {
    ...{ nowMs: 2_000, isStopped: false, refuses: false, error: diskFull },
    committing: () => {},
  }
  const { clock, pending } = new VirtualClock().fork()
  const runtime = {
    ...{
      policy: defaultPolicy,
      policyDigest: 'p',
      clock,
      notify: (one: unknown) => told.push(one),
    },
    store: {
      ...store,
      commit: (commit) => async () => {
        world.committing()
        return world.refuses ? E.left(world.error) : store.commit(commit)()
      },
    } satisfies typeof store,
    step,
    ledger: ledgerFrom(loaded.right, defaultPolicy),
    alarm: { set: (_: unknown, atMs: number | undefined) => alarms.push(atMs) },
    logger: (...line: readonly unknown[]) => void logged.push(line.slice(0, 2)),
    nowMs: () => world.nowMs,
    isStopped: () => world.isStopped,
    background: (_: string, work: () => Promise<void>) => void works.push(work()),
  } as unknown as Runtime
  const record = sampleRecord('s', 1, 1, state)
  const first = { ...record, control: { ...record.control, captureAtMs } }
  const attendant = { clean: (event: unknown): unknown => event, interpret: () => undefined }
  const lane = new Lane(runtime, first, 1, attendant as never)
  return { lane, alarms, logged, told, works, world, pending, store, first, attendant }
}

test('a session can wait while nothing of it is under way', async () => {
  const canWait: string[] = []
  for (const name of sessionStateNames) {
    if ((await laneIn(name)).lane.canWait) canWait.push(name)
  }
  expect(canWait.sort()).toEqual(['registered', 'snapshotting.idle'])
})

test('one that is woken too early is woken again at its time', async () => {
  const { lane, alarms, works } = await laneIn('snapshotting.idle', 5_000.5, (record) => [
    record,
    [],
  ])
  lane.arm()
  expect(alarms).toEqual([5_001])
  lane.wake()
  await Promise.all(works)
  expect(alarms).toEqual([5_001, 5_001])
})

test('one that is closed is woken no more, and whoever asks is told that it stopped', async () => {
  const { lane, alarms } = await laneIn('snapshotting.idle', 5_000)
  const before = lane.incidentEnd(1)
  lane.close()
  expect(alarms).toEqual([undefined])
  expect(await Promise.all([before, lane.incidentEnd(2)])).toEqual([
    { _tag: 'stopped', incident: 1 },
    { _tag: 'stopped', incident: 2 },
  ])
  expect(await lane.offer((atMs) => ({ type: 'unregistered', atMs }))).toEqual({ _tag: 'stopped' })
  expect(await lane.insist((atMs) => ({ type: 'unregistered', atMs }))).toEqual({ _tag: 'stopped' })
})

test('an engine that stops, and a lane that is closed, decide nothing more, and do not ask what on', async () => {
  for (const isStopped of [true, false]) {
    const { lane, world } = await laneIn()
    world.isStopped = isStopped
    if (!isStopped) lane.close()
    let asked = 0
    const make = (atMs: number) => {
      asked += 1
      return { type: 'unregistered', atMs } as const
    }
    expect(await lane.offer(make)).toEqual({ _tag: 'stopped' })
    expect(asked).toBe(0)
  }
})

test.each(['the engine', 'the lane'])(
  'what is decided on is not, where %s stops while its secrets are asked for',
  async (what) => {
    const { lane, world, store, attendant } = await laneIn()
    attendant.clean = async (event) => {
      if (what === 'the lane') lane.close()
      else world.isStopped = true
      return event
    }
    expect(await lane.offer((atMs) => ({ type: 'unregistered', atMs }))).toEqual({
      _tag: 'stopped',
    })
    expect(lane.record.state).toBe('registered')
    const journal = await store.readJournal('s')()
    expect(E.isRight(journal) && journal.right).toHaveLength(1)
  },
)

test('a decision names the record that it follows, as it was found', async () => {
  const { lane, store, first } = await laneIn()
  await lane.offer((atMs) => ({ type: 'unregistered', atMs }))
  const journal = await store.readJournal('s')()
  expect(E.isRight(journal) && journal.right.at(-1)).toMatchObject({
    ...{ from: 'registered', to: 'unregistered', rev: 2, policyDigest: 'p' },
    follows: digest(SessionRecord.encode(first)),
  })
})

test('a refusal is told, and logged as an error', async () => {
  const { lane, world, logged, told } = await laneIn()
  world.refuses = true
  await lane.offer((atMs) => ({ type: 'unregistered', atMs }))
  expect(told).toMatchObject([
    { _tag: 'store-failed', sessionId: 's', error: diskFull },
    { _tag: 'decided', durable: false },
  ])
  expect(logged).toEqual([['error', 'the store refused a decision on s']])
})

/** What no policy goes on without. */
const taken = { _tag: 'StoreOwned', message: 'another engine has it' } as const

test('what waits while the store refuses is refused with its error, at once and by name', async () => {
  const { lane, world } = await laneIn()
  Object.assign(world, { refuses: true, error: taken })
  const insisting = lane.insist((atMs) => ({ type: 'unregistered', atMs }))
  const waiting = lane.offer((atMs) => ({ type: 'unregistered', atMs }))
  expect(await waiting).toEqual({ _tag: 'refused', error: taken })
  expect(await lane.offer((atMs) => ({ type: 'unregistered', atMs }))).toEqual({
    ...{ _tag: 'refused', error: taken },
  })
  lane.close()
  expect(await insisting).toEqual({ _tag: 'stopped' })
})

test('one that was found is decided on so first, once', async () => {
  const { lane, store } = await laneIn()
  const told: string[] = []
  lane.found((atMs) => {
    told.push('found')
    return { type: 'unregistered', atMs }
  })
  await lane.offer(() => {
    told.push('asked')
    return undefined
  })
  await lane.takeUp()
  await lane.takeUp()
  expect(told).toEqual(['found', 'asked'])
  const journal = await store.readJournal('s')()
  expect(E.isRight(journal) && journal.right.map(({ event }) => event.type).at(-1)).toBe(
    'unregistered',
  )
})

test('one that was found while the store refuses is found again', async () => {
  const { lane, world } = await laneIn()
  const told: string[] = []
  lane.found((atMs) => {
    told.push('found')
    return { type: 'unregistered', atMs }
  })
  Object.assign(world, { refuses: true, error: taken })
  const ask = () => {
    told.push('asked')
    return undefined
  }
  expect(await lane.offer(ask)).toMatchObject({ _tag: 'refused' })
  world.refuses = false
  expect(await lane.offer(ask)).toMatchObject({ _tag: 'unchanged' })
  expect(told).toEqual(['found', 'found', 'asked'])
})

test('of several that are asked for together each is decided', async () => {
  const { lane, store } = await laneIn()
  const asked = [1, 2, 3].map((number) =>
    lane.offer((atMs) => ({ type: 'cancelled', atMs, why: `${number}` })),
  )
  const last = lane.offer((atMs) => ({ type: 'unregistered', atMs }))
  expect((await Promise.all(asked)).map(({ _tag }) => _tag)).toEqual(asked.map(() => 'unchanged'))
  expect(await last).toMatchObject({ _tag: 'changed' })
  const journal = await store.readJournal('s')()
  expect(E.isRight(journal) && journal.right.at(-1)?.event.type).toBe('unregistered')
})

test('one that was found while the engine stops is asked nothing more', async () => {
  const { lane, world, attendant } = await laneIn()
  attendant.clean = async (event) => {
    world.isStopped = true
    return event
  }
  lane.found((atMs) => ({ type: 'unregistered', atMs }))
  const told: string[] = []
  const asked = lane.offer(() => {
    told.push('asked')
    return undefined
  })
  expect([await asked, told]).toEqual([{ _tag: 'stopped' }, []])
})

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('what comes while the second of two is decided waits for it, too', async () => {
  const { lane, attendant } = await laneIn()
  const begun: (() => void)[] = []
  attendant.clean = (event) => new Promise((resolve) => begun.push(() => resolve(event)))
  const cancel = () => lane.offer((atMs) => ({ type: 'cancelled', atMs, why: '' }))
  const asked = [cancel(), cancel()]
  await turn()
  begun[0]?.()
  await turn()
  asked.push(cancel())
  await turn()
  expect(begun).toHaveLength(2)
  begun[1]?.()
  await turn()
  expect(begun).toHaveLength(3)
  begun[2]?.()
  expect(await Promise.all(asked)).toHaveLength(3)
})

test('one that is closed while the store refuses does not ask it again', async () => {
  const { lane, world, pending } = await laneIn()
  Object.assign(world, { refuses: true, error: taken, committing: () => lane.close() })
  let answer: unknown
  void lane
    .insist((atMs) => ({ type: 'unregistered', atMs }))
    .then((value) => {
      answer = value
    })
  await turn()
  expect([answer, pending()]).toEqual([{ _tag: 'stopped' }, 0])
})

test('the end of an incident that nobody waits for is known to who asks for it later', async () => {
  const { lane } = await laneIn()
  const failure = { kind: 'network', reason: '', interactivity: 'none', permanent: false } as const
  const view = { generation: 1, capturedAtMs: 0 }
  await lane.offer((atMs) => ({
    ...{ type: 'failed', atMs, view },
    failure: { ...failure, evidence: [] },
  }))
  expect(await lane.offer((atMs) => ({ type: 'cancelled', atMs, why: 'no' }))).toMatchObject({
    _tag: 'changed',
  })
  expect(await lane.incidentEnd(1)).toMatchObject({ _tag: 'cancelled', why: 'no' })
})
