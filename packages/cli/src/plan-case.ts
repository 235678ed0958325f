/**
 * A planning case as data, and its answer: what `session-recovery plan --jsonl` reads and prints, a line
 * each. Times are milliseconds since the epoch on both sides.
 */
import {
  choosePlan,
  classify,
  count,
  type DecodeError,
  decode,
  defaultPolicy,
  epochMs,
  type InteractiveState,
  type RecoveryPlan,
  struct,
  type TriggerAdvice,
  triggerAdvice,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

// ------------------------------------------------------------------------------------------ model

/** An interactive state whose times are milliseconds since the epoch. */
const CaseState = struct(
  'interactive',
  {
    isInteractive: t.boolean,
    pendingCommands: t.array(t.string),
    sessionUnresponsive: t.boolean,
    timeoutCount: count,
  },
  {
    promptType: t.string,
    lastPromptDetected: epochMs,
    lastSuccessfulCommand: epochMs,
    unresponsiveSince: epochMs,
    pendingSince: epochMs,
  },
)

/** A failure to plan for: when it came, why, and what is known of the session. */
export const PlanCase = struct(
  'case',
  { now: epochMs, ssh: t.boolean, smart: t.boolean },
  { reason: t.string, interactive: CaseState },
)
export type PlanCase = t.TypeOf<typeof PlanCase>

export interface PlanAnswer {
  readonly plan: RecoveryPlan
  readonly trigger: TriggerAdvice
}

// ------------------------------------------------------------------------------------ combinators

const stateOf = (state: t.TypeOf<typeof CaseState>): InteractiveState => {
  const { lastPromptDetected, lastSuccessfulCommand, unresponsiveSince, pendingSince, ...rest } =
    state
  const times = { lastPromptDetected, lastSuccessfulCommand, unresponsiveSince, pendingSince }
  const known = Object.entries(times).flatMap(([name, ms]) =>
    ms === undefined ? [] : [[name, new Date(ms)]],
  )
  return { ...rest, ...Object.fromEntries(known) }
}

/** The plan and the trigger's advice under the default policy. */
export const answerOf = ({ now, reason, ssh, smart, interactive }: PlanCase): PlanAnswer => {
  const policy = { ...defaultPolicy, enableSmartRecovery: smart }
  const state = interactive === undefined ? undefined : stateOf(interactive)
  const kind = ssh ? 'ssh' : 'local'
  const subject = { sessionId: 's', kind, interactive: state, nowMs: now } as const
  return {
    plan: choosePlan(classify(reason, policy.reasonRules), subject, policy).plan,
    trigger: triggerAdvice(state, now, policy.triggers),
  }
}

/** Reads the case on line `number`. The error names the line and the field. */
export const caseOnLine = (line: string, number: number): E.Either<DecodeError, PlanCase> => {
  const subject = `line ${number}`
  try {
    return decode(PlanCase, subject)(JSON.parse(line))
  } catch (error) {
    const actual = error instanceof Error ? error.message : String(error)
    const message = `${subject}: expected JSON: ${actual}`
    return E.left({ _tag: 'DecodeError', subject, path: '', expected: 'JSON', actual, message })
  }
}
