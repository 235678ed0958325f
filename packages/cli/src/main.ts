#!/usr/bin/env node
/** The program: reads the command line and runs one sub-command. */
const [command] = process.argv.slice(2)
process.stderr.write(`session-recovery: no such command: ${command ?? '(none)'}\n`)
process.exitCode = 64
