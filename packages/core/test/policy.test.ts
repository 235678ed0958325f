/** What is a policy and what is not: the seed's defaults, where 0 is legal, refusals that name the field. */
import {
  type DecodeError,
  defaultConfig,
  defaultPolicy,
  Policy,
  policyDigest,
  policyFrom,
  RecoveryConfig,
} from '@session-recovery/core'
import { arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'

const accepted = (input: unknown): Policy => {
  const result = policyFrom(input)
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

const refused = (input: unknown): DecodeError => {
  const result = policyFrom(input)
  if (E.isRight(result)) throw new Error('it was accepted')
  return result.left
}

/** `{ a: { b: value } }` for the path `a.b`. */
const at = (path: string, value: unknown): unknown =>
  path.split('.').reduceRight((inside: unknown, key) => ({ [key]: inside }), value)

const numbers = (value: object, path: readonly string[] = []): readonly string[] =>
  Object.entries(value).flatMap(([key, inner]) => {
    if (typeof inner === 'number') return [[...path, key].join('.')]
    const nested = typeof inner === 'object' && inner !== null && !Array.isArray(inner)
    return nested ? numbers(inner, [...path, key]) : []
  })
const numberFields = numbers(defaultPolicy)
const atLeastOne = [
  'backoffMultiplier',
  'commandRetry.backoffMultiplier',
  'resumeConcurrency',
  'checkpointEvery',
  'domain.concurrency',
  'domain.overallConcurrency',
  'domain.firstStage',
  'domain.suspectAfter',
]

describe('defaults', () => {
  test('are the seed’s', () => {
    expect(defaultConfig).toEqual({
      enabled: true,
      maxRecoveryAttempts: 3,
      recoveryDelay: 5000,
      backoffMultiplier: 2,
      maxBackoffDelay: 60000,
      persistenceEnabled: true,
      persistencePath: './data/session-snapshots',
      enableSmartRecovery: true,
      enablePersistentSession: true,
      snapshotInterval: 30000,
      recoveryTimeout: 120000,
      enableRecoveryMetrics: true,
    })
    expect(defaultPolicy).toMatchObject({
      ...defaultConfig,
      triggers: {
        unresponsiveAfterMs: 30000,
        timeoutCount: 3,
        promptStuckAfterMs: 60000,
        pendingAfterMs: 45000,
      },
      commandRetry: {
        maxRetries: 3,
        baseDelayMs: 1000,
        backoffMultiplier: 2,
        maxDelayMs: 10000,
        timeoutPerCommandMs: 15000,
      },
      refresh: { timeoutMs: 10000, fallbackToRestart: true },
      stopTimeoutMs: 30000,
      jitter: 0,
    })
  })

  test('are a policy of which every field has a codec, and stand for what is not given', () => {
    expect(Object.keys(defaultPolicy).sort()).toEqual(Object.keys(Policy.required).sort())
    expect(Object.keys(defaultConfig)).toEqual(Object.keys(RecoveryConfig.required))
    expect(accepted(undefined)).toEqual(defaultPolicy)
    expect(accepted({})).toEqual(defaultPolicy)
    expect(accepted({ recoveryDelay: undefined, triggers: { timeoutCount: undefined } })).toEqual(
      defaultPolicy,
    )
    const planRules = defaultPolicy.planRules.map(({ when, ...rule }) => ({
      ...rule,
      when: { session: undefined, ...when },
    }))
    expect(accepted({ planRules })).toEqual(defaultPolicy)
    expect(accepted({ triggers: { timeoutCount: 7 } }).triggers).toEqual({
      ...defaultPolicy.triggers,
      timeoutCount: 7,
    })
  })
})

describe('numbers', () => {
  test('are found', () => {
    expect(numberFields).toHaveLength(31)
  })

  test.each(numberFields)(
    '%s: what is no number, negative or infinite is refused by name',
    (path) => {
      for (const bad of [Number.NaN, Infinity, -Infinity, -1, '1', null, {}, [1]]) {
        const error = refused(at(path, bad))
        expect(error).toMatchObject({ _tag: 'DecodeError', subject: 'policy', path })
        expect(error.message).toContain(`policy: ${path}: expected `)
      }
    },
  )

  test.each(numberFields.filter((path) => !atLeastOne.includes(path)))('%s may be 0', (path) => {
    expect(E.isRight(policyFrom(at(path, 0)))).toBe(true)
  })

  test.each(atLeastOne)('%s is at least 1', (path) => {
    expect(E.isRight(policyFrom(at(path, 1)))).toBe(true)
    expect(refused(at(path, 0.5)).path).toBe(path)
  })
})

test('between two snapshots there is a pause: a session is not captured without end', () => {
  for (const less of [99.9, 1, 0.5, Number.MIN_VALUE]) {
    const error = refused({ snapshotInterval: less })
    expect(error.path).toBe('snapshotInterval')
    expect(error.message).toContain('expected 0, or a finite number of at least 100')
  }
  expect(accepted({ snapshotInterval: 100 }).snapshotInterval).toBe(100)
})

describe('refusals', () => {
  test.each([
    [{ recoverDelay: 1 }, 'recoverDelay'],
    [{ triggers: { timeoutcount: 1 } }, 'triggers.timeoutcount'],
    [
      { planRules: [{ ...defaultPolicy.planRules[0], when: { kind: ['network'] } }] },
      'planRules.0.when.kind',
    ],
    [JSON.parse('{"__proto__": {"enabled": false}}'), '__proto__'],
    [JSON.parse('{"triggers": {"__proto__": {"timeoutCount": 0}}}'), 'triggers.__proto__'],
    [{ '': 1 }, '""'],
    [{ triggers: { '': 1 } }, 'triggers.""'],
    [{ enabled: 'yes' }, 'enabled'],
    [{ persistencePath: '' }, 'persistencePath'],
    [{ onStoreFailure: 'ignore' }, 'onStoreFailure'],
    [{ failureExitCodes: [137, 300] }, 'failureExitCodes.1'],
    [{ secretNames: ['A', ''] }, 'secretNames.1'],
    [{ triggers: 5 }, 'triggers'],
    [{ triggers: null }, 'triggers'],
  ])('%j is refused', (input, path) => {
    expect(refused(input).path).toBe(path)
  })

  test.each([null, 5, 'policy', [], true])('%j is no policy', (input) => {
    expect(refused(input)).toMatchObject({ path: '', expected: 'an object' })
  })

  test.each([
    [[], 'no rule for unspecified, local, smart on'],
    [defaultPolicy.planRules.slice(0, -1), 'no rule for'],
    [[...defaultPolicy.planRules, ...defaultPolicy.planRules.slice(-1)], 'is never reached'],
  ])('an unsound rule set is refused: case %#', (planRules, problem) => {
    const error = refused({ planRules })
    expect(error.path).toBe('planRules')
    expect(error.message).toContain(problem)
  })
})

test('every policy with a sound rule set is accepted as it is, and is a value of its own', () => {
  holds(
    fc.property(arbitraryOf(Policy), (generated) => {
      const policy = { ...generated, planRules: defaultPolicy.planRules }
      const result = accepted(policy)
      expect(result).toEqual(policy)
      expect(result).not.toBe(policy)
    }),
  )
})

test.each([
  [null, '', 'null'],
  [[], '', 'a list'],
  [5, '', 'number'],
  ['text', '', 'text'],
  [{ recoveryDelay: null }, 'recoveryDelay', undefined],
  [{ nonsense: 1 }, 'nonsense', 'nonsense'],
])(
  'what is refused is an error of the policy, told with its place and its kind: %j',
  (input, path, actual) => {
    const refused = policyFrom(input)
    if (E.isRight(refused)) throw new Error('it was accepted')
    expect(refused.left).toMatchObject({ _tag: 'DecodeError', subject: 'policy', path })
    if (actual !== undefined) expect(refused.left.actual).toBe(actual)
    expect(
      refused.left.message.startsWith(
        path === '' ? 'policy: expected' : `policy: ${path}: expected`,
      ),
    ).toBe(true)
  },
)

describe('what journals name a policy by', () => {
  test('is as it was before there were domains, where nothing is said of them', () => {
    const former = { ...defaultPolicy, historyLimit: 100 }
    expect(policyDigest(former)).toBe('7d6d3ee6-977e-51ea-8429-e4bf34904aee')
  })

  test('differs with anything that is not as by default', () => {
    const { domain } = defaultPolicy
    const others = [
      { ...defaultPolicy, recoveryDelay: 1 },
      { ...defaultPolicy, domain: { ...domain, concurrency: 1 } },
      { ...defaultPolicy, domain: { ...domain, suspectAfter: 1 } },
    ]
    const all = [defaultPolicy, ...others].map(policyDigest)
    expect(new Set(all).size).toBe(all.length)
  })
})
