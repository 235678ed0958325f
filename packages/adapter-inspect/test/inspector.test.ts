/** A viewer sees each session and each domain as an actor with its machine, its events and its snapshots. */
import { defaultPolicy, domainStateNames, type Notice } from '@session-recovery/core'
import { sessionMachine } from '@session-recovery/engine'
import type { StatelyActorEvent, StatelyInspectionEvent } from '@statelyai/inspect'
import { createInspector, createWebSocketReceiver } from '@statelyai/inspect'
import { describe, expect, it } from 'vitest'
import { definitionOf, type Message, stateValue, teller } from '../src/message.js'
import { inspectorOf } from './scope.js'
import { died, domainTrace, recoveryOf, startMs, traceOf } from './trace.js'
import { eventsOf, valuesOf, viewerOf } from './viewer.js'

/** The origin of the page through which the library's own relay shows a program's actors. */
const relayPage = 'http://localhost:8080'

const isActor = (message: StatelyInspectionEvent): message is StatelyActorEvent =>
  message.type === '@xstate.actor'

const recovery = {
  events: ['registered', 'captured', 'failed', 'acted', 'verified'],
  values: [
    'registered',
    { snapshotting: 'idle' },
    { recovering: 'attempting' },
    { recovering: 'verifying' },
    { snapshotting: 'idle' },
  ],
}

