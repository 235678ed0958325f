/**
 * Where one row of the drill is played: a folder of its own with a home, a working directory, a link to
 * the program that can be taken away, a script that counts how often it was begun, and the store.
 */
import { readFileSync } from 'node:fs'
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { quoted } from '@session-recovery/shell'
import type { Subject } from './subject.js'

// ------------------------------------------------------------------------------------------ model

export interface Place {
  readonly id: string
  readonly directory: string
  readonly home: string
  readonly work: string
  readonly store: string
  /** What the session runs: a link, or what was put in its place. */
  readonly program: string
  readonly script: string
  /** A line for each time the script was begun. */
  readonly ledger: string
  /** What the session was asked to tell. */
  readonly told: string
}

// ----------------------------------------------------------------------------------- constructors

/** The place of a row under `top`, without making it. */
export const placeAt = (top: string, id: string, subject: Subject): Place => {
  const directory = join(top, id)
  const work = join(directory, "it's work")
  return {
    id,
    directory,
    home: join(directory, 'home'),
    work,
    store: join(directory, 'store'),
    program: join(directory, 'bin', subject.program),
    script: join(directory, 'script'),
    ledger: join(directory, 'ledger'),
    told: join(directory, 'told'),
  }
}

/**
 * Makes the place.
 *
 * @param programPath where the subject's program really stands.
 * @param hold what the script does after it has been counted; a second run of it ends at once.
 */
export const makePlace = async (
  place: Place,
  programPath: string,
  hold: string | undefined,
): Promise<void> => {
  for (const directory of [place.home, place.work, join(place.directory, 'bin')]) {
    await mkdir(directory, { recursive: true })
  }
  await symlink(programPath, place.program)
  // Without one zsh asks a new user how to set it up, and fish reads every page of the manual.
  await writeFile(join(place.home, '.zshrc'), '')
  await mkdir(join(place.home, '.local/share/fish/generated_completions'), { recursive: true })
  const again = quoted(join(place.directory, 'again'))
  const lines = [
    `echo begun >>${quoted(place.ledger)}`,
    `[ -e ${again} ] && exit 0`,
    `: >${again}`,
    hold ?? ':',
  ]
  await writeFile(place.script, `${lines.join('\n')}\n`)
}

/** How often the script was begun. */
export const timesBegun = (place: Place): number => {
  try {
    return readFileSync(place.ledger, 'utf8').split('\n').length - 1
  } catch {
    return 0
  }
}

const asideOf = (place: Place): string => `${place.program}.aside`

/** Takes the program away. */
export const takeProgram = (place: Place): Promise<void> => rename(place.program, asideOf(place))

/** Puts a program in its place that prints what looks like a signed prompt, and then does `after`. */
export const putLiar = async (place: Place, after: string): Promise<void> => {
  await takeProgram(place)
  const forged = "printf '\\033]6973;0123456789abcdef0123456789abcdef;A;0;\\007$ '"
  await writeFile(place.program, `#!/bin/sh\n${forged}\n${after}\n`, { mode: 0o755 })
}

/** Puts the program back. */
export const returnProgram = async (place: Place): Promise<void> => {
  await rm(place.program, { force: true })
  await rename(asideOf(place), place.program)
}

/** What was told, by lines; `undefined` while nothing was. */
export const toldLines = async (file: string): Promise<readonly string[] | undefined> => {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.endsWith('\n') ? text.slice(0, -1).split('\n') : undefined
}
