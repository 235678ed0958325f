/**
 * Plays a row in a process of its own: what it leaks is gone with it, a crash of it is its own, and a row
 * that is to be run without root's privileges is.
 */
import { fork, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownMounts } from './loop-mount.js'
import type { Row, Size, Tally } from './row.js'

// ------------------------------------------------------------------------------------------ model

export type Played =
  | { readonly _tag: 'tried'; readonly row: Row; readonly tally: Tally; readonly seconds: number }
  | { readonly _tag: 'skipped'; readonly row: Row; readonly because: string }

export interface Playing {
  readonly size: Size
  readonly tries: number
  readonly seed: number
  readonly progress: (tried: number) => void
}

/** What a row's own process is told and tells. */
export interface Task {
  readonly name: string
  readonly size: Size
  readonly tries: number
  readonly seed: number
  readonly directory: string
}

export type Telling =
  | { readonly _tag: 'progress'; readonly tried: number }
  | { readonly _tag: 'tally'; readonly tally: Tally }

const isRoot = process.getuid?.() === 0
const entry = fileURLToPath(new URL('./row-process.js', import.meta.url))

// Root without any capability: it owns its files like anybody, and is forbidden like anybody.
const powerless = ['setpriv', '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs']

// ------------------------------------------------------------------------------------ combinators

/** Why a row cannot be run here, if it cannot. */
export const hindranceOf = ({ as, missing }: Row): string | undefined => {
  if (as === 'root' && !isRoot) return 'only root may mount'
  if (as === 'ordinary' && isRoot && spawnSync('setpriv', ['--version']).error !== undefined)
    return 'setpriv is not installed'
  return missing?.()
}

/** Plays `row`; a process that ends without a tally is a loss. */
export const play = async (row: Row, playing: Playing): Promise<Played> => {
  const because = hindranceOf(row)
  if (because !== undefined) return { _tag: 'skipped', row, because }
  const directory = await mkdtemp(join(tmpdir(), `torture-${row.name}-`))
  const beganMs = performance.now()
  try {
    const tally = await tallyOf(row, { ...playing, name: row.name, directory }, playing.progress)
    return { _tag: 'tried', row, tally, seconds: (performance.now() - beganMs) / 1_000 }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const under = (as: Row['as']): readonly string[] => {
  if (!isRoot) return []
  return as === 'ordinary' ? powerless : ['unshare', ...ownMounts]
}

const tallyOf = (
  { as }: Row,
  { name, size, tries, seed, directory }: Task,
  progress: (tried: number) => void,
): Promise<Tally> =>
  new Promise((resolve) => {
    const [execPath = process.execPath, ...before] = [...under(as), process.execPath]
    const task: Task = { name, size, tries, seed, directory }
    let tried = 0
    let tally: Tally | undefined
    const child = fork(entry, [JSON.stringify(task)], {
      execPath,
      execArgv: before,
      serialization: 'json',
    })
    child.on('message', (telling: Telling) => {
      if (telling._tag === 'tally') tally = telling.tally
      else {
        tried = telling.tried
        progress(tried)
      }
    })
    const ended = (how: string) =>
      resolve(tally ?? { tried, survived: 0, lost: [`the row's process ended with ${how}`] })
    child.on('error', (error) => ended(error.message))
    child.on('exit', (code, signal) => ended(String(signal ?? code)))
  })
