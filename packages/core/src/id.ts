/**
 * Ids that a recovery creates: each is a function of what it is for, so that a repeat is a repeat, on
 * every machine and after every crash.
 */
import { named } from './named-uuid.js'
import { orderedJson } from './ordered-json.js'

/**
 * A uuid (version 5) that is a function of `parts`; parts cannot run into each other.
 *
 * @example
 * idOf('a', 1) === idOf('a', 1) // => true
 * idOf('a', 11) === idOf('a1', 1) // => false
 */
export const idOf = (...parts: readonly (string | number)[]): string => named(JSON.stringify(parts))

/** The id of the replica that the run with this token makes: a repeat of the run names the same one. */
export const replicaId = (sessionId: string, token: string): string =>
  `${sessionId}-replica-${idOf('replica', token)}`

/** A digest of plain data that does not depend on the order of its fields. */
export const digest = (value: unknown): string => named(orderedJson(value))
