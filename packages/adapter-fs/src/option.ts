/**
 * What a file store is opened with, and the bounds of each number.
 */
import type { Clock, Logger } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { type Sealer, sealerOf } from './seal.js'
import { type SealingOptions, sealingProblem } from './sealing.js'

// ------------------------------------------------------------------------------------------ model

export interface FileStoreOptions {
  /** Made if it is missing; everything the store keeps is in it. */
  readonly directory: string
  /**
   * The largest commit, snapshot or projection that is accepted, and the largest file of the seed's that
   * is imported: 1 KiB to 128 MiB, default 16 MiB.
   */
  readonly limitBytes?: number
  /** How many journal entries of each session a checkpoint retains: 0 to 100,000, default 100. */
  readonly journalEntriesPerSession?: number
  /** Of how many forgotten sessions a checkpoint retains the journal: 0 to 1,000,000, default 1,000. */
  readonly forgottenSessions?: number
  /** How many archives are kept, the newest: 1 to 1,000,000, default 1,000. */
  readonly archives?: number
  /** How many bytes of archives are kept, but for the newest: 0 to 2^50, default 1 GiB. */
  readonly archiveBytes?: number
  /** How old an archive may be, in milliseconds: a minute to for ever, which is the default. */
  readonly archiveAgeMs?: number
  /** How many files are kept in the quarantine, the newest: 1 to 1,000,000, default 1,000. */
  readonly quarantined?: number
  /** How many bytes are kept there, but for the newest file: 0 to 2^50, default 256 MiB. */
  readonly quarantinedBytes?: number
  /** How old a file there may be, in milliseconds: a minute to for ever, which is the default. */
  readonly quarantinedAgeMs?: number
  /**
   * How often everything is read again and checked while the store is open, in milliseconds: 0 (never), or a
   * minute to 2^31 - 1; default a day. It begins a minute after the opening, and takes about a second for
   * each mebibyte, or less where that would take more than half of the time between.
   */
  readonly scrubEveryMs?: number
  /**
   * From how many sessions on a checkpoint writes their heads into a file of their own besides, so that the
   * next opening reads no more than those; and of which a fifth is gone through before others have a turn: 1 to
   * 2^50, default 1,000.
   */
  readonly rollFrom?: number
  /** Names that hold secrets, besides those that look like it; for what is imported. */
  readonly secretNames?: readonly string[]
  /**
   * Seals the snapshots, in the log and in archives. Without it they are stored in clear, and what was
   * sealed does not open. Default: none.
   */
  readonly sealing?: SealingOptions
  /** Whether what is imported keeps its output and command history. Default: where the store is sealed. */
  readonly storeOutput?: boolean
  /** Told of what was set aside and of what could not be guarded. Default: nobody. */
  readonly logger?: Logger
  /** The wall clock, in milliseconds since the epoch; for imports and ages. Default: the system's. */
  readonly wallMs?: () => number
  /** Timers, for the scrub and between pieces of a checkpoint. Default: the system's; no scrub keeps a process alive. */
  readonly schedule?: Clock['schedule']
}

export interface Settings extends Required<Omit<FileStoreOptions, 'sealing'>> {
  readonly sealer: Sealer
}

/** The highest limit that a store can be opened with. */
export const mostLimitBytes: number = 128 << 20

const forEverMs = Number.MAX_SAFE_INTEGER

const scrubAtMostEveryMs = 60_000

const ranges = {
  limitBytes: { least: 1 << 10, most: mostLimitBytes, usual: 16 << 20 },
  journalEntriesPerSession: { least: 0, most: 100_000, usual: 100 },
  forgottenSessions: { least: 0, most: 1_000_000, usual: 1_000 },
  archives: { least: 1, most: 1_000_000, usual: 1_000 },
  archiveBytes: { least: 0, most: 2 ** 50, usual: 1 << 30 },
  archiveAgeMs: { least: 60_000, most: forEverMs, usual: forEverMs },
  quarantined: { least: 1, most: 1_000_000, usual: 1_000 },
  quarantinedBytes: { least: 0, most: 2 ** 50, usual: 256 << 20 },
  quarantinedAgeMs: { least: 60_000, most: forEverMs, usual: forEverMs },
  rollFrom: { least: 1, most: 2 ** 50, usual: 1_000 },
  scrubEveryMs: { least: 0, most: 2 ** 31 - 1, usual: 86_400_000 },
} as const

type Numeric = keyof typeof ranges

// ----------------------------------------------------------------------------------- constructors

/** The limit of a store that is opened with these options. */
export const limitBytesOf = ({ limitBytes }: Pick<FileStoreOptions, 'limitBytes'>): number =>
  limitBytes ?? ranges.limitBytes.usual

/** The options with their defaults, or which of them cannot be used and why. */
export const settingsOf = (options: FileStoreOptions): E.Either<string, Settings> => {
  if (typeof options !== 'object' || options === null) return E.left('expected an object')
  if (typeof options.directory !== 'string' || options.directory === '') {
    return E.left('directory: expected a path')
  }
  if (options.directory.includes('\0')) return E.left('directory: expected a path without NUL')
  const numbers = Object.fromEntries(
    Object.entries(ranges).map(([name, { usual }]) => [name, options[name as Numeric] ?? usual]),
  ) as Record<Numeric, number>
  for (const name of Object.keys(ranges) as Numeric[]) {
    const { least, most } = ranges[name]
    const given = numbers[name]
    if (!Number.isSafeInteger(given) || given < least || given > most) {
      const got = typeof given === 'number' ? String(given) : typeof given
      return E.left(`${name}: expected a whole number from ${least} to ${most}, got ${got}`)
    }
  }
  const { scrubEveryMs } = numbers
  if (scrubEveryMs > 0 && scrubEveryMs < scrubAtMostEveryMs) {
    return E.left(`scrubEveryMs: expected 0 or ${scrubAtMostEveryMs} and more, got ${scrubEveryMs}`)
  }
  const problem = typeProblem(options)
  if (problem !== undefined) return E.left(problem)
  return E.right({
    directory: options.directory,
    ...numbers,
    secretNames: options.secretNames ?? [],
    sealer: sealerOf(options.sealing),
    storeOutput: options.storeOutput ?? options.sealing !== undefined,
    logger: options.logger ?? (() => undefined),
    wallMs: options.wallMs ?? Date.now,
    schedule: options.schedule ?? systemSchedule,
  })
}

// ------------------------------------------------------------------------------------ combinators

const systemSchedule: Clock['schedule'] = (delayMs, task) => {
  const timer = setTimeout(task, delayMs)
  // Who waits for others to have their turn has work to do: the process is not over.
  if (delayMs > 0) timer.unref()
  return () => clearTimeout(timer)
}

const typeProblem = (options: FileStoreOptions): string | undefined => {
  const { secretNames, storeOutput, logger, wallMs, schedule, sealing } = options
  const areNames = Array.isArray(secretNames) && secretNames.every((n) => typeof n === 'string')
  if (secretNames !== undefined && !areNames) return 'secretNames: expected names'
  if (storeOutput !== undefined && typeof storeOutput !== 'boolean') {
    return 'storeOutput: expected a boolean'
  }
  for (const [name, given] of Object.entries({ logger, wallMs, schedule })) {
    if (given !== undefined && typeof given !== 'function') return `${name}: expected a function`
  }
  return sealing === undefined ? undefined : sealingProblem(sealing)
}
