/**
 * What bash told of the state it holds, read: what it printed of itself, in its own words.
 */
import type { ShellState, ShellStateItem } from '@session-recovery/core'
import { isBashOwn } from './bash-state.js'
import { readWord } from './quoting.js'
import {
  type Entry,
  type Held as HeldByAny,
  nothingHeld,
  omit,
  readEntries,
  stateOf,
  type Told,
} from './told-word.js'

// ------------------------------------------------------------------------------------------ model

interface Held extends HeldByAny {
  /** The options that are on. */
  readonly on: Set<string>
}

/** Reads what a mark of the kind `shell-state` carries; `undefined` when it is not of bash. */
export const readBashState = (payload: string): ShellState | undefined => {
  const held: Held = { ...nothingHeld(), on: new Set() }
  if (!readEntries(payload, held, entries)) return undefined
  for (const name of held.options.keys()) held.options.set(name, held.on.has(name))
  return stateOf('bash', held)
}

const entries: Readonly<Record<string, Entry<Held>>> = {
  s: {
    words: 1,
    read: (held, [names = '']) => {
      for (const name of names.split(':')) held.on.add(name)
    },
  },
  t: {
    words: 1,
    read: (held, [text]) => {
      if (text !== undefined) readDump(held, text)
      // One byte that is no text: where, only bash could say.
      else for (const item of ['shellVariables', 'functions'] as const) omit(held, item, '(all)')
    },
  },
  o: {
    words: 2,
    read: (held, [item, name = '']) => omit(held, item as ShellStateItem, name),
  },
}

/** Reads what was dumped: parts behind lines that begin with the nonce. */
const readDump = (held: Held, text: string): void => {
  const nonce = /^(\S+) options$/m.exec(text)?.[1]
  if (nonce === undefined) return
  let names: readonly string[] = []
  // What a trap of the user's printed before the first part is not ours.
  for (const part of `\n${text}\n`.split(`\n${nonce} `).slice(1)) {
    const end = part.indexOf('\n')
    const title = part.slice(0, end < 0 ? part.length : end)
    const body = end < 0 ? '' : part.slice(end + 1)
    if (title === 'traps') readTraps(held, body)
    else if (title === 'umask') held.umask = body.trim()
    else if (title === 'options') readOptions(held, body)
    else if (title === 'variables') readVariables(held, body)
    else if (title === 'names') names = readNames(body)
    else if (title === 'functions') readFunctions(held, names, body)
    else if (title.startsWith('omitted ')) omit(held, 'shellVariables', title.slice(8))
  }
}

const readOptions = ({ options }: Held, body: string): void => {
  for (const [, name = ''] of body.matchAll(/^(?:set [-+]o|shopt -[su]) (\S+)$/gm)) {
    options.set(name, false)
  }
}

const trapStart = 'trap -- '

// A command may be of several lines: each trap is read to the end of its word.
const readTraps = (held: Held, body: string): void => {
  for (let at = body.indexOf(trapStart); at >= 0; at = body.indexOf(trapStart, at)) {
    const word = readWord(body, at + trapStart.length)
    if (word === undefined) return
    const line = body.indexOf('\n', word.end)
    const end = line < 0 ? body.length : line
    const event = body.slice(word.end + 1, end)
    if (word.text === undefined) omit(held, 'traps', event)
    else held.traps.set(event, word.text)
    at = end
  }
}

// -------------------------------------------------------------------------------------- variables

