/**
 * Why a session is believed broken: a kind from a closed union, the reason in words, the evidence.
 *
 * Apps report either a typed failure or a text. A text is classified once, here, by an ordered table
 * with the seed's precedence; from then on planning is a look-up by kind.
 */
import * as t from 'io-ts'
import { epochMs, oneOf, struct } from './codec.js'
import type { Traits } from './session.js'
import { isFindable, wordFinder, wordLimit } from './word-finder.js'

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

/** What classifies by `rules`; what can be prepared of them is, once. */
export const classifier = (rules: readonly ReasonRule[]): Classifier => {
  const known = classifiers.get(rules)
  if (known !== undefined) return known
  const made = classifierOf(rules)
  classifiers.set(rules, made)
  return made
}

const classifiers = new WeakMap<readonly ReasonRule[], Classifier>()

const classifierOf = (rules: readonly ReasonRule[]): Classifier => {
  const lower = rules.flatMap(({ contains }) => contains.flat().map((part) => part.toLowerCase()))
  const words = [...new Set([...dialogueWords, ...lower.filter(isFindable)])].slice(0, wordLimit)
  const seenIn = wordFinder(words)
  const prepared = rules.map((rule) => ({
    rule,
    groups: rule.contains.map((group) => groupOf(group, words)),
  }))
  return (reason) => {
    if (reason === undefined || reason === '') return typed('unspecified', '', [])
    const seen = seenIn(reason)
    let found: ReasonRule | undefined
    for (const { rule, groups } of prepared) {
      const { equals } = rule
      const holds =
        equals === undefined
          ? holdsOfEach(groups, seen, reason)
          : // Almost none is as long, which is quicker to ask.
            equals.length === reason.length && equals === reason
      if (!holds) continue
      found = rule
      break
    }
    const kind = found?.kind ?? 'other'
    const interactivity = interactivityOf(seen, found)
    const failure: Failure = { kind, reason, interactivity, permanent: false, evidence: [] }
    return found?.trigger === undefined ? failure : { ...failure, trigger: found.trigger }
  }
}

/**
 * Classifies a reason text; whoever does so often keeps a {@link classifier}. No text is `unspecified`;
 * a text no rule knows is `other`.
 *
 * @example
 * classify('Prompt TIMEOUT', defaultReasonRules).kind // => 'prompt-timeout'
 * classify('connection reset', defaultReasonRules).kind // => 'network'
 * classify('', defaultReasonRules).kind // => 'unspecified'
 */
export const classify = (reason: string | undefined, rules: readonly ReasonRule[]): Failure =>
  classifier(rules)(reason)

/** The texts of a rule of which one must stand in the reason: as bits, and those that have none. */
interface Group {
  readonly mask: number
  readonly others: readonly string[]
}

const groupOf = (parts: readonly string[], words: readonly string[]): Group => {
  let mask = 0
  const others: string[] = []
  for (const part of parts) {
    const bit = words.indexOf(part.toLowerCase())
    if (bit < 0) others.push(part.toLowerCase())
    else mask |= 1 << bit
  }
  return { mask, others }
}

const holdsOfEach = (groups: readonly Group[], seen: number, reason: string): boolean => {
  for (const { mask, others } of groups) {
    if ((mask & seen) !== 0) continue
    if (others.length === 0) return false
    const lowered = reason.toLowerCase()
    if (!others.some((part) => lowered.includes(part))) return false
  }
  return true
}

// Their bits are the lowest three.
const dialogueWords = ['timeout', 'prompt', 'interactive'] as const
const timeoutBit = 0b001
const promptBits = 0b110

const interactivityOf = (seen: number, rule: ReasonRule | undefined): Interactivity => {
  if ((seen & timeoutBit) !== 0 || rule?.kind === 'interactive-trigger') return 'timeout'
  return (seen & promptBits) === 0 ? 'none' : 'prompt'
}
