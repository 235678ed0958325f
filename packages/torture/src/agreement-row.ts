/** The torture row of law 12: one trace through the fold and the engine over each store agrees. */
import { agreement, anyTrace } from '@session-recovery/testkit'
import type { Row, Trial } from './row.js'

// Things that happen at any moment, and such that each incident has its time.
const gapsMs = [3_000, 700_000] as const

export const agreementRow: Row = {
  name: 'agreement',
  promise:
    'One trace ends the same in the fold, in memory and on disk, with a crash after any commit',
  tries: { ci: 200, soak: 20_000 },
  as: 'ordinary',
  run: async ({ tries, seed, progress }: Trial) => {
    const lost: string[] = []
    let executions = 0
    let crashes = 0
    let survived = 0
    for (let i = 0; i < tries; i++) {
      const one = 1 + ((seed + i) % 2 ** 30)
      const gapMs = gapsMs[i % 2] ?? gapsMs[0]
      const agreed = await agreement(anyTrace(one, gapMs))
      executions += agreed.executions
      crashes += agreed.commits
      if (agreed.differences.length === 0) survived += 1
      else lost.push(`seed ${one}, gap ${gapMs} ms: ${agreed.differences[0]}`)
      progress(i + 1)
    }
    const notes = [
      `${executions} executions compared, each trace crashed after each of ${crashes} commits`,
    ]
    return { tried: tries, survived, lost, notes }
  },
}
