/**
 * Why a session is believed broken: a kind from a closed union, the reason in words, the evidence.
 *
 * Apps report either a typed failure or a text. A text is classified once, here, by an ordered table
 * with the seed's precedence; from then on planning is a look-up by kind.
 */
import * as t from 'io-ts'
import { epochMs, oneOf, struct } from './codec.js'
import type { Traits } from './session.js'

// ------------------------------------------------------------------------------------------ model

export const failureKinds = [
  'unspecified',
  'other',
  'network',
  'timeout',
  'prompt-timeout',
  'resources',
  'authentication',
  'process-died',
  'transport-lost',
  'unresponsive',
  'interactive-trigger',
  'host-restarted',
] as const
export type FailureKind = (typeof failureKinds)[number]
export const FailureKind = oneOf<FailureKind>('failure kind', ...failureKinds)

/** `observed`: seen by the driver itself; `claimed`: the host says so; `none`: nobody knows. */
export type Grade = 'observed' | 'claimed' | 'none'
export const Grade = oneOf<Grade>('evidence grade', 'observed', 'claimed', 'none')

/** An observation: what was seen, by whom, how well, and whether it can be trusted. */
export const Evidence = struct('evidence', {
  source: oneOf('evidence source', 'mark', 'exit', 'kernel', 'probe', 'host', 'engine'),
  grade: Grade,
  trusted: t.boolean,
  detail: t.string,
  atMs: epochMs,
})
export type Evidence = t.TypeOf<typeof Evidence>

/** How a failure touches the dialogue: the seed adds an interactive context to such plans. */
export type Interactivity = 'none' | 'prompt' | 'timeout'
export const Interactivity = oneOf<Interactivity>('interactivity', 'none', 'prompt', 'timeout')

export type TriggerName = 'unresponsive' | 'timeouts' | 'stuck-prompt' | 'pending-commands'
export const TriggerName = oneOf<TriggerName>(
  'trigger',
  'unresponsive',
  'timeouts',
  'stuck-prompt',
  'pending-commands',
)

export const Failure = struct(
  'failure',
  {
    kind: FailureKind,
    reason: t.string,
    interactivity: Interactivity,
    /** Nothing that is tried again can help: straight to the last resort. */
    permanent: t.boolean,
    evidence: t.array(Evidence),
  },
  { trigger: TriggerName },
)
export type Failure = t.TypeOf<typeof Failure>

/**
 * One row of the classifier: it applies when the reason contains, of every group, at least one text,
 * whatever the case; or, with `equals`, when the reason is exactly that.
 */
export const ReasonRule = struct(
  'reason rule',
  { kind: FailureKind, contains: t.array(t.array(t.string)) },
  { equals: t.string, trigger: TriggerName },
)
export type ReasonRule = t.TypeOf<typeof ReasonRule>

/** How a process ended, as the operating system tells it. */
export interface Exit {
  readonly exitCode?: number
  readonly signal?: string
}

// ----------------------------------------------------------------------------------- constructors

/** The texts of the four interactive triggers, as the seed words them. */
export const triggerReason: Readonly<Record<TriggerName, string>> = {
  unresponsive: 'Session unresponsive for extended period',
  timeouts: 'Multiple consecutive timeouts detected',
  'stuck-prompt': 'Interactive prompt appears stuck',
  'pending-commands': 'Pending commands not processing',
}

/** The seed's precedence; before it the four texts its own triggers produce. */
export const defaultReasonRules: readonly ReasonRule[] = [
  ...(Object.keys(triggerReason) as TriggerName[]).map(
    (trigger): ReasonRule => ({
      kind: 'interactive-trigger',
      contains: [],
      equals: triggerReason[trigger],
      trigger,
    }),
  ),
  { kind: 'network', contains: [['network', 'connection']] },
  {
    kind: 'prompt-timeout',
    contains: [
      ['timeout', 'unresponsive'],
      ['prompt', 'interactive'],
    ],
  },
  { kind: 'timeout', contains: [['timeout', 'unresponsive']] },
  { kind: 'resources', contains: [['memory', 'resource']] },
  { kind: 'authentication', contains: [['permission', 'auth']] },
]

