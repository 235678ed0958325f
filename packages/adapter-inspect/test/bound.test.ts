/** Nothing a viewer is sent, and nothing kept for one that does not read, grows without bound. */
import { defaultPolicy } from '@session-recovery/core'
import { anyCharacter, campaign } from '@session-recovery/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bounded, messageLimitBytes } from '../src/bound.js'
import { teller } from '../src/message.js'
import { inspectorOf } from './scope.js'
import { died, recoveryOf, startMs, traceOf } from './trace.js'
import { eventsOf, valuesOf, viewerOf } from './viewer.js'

const failing = (sessionId: string, reason: string) => {
  const [registered, trace] = traceOf(sessionId)
  const view = { generation: 0, capturedAtMs: 0 }
  const failure = { ...died, reason }
  return [registered, trace.take({ type: 'failed', atMs: startMs + 1, failure, view })] as const
}

describe('bounded', () => {
  it('leaves alone what is small', () => {
    const value = { a: [1, 'two', null, true], b: { c: '' } }
    expect(bounded(value)).toEqual(value)
  })

  it('says what it cut', () => {
    expect(bounded('x'.repeat(2_050))).toBe(`${'x'.repeat(2_048)}… (2 more)`)
    expect(bounded(Array.from({ length: 300 }, () => 0))).toHaveLength(257)
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i]))
    expect(bounded(many)).toMatchObject({ '…': '44 more' })
  })

  it('keeps every message below its limit', async () => {
    const tell = teller(defaultPolicy, () => '1')
    const record = traceOf('\u0001'.repeat(10_000))[1].record()
    const leaf = fc.oneof(
      fc.constant('\u0001'.repeat(2_100)),
      fc.string({ unit: anyCharacter, maxLength: 300 }),
      fc.integer(),
      fc.constant([]),
    )
    const many = fc.tuple(leaf, fc.nat(400)).map(([item, times]) => Array(times).fill(item))
    const tree = fc.object({ values: [leaf, many], maxDepth: 4, maxKeys: 8 })
    const property = fc.asyncProperty(tree, tree, async (inControl, inEvent) => {
      const control = { ...record.control, ...{ extra: inControl } }
      const event = { type: 'registered', extra: inEvent }
      const told = tell({
        machine: 'session',
        control,
        state: record.state,
        event,
        atMs: startMs,
      })
      for (const message of Object.values(told))
        expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThanOrEqual(messageLimitBytes)
    })
    const file = 'packages/adapter-inspect/test/bound.test.ts'
    await campaign({ name: 'messages in bounds', file, atLeastRuns: 100, forMs: 0 }, property)
  })

  it('fills a message, and no more', () => {
    const tell = teller(defaultPolicy, () => '1')
    const record = traceOf('shell-1')[1].record()
    const extra = Array.from({ length: 200 }, () => '\u0001'.repeat(2_000))
    const told = tell({
      machine: 'session',
      control: { ...record.control, ...{ extra } },
      state: record.state,
      event: { type: 'registered', extra },
      atMs: startMs,
    })
    const bytes = Buffer.byteLength(JSON.stringify(told.snapshot))
    expect(bytes).toBeGreaterThan(messageLimitBytes / 2)
    expect(bytes).toBeLessThanOrEqual(messageLimitBytes)
  })

  it('tells long ids apart', () => {
    const tell = teller(defaultPolicy, () => '1')
    const ids = ['a', 'b'].map((end) => {
      const record = traceOf('x'.repeat(1_000) + end)[1].record()
      const event = { type: 'registered' }
      return tell({ machine: 'session', ...record, event, atMs: startMs }).event.sessionId
    })
    expect(new Set(ids).size).toBe(2)
    expect(ids.map((id) => id.length)).toEqual([256, 256])
  })
})

describe('a viewer that does not read', () => {
  it('is dropped and counted, and the others go on', async () => {
    const logged: string[] = []
    const logger = (_: string, message: string) => void logged.push(message)
    const inspector = await inspectorOf({ limit: { bufferBytes: 1_024 * 1_024 }, logger })
    const reader = await viewerOf(inspector.url)
    const sleeper = await viewerOf(inspector.url)
    sleeper.socket.pause()
    const notices = failing('shell-1', 'x'.repeat(2_000))
    // Far more than the limit and what the system itself holds back for a connection.
    for (let told = 0; told < 40_000 && inspector.viewers().dropped === 0; told += 20) {
      for (let i = 0; i < 10; i += 1) notices.forEach(inspector.sink)
      await reader.until((all) => eventsOf(all).length >= told + 20)
    }
    expect(inspector.viewers()).toEqual({ connected: 1, dropped: 1 })
    expect(logged).toContain('a viewer did not keep up and was dropped')
    const next = traceOf('shell-2')[0]
    inspector.sink(next)
    await reader.until((all) => all.at(-1)?.sessionId === 'shell-2')
  })

  it('is shown what is there no faster than it reads', async () => {
    const sessions = 600
    const inspector = await inspectorOf({ limit: { bufferBytes: 64 * 1_024 } })
    for (let i = 0; i < sessions; i += 1)
      failing(`shell-${i}`, 'x'.repeat(2_000)).forEach(inspector.sink)
    const viewer = await viewerOf(inspector.url)
    const seen = await viewer.until((all) => valuesOf(all).length === sessions)
    expect(new Set(seen.map(({ sessionId }) => sessionId)).size).toBe(sessions)
    expect(inspector.viewers()).toEqual({ connected: 1, dropped: 0 })
  })

  it('keeps no more sessions for those to come than the limit', async () => {
    const inspector = await inspectorOf({ limit: { sessions: 2 } })
    for (const id of ['a', 'b', 'c']) recoveryOf(id).forEach(inspector.sink)
    inspector.sink(traceOf('b')[0])
    inspector.sink(traceOf('d')[0])
    const viewer = await viewerOf(inspector.url)
    const seen = await viewer.until((all) => valuesOf(all).length === 2)
    expect(new Set(seen.map(({ sessionId }) => sessionId))).toEqual(new Set(['b', 'd']))
  })

  it('cannot send much, and is not listened to', async () => {
    const inspector = await inspectorOf()
    const viewer = await viewerOf(inspector.url)
    viewer.socket.send('{"type":"@xstate.event"}')
    viewer.socket.send('x'.repeat(2_000))
    expect(await viewer.closed).toBe(1_009)
    await expect.poll(() => inspector.viewers().connected).toBe(0)
  })
})
