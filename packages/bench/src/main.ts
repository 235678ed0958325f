/** Runs the benches and prints each figure as a ratio to its reference, with the spread. */
import { resolve } from 'node:path'
import { type RespawnStrategy, respawnFigures } from './respawn.js'
import { shown } from './spread.js'

const rounds = Number(process.env.ROUNDS ?? 40)

const respawn = async (strategy: RespawnStrategy): Promise<void> => {
  const figures = await respawnFigures(resolve('data'), strategy, rounds, (round) => {
    if (process.stdout.isTTY) process.stdout.write(`\r${strategy}: round ${round} of ${rounds}\r`)
  })
  process.stdout.write(
    [
      `SIGKILL to verified prompt by ${strategy}, ${rounds} rounds in turn; medians with quartiles:`,
      `  engine, durable and verified    ${shown(figures.recoveredMs, 1)} ms`,
      `  bare respawn, ${figures.flushes} fdatasyncs       ${shown(figures.bareMs, 1)} ms`,
      `  ratio                           ${shown(figures.ratio, 2)}`,
      '',
    ].join('\n'),
  )
}

for (const strategy of ['restart', 'restore'] as const) await respawn(strategy)
