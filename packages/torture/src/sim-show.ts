/** What simulations came to, for people: what was checked, what was reached, and what was broken. */
import {
  coverageKinds,
  notReached,
  type Shrunk,
  type StoreKind,
  type Trace,
  traceOf,
} from '@session-recovery/testkit'
import Table from 'cli-table3'
import type { SimSum } from './sim-campaign.js'

/** From how many runs on everything there is must have been reached. */
export const coverageFromRuns = 3_000

const plural = (count: number, what: string): string => `${count.toLocaleString('en')} ${what}`

/** In one line, how far they are. */
export const progressOf = ({ runs, decisions, failures }: SimSum, wanted: number): string =>
  `${plural(runs, 'runs')} of ${wanted.toLocaleString('en')}, ${plural(decisions, 'decisions')}` +
  `${failures.length > 0 ? ', broken' : ''}`

/** How often each law was checked, and each thing that can be reached was. */
export const coverageTable = (
  { coverage, checks }: SimSum,
  stores: readonly StoreKind[],
): string => {
  const table = new Table({
    head: ['', 'reached', 'times'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'left', 'right'],
  })
  for (const [law, times] of [...checks].sort(([a], [b]) => a - b)) {
    table.push(['checked', `law ${law}`, times.toLocaleString('en')])
  }
  for (const kind of coverageKinds) {
    for (const [name, times] of Object.entries(coverage[kind]).sort()) {
      table.push([kind, name, times.toLocaleString('en')])
    }
  }
  for (const missing of notReached(coverage, stores)) table.push(['NEVER', missing, '0'])
  return `${table.toString()}\n`
}

/** The same in a few lines. */
export const coverageLines = (sum: SimSum, stores: readonly StoreKind[]): readonly string[] => {
  const checked = [...sum.checks.values()].reduce((all, times) => all + times, 0)
  const kinds = coverageKinds.map((kind) => `${Object.keys(sum.coverage[kind]).length} ${kind}`)
  const missing = notReached(sum.coverage, stores)
  return [
    `${plural(sum.decisions, 'decisions')}, ${plural(checked, 'checks')}; reached ${kinds.join(', ')}`,
    ...missing.map((one) => `never reached: ${one}`),
  ]
}

/** What was broken: the seed's run, its shortest form, and how to see it again. */
export const failureText = (
  { options, result, tries }: Shrunk,
  command: string,
  file: string,
): string => {
  const trace = traceIn({ options, result })
  return [
    ...result.breaches.slice(0, 5).map((breach) => `BROKEN ${breach}`),
    `with ${trace.store}, ${trace.sessions} sessions, faults: ${trace.faults.join(', ') || 'none'}`,
    ...trace.actions.map(
      ({ name, session, amount }) => `  ${name} (session ${session}, ${amount})`,
    ),
    `shrunk in ${tries} runs; kept as ${file}`,
    `the whole run again: ${command}`,
    `the shortest again: npm run sim -- --replay ${file}`,
    '',
  ].join('\n')
}

/** The shortest form as a trace. */
export const traceIn = ({ options, result }: Pick<Shrunk, 'options' | 'result'>): Trace =>
  traceOf(options, result.actions, result.breaches)
