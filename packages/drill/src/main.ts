#!/usr/bin/env node
/** The program: reads the command line and runs the drill. */
import { Command, CommanderError } from 'commander'
import { type DrillOptions, drill } from './drill.js'

const usage = 64

const lingerMs = 10_000

const several = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
]

const program = new Command('drill')
  .description(
    'Breaks real sessions in every way there is, lets every strategy try to bring them back, and ' +
      'checks what came of it. The exit status is 1 when anything is not as expected.',
  )
  .option('--shell <name>', 'only this shell or program; may be given again', several)
  .option('--fault <name>', 'only this fault; may be given again', several)
  .option('--strategy <name>', 'only this strategy; may be given again', several)
  .option('--jobs <count>', 'how many rows are played at once')
  .option('--json', 'print what came of it for machines, and nothing else, on stdout')
  .option('--keep', 'keep what the sessions left on disk')
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'drill: ')) })
  .action(async (options: DrillOptions) => {
    process.exitCode = await drill(options)
  })

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Help that was asked for is no error.
  process.exitCode = error.exitCode === 0 ? 0 : usage
}

// Whatever a driver left running would keep this program for ever.
setTimeout(() => {
  process.stderr.write(`drill: still held by ${process.getActiveResourcesInfo().join(', ')}\n`)
  process.exit(1)
}, lingerMs).unref()
