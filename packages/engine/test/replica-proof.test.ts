/** A replica takes over on a proof of life alone; what is no replica never does; and what a store throws is a refusal. */
import { memoryMedium, memoryStore } from '@session-recovery/engine'
import { describe, expect, test } from 'vitest'
import { alive, answered, dead, policyOf, started, world } from './scripted-world.js'

const [general] = policyOf().planRules.filter(({ name }) => name === 'general-local')
const only = (...strategies: readonly string[]) =>
  [{ ...general, name: 'only', when: {}, strategies: [...strategies, 'fallback'] }] as never

const receiptIn = (verdict: typeof alive) => {
  if (verdict._tag !== 'alive') throw new Error('it is alive')
  return verdict.receipt
}
const ids = (made: Awaited<ReturnType<typeof started>>) =>
  made.engine.sessions().map(({ sessionId }) => sessionId)

describe('a replica', () => {
  test.each([
    ['claimed', false, 'exhausted'],
    ['claimed', true, 'recovered'],
    ['observed', false, 'recovered'],
  ] as const)('that is %s, where claims count: %s, is %s', async (grade, acceptClaims, end) => {
    const made = await started({
      policy: { planRules: only('replicate'), maxRecoveryAttempts: 1, acceptClaims },
      supports: { replicas: true },
      script: { verify: () => ({ ...alive, receipt: { ...receiptIn(alive), grade } }) },
    })
    expect(await answered(made, made.engine.recover('s', 'gone'))).toMatchObject({ _tag: end })
    expect(ids(made).length).toBe(1)
    expect(ids(made)[0]?.includes('replica')).toBe(end === 'recovered')
    const verified = made.entries().flatMap(({ event }) => (event.type === 'verified' ? event : []))
    if (end === 'recovered') return
    expect(verified[0]?.verdict).toEqual({
      ...{ _tag: 'unproved', detail: 'the proof of life is only claimed', evidence: [] },
    })
  })

  test('that is dead takes nothing over', async () => {
    const made = await started({
      policy: { planRules: only('replicate'), maxRecoveryAttempts: 1 },
      supports: { replicas: true },
      script: { verify: () => dead },
    })
    expect(await answered(made, made.engine.recover('s', 'gone'))).toMatchObject({
      _tag: 'exhausted',
    })
    expect(ids(made)).toEqual(['s'])
  })

  test('is made by no other strategy', async () => {
    const made = await started({
      policy: { planRules: only('restart'), maxRecoveryAttempts: 1 },
      supports: { replicas: true },
    })
    expect(await answered(made, made.engine.recover('s', 'gone'))).toMatchObject({
      ...{ _tag: 'recovered', strategy: 'restart' },
    })
    expect(ids(made)).toEqual(['s'])
  })
})

test('a start is told, and a store that throws has refused', async () => {
  const store = memoryStore(memoryMedium())
  let isBroken = false
  const throwing = {
    ...store,
    commit: (commit: Parameters<typeof store.commit>[0]) =>
      isBroken ? () => Promise.reject(new Error('torn out')) : store.commit(commit),
  }
  const made = world({ store: throwing, policy: { onStoreFailure: 'halt' } })
  await answered(made, made.engine.start())
  expect(made.notices).toEqual([{ _tag: 'started' }])
  await answered(made, made.engine.register('s', { attended: false }))
  isBroken = true
  expect(await answered(made, made.engine.unregister('s'))).toMatchObject({
    _tag: 'store-failed',
    error: { _tag: 'StoreUnavailable', operation: 'commit', message: 'Error: torn out' },
  })
})
