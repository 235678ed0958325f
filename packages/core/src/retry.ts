/**
 * Which pending commands may be run again, and how long to wait between the tries of one.
 */
import type { Policy } from './policy.js'
import type { Traits } from './session.js'

/** Pending commands by what may be done with them. */
export interface Retriable {
  /** Declared idempotent: may be run again. */
  readonly run: readonly string[]
  /** Their outcome is not known: reported, and never run. */
  readonly offered: readonly string[]
}

/**
 * Sorts pending commands by whether they were declared idempotent, to the letter.
 */
export const retriableCommands = (
  pending: readonly string[],
  { idempotentCommands }: Pick<Traits, 'idempotentCommands'>,
  { commandRetry }: Pick<Policy, 'commandRetry'>,
): Retriable => {
  const declared = new Set([...idempotentCommands, ...commandRetry.idempotentCommands])
  return {
    run: pending.filter((line) => declared.has(line)),
    offered: pending.filter((line) => !declared.has(line)),
  }
}

/** The wait before the next try of a command after `tries` of them, in milliseconds. */
export const retryDelayMs = (
  tries: number,
  { commandRetry }: Pick<Policy, 'commandRetry'>,
): number => {
  const { baseDelayMs, backoffMultiplier, maxDelayMs } = commandRetry
  return Math.min(maxDelayMs, baseDelayMs * backoffMultiplier ** Math.max(0, tries - 1))
}
