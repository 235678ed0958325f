/** The classifier: the seed's precedence, and what the end of a process means. */
import {
  classify,
  defaultReasonRules,
  type FailureKind,
  failureOfExit,
  hostRestarted,
  ReasonRule,
  type Traits,
  type TriggerName,
  transportLost,
  triggered,
  triggerReason,
} from '@session-recovery/core'
import { anyText, arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const kindOf = (reason?: string): FailureKind => classify(reason, defaultReasonRules).kind

/** The seed's branches, written down once more. */
const seedKind = (reason: string): FailureKind => {
  const has = (...words: string[]) => words.some((word) => reason.toLowerCase().includes(word))
  if (reason === '') return 'unspecified'
  if (has('network', 'connection')) return 'network'
  if (has('timeout', 'unresponsive'))
    return has('prompt', 'interactive') ? 'prompt-timeout' : 'timeout'
  if (has('memory', 'resource')) return 'resources'
  if (has('permission', 'auth')) return 'authentication'
  return 'other'
}

const words = fc.constantFrom(
  'network',
  'CONNECTION',
  'timeout',
  'Unresponsive',
  'prompt',
  'interactive',
  'memory',
  'resource',
  'permission',
  'auth',
  'author',
  'killed',
  ' ',
  '-',
  'é',
)
const anyReason = fc.oneof(
  fc.array(words, { maxLength: 5 }).map((parts) => parts.join('')),
  anyText,
)
const triggers = Object.keys(triggerReason) as TriggerName[]

describe('a reason text', () => {
  test('has the kind that the seed’s branches give it', () => {
    holds(
      fc.property(anyReason, (reason) => {
        expect(kindOf(reason)).toBe(seedKind(reason))
      }),
      2_000,
    )
  })

  test('keeps its words, is not permanent and needs no evidence', () => {
    holds(
      fc.property(anyReason, (reason) => {
        expect(classify(reason, defaultReasonRules)).toMatchObject({
          reason,
          permanent: false,
          evidence: [],
        })
      }),
    )
    expect(classify(undefined, defaultReasonRules)).toMatchObject({
      kind: 'unspecified',
      reason: '',
    })
  })

  test('touches the dialogue as in the seed', () => {
    holds(
      fc.property(anyReason, (reason) => {
        const lowered = reason.toLowerCase()
        const touching = lowered.includes('prompt') || lowered.includes('interactive')
        const expected = lowered.includes('timeout') ? 'timeout' : touching ? 'prompt' : 'none'
        expect(classify(reason, defaultReasonRules).interactivity).toBe(expected)
      }),
      1_000,
    )
  })

  test.each(triggers)('that the trigger %s produces is that trigger, to the letter', (trigger) => {
    const failure = classify(triggerReason[trigger], defaultReasonRules)
    expect(failure).toMatchObject({
      kind: 'interactive-trigger',
      trigger,
      interactivity: 'timeout',
    })
    expect(kindOf(`${triggerReason[trigger]}.`)).not.toBe('interactive-trigger')
    expect(kindOf(triggerReason[trigger].toUpperCase())).not.toBe('interactive-trigger')
  })

  test('is classified by the first rule that applies, whatever the rules', () => {
    const rules = fc.array(arbitraryOf(ReasonRule), { maxLength: 4 })
    holds(
      fc.property(rules, anyReason, (given, reason) => {
        if (reason === '') return
        const contains = (rule: ReasonRule) =>
          rule.contains.every((group) =>
            group.some((part) => reason.toLowerCase().includes(part.toLowerCase())),
          )
        const first = given.find((rule) =>
          rule.equals === undefined ? contains(rule) : rule.equals === reason,
        )
        const failure = classify(reason, given)
        expect(failure.kind).toBe(first?.kind ?? 'other')
        expect(failure.trigger).toBe(first?.trigger)
      }),
      1_000,
    )
  })

  test('is found whatever the case of the rule', () => {
    const rules: ReasonRule[] = [{ kind: 'resources', contains: [['OOM', 'Killed']] }]
    expect(classify('oom', rules).kind).toBe('resources')
  })
})

describe('the end of a process', () => {
  const traits: Traits = {
    kind: 'local',
    attended: false,
    shell: true,
    rerunnable: false,
    failureExitCodes: [137, 1],
    idempotentCommands: [],
  }

  test.each([
    [{ signal: 'SIGKILL' }, 'process killed by SIGKILL'],
    [{ signal: 'SIGHUP', exitCode: 0 }, 'process killed by SIGHUP'],
    [{ exitCode: 137 }, 'process exited with code 137'],
    [{ exitCode: 1 }, 'process exited with code 1'],
  ])('%j is a failure', (exit, reason) => {
    expect(failureOfExit(exit, traits, [])).toMatchObject({ kind: 'process-died', reason })
  })

  test.each([{ exitCode: 0 }, { exitCode: 2 }, {}])('%j is an end', (exit) => {
    expect(failureOfExit(exit, traits, [])).toBeUndefined()
  })

  test('an exit code is a failure exactly when it was declared one', () => {
    holds(
      fc.property(fc.nat(255), fc.array(fc.nat(255)), (exitCode, failureExitCodes) => {
        const failure = failureOfExit({ exitCode }, { ...traits, failureExitCodes }, [])
        expect(failure !== undefined).toBe(failureExitCodes.includes(exitCode))
      }),
    )
  })
})

test('what is seen by the engine itself is typed, and keeps its evidence', () => {
  const evidence = [
    { source: 'exit', grade: 'observed', trusted: true, detail: 'gone', atMs: 1 },
  ] as const
  expect(transportLost('no answer', evidence)).toMatchObject({ kind: 'transport-lost', evidence })
  expect(hostRestarted('dead', evidence)).toMatchObject({ kind: 'host-restarted', evidence })
  expect(triggered('timeouts', evidence)).toMatchObject({
    kind: 'interactive-trigger',
    trigger: 'timeouts',
    reason: triggerReason.timeouts,
    interactivity: 'timeout',
    evidence,
  })
})
