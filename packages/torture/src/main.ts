#!/usr/bin/env node
/** The program: reads the command line and runs the torture. */
import { randomInt } from 'node:crypto'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { type Size, sizes } from './row.js'
import { chosenRows, torture } from './torture.js'

const usage = 64
const seeds = 2 ** 31 - 1

const whole = (value: string): number => {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number >= 1 && number <= seeds) return number
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${seeds}.`)
}

const several = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
]

interface Given {
  readonly size: Size
  readonly only?: readonly string[]
  readonly tries?: number
  readonly seed?: number
  readonly json?: boolean
}

const program = new Command('torture')
  .description(
    'Tries to break every promise, as often as is asked for, and shows what survived. The exit status is ' +
      '1 when anything was lost, or was tried too seldom.',
  )
  .addOption(new Option('--size <size>', 'how much is tried').choices(sizes).default('ci'))
  .option('--only <row>', 'only this row; may be given again', several)
  .option('--tries <count>', 'so many tries instead of what the size asks for', whole)
  .option('--seed <number>', 'what everything random follows from', whole)
  .option('--json', 'print what came of it for machines, and nothing else, on stdout')
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'torture: ')) })
  .action(async ({ size, only = [], tries, seed = randomInt(1, seeds), json = false }: Given) => {
    const chosen = chosenRows(only)
    if (typeof chosen === 'string') {
      process.stderr.write(`torture: ${chosen}\n`)
      process.exitCode = usage
      return
    }
    const number = tries === undefined ? {} : { tries }
    process.exitCode = await torture(chosen, { size, only, seed, json, ...number })
  })

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Help that was asked for is no error.
  process.exitCode = error.exitCode === 0 ? 0 : usage
}