describe('a viewer', () => {
  it('sees the actor with its machine, the events and the snapshots of a recovery', async () => {
    const inspector = await inspectorOf()
    const viewer = await viewerOf(inspector.url, { origin: relayPage })
    recoveryOf('shell-1').forEach(inspector.sink)
    const seen = await viewer.until(
      (all) => eventsOf(all).includes('verified') && valuesOf(all).length === 5,
    )

    const actors = seen.filter(isActor)
    expect(actors).toHaveLength(1)
    expect(actors[0]).toMatchObject({ sessionId: 'shell-1', rootId: 'shell-1', name: 'shell-1' })
    const definition = JSON.parse(actors[0]?.definition ?? '')
    expect(Object.keys(definition.states)).toEqual([
      'registered',
      'snapshotting',
      'recovering',
      'exhausted',
      'unregistered',
    ])
    expect(eventsOf(seen)).toEqual(recovery.events)
    expect(valuesOf(seen)).toEqual(recovery.values)
    expect(seen.map((message) => message.type)).toEqual([
      '@xstate.actor',
      ...recovery.events.flatMap(() => ['@xstate.event', '@xstate.snapshot']),
    ])
    expect(new Set(seen.map((message) => message.id)).size).toBe(seen.length)
  })

  it('is shown the control state, and what led to it', async () => {
    const inspector = await inspectorOf()
    const viewer = await viewerOf(inspector.url)
    recoveryOf('shell-1').slice(0, 3).forEach(inspector.sink)
    const seen = await viewer.until((all) => valuesOf(all).length === 3)
    expect(seen.at(-1)).toMatchObject({
      type: '@xstate.snapshot',
      createdAt: String(startMs + 100),
      event: { type: 'failed', failure: { reason: died.reason } },
      snapshot: {
        status: 'active',
        context: { sessionId: 'shell-1', incidents: 1, incident: { failure: { kind: died.kind } } },
      },
    })
  })

  it('may be the receiver of the library', async () => {
    const inspector = await inspectorOf()
    const seen: StatelyInspectionEvent[] = []
    const [first, ...others] = recoveryOf('shell-1')
    if (first === undefined) throw new Error('a recovery has notices')
    inspector.sink(first)
    await new Promise<void>((resolve) => {
      createWebSocketReceiver({ server: inspector.url }).subscribe((message) => {
        // It is connected once it was introduced to what is there.
        if (seen.push(message) === 2) others.forEach(inspector.sink)
        if (valuesOf(seen).length === 5) resolve()
      })
    })
    expect(valuesOf(seen)).toEqual(recovery.values)
    expect(eventsOf(seen)).toEqual(recovery.events.slice(1))
  })

  it('that joins late is shown the sessions that are there, as they are', async () => {
    const inspector = await inspectorOf()
    recoveryOf('shell-1').forEach(inspector.sink)
    recoveryOf('shell-2').slice(0, 3).forEach(inspector.sink)
    const [registered, trace] = traceOf('shell-3')
    inspector.sink(registered)
    inspector.sink(trace.take({ type: 'unregistered', atMs: startMs + 1 }))
    const viewer = await viewerOf(inspector.url)
    const seen = await viewer.until((all) => valuesOf(all).length === 2)
    expect(seen.filter(isActor).map(({ sessionId }) => sessionId)).toEqual(['shell-1', 'shell-2'])
    expect(valuesOf(seen)).toEqual([{ snapshotting: 'idle' }, { recovering: 'attempting' }])
    expect(eventsOf(seen)).toEqual([])
    const next = traceOf('shell-4')[0]
    inspector.sink(next)
    await viewer.until((all) => all.filter(isActor).length === 3)
  })

  it('sees the end of a session, and another life of its id as another actor', async () => {
    const inspector = await inspectorOf()
    const viewer = await viewerOf(inspector.url)
    const [first, trace] = traceOf('shell-1')
    inspector.sink(first)
    inspector.sink(trace.take({ type: 'ended', atMs: startMs + 1, exitCode: 0 }))
    inspector.sink(traceOf('shell-1', defaultPolicy, 2)[0])
    const seen = await viewer.until((all) => valuesOf(all).length === 3)
    expect(valuesOf(seen)).toEqual(['registered', 'unregistered', 'registered'])
    expect(seen.filter(isActor)).toHaveLength(2)
    expect(seen[4]).toMatchObject({ snapshot: { status: 'done' } })
  })

  it('sees that a decision is not durable, and nothing of what concerns no session', async () => {
    const inspector = await inspectorOf()
    const viewer = await viewerOf(inspector.url)
    const [registered, trace] = traceOf('shell-1')
    const others: readonly Notice[] = [{ _tag: 'started' }, { _tag: 'stopped' }]
    others.forEach(inspector.sink)
    inspector.sink(registered)
    const view = { generation: 0, capturedAtMs: 0 }
    inspector.sink(trace.take({ type: 'failed', atMs: startMs + 1, failure: died, view }, false))
    const seen = await viewer.until((all) => valuesOf(all).length === 2)
    expect(seen.filter((message) => message.type === '@xstate.event')).toMatchObject([
      { event: { type: 'registered' } },
      { event: { type: 'failed', durable: false } },
    ])
    expect(seen[1]).not.toHaveProperty('event.durable')
  })

  it('sees that the app changed what is kept, which moves nothing', async () => {
    const inspector = await inspectorOf()
    const viewer = await viewerOf(inspector.url)
    inspector.sink(traceOf('shell-1')[0])
    const view = { generation: 7, capturedAtMs: startMs }
    inspector.sink({ _tag: 'captured', sessionId: 'shell-1', view })
    const seen = await viewer.until((all) => valuesOf(all).length === 2)
    expect(valuesOf(seen)).toEqual(['registered', 'registered'])
    expect(seen.at(-1)).toMatchObject({ event: { type: 'updated', view: { generation: 7 } } })
  })

  it('sees a domain as an actor with its own machine, apart from a session of the same name', async () => {
    const inspector = await inspectorOf()
    const name = 'host:build'
    const domain = domainTrace(name)
    inspector.sink(domain({ type: 'waited', atMs: startMs, suspected: true }))
    inspector.sink(traceOf(name)[0])
    inspector.sink(traceOf(`domain ${name}`)[0])
    const viewer = await viewerOf(inspector.url)
    await viewer.until((all) => valuesOf(all).length === 3)
    inspector.sink(domain({ type: 'refused', atMs: startMs + 2 }))
    const seen = await viewer.until((all) => valuesOf(all).length === 4)
    const ids = seen.filter(isActor).map(({ sessionId }) => sessionId)
    expect(ids.slice(0, 2)).toEqual([`domain ${name}`, name])
    expect(new Set(ids).size).toBe(3)
    const [drawn] = seen.filter(isActor)
    expect(Object.keys(JSON.parse(drawn?.definition ?? '').states)).toEqual(domainStateNames)
    expect(valuesOf(seen)).toEqual(['probing', 'registered', 'registered', 'refused'])
    expect(seen.at(-1)).toMatchObject({
      sessionId: `domain ${name}`,
      event: { type: 'refused' },
      snapshot: { status: 'active', context: { domain: name, waiting: 1 } },
    })
  })

  it('sees a capture that failed, and that one during a recovery moves nothing', async () => {
    const inspector = await inspectorOf()
    const viewer = await viewerOf(inspector.url)
    const failed = { _tag: 'capture-failed', sessionId: 'shell-1', detail: 'no answer' } as const
    const notices = recoveryOf('shell-1')
    inspector.sink(failed)
    notices.slice(0, 1).forEach(inspector.sink)
    inspector.sink(failed)
    notices.slice(2, 3).forEach(inspector.sink)
    inspector.sink(failed)
    const seen = await viewer.until((all) => valuesOf(all).length === 4)
    expect(eventsOf(seen)).toEqual(['registered', 'captureFailed', 'failed', 'captureFailed'])
    expect(valuesOf(seen)).toEqual([
      'registered',
      { snapshotting: 'idle' },
      { recovering: 'attempting' },
      { recovering: 'attempting' },
    ])
  })
})

