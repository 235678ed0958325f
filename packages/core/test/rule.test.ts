/** The checker of rule sets finds every fault that is planted, and the default set is sound. */
import {
  checkRules,
  defaultPlanRules,
  mismatch,
  PlanRule,
  type RecoveryStrategy,
  situations,
} from '@session-recovery/core'
import { arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const rules = defaultPlanRules
const last = rules.length - 1

const replaced = (i: number, change: Partial<PlanRule>): readonly PlanRule[] =>
  rules.map((rule, at) => (at === i ? { ...rule, ...change } : rule))

test('the default set is sound, and each of its rules is some situation’s first', () => {
  expect(checkRules(rules)).toEqual([])
  for (const rule of rules) {
    const reached = situations.some(
      (situation) => rules.find((other) => mismatch(other, situation) === undefined) === rule,
    )
    expect(reached, rule.name).toBe(true)
  }
})

test('every situation is asked about: each kind, local and remote, smart and not', () => {
  expect(situations).toHaveLength(12 * 2 * 2)
  expect(new Set(situations.map((situation) => JSON.stringify(situation))).size).toBe(48)
})

describe('a planted fault is found:', () => {
  test('a hole', () => {
    expect(checkRules(rules.slice(0, last))).toEqual(
      expect.arrayContaining(['no rule for other, local, smart on']),
    )
    expect(checkRules([])).toHaveLength(situations.length)
  })

  test('a hole wherever the last rule is made conditional', () => {
    const kinds = arbitraryOf(PlanRule.required.when)
    holds(
      fc.property(kinds, (when) => {
        const set = replaced(last, { when })
        const holes = situations.filter((situation) =>
          set.every((rule) => mismatch(rule, situation) !== undefined),
        )
        expect(checkRules(set).filter((problem) => problem.startsWith('no rule'))).toHaveLength(
          holes.length,
        )
      }),
    )
  })

  test('a rule that is never reached, wherever it stands behind what catches all', () => {
    const dead: PlanRule = { ...rules[0]!, name: 'dead' }
    for (let i = 1; i <= rules.length; i++) {
      const set = [...rules.slice(0, i), dead, ...rules.slice(i)]
      expect(checkRules(set)).toEqual(['rule dead is never reached'])
    }
    expect(checkRules([...rules, { ...dead, when: {} }])).toEqual(['rule dead is never reached'])
    expect(checkRules(replaced(3, { when: { kinds: [] } }))).toContain(
      `rule ${rules[3]?.name} is never reached`,
    )
  })

  test('two rules of one name', () => {
    expect(checkRules(replaced(2, { name: rules[1]!.name }))).toEqual([
      `two rules are named ${rules[1]?.name}`,
    ])
  })

  const unsound: readonly RecoveryStrategy[][] = [
    [],
    ['restart'],
    ['fallback', 'restart'],
    ['restart', 'fallback', 'fallback'],
    ['fallback', 'restart', 'fallback'],
  ]
  test.each(unsound.map((strategies) => [strategies]))('a bad last resort: %j', (strategies) => {
    for (let i = 0; i <= last; i++) {
      expect(checkRules(replaced(i, { strategies }))).toEqual([
        `rule ${rules[i]?.name} must end with fallback, and name it once`,
      ])
    }
  })
})

test('a sound set answers every situation, and its plans end with the last resort', () => {
  holds(
    fc.property(fc.array(arbitraryOf(PlanRule), { maxLength: 4 }), (extra) => {
      const set = [...extra, ...rules]
      if (checkRules(set).length > 0) return
      for (const situation of situations) {
        const first = set.find((rule) => mismatch(rule, situation) === undefined)
        expect(first?.strategies.at(-1)).toBe('fallback')
      }
    }),
    1_000,
  )
})

test('why a rule does not apply is said, and for whom there is none', () => {
  const rule = (when: PlanRule['when']): PlanRule => ({ ...rules[0]!, when })
  const situation = { kind: 'network', session: 'ssh', smart: false } as const
  expect(mismatch(rule({ smart: true }), situation)).toBe('smart recovery is off')
  expect(mismatch(rule({ smart: false }), { ...situation, smart: true })).toBe(
    'smart recovery is on',
  )
  expect(mismatch(rule({ kinds: ['timeout', 'other'] }), situation)).toBe(
    'the failure is network, not timeout or other',
  )
  expect(mismatch(rule({ session: 'local' }), situation)).toBe('the session is ssh, not local')
  expect(checkRules([]).slice(0, 2)).toEqual([
    'no rule for unspecified, local, smart on',
    'no rule for unspecified, local, smart off',
  ])
})

test('a rule applies exactly when each condition it states holds', () => {
  holds(
    fc.property(arbitraryOf(PlanRule), fc.constantFrom(...situations), (rule, situation) => {
      const { kinds, session, smart } = rule.when
      const applies =
        (kinds === undefined || kinds.includes(situation.kind)) &&
        (session === undefined || session === situation.session) &&
        (smart === undefined || smart === situation.smart)
      expect(mismatch(rule, situation) === undefined).toBe(applies)
    }),
    1_000,
  )
})