const typed = (kind: FailureKind, reason: string, evidence: readonly Evidence[]): Failure => ({
  kind,
  reason,
  interactivity: 'none',
  permanent: false,
  evidence: [...evidence],
})

export const transportLost = (reason: string, evidence: readonly Evidence[]): Failure =>
  typed('transport-lost', reason, evidence)

export const hostRestarted = (reason: string, evidence: readonly Evidence[]): Failure =>
  typed('host-restarted', reason, evidence)

/** A trigger that fired and that the driver's evidence agrees with. */
export const triggered = (trigger: TriggerName, evidence: readonly Evidence[]): Failure => ({
  ...typed('interactive-trigger', triggerReason[trigger], evidence),
  interactivity: 'timeout',
  trigger,
})

/**
 * What the end of a session's process means: a failure (death by a signal, or an exit code declared a
 * failure), or `undefined` for an ordinary end.
 *
 * @example
 * const traits = { kind: 'local', attended: false, shell: true, rerunnable: false, failureExitCodes: [137], idempotentCommands: [] }
 * failureOfExit({ exitCode: 0 }, traits, []) // => undefined
 * failureOfExit({ exitCode: 137 }, traits, []).kind // => 'process-died'
 * failureOfExit({ signal: 'SIGKILL' }, traits, []).reason // => 'process killed by SIGKILL'
 */
export const failureOfExit = (
  exit: Exit,
  traits: Traits,
  evidence: readonly Evidence[],
): Failure | undefined => {
  if (exit.signal !== undefined) {
    return typed('process-died', `process killed by ${exit.signal}`, evidence)
  }
  if (exit.exitCode !== undefined && traits.failureExitCodes.includes(exit.exitCode)) {
    return typed('process-died', `process exited with code ${exit.exitCode}`, evidence)
  }
  return undefined
}

// ------------------------------------------------------------------------------------ combinators

/** Classifies a reason text; `undefined`: there is none. */
export type Classifier = (reason: string | undefined) => Failure

/** What classifies by `rules`; what can be prepared of them is. */
export const classifier = (rules: readonly ReasonRule[]): Classifier => {
  const lowerRules = rules.map((rule) => ({
    rule,
    groups: rule.contains.map((group) => group.map((part) => part.toLowerCase())),
  }))
  return (reason) => {
    if (reason === undefined || reason === '') return typed('unspecified', '', [])
    const lowered = reason.toLowerCase()
    let found: ReasonRule | undefined
    for (const { rule, groups } of lowerRules) {
      const { equals } = rule
      const holds = equals === undefined ? containsOfEach(lowered, groups) : equals === reason
      if (!holds) continue
      found = rule
      break
    }
    const kind = found?.kind ?? 'other'
    const interactivity = interactivityOf(lowered, found)
    const failure: Failure = { kind, reason, interactivity, permanent: false, evidence: [] }
    return found?.trigger === undefined ? failure : { ...failure, trigger: found.trigger }
  }
}

/**
 * Classifies one reason text; whoever classifies often keeps a {@link classifier}. No text is `unspecified`;
 * a text no rule knows is `other`.
 *
 * @example
 * classify('Prompt TIMEOUT', defaultReasonRules).kind // => 'prompt-timeout'
 * classify('connection reset', defaultReasonRules).kind // => 'network'
 * classify('', defaultReasonRules).kind // => 'unspecified'
 */
export const classify = (reason: string | undefined, rules: readonly ReasonRule[]): Failure =>
  classifier(rules)(reason)

// Loops, here where every report of a failure passes: closures cost twice the time.
const containsOfEach = (text: string, groups: readonly (readonly string[])[]): boolean => {
  for (const group of groups) if (!containsOne(text, group)) return false
  return true
}

const containsOne = (text: string, parts: readonly string[]): boolean => {
  for (const part of parts) if (text.includes(part)) return true
  return false
}

const interactivityOf = (lowered: string, rule: ReasonRule | undefined): Interactivity => {
  if (lowered.includes('timeout') || rule?.kind === 'interactive-trigger') return 'timeout'
  return lowered.includes('prompt') || lowered.includes('interactive') ? 'prompt' : 'none'
}
