/**
 * The machine is an ordinary XState machine: an actor runs it, a snapshot persists and restores it.
 */
import { type Effect, type EventOf, receiptOf } from '@session-recovery/core'
import { sessionMachine } from '@session-recovery/engine'
import { describe, expect, test } from 'vitest'
import { createActor, initialTransition, transition } from 'xstate'
import { policyOf } from './scripted-world.js'
import { freshRecord } from './wander.js'

const policy = policyOf({ maxRecoveryAttempts: 1 })
const made = () => sessionMachine(policy)
const input = freshRecord(policy).control
const failed: EventOf<'failed'> = {
  type: 'failed',
  atMs: 2_000,
  failure: {
    kind: 'network',
    reason: 'connection reset',
    interactivity: 'none',
    permanent: false,
    evidence: [],
  },
  view: { generation: 1, capturedAtMs: 0 },
}

describe('createActor', () => {
  test('runs a session from a failure to its recovery', () => {
    const machine = made()
    const actor = createActor(machine, { input }).start()
    expect(actor.getSnapshot().value).toBe('registered')
    expect(actor.getSnapshot().context).toEqual(input)
    actor.send({ type: 'captureDue', atMs: 1_500 })
    expect(actor.getSnapshot().value).toEqual({ snapshotting: 'capturing' })
    actor.send(failed)
    expect(actor.getSnapshot().matches({ recovering: 'attempting' })).toBe(true)
    const token = () => actor.getSnapshot().context.incident?.token ?? 'none'
    actor.send({
      type: 'acted',
      atMs: 2_001,
      token: 'stale',
      outcome: { _tag: 'done', detail: '' },
    })
    expect(actor.getSnapshot().matches({ recovering: 'attempting' })).toBe(true)
    actor.send({
      type: 'acted',
      atMs: 2_002,
      token: token(),
      outcome: { _tag: 'done', detail: '' },
    })
    expect(actor.getSnapshot().matches({ recovering: 'verifying' })).toBe(true)
    const verdict = { _tag: 'alive', receipt: receiptOf('observed', {}) } as const
    actor.send({ type: 'verified', atMs: 2_003, token: token(), verdict })
    expect(actor.getSnapshot().value).toEqual({ snapshotting: 'idle' })
    expect(actor.getSnapshot().context).toMatchObject({ used: 1, incidents: 1, wellSinceMs: 2_003 })
    expect(actor.getSnapshot().context.incident).toBeUndefined()
    actor.send({ type: 'unregistered', atMs: 2_004 })
    expect(actor.getSnapshot().status).toBe('done')
  })

  test('goes on from a persisted snapshot: no timer and no work is lost, since it has none', () => {
    const machine = made()
    const actor = createActor(machine, { input }).start()
    actor.send(failed)
    const persisted = JSON.parse(JSON.stringify(actor.getPersistedSnapshot()))
    actor.stop()
    const restored = createActor(machine, { input, snapshot: persisted }).start()
    expect(restored.getSnapshot().value).toEqual({ recovering: 'attempting' })
    const dueAtMs = restored.getSnapshot().context.incident?.dueAtMs ?? 0
    restored.send({ type: 'due', atMs: dueAtMs })
    expect(restored.getSnapshot().context.incident?.index).toBe(1)
    restored.stop()
  })

  test('carries its effects out as data', () => {
    const machine = made()
    const [first] = initialTransition(machine, input)
    const [, actions] = transition(machine, first, failed)
    const effects = actions.flatMap(({ type, params }) =>
      type === 'effect' ? [params as Effect] : [],
    )
    expect(effects.map(({ _tag }) => _tag)).toEqual(['tell', 'tell', 'tell', 'run'])
  })
})
