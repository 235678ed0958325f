#!/usr/bin/env node
/** The program: reads the command line and runs one sub-command. */
import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { exitStatus } from './exit-status.js'
import { addPlanCommand } from './plan-command.js'
import { addArchiveCommand, addDoctorCommand, addQuarantineCommand } from './store/store-command.js'

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
const program = new Command('session-recovery')
  .description('Brings lost interactive sessions back, and proves it.')
  .version(version)
  .exitOverride()
  .configureOutput({
    outputError: (message, write) => write(message.replace(/^error: /, 'session-recovery: ')),
  })

// The driver of shells takes longer to load than a plan to make or a store to look over: only what may need it
// loads it.
const withoutDriver: ReadonlySet<string | undefined> = new Set([
  'plan',
  'doctor',
  'archive',
  'quarantine',
])
const addDemo = withoutDriver.has(process.argv[2])
  ? []
  : [(await import('./demo/demo-command.js')).addDemoCommand]
for (const add of [
  ...addDemo,
  addPlanCommand,
  addDoctorCommand,
  addArchiveCommand,
  addQuarantineCommand,
]) {
  add(program)
}

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Help that was asked for is no error.
  process.exitCode = error.exitCode === 0 ? 0 : exitStatus.usage
}
