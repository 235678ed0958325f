/** The rows of what is hostile: ids, places, and configurations. */
import { join } from 'node:path'
import { configTrial } from './hostile-config.js'
import { idTrial } from './hostile-id.js'
import { placeTrial } from './hostile-place.js'
import { wordTrial } from './hostile-word.js'
import type { Row } from './row.js'

/** So many ids share a store. */
const perStore = 10_000

const idRow: Row = {
  name: 'hostile-id',
  promise:
    'nothing outside the store is touched, whatever a session is called, and each is a session',
  tries: { ci: 100_000, soak: 1_000_000 },
  as: 'ordinary',
  run: async ({ tries, seed, directory, progress }) => {
    const lost: string[] = []
    let tried = 0
    for (let i = 0; tried < tries; i++) {
      const count = Math.min(perStore, tries - tried)
      const from = tried
      const trial = await idTrial(count, seed + i, join(directory, String(i)), (n) =>
        progress(from + n),
      )
      tried += count
      lost.push(...trial.lost)
    }
    return { tried, survived: Math.max(tried - lost.length, 0), lost }
  },
}

const placeRow: Row = {
  name: 'hostile-place',
  promise: 'links, queues and second names in the store are never followed, nor waited for',
  tries: { ci: 500, soak: 20_000 },
  as: 'ordinary',
  run: async ({ tries, seed, directory, progress }) => {
    const lost: string[] = []
    for (let i = 0; i < tries; i++) {
      const problem = await placeTrial(seed + i, join(directory, String(i)))
      if (problem !== undefined) lost.push(problem)
      if (i % 50 === 0) progress(i)
    }
    return { tried: tries, survived: tries - lost.length, lost }
  },
}

const configRow: Row = {
  name: 'hostile-config',
  promise: 'a configuration is refused with the field named, or what it makes works',
  tries: { ci: 10_000, soak: 500_000 },
  as: 'ordinary',
  run: async ({ tries, seed, progress }) => {
    const lost: string[] = []
    let refused = 0
    for (let i = 0; i < tries; i++) {
      const trial = await configTrial(seed + i)
      if (trial.refused) refused += 1
      if (trial.broken !== undefined) lost.push(`seed ${seed + i}: ${trial.of}: ${trial.broken}`)
      if (i % 500 === 0) progress(i)
    }
    const notes = [`${refused} refused with their field, ${tries - refused} started and used`]
    return { tried: tries, survived: tries - lost.length, lost, notes }
  },
}

const wordRow: Row = {
  name: 'hostile-word',
  promise: 'what an app or a host says in the wrong form is refused, typed, and costs nothing',
  tries: { ci: 3_000, soak: 200_000 },
  as: 'ordinary',
  run: async ({ tries, seed, progress }) => {
    const lost: string[] = []
    for (let i = 0; i < tries; i++) {
      const problem = await wordTrial(seed + i)
      if (problem !== undefined) lost.push(problem)
      if (i % 100 === 0) progress(i)
    }
    return { tried: tries, survived: tries - lost.length, lost }
  },
}

export const hostileRows: readonly Row[] = [idRow, placeRow, configRow, wordRow]
