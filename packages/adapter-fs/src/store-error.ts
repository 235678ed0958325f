/**
 * The store's errors, made in one place, and the one edge at which what the system throws becomes one.
 */
import type {
  KeyMissing,
  NotFound,
  SealBroken,
  StoreError,
  StoreOwned,
  StoreUnavailable,
  StoreUnusable,
  TooLarge,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { nestingLimit } from './nesting.js'

// ----------------------------------------------------------------------------------- constructors

/** The code of an error of the system, e.g. `ENOSPC`. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

/** The medium refused `operation`. */
export const unavailable = (operation: string, error: unknown): StoreUnavailable => {
  const code = codeOf(error)
  return {
    _tag: 'StoreUnavailable',
    operation,
    ...(code === undefined ? {} : { code }),
    message: `${operation}: ${messageOf(error)}`,
  }
}

export const notOpen = (operation: string): StoreUnavailable => ({
  _tag: 'StoreUnavailable',
  operation,
  message: `${operation}: the store is not open`,
})

export const owned = (message: string): StoreOwned => ({ _tag: 'StoreOwned', message })

export const unusable = (message: string): StoreUnusable => ({ _tag: 'StoreUnusable', message })

export const tooLarge = (what: string, bytes: number, limitBytes: number): TooLarge => ({
  _tag: 'TooLarge',
  what,
  bytes,
  limitBytes,
  message: `${what}: ${bytes} bytes, at most ${limitBytes} are stored`,
})

/** What is stored was sealed with a key that was not given. */
export const keyMissing = (keyId: string, what: string): KeyMissing => ({
  _tag: 'KeyMissing',
  keyId,
  message: `${what}: sealed with the key ${JSON.stringify(keyId)}, which was not given`,
})

/** What is stored does not bear the seal that it must. */
export const sealBroken = (what: string, problem: string): SealBroken => ({
  _tag: 'SealBroken',
  what,
  message: `${what}: the seal is broken: ${problem}`,
})

/** What was to be stored nests deeper than the store reads back. */
export const tooDeep = (what: string): TooLarge => ({
  _tag: 'TooLarge',
  what,
  bytes: 0,
  limitBytes: 0,
  limitDepth: nestingLimit,
  message: `${what}: nested deeper than ${nestingLimit}`,
})

export const notFound = (what: string): NotFound => ({
  _tag: 'NotFound',
  what,
  message: `${what}: nothing is stored under that name`,
})

// ------------------------------------------------------------------------------------ combinators

/**
 * Runs `work` when it is asked for; what the system throws on the way becomes `StoreUnavailable`.
 * Anything else that is thrown is a broken invariant and goes on.
 */
export const attempt =
  <A>(
    operation: string,
    work: () => E.Either<StoreError, A> | Promise<E.Either<StoreError, A>>,
  ): TE.TaskEither<StoreError, A> =>
  async () => {
    try {
      return await work()
    } catch (error) {
      if (codeOf(error) === undefined) throw error
      return E.left(unavailable(operation, error))
    }
  }
