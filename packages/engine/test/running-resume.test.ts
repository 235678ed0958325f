/**
 * Starting again: what a crash left in doubt is verified before anything is done twice, what was found
 * dead is recovered under the cap, and what was unregistered is forgotten.
 */
import type { RecoveryStrategy, Verdict } from '@session-recovery/core'
import { describe, expect, test } from 'vitest'
import {
  alive,
  answered,
  dead,
  done,
  factsIn,
  failed,
  never,
  type Script,
  started,
  threeCrashed,
  type World,
  world,
} from './scripted-world.js'

const planOf = (...strategies: RecoveryStrategy[]) => ({
  snapshotInterval: 0,
  maxRecoveryAttempts: 1,
  planRules: [
    {
      name: 'only',
      when: {},
      strategies: [...strategies, 'fallback' as const],
      priority: 'low' as const,
      estimatedTimeMs: 0,
    },
  ],
})

/** A session whose app crashed while `strategy` ran, and the next life of its engine. */
const crashedIn = async (strategy: RecoveryStrategy, script: Partial<Script>) => {
  const policy = planOf(strategy)
  const first = await started({ policy, script: { run: () => never } })
  await first.engine.reportFailure('s')
  await first.time.advance(10)
  first.crash()
  await first.time.advance(60_000)
  const second = world({ policy, script, after: first })
  await answered(second, second.engine.start())
  await second.time.advance(0)
  return { first, second }
}

const token = (made: World) => made.runs().map(({ request }) => request.token)

describe('a run in doubt', () => {
  test('is verified first, and when it helped nothing is done again', async () => {
    const { second } = await crashedIn('restart', {})
    expect(second.said()).toEqual(['verify restart'])
    expect(second.engine.status('s')?.record.state).toBe('snapshotting.idle')
    expect(factsIn(second.entries(), 'incident-recovered')).toHaveLength(1)
  })

  test.each(['restart', 'reconnect', 'restore', 'prompt-interrupt', 'session-refresh'] as const)(
    'runs again under the same token where that is safe: %s',
    async (strategy) => {
      let looks = 0
      const verify = (): Verdict => (++looks === 1 ? dead : alive)
      const { first, second } = await crashedIn(strategy, { verify })
      expect(second.said()).toEqual([`verify ${strategy}`, `run ${strategy}`, `verify ${strategy}`])
      expect(token(second)).toEqual(token(first))
      expect(first.runs()[0]?.request.repeated).toBe(false)
      expect(second.runs()[0]?.request.repeated).toBe(true)
      expect(second.engine.status('s')?.record.state).toBe('snapshotting.idle')
    },
  )

  test.each(['command-retry', 'replicate', 'migrate'] as const)(
    'never runs again where it is not: %s',
    async (strategy) => {
      const { second } = await crashedIn(strategy, { verify: () => dead })
      expect(second.said()).toEqual([`verify ${strategy}`])
      expect(second.engine.status('s')?.record.state).toBe('exhausted')
    },
  )

  test('has a fresh bound: the time the app was down is nobody’s fault', async () => {
    const policy = { ...planOf('restart'), strategyTimeoutMs: 5_000, recoveryTimeout: 20_000 }
    const first = await started({ policy, script: { run: () => never } })
    await first.engine.reportFailure('s')
    first.crash()
    await first.time.advance(1_000_000)
    const second = world({ policy, script: { verify: () => never }, after: first })
    await answered(second, second.engine.start())
    await second.time.advance(4_999)
    expect(second.engine.status('s')?.record.state).toBe('recovering.verifying')
    await second.time.advance(1)
    expect(second.engine.status('s')?.record.state).toBe('exhausted')
  })

  test('a verification in doubt is made again, without a run', async () => {
    const policy = planOf('restart')
    const first = await started({ policy, script: { verify: () => never } })
    await first.engine.reportFailure('s')
    await first.time.advance(10)
    first.crash()
    const second = world({ policy, script: { verify: () => dead }, after: first })
    await answered(second, second.engine.start())
    await second.time.advance(0)
    expect(second.said()).toEqual(['verify restart'])
  })

  test('an archive in doubt is made again, and is one archive', async () => {
    const policy = { ...planOf('restart'), maxRecoveryAttempts: 0 }
    const first = await started({ policy })
    first.control.refuse = () => undefined
    first.engine.subscribe((notice) => {
      // It crashes when the archive is written and nobody knows yet.
      if (notice._tag === 'decided') first.control.holds = (operation) => operation === 'commit'
    })
    await first.engine.reportFailure('s')
    await first.time.advance(10)
    expect(first.medium.archives.size).toBe(1)
    first.crash()
    const second = world({ policy, after: first })
    await answered(second, second.engine.start())
    await second.time.advance(0)
    expect(second.medium.archives.size).toBe(1)
    expect(factsIn(second.entries(), 'incident-exhausted')).toHaveLength(1)
  })
})

