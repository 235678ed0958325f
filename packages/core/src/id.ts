/**
 * Ids that a recovery creates: each is a function of what it is for, so that a repeat is a repeat, on
 * every machine and after every crash.
 */
import { hash } from 'node:crypto'

// Every runtime has it, but not the language's own library.
declare const TextEncoder: new () => {
  readonly encode: (text: string) => Uint8Array
  readonly encodeInto: (text: string, into: Uint8Array) => { readonly written: number }
}
const utf8 = new TextEncoder()

/** The project's namespace; never change it: stored ids and tokens derive from it. */
const namespace = Uint8Array.of(
  ...[0x5b, 0x1d, 0x3c, 0x9e, 0x2f, 0x6a, 0x5c, 0x1e],
  ...[0x9d, 0x0b, 0x7a, 0x4e, 0x8f, 0x3c, 0x2b, 0x61],
)
const firstByte = namespace.length

/** A text of so many characters fits, whatever they are: of each there are three bytes at most. */
const mostInPlace = 4_096
const place = new Uint8Array(firstByte + 3 * mostInPlace)
place.set(namespace)

/** The namespace and `text`, in bytes; until the next time. */
const bytesOf = (text: string): Uint8Array => {
  if (text.length <= mostInPlace) {
    const { written } = utf8.encodeInto(text, place.subarray(firstByte))
    return place.subarray(0, firstByte + written)
  }
  const bytes = utf8.encode(text)
  const whole = new Uint8Array(firstByte + bytes.length)
  whole.set(namespace)
  whole.set(bytes, firstByte)
  return whole
}

/** The uuid (version 5) of `text`; each decision needs several, and to make one is most of its ids' cost. */
const named = (text: string): string => {
  const hex = hash('sha1', bytesOf(text), 'hex')
  const variant = '89ab'.charAt(Number.parseInt(hex.charAt(16), 16) & 3)
  const [a, b] = [hex.slice(0, 8), hex.slice(8, 12)]
  return `${a}-${b}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
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
  `${sessionId}-replica-${token}`

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
  for (const name of inOrder(Object.keys(fields))) {
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

/** More are put in order by the language's own way, which takes longer to begin. */
const few = 24

/** The names in their order; the list itself is changed. */
const inOrder = (names: string[]): readonly string[] => {
  if (names.length > few) return names.sort()
  for (let at = 1; at < names.length; at++) {
    const name = names[at] ?? ''
    let to = at
    for (; to > 0 && (names[to - 1] ?? '') > name; to--) names[to] = names[to - 1] ?? ''
    names[to] = name
  }
  return names
}

// Most texts stand in JSON as they are, and every decision has dozens of them.
const quoted = (text: string): string => (escaped.test(text) ? JSON.stringify(text) : `"${text}"`)
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what JSON escapes
const escaped = /["\\\u0000-\u001f\ud800-\udfff]/
