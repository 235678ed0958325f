/**
 * JSON that is a function of what is said: digests are made of it, and it does not depend on the order in which
 * the fields of an object happen to stand.
 */

/**
 * The JSON of plain data, the fields of each object by their names: two are the same exactly if their
 * digests are.
 *
 * @example
 * orderedJson({ b: [1, undefined], a: 'x' }) // => '{"a":"x","b":[1,null]}'
 */
export const orderedJson = (value: unknown): string => ordered(value) ?? 'undefined'

/** The same, and `undefined` for what JSON leaves out. */
export const ordered = (value: unknown): string | undefined => {
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
