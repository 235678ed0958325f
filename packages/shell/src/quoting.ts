/**
 * The words bash writes so that it can read them again (`${name@Q}`, `declare -p`), read to the letter;
 * and text written as such a word.
 *
 * Bash writes a word plainly, in '…' with \' between, or, where a character cannot be printed, in $'…'
 * with C escapes and octal bytes. That is why any value can stand in a mark: no control character does.
 * Zsh writes the latter, too (`${(qqqq)name}`); a word in the notation of fish begins with a sign.
 */
import { percentSign, readPercentWord } from './percent.js'

// ------------------------------------------------------------------------------------------ model

/** A word that was read: its text, or that its bytes are no UTF-8, and where it ended. */
export interface Word {
  /** Absent: the bytes are not UTF-8, so that no text stands for them. */
  readonly text?: string
  readonly end: number
}

/** The assignments in a line of `name=word` parts. */
export interface Assignments {
  readonly values: ReadonlyMap<string, string>
  /** Names whose bytes are not UTF-8. */
  readonly unreadable: readonly string[]
}

// ------------------------------------------------------------------------------------------ bytes

// Characters and escaped bytes side by side: a character of several bytes is escaped byte by byte.
interface Gathered {
  text: string
  bytes: number[]
  readable: boolean
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const settle = (into: Gathered): void => {
  if (into.bytes.length === 0) return
  try {
    into.text += strict.decode(Uint8Array.from(into.bytes))
  } catch {
    into.readable = false
  }
  into.bytes = []
}

const add = (into: Gathered, text: string): void => {
  settle(into)
  into.text += text
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '?': '?',
  // Of zsh.
  '!': '!',
}

// ---------------------------------------------------------------------------------------- reading

/**
 * Reads the word that begins at `start` and goes to the next space, the next `until` or the end.
 *
 * @returns `undefined` when a quote is not closed or a character stands bare that bash would quote.
 */
export const readWord = (source: string, start: number, until = ' '): Word | undefined => {
  if (source[start] === percentSign) return readPercentWord(source, start + 1)
  const into: Gathered = { text: '', bytes: [], readable: true }
  let at = start
  while (at < source.length && source[at] !== ' ' && source[at] !== until) {
    const next = readPart(source, at, into)
    if (next === undefined) return undefined
    at = next
  }
  settle(into)
  return into.readable ? { text: into.text, end: at } : { end: at }
}

const bare = /[A-Za-z0-9_@%+=:,./-]/

const readPart = (source: string, at: number, into: Gathered): number | undefined => {
  const character = source[at] ?? ''
  if (character === "'") return readSingle(source, at + 1, into)
  if (character === '"') return readDouble(source, at + 1, into)
  if (character === '$' && source[at + 1] === "'") return readEscaped(source, at + 2, into)
  if (character === '\\') {
    add(into, source[at + 1] ?? '')
    return at + 1 < source.length ? at + 2 : undefined
  }
  if (!bare.test(character)) return undefined
  add(into, character)
  return at + 1
}

const readSingle = (source: string, start: number, into: Gathered): number | undefined => {
  const end = source.indexOf("'", start)
  if (end < 0) return undefined
  add(into, source.slice(start, end))
  return end + 1
}

const readDouble = (source: string, start: number, into: Gathered): number | undefined => {
  for (let at = start; at < source.length; at++) {
    const character = source[at] ?? ''
    const next = source[at + 1] ?? ''
    if (character === '"') return at + 1
    if (character === '\\' && /[\\"$`]/.test(next)) {
      add(into, next)
      at++
    } else add(into, character)
  }
  return undefined
}

const octal = /[0-7]{1,3}/y
const hexadecimal = /x([0-9a-fA-F]{1,2})/y
const plain = /[^'\\]+/y

const readEscaped = (source: string, start: number, into: Gathered): number | undefined => {
  let at = start
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    return pattern.exec(source)
  }
  while (at < source.length) {
    const run = match(plain)
    if (run !== null) {
      add(into, run[0])
      at += run[0].length
      continue
    }
    if (source[at] === "'") return at + 1
    at++
    const digits = match(octal)
    const hex = digits === null ? match(hexadecimal) : null
    if (digits !== null) into.bytes.push(Number.parseInt(digits[0], 8) & 0xff)
    else if (hex !== null) into.bytes.push(Number.parseInt(hex[1] ?? '', 16))
    else {
      const known = escapes[source[at] ?? '']
      if (known === undefined) return undefined
      add(into, known)
    }
    at += digits?.[0].length ?? hex?.[0].length ?? 1
  }
  return undefined
}

const assigned = /([A-Za-z_][A-Za-z0-9_]*)=/y

/** Reads `name=word name=word …`; `undefined` when anything else stands there. */
export const readAssignments = (source: string): Assignments | undefined => {
  const values = new Map<string, string>()
  const unreadable: string[] = []
  let at = 0
  while (at < source.length) {
    if (source[at] === ' ') {
      at++
      continue
    }
    assigned.lastIndex = at
    const name = assigned.exec(source)
    if (name === null) return undefined
    const word = readWord(source, at + name[0].length)
    if (word === undefined) return undefined
    if (word.text === undefined) unreadable.push(name[1] ?? '')
    else values.set(name[1] ?? '', word.text)
    at = word.end
  }
  return { values, unreadable }
}

// ---------------------------------------------------------------------------------------- writing

/** `text` as one word that bash reads to the letter; nothing in it is expanded. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
