/**
 * A plan told to a person: what will be tried, which rule chose it and why the others did not, and how
 * long it can take.
 */
import type {
  Failure,
  Horizon,
  RecoveryPlan,
  RuleVerdict,
  SessionKind,
} from '@session-recovery/core'

/** All that is told about a plan. */
export interface PlanReport {
  readonly failure: Failure
  readonly session: SessionKind
  readonly rule: string
  readonly plan: RecoveryPlan
  readonly rules: readonly RuleVerdict[]
  readonly horizon: Horizon
}

/** Makes text stand out, where the output can. */
export type Emphasis = (text: string) => string

/** `ms` for people: `250 ms`, `5 s`, `2 min 5 s`, `3 h 20 min`, `2 d 1 h`. */
export const duration = (ms: number): string => {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ] as const
  let leftMs = Math.round(ms)
  const largest = units.findIndex(([, unitMs]) => leftMs >= unitMs)
  if (largest === -1) return '0 s'
  const said: string[] = []
  for (const [unit, unitMs] of units.slice(largest, largest + 2)) {
    const whole = Math.floor(leftMs / unitMs)
    if (whole > 0) said.push(`${whole} ${unit}`)
    leftMs -= whole * unitMs
  }
  return said.join(' ')
}

const table = (rows: readonly (readonly [string, string])[]): readonly string[] => {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)
}

const scheduleOf = ({ attempts, totalAttempts, worstCaseMs }: Horizon) => {
  const rows = attempts.map(({ attempt, delayMs, earliestMs, latestMs }, i) => {
    const latest = latestMs === undefined ? 'without bound' : `at the latest ${duration(latestMs)}`
    const when = `${duration(earliestMs)} after the failure, ${latest}`
    const said = i === 0 ? 'at once' : `after a wait of ${duration(delayMs)}: ${when}`
    return [`attempt ${attempt}`, said] as const
  })
  const more = totalAttempts - attempts.length
  const unlisted = more > 0 ? ([['...', `and ${more} more`]] as const) : []
  const end = worstCaseMs === undefined ? 'no bound is set' : `after ${duration(worstCaseMs)}`
  return [...rows, ...unlisted, ['given up', `at worst ${end}`] as const]
}

/** Text as JSON has it, so that it cannot steer the terminal. */
// JSON leaves DEL and the C1 controls as they are; some terminals obey them.
export const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\u009f]/g,
    (unit) => `\\u00${unit.charCodeAt(0).toString(16)}`,
  )

/** The report as lines. The reason is quoted, so that it cannot steer the terminal. */
export const planText = (report: PlanReport, strong: Emphasis): string => {
  const { failure, session, plan, rules, horizon } = report
  const reason = failure.reason === '' ? 'no reason given' : quoted(failure.reason)
  const title = `Plan for ${reason}: ${failure.kind}, ${session} session`
  const rows = table([
    ['strategies', plan.strategies.join(' -> ')],
    ['priority', plan.priority],
    ['estimate', duration(plan.estimatedTime)],
    ['resources', plan.requiredResources.join(', ')],
    ['last resort', plan.fallbackOptions.join('; ')],
  ])
  const verdicts = table(
    rules.map(({ rule, verdict, because }) => [
      `${verdict === 'chosen' ? '*' : ' '} ${rule}`,
      `${verdict}: ${because}`,
    ]),
  ).map((line, i) => (rules[i]?.verdict === 'chosen' ? strong(line) : line))
  return [
    strong(title),
    ...rows,
    '',
    strong('Rules'),
    ...verdicts,
    '',
    strong('Horizon'),
    ...table(scheduleOf(horizon)),
    '',
  ].join('\n')
}
