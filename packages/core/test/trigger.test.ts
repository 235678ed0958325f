/** The four triggers: the seed's rules, with ages that count from when the thing began. */
import {
  agrees,
  defaultPolicy,
  Foreground,
  type ForegroundKind,
  firedTrigger,
  type InteractiveState,
  stuckFailure,
  Traits,
  type TriggerName,
  type TriggerThreshold,
  triggerAdvice,
  triggerReason,
} from '@session-recovery/core'
import { arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const nowMs = 1_800_000_000_000
const anyDate = fc.integer({ min: -200_000, max: 10_000 }).map((ageMs) => new Date(nowMs + ageMs))
const anyState: fc.Arbitrary<InteractiveState> = fc.record(
  {
    isInteractive: fc.boolean(),
    pendingCommands: fc.array(fc.string(), { maxLength: 2 }),
    sessionUnresponsive: fc.boolean(),
    timeoutCount: fc.nat(5),
    lastPromptDetected: anyDate,
    lastSuccessfulCommand: anyDate,
    unresponsiveSince: anyDate,
    pendingSince: anyDate,
  },
  { requiredKeys: ['isInteractive', 'pendingCommands', 'sessionUnresponsive', 'timeoutCount'] },
)
const ms = fc.nat(200_000)
const anyThreshold: fc.Arbitrary<TriggerThreshold> = fc.record({
  unresponsiveAfterMs: ms,
  timeoutCount: fc.nat(5),
  promptStuckAfterMs: ms,
  pendingAfterMs: ms,
})

const calm: InteractiveState = {
  isInteractive: false,
  pendingCommands: [],
  sessionUnresponsive: false,
  timeoutCount: 0,
}
const ago = (ageMs: number) => new Date(nowMs - ageMs)

/** The seed's rules once more, over ages; an age nobody knows is `undefined`. */
const expected = (state: InteractiveState, limit: TriggerThreshold): TriggerName | undefined => {
  const age = (...since: (Date | undefined)[]) => {
    const from = since.find((instant) => instant !== undefined)
    return from === undefined ? undefined : nowMs - from.getTime()
  }
  const older = (than: number, ageMs: number | undefined) => ageMs !== undefined && ageMs > than
  const { unresponsiveSince, pendingSince, lastSuccessfulCommand, lastPromptDetected } = state
  const rules: readonly (readonly [TriggerName, boolean])[] = [
    [
      'unresponsive',
      state.sessionUnresponsive &&
        older(limit.unresponsiveAfterMs, age(unresponsiveSince, lastSuccessfulCommand)),
    ],
    ['timeouts', state.timeoutCount >= limit.timeoutCount],
    [
      'stuck-prompt',
      state.isInteractive && older(limit.promptStuckAfterMs, age(lastPromptDetected)),
    ],
    [
      'pending-commands',
      state.pendingCommands.length > 0 &&
        older(limit.pendingAfterMs, age(pendingSince, lastSuccessfulCommand)),
    ],
  ]
  return rules.find(([, fires]) => fires)?.[0]
}

test('the first rule that fires is the one, whatever the thresholds', () => {
  const seen = new Set<string | undefined>()
  holds(
    fc.property(anyState, anyThreshold, (state, limit) => {
      const fired = firedTrigger(state, nowMs, limit)
      seen.add(fired)
      expect(fired).toBe(expected(state, limit))
    }),
    3_000,
  )
  expect(seen.size).toBe(5)
})

// Each rule by itself: what makes it fire, and the state in which it is `past` its threshold.
const alone: readonly {
  readonly trigger: TriggerName
  readonly field: keyof TriggerThreshold
  readonly at: (past: number) => InteractiveState
}[] = [
  {
    trigger: 'unresponsive',
    field: 'unresponsiveAfterMs',
    at: (past) => ({ ...calm, sessionUnresponsive: true, unresponsiveSince: ago(past) }),
  },
  {
    trigger: 'timeouts',
    field: 'timeoutCount',
    at: (past) => ({ ...calm, timeoutCount: past - 1 }),
  },
  {
    trigger: 'stuck-prompt',
    field: 'promptStuckAfterMs',
    at: (past) => ({ ...calm, isInteractive: true, lastPromptDetected: ago(past) }),
  },
  {
    trigger: 'pending-commands',
    field: 'pendingAfterMs',
    at: (past) => ({ ...calm, pendingCommands: ['make'], pendingSince: ago(past) }),
  },
]

test.each(alone)(
  '$trigger fires just past its threshold, $field, and not at it',
  ({ trigger, field, at }) => {
    const never = {
      unresponsiveAfterMs: 1e15,
      timeoutCount: 1e9,
      promptStuckAfterMs: 1e15,
      pendingAfterMs: 1e15,
    }
    holds(
      fc.property(fc.integer({ min: 1, max: 100_000 }), (threshold) => {
        const limit = { ...never, [field]: threshold }
        expect(firedTrigger(at(threshold), nowMs, limit)).toBeUndefined()
        expect(firedTrigger(at(threshold + 1), nowMs, limit)).toBe(trigger)
      }),
    )
  },
)

test('an age that nobody knows never fires, whatever the thresholds', () => {
  holds(
    fc.property(anyState, anyThreshold, (state, limit) => {
      const { isInteractive, pendingCommands, sessionUnresponsive } = state
      const timeless = { ...calm, isInteractive, pendingCommands, sessionUnresponsive }
      expect(firedTrigger(timeless, nowMs, { ...limit, timeoutCount: 1 })).toBeUndefined()
    }),
  )
})

test('an age in the future does not fire', () => {
  const later = new Date(nowMs + 1)
  const state = {
    ...calm,
    sessionUnresponsive: true,
    isInteractive: true,
    pendingCommands: ['x'],
    unresponsiveSince: later,
    lastPromptDetected: later,
    pendingSince: later,
  }
  const limit = {
    unresponsiveAfterMs: 0,
    timeoutCount: 1,
    promptStuckAfterMs: 0,
    pendingAfterMs: 0,
  }
  expect(firedTrigger(state, nowMs, limit)).toBeUndefined()
})

test('the advice has the seed’s words and urgencies', () => {
  const urgency = {
    unresponsive: 'high',
    timeouts: 'high',
    'stuck-prompt': 'medium',
    'pending-commands': 'medium',
  }
  holds(
    fc.property(anyState, anyThreshold, (state, limit) => {
      const fired = firedTrigger(state, nowMs, limit)
      expect(triggerAdvice(state, nowMs, limit)).toEqual(
        fired === undefined
          ? { shouldTrigger: false, urgency: 'low' }
          : { shouldTrigger: true, reason: triggerReason[fired], urgency: urgency[fired] },
      )
    }),
  )
  expect(triggerAdvice(undefined, nowMs, defaultPolicy.triggers)).toEqual({
    shouldTrigger: false,
    urgency: 'low',
  })
})

describe('a trigger becomes a failure', () => {
  const stuck: InteractiveState = { ...calm, timeoutCount: 9 }
  const unattended: Traits = {
    kind: 'local',
    attended: false,
    shell: true,
    rerunnable: false,
    failureExitCodes: [],
    idempotentCommands: [],
  }
  const agreeing: readonly ForegroundKind[] = [
    'waiting-for-line',
    'waiting-for-password',
    'stopped',
  ]
  const silent: readonly ForegroundKind[] = [
    'at-prompt',
    'running',
    'full-screen',
    'pager',
    'dead',
    'unknown',
  ]

  test('every kind of foreground either agrees or does not', () => {
    const kinds = Foreground.required.kind.members
    expect([...agreeing, ...silent].sort()).toEqual([...kinds].sort())
  })

  test.each(agreeing)('%s agrees, and its reasons are the evidence of the kernel', (kind) => {
    const foreground = { kind, reasons: ['seen', 'twice'] }
    expect(agrees(foreground)).toBe(true)
    expect(
      stuckFailure(stuck, foreground, unattended, nowMs, defaultPolicy.triggers),
    ).toMatchObject({
      kind: 'interactive-trigger',
      trigger: 'timeouts',
      reason: triggerReason.timeouts,
      evidence: [
        { source: 'kernel', detail: 'seen', grade: 'observed', trusted: true, atMs: nowMs },
        { detail: 'twice' },
      ],
    })
  })

  test.each(silent)('%s never does', (kind) => {
    holds(
      fc.property(anyState, anyThreshold, arbitraryOf(Traits), (state, limit, traits) => {
        expect(stuckFailure(state, { kind, reasons: [] }, traits, nowMs, limit)).toBeUndefined()
      }),
    )
  })

  test('there is a failure only where a trigger fired and nobody sits at the session', () => {
    holds(
      fc.property(
        anyState,
        anyThreshold,
        arbitraryOf(Traits),
        arbitraryOf(Foreground),
        (state, limit, traits, foreground) => {
          const failure = stuckFailure(state, foreground, traits, nowMs, limit)
          const fired = firedTrigger(state, nowMs, limit)
          const acts = !traits.attended && agrees(foreground) && fired !== undefined
          expect(failure?.trigger).toBe(acts ? fired : undefined)
          expect(failure !== undefined).toBe(acts)
        },
      ),
      1_000,
    )
  })
})
