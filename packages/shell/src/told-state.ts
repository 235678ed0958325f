/**
 * What zsh and fish tell of the state they hold, read: entries of words, each begun by a letter. Bash
 * tells its own in the forms that it prints itself.
 *
 * `v NAME LETTERS VALUE` a variable, `a NAME LETTERS COUNT VALUE…` an array, `h NAME LETTERS COUNT
 * (KEY VALUE)…` an association, `f NAME TEXT` a function, `l NAME TEXT` an alias, `p NAME STATE` an option,
 * `u MASK`, `d PATH` a directory, `t NAME TEXT` a trap, `o ITEM NAME` what was too large to tell. Letters
 * and counts stand behind a `-`.
 */
import type { ShellKind, ShellState, ShellStateItem, ShellVariable } from '@session-recovery/core'
import { readWord } from './quoting.js'

// ------------------------------------------------------------------------------------------ model

// A word whose bytes are no text is `undefined`.
type Told = string | undefined

interface Held {
  readonly variables: Map<string, ShellVariable>
  readonly functions: Map<string, string>
  readonly aliases: Map<string, string>
  readonly options: Map<string, boolean>
  readonly traps: Map<string, string>
  readonly directoryStack: string[]
  readonly omitted: Map<ShellStateItem, string[]>
  umask: string
}

interface Entry {
  /** How many words stand behind the letter; of a list before its values. */
  readonly words: number
  /** How many words each value of a list has. */
  readonly each?: number
  readonly read: (held: Held, words: readonly Told[]) => void
}

// ------------------------------------------------------------------------------------ combinators

const omit = ({ omitted }: Held, item: ShellStateItem, name: Told): void => {
  omitted.set(item, [...(omitted.get(item) ?? []), name ?? '(no text)'])
}

const lettersIn = (word: Told): string => (word ?? '').slice(1)

const textsIn = (words: readonly Told[]): readonly string[] | undefined => {
  const texts = words.filter((word) => word !== undefined)
  return texts.length === words.length ? texts : undefined
}

const hold =
  (item: 'functions' | 'aliases' | 'traps') =>
  (held: Held, words: readonly Told[]): void => {
    const [name, text] = words
    if (name === undefined || text === undefined) omit(held, item, name)
    else held[item].set(name, text)
  }

const holdList =
  (each: 1 | 2) =>
  (held: Held, [name, letters, , ...words]: readonly Told[]): void => {
    const texts = textsIn(words)
    if (name === undefined || texts === undefined) {
      omit(held, 'shellVariables', name)
      return
    }
    const pairs =
      each === 1
        ? texts.map((text, i) => [String(i + 1), text] as const)
        : Array.from(
            { length: texts.length / 2 },
            (_, i) => [texts[2 * i] ?? '', texts[2 * i + 1] ?? ''] as const,
          )
    held.variables.set(name, { attributes: lettersIn(letters), values: Object.fromEntries(pairs) })
  }

const entries: Readonly<Record<string, Entry>> = {
  v: {
    words: 3,
    read: (held, [name, letters, value]) => {
      if (name === undefined || value === undefined) omit(held, 'shellVariables', name)
      else held.variables.set(name, { attributes: lettersIn(letters), value })
    },
  },
  a: { words: 3, each: 1, read: holdList(1) },
  h: { words: 3, each: 2, read: holdList(2) },
  f: { words: 2, read: hold('functions') },
  l: { words: 2, read: hold('aliases') },
  t: { words: 2, read: hold('traps') },
  p: {
    words: 2,
    read: (held, [name = '', state]) => {
      held.options.set(name, state === 'on')
    },
  },
  u: {
    words: 1,
    read: (held, [mask = '']) => {
      held.umask = mask
    },
  },
  d: {
    words: 1,
    read: (held, [path]) => {
      if (path === undefined) omit(held, 'directoryStack', '(no text)')
      else held.directoryStack.push(path)
    },
  },
  o: { words: 2, read: (held, [item, name]) => omit(held, item as ShellStateItem, name) },
}

const wordsIn = (source: string): readonly Told[] | undefined => {
  const words: Told[] = []
  for (let at = 0; at < source.length; ) {
    if (source[at] === ' ') {
      at++
      continue
    }
    const word = readWord(source, at)
    if (word === undefined) return undefined
    words.push(word.text)
    at = word.end
  }
  return words
}

/** Reads what a mark of the kind `shell-state` carries; `undefined` when it is made of other words. */
export const readToldState = (shell: ShellKind, payload: string): ShellState | undefined => {
  const words = wordsIn(payload)
  if (words === undefined) return undefined
  const held: Held = {
    variables: new Map(),
    functions: new Map(),
    aliases: new Map(),
    options: new Map(),
    traps: new Map(),
    directoryStack: [],
    omitted: new Map(),
    umask: '',
  }
  for (let at = 0; at < words.length; ) {
    const entry = entries[words[at] ?? '']
    if (entry === undefined) return undefined
    const count = entry.each === undefined ? 0 : Number(lettersIn(words[at + entry.words]))
    const end = at + 1 + entry.words + count * (entry.each ?? 0)
    if (!(end <= words.length)) return undefined
    entry.read(held, words.slice(at + 1, end))
    at = end
  }
  const { omitted, umask, directoryStack } = held
  return {
    shell,
    variables: Object.fromEntries(held.variables),
    functions: Object.fromEntries(held.functions),
    aliases: Object.fromEntries(held.aliases),
    options: Object.fromEntries(held.options),
    umask,
    directoryStack,
    traps: Object.fromEntries(held.traps),
    lastExitCode: 0,
    ...(omitted.size === 0 ? {} : { omitted: Object.fromEntries(omitted) }),
  }
}
