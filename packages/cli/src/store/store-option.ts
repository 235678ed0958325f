/** What the commands that deal with a store have in common: which store, with which keys, and how they end. */
import { readFileSync } from 'node:fs'
import type { SealingOptions, SessionLives } from '@session-recovery/adapter-fs'
import type { StoreError } from '@session-recovery/core'
import { type Command, InvalidArgumentError, Option } from 'commander'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { exitStatus } from '../exit-status.js'

// ------------------------------------------------------------------------------------------ model

export interface StoreOptions {
  readonly directory: string
  readonly json?: true
  readonly key?: Readonly<Record<string, Uint8Array>>
}

type AnyError = StoreError | SessionLives

const statuses: Readonly<Record<AnyError['_tag'], number>> = {
  NotFound: exitStatus.noInput,
  StoreUnusable: exitStatus.badInput,
  KeyMissing: exitStatus.badInput,
  SealBroken: exitStatus.badInput,
  TooLarge: exitStatus.badInput,
  StoreUnavailable: exitStatus.ioError,
  StoreOwned: exitStatus.notNow,
  RevisionConflict: exitStatus.notNow,
  SessionLives: exitStatus.notNow,
}

// ----------------------------------------------------------------------------------- constructors

/** Adds `--directory` and `--json`. */
export const onStore = (command: Command): Command =>
  command
    .requiredOption('--directory <path>', 'the directory of the store')
    .option('--json', 'print the answer as JSON')

/** Adds `--key`. */
export const withKeys = (command: Command): Command =>
  command.addOption(
    new Option(
      '--key <id=file>',
      'a key that the store is sealed with: its id, and a file of 32 bytes; may be given again',
    ).argParser(addKey),
  )

const addKey = (
  given: string,
  before: Readonly<Record<string, Uint8Array>> = {},
): Readonly<Record<string, Uint8Array>> => {
  const [, id, file] = /^([^=]+)=(.+)$/s.exec(given) ?? []
  if (id === undefined || file === undefined) throw new InvalidArgumentError('expected id=file')
  try {
    return { ...before, [id]: readFileSync(file) }
  } catch (error) {
    throw new InvalidArgumentError(`the file cannot be read: ${codeOf(error)}`)
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown'

// ------------------------------------------------------------------------------------ combinators

/** The first key seals what is written; the others open what they sealed. */
export const sealingOf = ({ key }: StoreOptions): { readonly sealing?: SealingOptions } => {
  const [current] = Object.keys(key ?? {})
  return key === undefined || current === undefined ? {} : { sealing: { current, keys: key } }
}

/** Prints what `call` answers, as JSON or as `text` has it; an error goes to stderr, with its status. */
export const answer = async <A>(
  call: TE.TaskEither<AnyError, A>,
  { json }: StoreOptions,
  text: (answered: A) => string,
): Promise<A | undefined> => {
  const result = await call()
  if (E.isRight(result)) {
    process.stdout.write(json ? `${JSON.stringify(result.right)}\n` : text(result.right))
    return result.right
  }
  const { left } = result
  if (json) process.stdout.write(`${JSON.stringify({ error: left })}\n`)
  process.stderr.write(`session-recovery: ${left._tag}: ${left.message}\n`)
  process.exitCode = statuses[left._tag]
  return undefined
}
