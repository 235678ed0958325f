#!/usr/bin/env node
/** The program: reads the command line and runs the bench. */
import { fileURLToPath } from 'node:url'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { seedFrom } from './baseline.js'
import { type BenchOptions, bench, chosenRows } from './bench.js'

const usage = 64
const kept = fileURLToPath(new URL('../results.json', import.meta.url))

const whole = (value: string): number => {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number >= 1) return number
  throw new InvalidArgumentError('It must be a whole number of at least 1.')
}

const several = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
]

const refused = (why: string): void => {
  process.stderr.write(`bench: ${why}\n`)
  process.exitCode = usage
}

interface Given extends BenchOptions {
  readonly only?: readonly string[]
}

const program = new Command('bench')
  .description(
    'Measures the engine beside what else there is and prints each figure as a ratio to its reference, ' +
      'with the spread. The exit status is 1 when a bound is missed.',
  )
  .option('--only <row>', 'only this row; may be given again', several)
  .option('--baseline <file>', 'a module that exports the class SessionRecovery, as a reference')
  .option('--rounds <count>', 'so many pairs of samples instead of what each row takes', whole)
  .option('--results <file>', 'where the results are kept', kept)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'bench: ')) })
  .action(async ({ only = [], ...options }: Given) => {
    const chosen = chosenRows(only)
    if (typeof chosen === 'string') return refused(chosen)
    try {
      // A slip in its name must show before an hour of rows is run.
      if (options.baseline !== undefined) await seedFrom(options.baseline)
    } catch (error) {
      return refused(error instanceof Error ? error.message : String(error))
    }
    process.exitCode = await bench(chosen, options)
  })

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Help that was asked for is no error.
  process.exitCode = error.exitCode === 0 ? 0 : usage
}
