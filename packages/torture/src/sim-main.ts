#!/usr/bin/env node
/**
 * The program: runs simulations from a seed on. The exit status is 1 when a law was broken, or when what
 * there is to reach was not reached by as many runs as must reach it.
 */
import { randomInt } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  notReached,
  traceIn as readTrace,
  replayOf,
  type StoreKind,
  simulate,
  storeKinds,
} from '@session-recovery/testkit'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import * as E from 'fp-ts/lib/Either.js'
import { createLogUpdate } from 'log-update'
import { type SimSum, shortest, simCampaign } from './sim-campaign.js'
import { commandOf, type SimGiven, simulationOf, storesOf } from './sim-plan.js'
import {
  coverageFromRuns,
  coverageLines,
  coverageTable,
  failureText,
  progressOf,
  traceIn,
} from './sim-show.js'

// ------------------------------------------------------------------------------------------ model

interface Given extends SimGiven {
  readonly seed?: number
  readonly runs: number
  readonly jobs?: number
  readonly store?: StoreKind
  readonly keep: string
  readonly replay?: string
}

const exitStatus = { well: 0, broken: 1, usage: 64 } as const
const seeds = 2 ** 31 - 1

const whole = (value: string): number => {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number >= 1 && number <= seeds) return number
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${seeds}.`)
}

/** Where traces are that the tests play again. */
const regressions = fileURLToPath(new URL('../regression', import.meta.url))

// ------------------------------------------------------------------------------------ combinators

const replayed = async (file: string): Promise<number> => {
  const trace = readTrace(JSON.parse(readFileSync(file, 'utf8')))
  if (E.isLeft(trace)) {
    process.stderr.write(`sim: ${file}: ${trace.left.message}\n`)
    return exitStatus.usage
  }
  const { breaches, digest } = await simulate(replayOf(trace.right))
  for (const breach of breaches) process.stdout.write(`BROKEN ${breach}\n`)
  process.stdout.write(`${trace.right.actions.length} events, digest ${digest}\n`)
  return breaches.length === 0 ? exitStatus.well : exitStatus.broken
}

/** Shows and keeps the first failure. */
const explain = async ({ failures }: SimSum, given: Given): Promise<void> => {
  const [first] = failures
  if (first === undefined) return
  const options = simulationOf(first.seed, given)
  const command = commandOf(options)
  for (const breach of first.breaches) process.stdout.write(`seed ${first.seed}: ${breach}\n`)
  const shrunk = await shortest(first.seed, given)
  if (shrunk === undefined) {
    process.stdout.write(`it does not fail again alone: ${command}\n`)
    return
  }
  mkdirSync(given.keep, { recursive: true })
  const file = relative(process.cwd(), join(given.keep, `${options.store}-${first.seed}.json`))
  writeFileSync(file, `${JSON.stringify(traceIn(shrunk), undefined, 2)}\n`)
  process.stdout.write(failureText(shrunk, command, file))
}

const simulated = async (given: Given): Promise<number> => {
  const { seed = randomInt(1, seeds - 2 ** 24), runs, jobs } = given
  const beganMs = performance.now()
  const update = process.stdout.isTTY ? createLogUpdate(process.stdout) : undefined
  let toldMs = beganMs
  const progress = (sum: SimSum) => {
    const line = progressOf(sum, runs)
    if (update !== undefined) update(line)
    else if (performance.now() - toldMs > 10_000) {
      toldMs = performance.now()
      process.stdout.write(`${line}\n`)
    }
  }
  const number = jobs === undefined ? {} : { jobs }
  const sum = await simCampaign({ seed, atLeastRuns: runs, given, progress, ...number })
  update?.clear()
  update?.done()
  const stores = storesOf(seed, runs, given)
  process.stdout.write(coverageTable(sum, stores))
  for (const line of coverageLines(sum, stores)) process.stdout.write(`${line}\n`)
  await explain(sum, given)
  const seconds = ((performance.now() - beganMs) / 1_000).toFixed(1)
  process.stdout.write(`${sum.runs} runs in ${seconds} s, seed ${seed}\n`)
  const isLacking = sum.runs >= coverageFromRuns && notReached(sum.coverage, stores).length > 0
  return sum.failures.length > 0 || isLacking ? exitStatus.broken : exitStatus.well
}

const program = new Command('sim')
  .description(
    'Simulates the engine over its stores, with every fault there is, on virtual time. What breaks a law ' +
      `is shrunk and kept. From ${coverageFromRuns} runs on all there is to reach must be reached.`,
  )
  .option('--seed <number>', 'what everything follows from', whole)
  .option('--runs <count>', 'how many runs', whole, 1_000)
  .option('--events <count>', 'how many things happen in each', whole)
  .option('--sessions <count>', 'how many sessions there are; else it depends on the seed', whole)
  .addOption(
    new Option('--store <kind>', 'what sessions are kept in; else all').choices([...storeKinds]),
  )
  .option('--jobs <count>', 'how many processes', whole)
  .option('--keep <folder>', 'where the shortest failing trace is kept', regressions)
  .option('--replay <file>', 'plays a trace that was kept, and nothing else')
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'sim: ')) })
  .action(async (given: Given) => {
    process.exitCode =
      given.replay === undefined ? await simulated(given) : await replayed(given.replay)
  })

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Help that was asked for is no error.
  process.exitCode = error.exitCode === 0 ? exitStatus.well : exitStatus.usage
}
