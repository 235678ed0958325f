/**
 * What the demonstration says at its end: the receipts, the timeline of one incident with the rule that
 * chose its plan, and the statistics.
 */
import { styleText } from 'node:util'
import {
  explainPlan,
  type Fact,
  type FactOf,
  factsOf,
  type JournalEntry,
  type Policy,
  type Receipt,
} from '@session-recovery/core'
import type { EngineStatistics } from '@session-recovery/engine'
import Table from 'cli-table3'

const items = ['process', 'cwd', 'env', 'history', 'screen'] as const

const colours = { restored: 'green', lost: 'red', unknown: 'yellow' } as const

/** Whether colours are wanted: `styleText` of Node 20 does not ask. */
const painted = (colour: Parameters<typeof styleText>[0], text: string): string =>
  process.stdout.isTTY ? styleText(colour, text) : text

export const heading = (text: string): string => `\n${painted('bold', text)}\n`

const tableOf = (head: readonly string[]): Table.Table =>
  new Table({ head: [...head], style: { head: [], border: [], compact: true } })

/** How the incident of one session ended. */
export type End = FactOf<'incident-recovered'> | FactOf<'incident-exhausted'>

/** A row a session: what is restored, lost, unknown. */
export const receiptTable = (ends: ReadonlyMap<string, End>): string => {
  const table = tableOf(['session', 'end', 'by', ...items])
  for (const [sessionId, end] of ends) {
    if (end._tag === 'incident-recovered') {
      const row = items.map((item) => {
        const { status } = end.receipt.items[item]
        return painted(colours[status], status)
      })
      table.push([sessionId, 'recovered', `${end.strategy}, attempt ${end.attempt}`, ...row])
    } else {
      const blank = items.map(() => '–')
      table.push([sessionId, 'exhausted', `archived, ${end.attempts} attempts`, ...blank])
    }
  }
  return `${table.toString()}\n`
}

/** The details of one receipt, item by item. */
export const receiptDetail = (sessionId: string, { items: all, evidence }: Receipt): string =>
  [
    `${sessionId}`,
    ...Object.entries(all).map(
      ([name, { status, detail }]) =>
        `  ${name.padEnd(14)} ${painted(colours[status], status.padEnd(8))} ${detail}`,
    ),
    ...evidence.map(
      ({ source, grade, detail }) => `  evidence       ${grade}, from the ${source}: ${detail}`,
    ),
    '',
  ].join('\n')

/** What there is instead of a receipt: nothing came back, and what is left is in the archive. */
export const exhaustedDetail = (sessionId: string, end: FactOf<'incident-exhausted'>): string =>
  [
    sessionId,
    `  process        ${painted('red', 'lost    ')} not brought back in ${end.attempts} attempts`,
    `  archive        ${end.archive ?? `none: ${end.archiveError ?? 'not tried'}`}`,
    '',
  ].join('\n')

const told = (fact: Fact): string => {
  switch (fact._tag) {
    case 'incident-opened':
      return `incident ${fact.incident} opened: ${fact.failure.kind}: ${fact.failure.reason}; rule ${fact.rule}: ${fact.plan.strategies.join(' → ')}`
    case 'attempt-started':
      return `attempt ${fact.attempt} began`
    case 'strategy-started':
      return `${fact.strategy} began`
    case 'strategy-done':
      return `${fact.strategy} says: ${fact.detail}; it is verified`
    case 'strategy-missed':
      return `${fact.miss.strategy} missed (${fact.miss.why}): ${fact.miss.detail}`
    case 'attempt-failed':
      return `attempt ${fact.attempt} failed after ${Math.round(fact.durationMs)} ms`
    case 'backoff-began':
      return `waits ${fact.delayMs} ms`
    case 'incident-recovered':
      return `recovered by ${fact.strategy}, ${Math.round(fact.incidentMs)} ms after the failure`
    case 'incident-exhausted':
      return `exhausted after ${fact.attempts} attempts; archive: ${fact.archive ?? fact.archiveError ?? 'none'}`
    default:
      return fact._tag
  }
}

/** The incident as it went, each fact with its time since the failure. */
export const timeline = (entries: readonly JournalEntry[]): string => {
  const first = entries.find(({ event }) => event.type === 'failed')
  const zeroMs = first?.event.atMs ?? 0
  const lines = entries
    .filter(({ seq }) => seq >= (first?.seq ?? 0))
    .flatMap((entry) =>
      factsOf(entry).map(
        (fact) => `  +${String(entry.event.atMs - zeroMs).padStart(5)} ms  ${told(fact)}`,
      ),
    )
  return `${lines.join('\n')}\n`
}

/** Which rule chose the plan of the incident, and why each of the others did not. */
export const explanation = (entries: readonly JournalEntry[], policy: Policy): string => {
  const opened = entries.flatMap(factsOf).find((fact) => fact._tag === 'incident-opened')
  if (opened === undefined) return '  no incident\n'
  return `${explainPlan(opened.failure, 'local', policy)
    .map(({ rule, verdict, because }) => {
      const shown = verdict === 'chosen' ? painted('green', verdict) : painted('dim', verdict)
      return `  ${rule.padEnd(18)} ${shown}: ${because}`
    })
    .join('\n')}\n`
}

/** The statistics, as the journal's projection has them. */
export const statistics = (stats: EngineStatistics): string => {
  const table = tableOf(['statistic', 'value'])
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .map(([name, times]) => `${name} ${times}`)
      .join(', ')
  table.push(
    ['attempts', `${stats.totalRecoveryAttempts}`],
    ['incidents recovered', `${stats.successfulRecoveries}`],
    ['failed attempts', `${stats.failedRecoveries}`],
    ['incidents exhausted', `${stats.exhausted}`],
    ['attempts that recovered', `${stats.successRate.toFixed(1)} %`],
    ['average of those', `${stats.averageRecoveryTime.toFixed(0)} ms`],
    ['bytes restored', `${stats.bytesRestored}`],
    ['strategies run', counts(stats.strategiesUsed)],
    ['strategies proved', counts(stats.strategiesSucceeded)],
  )
  return `${table.toString()}\n`
}
