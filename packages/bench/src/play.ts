/**
 * Runs a row in a process of its own: what it leaks is gone with it, and its code is compiled for nothing
 * but what it measures.
 */
import { fork } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Measured, Row } from './row.js'
import { type Outcome, ran } from './summary.js'

// ------------------------------------------------------------------------------------------ model

export interface Playing {
  /** Instead of the row's own number. */
  readonly rounds?: number
  /** Where rows get their folders. */
  readonly directory: string
  /** The module with the seed's class. */
  readonly baseline?: string
  readonly progress: (doing: string) => void
}

/** What a row's own process is told and tells. */
export interface Task {
  readonly name: string
  readonly rounds: number
  readonly directory: string
  readonly baseline?: string
}

export type Telling =
  | { readonly _tag: 'progress'; readonly doing: string }
  | { readonly _tag: 'measured'; readonly measured: Measured }
  | { readonly _tag: 'broken'; readonly why: string }

const entry = fileURLToPath(new URL('./row-process.js', import.meta.url))
// Heaps are measured after a collection, and some hold a hundred thousand sessions of the seed's.
const flags = ['--expose-gc', '--max-old-space-size=8192']

// ------------------------------------------------------------------------------------ combinators

/** Runs `row`; a process that ends without having measured anything has broken it. */
export const play = async (row: Row, playing: Playing): Promise<Outcome> => {
  const { name, what, rounds } = row
  const { baseline, progress } = playing
  if (row.needsSeed === true && baseline === undefined) {
    return { _tag: 'left-out', name, what, because: 'no --baseline was given' }
  }
  await mkdir(playing.directory, { recursive: true })
  const directory = await mkdtemp(join(playing.directory, `bench-${name}-`))
  const task: Task = {
    name,
    rounds: playing.rounds ?? rounds,
    directory,
    ...(baseline === undefined ? {} : { baseline }),
  }
  const beganMs = performance.now()
  try {
    const told = await toldOf(task, progress)
    const seconds = Math.round((performance.now() - beganMs) / 100) / 10
    if (typeof told === 'string') return { _tag: 'broken', name, what, why: told }
    return ran(row, seconds, told.figures, told.notes)
  } catch (error) {
    return { _tag: 'broken', name, what, why: String(error) }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const toldOf = (task: Task, progress: (doing: string) => void): Promise<Measured | string> =>
  new Promise((resolve) => {
    let answer: Measured | string | undefined
    const child = fork(entry, [JSON.stringify(task)], { execArgv: flags })
    child.on('message', (telling: Telling) => {
      if (telling._tag === 'progress') progress(telling.doing)
      else answer = telling._tag === 'measured' ? telling.measured : telling.why
    })
    child.on('error', (error) => resolve(error.message))
    child.on('exit', (code, signal) =>
      resolve(answer ?? `the row's process ended with ${signal ?? code}`),
    )
  })