describe('the messages', () => {
  const machine = sessionMachine(defaultPolicy)
  const record = traceOf('shell-1')[1].record()
  const told = teller(
    defaultPolicy,
    () => '1',
  )({
    machine: 'session',
    state: record.state,
    control: record.control,
    event: { type: 'registered' },
    atMs: startMs,
  })

  it('are those the library would send', () => {
    const sent: StatelyInspectionEvent[] = []
    const library = createInspector({ send: (message) => void sent.push(message) })
    // The library reads no more of an actor than this.
    const actor = { sessionId: 'shell-1', logic: machine } as never
    const { snapshot } = told.actor
    library.actor(actor, snapshot)
    library.event(actor, { type: 'registered' })
    library.snapshot(actor, snapshot, { event: { type: 'registered' } })
    const ours: readonly Message[] = [told.actor, told.event, told.snapshot]
    const form = (message: object) => Object.keys(message).sort()
    expect(ours.map(form)).toEqual(sent.map(form))
    expect(ours.map(({ _version }) => _version)).toEqual(sent.map(({ _version }) => _version))
    expect(ours.map((message) => ('snapshot' in message ? message.snapshot : undefined))).toEqual(
      sent.map((message) => ('snapshot' in message ? message.snapshot : undefined)),
    )
    const [born] = sent.filter(isActor)
    const { context: _, ...drawn } = JSON.parse(born?.definition ?? '')
    expect(JSON.parse(told.actor.definition)).toEqual(drawn)
  })

  it('define the machine without any context', () => {
    const secret = { ...machine, config: { ...machine.config, context: { note: 'hunter22' } } }
    for (const definition of [told.actor.definition, definitionOf(secret as never)]) {
      expect(JSON.parse(definition)).not.toHaveProperty('context')
      expect(definition).not.toContain('hunter22')
    }
  })

  it('nest state values as XState does', () => {
    expect(stateValue('exhausted')).toBe('exhausted')
    expect(stateValue('recovering.backingOff')).toEqual({ recovering: 'backingOff' })
    for (const state of ['registered', 'recovering.verifying', 'snapshotting.capturing'] as const) {
      const value = stateValue(state) as never
      const restored = machine.resolveState({ value, context: record.control })
      expect(restored.value).toEqual(value)
    }
  })
})
