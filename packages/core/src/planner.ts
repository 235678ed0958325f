/**
 * The planner: from a failure to the ordered strategies of an attempt, with the rule that chose them.
 *
 * With the default policy the plan for a reason text is the seed's, to the letter.
 */
import * as t from 'io-ts'
import { finite, nonNegative, struct } from './codec.js'
import type { Failure, FailureKind } from './failure.js'
import type { Policy } from './policy.js'
import { applies, mismatch, type PlanRule, Priority } from './rule.js'
import type { SessionKind } from './session.js'
import type { InteractiveState } from './snapshot.js'
import { RecoveryStrategy } from './strategy.js'

// ------------------------------------------------------------------------------------------ model

export const InteractiveContext = struct(
  'interactive context',
  { promptTimeout: t.boolean, commandInProgress: t.boolean },
  { lastKnownPrompt: t.string, unresponsiveTime: finite },
)
export type InteractiveContext = t.TypeOf<typeof InteractiveContext>

/** The seed's plan. `estimatedTime` and `unresponsiveTime` are milliseconds. */
export const RecoveryPlan = struct(
  'recovery plan',
  {
    sessionId: t.string,
    strategies: t.array(RecoveryStrategy),
    priority: Priority,
    estimatedTime: nonNegative,
    requiredResources: t.array(t.string),
    fallbackOptions: t.array(t.string),
  },
  { interactiveContext: InteractiveContext },
)
export type RecoveryPlan = t.TypeOf<typeof RecoveryPlan>

/** A plan and the name of the rule that chose it. */
export interface PlanChoice {
  readonly rule: string
  readonly plan: RecoveryPlan
}

/** What was said of one rule when a plan was chosen. */
export interface RuleVerdict {
  readonly rule: string
  readonly verdict: 'chosen' | 'did not apply' | 'came later'
  readonly because: string
}

/** What planning reads, besides the failure and the policy. */
export interface PlanSubject {
  readonly sessionId: string
  readonly kind: SessionKind
  readonly interactive: InteractiveState | undefined
  /** Milliseconds since the epoch. */
  readonly nowMs: number
}

type PlanPolicy = Pick<Policy, 'planRules' | 'enableSmartRecovery'>

/** Chooses the plan for a failure. */
export type Planner = (failure: Failure, subject: PlanSubject) => PlanChoice

// ----------------------------------------------------------------------------------- constructors

/**
 * The planner under a policy: which rule answers which situation is sought once, and looked up from then on.
 * Total for every policy that `policyFrom` accepts. The lists of a plan are frozen: one serves every plan.
 */
export const planner = (policy: PlanPolicy): Planner => {
  const smart = policy.enableSmartRecovery
  const prepared = { local: new Map<string, Prepared>(), ssh: new Map<string, Prepared>() }
  const sought = (kind: FailureKind, session: SessionKind): Prepared => {
    const rule = policy.planRules.find((one) => applies(one, { kind, session, smart }))
    if (rule === undefined) throw new Error(`no plan rule for ${kind}: unchecked rule set`)
    const found = preparedOf(rule, session)
    prepared[session].set(kind, found)
    return found
  }
  return (failure, subject) => {
    const { kind } = failure
    const chosen = prepared[subject.kind].get(kind) ?? sought(kind, subject.kind)
    return { rule: chosen.name, plan: planBy(chosen, failure, subject) }
  }
}

type Prepared = Omit<RecoveryPlan, 'sessionId' | 'interactiveContext'> & { readonly name: string }

const preparedOf = (rule: PlanRule, session: SessionKind): Prepared => ({
  name: rule.name,
  strategies: frozen(rule.strategies),
  priority: rule.priority,
  estimatedTime: rule.estimatedTimeMs,
  requiredResources: frozen(['cpu', session === 'ssh' ? 'network' : 'local-process', 'memory']),
  fallbackOptions: frozen([
    'Create new session with restored state',
    'Notify user of session failure',
    'Archive session for manual recovery',
  ]),
})

// The codec's type is that of a list that can be changed.
const frozen = <A>(list: readonly A[]): A[] => Object.freeze([...list]) as A[]

// ------------------------------------------------------------------------------------ combinators

/**
 * Chooses one plan; whoever plans often keeps a {@link planner}.
 *
 * @example
 * const failure = classify('connection reset', defaultReasonRules)
 * const subject = { sessionId: 's', kind: 'ssh', interactive: undefined, nowMs: 0 }
 * choosePlan(failure, subject, defaultPolicy).rule // => 'network-ssh'
 * choosePlan(failure, subject, defaultPolicy).plan.strategies // => ['reconnect', 'restart', 'migrate', 'fallback']
 */
export const choosePlan = (
  failure: Failure,
  subject: PlanSubject,
  policy: PlanPolicy,
): PlanChoice => planner(policy)(failure, subject)

const planBy = (prepared: Prepared, failure: Failure, subject: PlanSubject): RecoveryPlan => {
  const plan: RecoveryPlan = {
    sessionId: subject.sessionId,
    strategies: prepared.strategies,
    priority: prepared.priority,
    estimatedTime: prepared.estimatedTime,
    requiredResources: prepared.requiredResources,
    fallbackOptions: prepared.fallbackOptions,
  }
  if (failure.interactivity !== 'none') plan.interactiveContext = contextOf(failure, subject)
  return plan
}

const contextOf = (failure: Failure, { interactive, nowMs }: PlanSubject): InteractiveContext => {
  const since = interactive?.unresponsiveSince ?? interactive?.lastSuccessfulCommand
  return {
    promptTimeout: failure.interactivity === 'timeout',
    commandInProgress: (interactive?.pendingCommands.length ?? 0) > 0,
    ...(interactive?.promptType === undefined ? {} : { lastKnownPrompt: interactive.promptType }),
    ...(interactive?.sessionUnresponsive === true
      ? { unresponsiveTime: nowMs - (since?.getTime() ?? nowMs) }
      : {}),
  }
}

/** Says of every rule why it was chosen or was not, in the order they were asked. */
export const explainPlan = (
  failure: Failure,
  kind: SessionKind,
  policy: PlanPolicy,
): readonly RuleVerdict[] => {
  const situation = { kind: failure.kind, session: kind, smart: policy.enableSmartRecovery }
  const reasons = policy.planRules.map((rule) => mismatch(rule, situation))
  const chosen = reasons.indexOf(undefined)
  return policy.planRules.map((rule, i): RuleVerdict => {
    const because = reasons[i]
    if (i === chosen) {
      return {
        rule: rule.name,
        verdict: 'chosen',
        because: 'the first rule whose conditions all hold',
      }
    }
    return because === undefined
      ? {
          rule: rule.name,
          verdict: 'came later',
          because: 'it applies, but an earlier rule did, too',
        }
      : { rule: rule.name, verdict: 'did not apply', because }
  })
}