const declared = /declare -([-a-zA-Z]+) ([A-Za-z_][A-Za-z0-9_]*)(=\(|=|(?=\n|$))/y

/** Reads `declare -p`; where it cannot be read, what stands behind is named as left out. */
const readVariables = (held: Held, body: string): void => {
  for (let at = 0; at < body.length; ) {
    if (body[at] === '\n') {
      at++
      continue
    }
    declared.lastIndex = at
    const found = declared.exec(body)
    if (found === null) {
      omit(held, 'shellVariables', '(some)')
      return
    }
    const [, letters = '', name = '', sign = ''] = found
    const read = readValue(body, declared.lastIndex, sign)
    if (read === undefined) {
      omit(held, 'shellVariables', name)
      return
    }
    hold(held, name, letters.replaceAll('-', ''), read)
    at = read.end
  }
}

interface Value {
  readonly value?: string
  readonly values?: ReadonlyMap<string, string>
  readonly end: number
  /** Bytes of it are no text. */
  readonly isUnreadable?: boolean
}

const readValue = (body: string, at: number, sign: string): Value | undefined => {
  if (sign === '') return { end: at }
  if (sign === '=(') return readArray(body, at)
  const word = readWord(body, at, '\n')
  if (word === undefined) return undefined
  return word.text === undefined
    ? { end: word.end, isUnreadable: true }
    : { value: word.text, end: word.end }
}

const prompts: ReadonlySet<string> = new Set(['PS0', 'PS1', 'PS2'])

const hold = (
  held: Held,
  name: string,
  letters: string,
  { value, values, isUnreadable }: Value,
): void => {
  if (name === 'BASH_ALIASES')
    for (const [alias, text] of values ?? []) held.aliases.set(alias, text)
  if (name === 'DIRSTACK')
    held.directoryStack.push(...[...(values ?? [])].slice(1).map(([, path]) => path))
  if (isBashOwn(name) || (prompts.has(name) && value === '')) return
  // The value of an exported one is told with the environment.
  const isExported = letters.includes('x') && !/[aA]/.test(letters)
  if (isExported && letters === 'x') return
  if (isUnreadable === true && !isExported) omit(held, 'shellVariables', name)
  else {
    held.variables.set(name, {
      attributes: letters,
      ...(value === undefined || isExported ? {} : { value }),
      ...(values === undefined ? {} : { values: Object.fromEntries(values) }),
    })
  }
}

/** Reads `[0]="…" …)` behind the parenthesis; `undefined` where it is no such list. */
const readArray = (text: string, start: number): Value | undefined => {
  const values = new Map<string, string>()
  let isUnreadable = false
  let at = start
  while (text[at] !== ')') {
    if (text[at] === ' ') at++
    else {
      const element = readElement(text, at)
      if (element === undefined) return undefined
      const { key, value, end } = element
      if (key === undefined || value === undefined) isUnreadable = true
      else values.set(key, value)
      at = end
    }
  }
  return { values, end: at + 1, isUnreadable }
}

interface Element {
  readonly key: Told
  readonly value: Told
  readonly end: number
}

const bareKey = /\[([^"'$\\\]]*)\]=/y

const readElement = (text: string, at: number): Element | undefined => {
  bareKey.lastIndex = at
  const bare = bareKey.exec(text)
  const key = bare === null ? readWord(text, at + 1, ']') : { text: bare[1], end: at }
  if (key === undefined) return undefined
  if (bare === null && !text.startsWith(']=', key.end)) return undefined
  const value = readWord(text, bare === null ? key.end + 2 : bareKey.lastIndex, ')')
  return value === undefined ? undefined : { key: key.text, value: value.text, end: value.end }
}

// -------------------------------------------------------------------------------------- functions

// `declare -f NAME`, with further letters where it is more.
const readNames = (body: string): readonly string[] =>
  [...body.matchAll(/^declare -\S+ (\S+)$/gm)].map(([, name = '']) => name)

/**
 * Takes `declare -f` apart at the names, which stand in the same order. Where the text of one holds what
 * looks like the beginning of the next, nobody can say which is which, and both are left out.
 */
const readFunctions = (held: Held, names: readonly string[], body: string): void => {
  let at = 0
  let isSure = true
  for (const [i, name] of names.entries()) {
    const next = names[i + 1]
    const places = next === undefined ? [body.length] : beginnings(body, at, next)
    const end = places[0] ?? body.length
    const isOne = places.length === 1
    if (isSure && isOne) held.functions.set(name, body.slice(at, end).replace(/\n+$/, ''))
    else omit(held, 'functions', name)
    isSure = isOne
    at = end
  }
}

const beginnings = (body: string, from: number, name: string): readonly number[] =>
  [`\n${name} () \n{ \n`, `\nfunction ${name} () \n{ \n`].flatMap((start) => {
    const places: number[] = []
    for (let at = body.indexOf(start, from); at >= 0; at = body.indexOf(start, at + 1)) {
      places.push(at + 1)
    }
    return places
  })
