/**
 * `session-recovery plan`: what would be done about a failure, and why, before it happens. Nothing is
 * touched; the answer depends on the arguments alone.
 */
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { styleText } from 'node:util'
import { choosePlan, classify, defaultPolicy, explainPlan, horizonOf } from '@session-recovery/core'
import { type Command, Option } from 'commander'
import * as E from 'fp-ts/lib/Either.js'
import { exitStatus } from './exit-status.js'
import { answerOf, caseOnLine } from './plan-case.js'
import { type PlanReport, planText } from './plan-text.js'

interface PlanOptions {
  readonly ssh?: true
  readonly smart: boolean
  readonly json?: true
  readonly jsonl?: true
}

/** Adds `plan` to the program. */
export const addPlanCommand = (program: Command): void => {
  program
    .command('plan')
    .summary('show what would be done about a failure, and why')
    .description(
      'Shows the plan for a failure, the rule that chose it, why the others did not, and the ' +
        'schedule of attempts. With --jsonl it answers planning cases, one JSON line each.',
    )
    .argument('[reason]', 'why the session failed; with --jsonl the file to read (default: stdin)')
    .option('--ssh', 'the session is a remote one')
    .option('--no-smart', 'the reason does not influence the plan')
    .option('--json', 'print the report as JSON')
    .addOption(
      new Option(
        '--jsonl',
        'answer cases: now, reason, ssh, smart, interactive (times in ms)',
      ).conflicts(['ssh', 'smart', 'json']),
    )
    .action(async (argument: string | undefined, options: PlanOptions) => {
      if (options.jsonl) await answerCases(argument)
      else printReport(reportOf(argument, options), options.json === true)
    })
}

// ----------------------------------------------------------------------------------- for a person

const reportOf = (reason: string | undefined, { ssh, smart }: PlanOptions): PlanReport => {
  const session = ssh ? 'ssh' : 'local'
  const policy = { ...defaultPolicy, enableSmartRecovery: smart }
  const failure = classify(reason, policy.reasonRules)
  const subject = { sessionId: 's', kind: session, interactive: undefined, nowMs: 0 } as const
  const { rule, plan } = choosePlan(failure, subject, policy)
  const beforeLastResort = plan.strategies.length - 1
  return {
    failure,
    session,
    rule,
    plan,
    rules: explainPlan(failure, session, policy),
    horizon: horizonOf(policy, beforeLastResort, { sessionId: 's', incident: 1 }),
  }
}

const printReport = (report: PlanReport, json: boolean): void => {
  const coloured = process.stdout.isTTY && (process.env.NO_COLOR ?? '') === ''
  const strong = coloured ? (text: string) => styleText('bold', text) : (text: string) => text
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : planText(report, strong))
}

// ----------------------------------------------------------------------------------- for a program

/**
 * Answers each line with one line, so that line n answers line n; empty lines are passed over. A line
 * that is no case is answered with its error, and told on stderr.
 */
const answerCases = async (file: string | undefined): Promise<void> => {
  const input = file === undefined ? process.stdin : createReadStream(file)
  input.setEncoding('utf8')
  try {
    await pipeline(Readable.from(answersTo(input)), process.stdout, { end: false })
  } catch (error) {
    // Whoever reads has read enough.
    if (codeOf(error) === 'EPIPE') return
    process.stderr.write(`session-recovery: ${file ?? 'stdin'} cannot be read: ${codeOf(error)}\n`)
    process.exitCode = exitStatus.noInput
  }
}

async function* answersTo(input: AsyncIterable<string>): AsyncGenerator<string> {
  let number = 0
  for await (const line of linesOf(input)) {
    number++
    if (line.trim() === '') continue
    const read = caseOnLine(line, number)
    if (E.isLeft(read)) {
      process.stderr.write(`session-recovery: ${read.left.message}\n`)
      process.exitCode = exitStatus.badInput
    }
    yield `${JSON.stringify(E.isLeft(read) ? { error: read.left } : answerOf(read.right))}\n`
  }
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error)
