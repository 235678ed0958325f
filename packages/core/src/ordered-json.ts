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
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return Array.isArray(value) ? orderedList(value) : orderedFields(value)
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
    if (said !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${said}`
  }
  return `{${text}}`
}