describe.each([
  ['at once', false],
  ['when it is asked for', true],
] as const)('sessions found in the store, what rests read %s,', (_, rests) => {
  test('are looked at; a dead one opens an incident', async () => {
    const policy = { snapshotInterval: 0 }
    const verify: Script['verify'] = ({ sessionId, strategy }) =>
      sessionId === 'b' && strategy === undefined ? dead : alive
    const second = world({ rests, policy, script: { verify }, after: await threeCrashed() })
    await answered(second, second.engine.start())
    await second.time.advance(0)
    expect(factsIn(second.entries(), 'incident-opened')).toMatchObject([
      { failure: { kind: 'host-restarted', evidence: [{ detail: 'it is dead' }] } },
    ])
    expect(second.runs().map(({ sessionId }) => sessionId)).toEqual(['b'])
    expect(second.engine.status('b')?.record.state).toBe('snapshotting.idle')
  })

  test('are recovered under the cap: the next turn comes when one is over', async () => {
    const policy = { snapshotInterval: 0, resumeConcurrency: 2, maxRecoveryAttempts: 1 }
    let active = 0
    let most = 0
    const run = async () => {
      most = Math.max(most, ++active)
      await new Promise<void>((resolve) => setImmediate(resolve))
      active -= 1
      return failed()
    }
    const script = { run, verify: () => dead }
    const second = world({ rests, policy, script, after: await threeCrashed() })
    await answered(second, second.engine.start())
    for (let i = 0; i < 20; i++) await second.time.advance(1)
    expect(most).toBe(2)
    expect(second.engine.stats().exhausted).toBe(3)
  })

  test('under a cap beyond all bounds cost no more than there are of them', async () => {
    const policy = { snapshotInterval: 0, resumeConcurrency: Number.MAX_SAFE_INTEGER }
    const second = world({
      rests,
      policy,
      script: { verify: () => dead },
      after: await threeCrashed(),
    })
    await answered(second, second.engine.start())
    for (let i = 0; i < 20; i++) await second.time.advance(1)
    expect(second.runs().length).toBeGreaterThanOrEqual(3)
  })

  test('one whose look throws, hangs or fails is dead, and holds up no other', async () => {
    const policy = {
      snapshotInterval: 0,
      resumeConcurrency: 1,
      maxRecoveryAttempts: 1,
      strategyTimeoutMs: 5_000,
    }
    const looked: Record<string, Script['verify']> = {
      a: () => Promise.reject(new Error('it broke')),
      b: () => never,
      c: () => dead,
    }
    const verify: Script['verify'] = (request) =>
      request.strategy === undefined ? (looked[request.sessionId]?.(request) ?? dead) : alive
    const second = world({ rests, policy, script: { verify }, after: await threeCrashed() })
    await answered(second, second.engine.start())
    await second.time.advance(5_000)
    expect(second.runs().map(({ sessionId, atMs }) => [sessionId, atMs])).toEqual([
      ['a', 0],
      ['b', 5_000],
      ['c', 5_000],
    ])
    const details = factsIn(second.entries(), 'incident-opened').map(
      ({ failure }) => failure.evidence[0]?.detail,
    )
    expect(details).toEqual(['it broke', 'it gave no answer in time', 'it is dead'])
    const hung = second.asked.find(({ sessionId }) => sessionId === 'b')
    expect(hung?.request.signal?.aborted).toBe(true)
  })

  test('one that is gone when its turn comes is not looked at', async () => {
    const policy = { snapshotInterval: 0, resumeConcurrency: 1, strategyTimeoutMs: 5_000 }
    const verify: Script['verify'] = ({ sessionId, strategy }) =>
      sessionId === 'a' && strategy === undefined ? never : alive
    const second = world({ rests, policy, script: { verify }, after: await threeCrashed() })
    await answered(second, second.engine.start())
    await answered(second, second.engine.unregister('b'))
    await second.time.advance(5_000)
    const looked = second.asked.filter(
      ({ verb, strategy }) => verb === 'verify' && strategy === undefined,
    )
    expect(looked.map(({ sessionId }) => sessionId)).toEqual(['a', 'c'])
  })

  test('a look that was overtaken says nothing any more', async () => {
    let answer = (_: Verdict) => {}
    const looked = new Promise<Verdict>((resolve) => {
      answer = resolve
    })
    const first = await started({ policy: { snapshotInterval: 0 } })
    first.crash()
    const verify: Script['verify'] = ({ strategy }) => (strategy === undefined ? looked : alive)
    const second = world({
      rests,
      policy: { snapshotInterval: 0 },
      script: { verify },
      after: first,
    })
    await answered(second, second.engine.start())
    const [look] = second.asked
    expect(await answered(second, second.engine.recover('s'))).toMatchObject({ _tag: 'recovered' })
    // One thing at a time: it was given up before the run began.
    expect(look?.request.signal?.aborted).toBe(true)
    answer(dead)
    await second.time.advance(0)
    expect(second.engine.status('s')?.record.control.incidents).toBe(1)
  })

  test.each([
    ['resumeOnStart is off', { policy: { resumeOnStart: false, snapshotInterval: 0 } }],
    ['the driver can prove nothing', { supports: { proof: 'none' } }],
  ] as const)('are not looked at where %s', async (_, options) => {
    const second = world({ rests, ...options, after: await threeCrashed() })
    await answered(second, second.engine.start())
    await second.time.advance(0)
    expect(second.asked).toEqual([])
    expect(second.engine.sessions()).toHaveLength(3)
  })

  test('are left alone by an engine that is disabled', async () => {
    const { first, second: third } = await crashedIn('restart', { verify: () => never })
    third.crash()
    const second = world({ rests, policy: { enabled: false }, after: first })
    const before = structuredClone(first.medium.sessions.get('s')?.record)
    expect(await answered(second, second.engine.start())).toMatchObject({ sessions: 1 })
    second.observe({ _tag: 'exited', sessionId: 's', exit: { signal: 'SIGKILL' } })
    second.observe({ _tag: 'changed', sessionId: 's' })
    await second.time.advance(1_000_000)
    expect(second.asked).toEqual([])
    expect(second.engine.status('s')?.record).toEqual(before)
  })

  test('one that was unregistered is forgotten, and its id counts on', async () => {
    const first = await started()
    first.control.holds = (operation) => operation === 'forget'
    await first.engine.unregister('s')
    first.crash()
    expect(first.medium.sessions.get('s')?.record.state).toBe('unregistered')
    const second = world({ rests, after: first })
    second.control.holds = (operation) => operation === 'forget'
    expect(await answered(second, second.engine.start())).toMatchObject({ sessions: 0 })
    expect(second.said()).toEqual(['detach'])
    expect(await second.engine.register('s')).toMatchObject({ incarnation: 2 })
    second.control.resume()
    await second.time.advance(0)
    // What was left of the first is gone, the second is not.
    expect(second.medium.sessions.get('s')?.record.control.incarnation).toBe(2)
  })

  test('an earlier life that is still to be forgotten takes no later one with it', async () => {
    const made = await started()
    let holds = true
    made.control.holds = (operation) => operation === 'forget' && holds
    await made.engine.unregister('s')
    holds = false
    await made.time.advance(1)
    await made.engine.register('s')
    await made.time.advance(1)
    // The second life is forgotten; the first one's turn is still to come.
    await made.engine.unregister('s')
    await made.time.advance(1)
    expect(await made.engine.register('s')).toMatchObject({ incarnation: 3 })
    made.control.resume()
    await made.time.advance(1)
    expect(made.medium.sessions.get('s')?.record.control.incarnation).toBe(3)
    // With nothing left of them the id begins anew.
    await made.engine.unregister('s')
    await made.time.advance(1)
    expect(await made.engine.register('s')).toMatchObject({ incarnation: 1 })
  })

  test('what was exhausted stays so, with its archive', async () => {
    const policy = { maxRecoveryAttempts: 0 }
    const first = await started({ policy })
    const { archive } = (await answered(first, first.engine.recover('s'))) as { archive: string }
    first.crash()
    const second = world({ rests, policy, after: first })
    await answered(second, second.engine.start())
    await second.time.advance(1_000_000)
    expect(second.asked).toEqual([])
    expect(await second.engine.reportFailure('s')).toEqual({ _tag: 'exhausted', archive })
  })
})

describe('a session that goes', () => {
  test('is forgotten although the driver cannot detach it', async () => {
    const detach = () => Promise.reject(new Error('it will not let go'))
    const made = await started({ script: { detach } })
    await made.engine.unregister('s')
    await made.time.advance(0)
    expect(made.medium.sessions.size).toBe(0)
  })

  test('takes with it what is being kept: nothing of it shows up in its next life', async () => {
    const made = await started({ script: { run: () => done } })
    made.control.holds = (operation) => operation === 'saveSnapshot'
    const updated = made.engine.update('s', { workingDirectory: '/old-life' })
    await made.time.advance(1)
    await made.engine.unregister('s')
    await made.time.advance(1)
    made.control.holds = () => false
    await made.engine.register('s', { sessionOptions: { cwd: '/new-life' } })
    made.control.resume()
    await answered(made, updated)
    expect(await made.engine.snapshot('s')).toMatchObject({ workingDirectory: '/new-life' })
    expect(await made.engine.update('s', { commandHistory: ['ls'] })).toMatchObject({
      generation: 3,
      durable: true,
    })
    expect(made.medium.sessions.get('s')?.snapshot?.view.generation).toBe(3)
  })
})
