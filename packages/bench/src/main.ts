/**
 * Runs the benches and prints each figure as a ratio to its reference, with the spread and the bound.
 * `--only NAME` runs one; `ROUNDS` says how many rounds. A bound that is not met is exit status 1.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { benches, isMet, reportOf } from './bench.js'

const exitStatus = { notMet: 1, usage: 64 } as const
const defaultRounds = 40

const names = benches.map(({ name }) => name)

const wanted = (): readonly string[] => {
  const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } })
  const only = values.only ?? names
  const unknown = only.find((name) => !names.includes(name))
  if (unknown === undefined) return only
  throw new Error(`there is no bench ${JSON.stringify(unknown)}; there are ${names.join(', ')}`)
}

const roundsWanted = (): number => {
  const rounds = Number(process.env.ROUNDS ?? defaultRounds)
  if (Number.isInteger(rounds) && rounds >= 1) return rounds
  throw new Error(`ROUNDS must be a whole number of at least 1, not ${process.env.ROUNDS}`)
}

const progress = (name: string, rounds: number) => (round: number) => {
  if (process.stdout.isTTY) process.stdout.write(`\r${name}: round ${round} of ${rounds}\r`)
}

const run = async (only: readonly string[], rounds: number): Promise<void> => {
  for (const bench of benches.filter(({ name }) => only.includes(name))) {
    const figures = await bench.measure(resolve('data'), rounds, progress(bench.name, rounds))
    process.stdout.write(reportOf(bench, figures))
    if (!isMet(bench, figures)) process.exitCode = exitStatus.notMet
  }
}

const choice = (() => {
  try {
    return { only: wanted(), rounds: roundsWanted() }
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = exitStatus.usage
    return undefined
  }
})()

if (choice !== undefined) await run(choice.only, choice.rounds)
