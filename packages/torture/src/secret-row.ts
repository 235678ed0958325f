/** The row that puts random secrets in everything, and looks for them in everything that comes out. */
import { join } from 'node:path'
import type { Row } from './row.js'
import { secretTrial } from './secret-trial.js'

/** How many secrets live through one trial together. */
const perTrial = 100

export const secretRow: Row = {
  name: 'secret',
  promise: 'no secret is stored, told, shown or logged in clear, whoever says it',
  tries: { ci: 10_000, soak: 200_000 },
  as: 'ordinary',
  run: async ({ tries, seed, directory, progress }) => {
    const lost: string[] = []
    let tried = 0
    let bytes = 0
    for (let i = 0; tried < tries; i++) {
      const trial = await secretTrial(perTrial, seed + i, join(directory, String(i)))
      tried += trial.secrets
      bytes += trial.bytes
      for (const what of trial.found) lost.push(`seed ${seed + i}: ${what}`)
      for (const what of trial.silent) lost.push(`seed ${seed + i}: nothing to be seen in ${what}`)
      progress(tried)
    }
    const survived = tried - new Set(lost).size
    return { tried, survived, lost, notes: [`sought in ${Math.round(bytes / 1e6)} MB`] }
  },
}
