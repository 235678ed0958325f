/**
 * The planner's rules: which strategies answer which failure, as data that can be read, extended and
 * checked. The first rule that applies is the plan; the last must apply to everything.
 */
import * as t from 'io-ts'
import { nonNegative, oneOf, struct, text } from './codec.js'
import { FailureKind, failureKinds } from './failure.js'
import { SessionKind } from './session.js'
import { RecoveryStrategy } from './strategy.js'

// ------------------------------------------------------------------------------------------ model

export type Priority = 'high' | 'medium' | 'low'
export const Priority = oneOf<Priority>('priority', 'high', 'medium', 'low')

/** What a rule looks at. */
export interface Situation {
  readonly kind: FailureKind
  readonly session: SessionKind
  /** Whether the reason for the failure may influence the plan (`enableSmartRecovery`). */
  readonly smart: boolean
}

/** A rule applies when each condition it states holds; one it leaves out holds always. */
export const PlanRule = struct('plan rule', {
  name: text,
  when: struct(
    'rule condition',
    {},
    { kinds: t.array(FailureKind), session: SessionKind, smart: t.boolean },
  ),
  strategies: t.array(RecoveryStrategy),
  priority: Priority,
  estimatedTimeMs: nonNegative,
})
export type PlanRule = t.TypeOf<typeof PlanRule>

// ----------------------------------------------------------------------------------- constructors

const rule = (
  name: string,
  when: PlanRule['when'],
  priority: Priority,
  estimatedTimeMs: number,
  ...strategies: readonly RecoveryStrategy[]
): PlanRule => ({ name, when, priority, estimatedTimeMs, strategies: [...strategies, 'fallback'] })

/** The seed's plans for reason texts, and plans for what the seed could not tell apart. */
export const defaultPlanRules: readonly PlanRule[] = [
  rule(
    'plain-ssh',
    { smart: false, session: 'ssh' },
    'medium',
    30_000,
    'reconnect',
    'restart',
    'restore',
  ),
  rule('plain-local', { smart: false }, 'medium', 30_000, 'restart', 'restore'),
  rule(
    'network-ssh',
    { kinds: ['network', 'transport-lost'], session: 'ssh' },
    'high',
    45_000,
    'reconnect',
    'restart',
    'migrate',
  ),
  rule(
    'network-local',
    { kinds: ['network', 'transport-lost'] },
    'high',
    15_000,
    'restart',
    'restore',
  ),
  rule(
    'stuck-prompt',
    { kinds: ['prompt-timeout', 'interactive-trigger'] },
    'high',
    15_000,
    'prompt-interrupt',
    'prompt-reset',
    'session-refresh',
    'restart',
  ),
  rule(
    'no-answer',
    { kinds: ['timeout', 'unresponsive'] },
    'high',
    20_000,
    'restart',
    'restore',
    'replicate',
  ),
  rule('resources', { kinds: ['resources'] }, 'medium', 60_000, 'migrate', 'restart'),
  rule('authentication', { kinds: ['authentication'] }, 'low', 30_000, 'reconnect', 'restore'),
  rule(
    'death-ssh',
    { kinds: ['process-died', 'host-restarted'], session: 'ssh' },
    'high',
    45_000,
    'reconnect',
    'restore',
    'restart',
  ),
  rule(
    'death-local',
    { kinds: ['process-died', 'host-restarted'] },
    'high',
    15_000,
    'restore',
    'restart',
  ),
  rule(
    'unspecified-local',
    { kinds: ['unspecified'], session: 'local' },
    'medium',
    30_000,
    'restart',
    'restore',
  ),
  rule('general-ssh', { session: 'ssh' }, 'medium', 30_000, 'reconnect', 'restart', 'restore'),
  rule('general-local', {}, 'medium', 30_000, 'restart', 'restore', 'replicate'),
]

// ------------------------------------------------------------------------------------ combinators

/** Why a rule does not apply, in words; `undefined` when it does. */
export const mismatch = (candidate: PlanRule, situation: Situation): string | undefined => {
  const { kinds, session, smart } = candidate.when
  if (smart !== undefined && smart !== situation.smart) {
    return `smart recovery is ${situation.smart ? 'on' : 'off'}`
  }
  if (kinds !== undefined && !kinds.includes(situation.kind)) {
    return `the failure is ${situation.kind}, not ${kinds.join(' or ')}`
  }
  if (session !== undefined && session !== situation.session) {
    return `the session is ${situation.session}, not ${session}`
  }
  return undefined
}

/** Whether a rule applies. */
export const applies = (candidate: PlanRule, situation: Situation): boolean =>
  mismatch(candidate, situation) === undefined

/** Every situation there is: what a rule set must answer. */
export const situations: readonly Situation[] = failureKinds.flatMap((kind) =>
  (['local', 'ssh'] as const).flatMap((session) =>
    [true, false].map((smart) => ({ kind, session, smart })),
  ),
)

/**
 * What is wrong with a rule set, in words: a situation without a rule, a rule no situation reaches, a
 * name used twice, a plan whose last resort is missing, not last, or there twice. Empty when sound.
 *
 * @example
 * checkRules(defaultPlanRules) // => []
 * checkRules([...defaultPlanRules, { ...defaultPlanRules[0], name: 'late' }]) // => ['rule late is never reached']
 */
export const checkRules = (rules: readonly PlanRule[]): readonly string[] => {
  const reached = new Set<PlanRule>()
  const problems: string[] = []
  for (const situation of situations) {
    const first = rules.find((candidate) => applies(candidate, situation))
    if (first === undefined) {
      const { kind, session, smart } = situation
      problems.push(`no rule for ${kind}, ${session}, smart ${smart ? 'on' : 'off'}`)
    } else reached.add(first)
  }
  const names = new Set<string>()
  for (const candidate of rules) {
    if (!reached.has(candidate)) problems.push(`rule ${candidate.name} is never reached`)
    if (names.has(candidate.name)) problems.push(`two rules are named ${candidate.name}`)
    names.add(candidate.name)
    const { strategies } = candidate
    if (
      strategies.at(-1) !== 'fallback' ||
      strategies.indexOf('fallback') < strategies.length - 1
    ) {
      problems.push(`rule ${candidate.name} must end with fallback, and name it once`)
    }
  }
  return problems
}
