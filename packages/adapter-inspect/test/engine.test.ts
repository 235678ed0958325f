/** A real engine brings sessions back while a viewer looks on. */
import { defaultPolicy } from '@session-recovery/core'
import { createEngine, memoryStore } from '@session-recovery/engine'
import {
  chance,
  EngineLife,
  FaultBook,
  fakeDriver,
  SharedHost,
  VirtualClock,
} from '@session-recovery/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { inspectorOf } from './scope.js'
import { eventsOf, valuesOf, viewerOf } from './viewer.js'

const secret = 'hunter22-correct-horse'

/** An engine over a world without faults, on virtual time, with an inspector subscribed to it. */
const scene = async () => {
  const time = new VirtualClock()
  const life = new EngineLife(time)
  const { clock } = life.time
  const faults = new FaultBook([], chance(1))
  const driver = fakeDriver({
    alive: new Map(),
    host: new SharedHost(faults, () => time.nowMs),
    life,
    faults,
    chance: chance(1),
    witness: {
      runs: () => {},
      proved: () => {},
      probes: () => {},
      captures: () => {},
      breach: () => {},
    },
  })
  const engine = createEngine({ policy: defaultPolicy, driver, store: memoryStore(), clock })
  const inspector = await inspectorOf({ policy: engine.policy })
  engine.subscribe(inspector.sink)
  await engine.start()
  onTestFinished(async () => {
    const stopped = engine.stop()
    await time.advance(60_000)
    await stopped
  })
  return { engine, inspector, time }
}

describe('an engine with an inspector', () => {
  it('shows a recovery from the failure to the proof, and no secret', async () => {
    const { engine, inspector, time } = await scene()
    const viewer = await viewerOf(inspector.url, { origin: 'http://localhost:8080' })
    await engine.register('shell-1', {
      sessionOptions: {
        command: 'bash',
        env: { DB_PASSWORD: secret, GREETING: 'hello' },
        sshOptions: { host: 'example.com', passphrase: secret },
      },
    })
    await time.advance(defaultPolicy.snapshotInterval + 1_000)
    const recovering = engine.recover('shell-1', `login failed: token=${secret} (${secret})`)
    await time.advance(10_000)
    expect(await recovering).toMatchObject({ _tag: 'recovered', attempts: 1 })

    const seen = await viewer.until((all) => eventsOf(all).includes('verified'))
    await viewer.until((all) => valuesOf(all).length === eventsOf(all).length)
    expect(eventsOf(seen).slice(0, 5)).toEqual([
      'registered',
      'captured',
      'failed',
      'acted',
      'verified',
    ])
    expect(valuesOf(seen).slice(0, 5)).toEqual([
      'registered',
      { snapshotting: 'idle' },
      { recovering: 'attempting' },
      { recovering: 'verifying' },
      { snapshotting: 'idle' },
    ])
    expect(seen[0]).toMatchObject({ type: '@xstate.actor', sessionId: 'shell-1' })
    expect(seen[0]).toHaveProperty('definition', expect.stringContaining('backingOff'))
    expect(viewer.text()).toContain('login failed')
    expect(viewer.text()).not.toContain(secret)
  })

  it('shows a session that is beyond saving as exhausted, and unregistered as done', async () => {
    const { engine, inspector, time } = await scene()
    const viewer = await viewerOf(inspector.url)
    await engine.register('shell-2', { sessionOptions: { command: 'bash' } })
    const recovering = engine.recover('shell-2', {
      kind: 'other',
      reason: 'the machine is gone',
      interactivity: 'none',
      permanent: true,
      evidence: [],
    })
    await time.advance(10_000)
    expect(await recovering).toMatchObject({ _tag: 'exhausted' })
    await engine.unregister('shell-2')
    await time.advance(1_000)
    const seen = await viewer.until((all) => valuesOf(all).includes('unregistered'))
    expect(valuesOf(seen)).toEqual([
      'registered',
      { recovering: 'attempting' },
      'exhausted',
      'unregistered',
    ])
    expect(seen.at(-1)).toMatchObject({ snapshot: { status: 'done' } })
  })
})
