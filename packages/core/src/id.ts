/**
 * Ids that a recovery creates: each is a function of what it is for, so that a repeat is a repeat, on
 * every machine and after every crash.
 */
import { named } from './named-uuid.js'

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

/**
 * The JSON of plain data, the fields of each object by their names: two are the same exactly if their
 * digests are.
 *
 * @example
 * orderedJson({ b: [1, undefined], a: 'x' }) // => '{"a":"x","b":[1,null]}'
 */
export const orderedJson = (value: unknown): string => ordered(value) ?? 'undefined'

/** The JSON of `value`, the fields of each object by their names; `undefined` for what JSON leaves out. */
const ordered = (value: unknown): string | undefined => {
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null'
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const isConstant = Object.isFrozen(value)
  const before = isConstant ? constants.get(value) : undefined
  if (before !== undefined) return before
  const text = Array.isArray(value) ? orderedList(value) : orderedFields(value)
  if (isConstant && hasOnlyConstants(value)) constants.set(value, text)
  return text
}

const orderedList = (list: readonly unknown[]): string => {
  let text = ''
  for (const item of list) text += `${text === '' ? '' : ','}${ordered(item) ?? 'null'}`
  return `[${text}]`
}

const orderedFields = (fields: object): string => {
  let text = ''
  for (const name of Object.keys(fields).sort()) {
    const said = ordered((fields as Readonly<Record<string, unknown>>)[name])
    if (said !== undefined) text += `${text === '' ? '' : ','}${quoted(name)}:${said}`
  }
  return `{${text}}`
}

/** What can never change, and stands in many a record: the lists of plans, what is declared of sessions. */
const constants = new WeakMap<object, string>()

const hasOnlyConstants = (value: object): boolean =>
  Object.values(value).every(
    (inner) => typeof inner !== 'object' || inner === null || constants.has(inner),
  )

// Most texts stand in JSON as they are, and every decision has dozens of them.
const quoted = (text: string): string => (escaped.test(text) ? JSON.stringify(text) : `"${text}"`)
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what JSON escapes
const escaped = /["\\\u0000-\u001f\ud800-\udfff]/
