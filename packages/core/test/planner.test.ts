/**
 * The planner against the seed: 500 worked cases, plan by plan to the letter; and its own laws.
 * `fixture/plan-vector.jsonl` holds what the seed itself answered: facts, never to be edited.
 */
import { readFileSync } from 'node:fs'
import {
  choosePlan,
  classify,
  defaultPolicy,
  defaultReasonRules,
  explainPlan,
  Failure,
  InteractiveState,
  type PlanSubject,
  planner,
  type SessionKind,
  type TriggerName,
  triggerAdvice,
  triggerReason,
} from '@session-recovery/core'
import { arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

interface Case {
  readonly now: number
  readonly reason?: string
  readonly ssh: boolean
  readonly smart: boolean
  readonly interactive?: {
    readonly pendingCommands: readonly string[]
    readonly lastSuccessfulCommand?: number
    readonly lastPromptDetected?: number
  }
  readonly plan: unknown
  readonly trigger: unknown
}

const cases = readFileSync(new URL('fixture/plan-vector.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line): Case => JSON.parse(line))

const date = (ms: number | undefined) => (ms === undefined ? {} : { date: new Date(ms) })

const interactiveOf = ({ interactive }: Case): InteractiveState | undefined => {
  if (interactive === undefined) return undefined
  const { lastPromptDetected, lastSuccessfulCommand, ...rest } = interactive
  const { date: lastPrompt } = date(lastPromptDetected)
  const { date: lastSuccess } = date(lastSuccessfulCommand)
  return {
    ...(rest as unknown as InteractiveState),
    ...(lastPrompt === undefined ? {} : { lastPromptDetected: lastPrompt }),
    ...(lastSuccess === undefined ? {} : { lastSuccessfulCommand: lastSuccess }),
  }
}

const subjectOf = (given: Case): PlanSubject => ({
  sessionId: 's',
  kind: given.ssh ? 'ssh' : 'local',
  interactive: interactiveOf(given),
  nowMs: given.now,
})

const answer = (given: Case) => ({
  plan: choosePlan(classify(given.reason, defaultReasonRules), subjectOf(given), {
    ...defaultPolicy,
    enableSmartRecovery: given.smart,
  }).plan,
  trigger: triggerAdvice(interactiveOf(given), given.now, defaultPolicy.triggers),
})

/**
 * The cases (by line) where the seed's trigger fires and ours does not. In each, commands are pending,
 * nothing says since when, and no command ever succeeded: the seed took the time since 1970 for their
 * age. In all other cases ours is the seed's, to the letter.
 */
const withoutAge: readonly number[] = [
  5, 8, 13, 22, 31, 43, 71, 74, 76, 78, 107, 113, 125, 178, 181, 232, 236, 242, 245, 250, 266, 297,
  312, 321, 332, 347, 355, 416, 470, 473, 480, 497,
]

describe('the seed’s 500 cases', () => {
  test('are all there', () => {
    expect(cases).toHaveLength(500)
  })

  test('each plan is the seed’s, to the letter', () => {
    for (const [i, given] of cases.entries()) {
      expect(JSON.stringify(answer(given).plan), `line ${i + 1}`).toBe(JSON.stringify(given.plan))
    }
  })

  test('each trigger is the seed’s, except where it lacks the time it needs', () => {
    const different = cases.flatMap((given, i) =>
      JSON.stringify(answer(given).trigger) === JSON.stringify(given.trigger) ? [] : [i + 1],
    )
    expect(different).toEqual(withoutAge)
    for (const line of withoutAge) {
      const given = cases[line - 1]
      expect(given?.interactive?.pendingCommands).not.toEqual([])
      expect(given?.interactive).not.toHaveProperty('lastSuccessfulCommand')
      expect(given?.trigger).toMatchObject({ reason: triggerReason['pending-commands'] })
      expect(given && answer(given).trigger).toEqual({ shouldTrigger: false, urgency: 'low' })
    }
  })
})

const anySubject: fc.Arbitrary<PlanSubject> = fc.record({
  sessionId: fc.string(),
  kind: fc.constantFrom<SessionKind>('local', 'ssh'),
  interactive: fc.option(arbitraryOf(InteractiveState), { nil: undefined }),
  nowMs: fc.nat(2_000_000_000_000),
})
const anyFailure = arbitraryOf(Failure)
const anyPolicy = fc
  .boolean()
  .map((enableSmartRecovery) => ({ ...defaultPolicy, enableSmartRecovery }))

describe('whatever the failure', () => {
  test('there is a plan, the same each time, that ends with the last resort', () => {
    holds(
      fc.property(anyFailure, anySubject, anyPolicy, (failure, subject, policy) => {
        const choice = choosePlan(failure, subject, policy)
        expect(choosePlan(failure, subject, policy)).toEqual(choice)
        const { strategies, sessionId } = choice.plan
        expect(sessionId).toBe(subject.sessionId)
        expect(strategies.indexOf('fallback')).toBe(strategies.length - 1)
        expect(strategies.length).toBeGreaterThan(1)
      }),
    )
  })

  test('the explanation has one chosen rule, the plan’s, and every verdict is true', () => {
    holds(
      fc.property(anyFailure, anySubject, anyPolicy, (failure, subject, policy) => {
        const { rule } = choosePlan(failure, subject, policy)
        const verdicts = explainPlan(failure, subject.kind, policy)
        expect(verdicts.map((verdict) => verdict.rule)).toEqual(policy.planRules.map((r) => r.name))
        const chosen = verdicts.findIndex(({ verdict }) => verdict === 'chosen')
        expect(verdicts.filter(({ verdict }) => verdict === 'chosen')).toHaveLength(1)
        expect(verdicts[chosen]?.rule).toBe(rule)
        for (const [i, { verdict, because }] of verdicts.entries()) {
          expect(because).not.toBe('')
          if (i === chosen) continue
          // A rule by itself in front of one that catches all: is it the one that is chosen?
          const alone = { ...policy, planRules: [policy.planRules[i]!, policy.planRules.at(-1)!] }
          const applies = choosePlan(failure, subject, alone).rule === verdicts[i]?.rule
          const isLast = i === verdicts.length - 1
          expect(verdict).toBe(applies || isLast ? 'came later' : 'did not apply')
          if (verdict === 'came later') expect(i).toBeGreaterThan(chosen)
        }
      }),
    )
  })

  test('a plan is a value: what its lists hold cannot be changed, nor the policy through them', () => {
    const failure = classify('network', defaultReasonRules)
    const subject = { sessionId: 's', kind: 'ssh', interactive: undefined, nowMs: 0 } as const
    const plan = planner(defaultPolicy)
    const before = JSON.stringify(plan(failure, subject))
    const { strategies, requiredResources, fallbackOptions } = plan(failure, subject).plan
    for (const list of [strategies, requiredResources, fallbackOptions])
      expect(() => list.pop()).toThrow(TypeError)
    expect(JSON.stringify(plan(failure, subject))).toBe(before)
    const { planRules } = defaultPolicy
    expect(planRules.some((rule) => Object.isFrozen(rule.strategies))).toBe(false)
  })
})

test.each(Object.keys(triggerReason) as TriggerName[])(
  'the text of the trigger %s leads to the prompt strategies, on local and remote sessions',
  (trigger) => {
    for (const kind of ['local', 'ssh'] as const) {
      const subject = { sessionId: 's', kind, interactive: undefined, nowMs: 0 }
      const failure = classify(triggerReason[trigger], defaultReasonRules)
      expect(choosePlan(failure, subject, defaultPolicy).plan.strategies).toEqual([
        'prompt-interrupt',
        'prompt-reset',
        'session-refresh',
        'restart',
        'fallback',
      ])
    }
  },
)

test('how long a session did not answer counts from when it began, else from the last success', () => {
  const failure = classify('prompt timeout', defaultReasonRules)
  const state = {
    isInteractive: true,
    pendingCommands: [],
    sessionUnresponsive: true,
    timeoutCount: 0,
  }
  const unresponsiveTime = (more: Partial<InteractiveState>) =>
    choosePlan(
      failure,
      { sessionId: 's', kind: 'local', interactive: { ...state, ...more }, nowMs: 1_000 },
      defaultPolicy,
    ).plan.interactiveContext?.unresponsiveTime
  expect(unresponsiveTime({ lastSuccessfulCommand: new Date(100) })).toBe(900)
  expect(
    unresponsiveTime({ lastSuccessfulCommand: new Date(100), unresponsiveSince: new Date(400) }),
  ).toBe(600)
  expect(unresponsiveTime({})).toBe(0)
  expect(unresponsiveTime({ sessionUnresponsive: false })).toBeUndefined()
})

test('a rule set that answers nothing is a broken invariant', () => {
  const failure = classify('x', defaultReasonRules)
  const subject = { sessionId: 's', kind: 'local', interactive: undefined, nowMs: 0 } as const
  expect(() => choosePlan(failure, subject, { ...defaultPolicy, planRules: [] })).toThrow(
    'no plan rule for other',
  )
})
