/**
 * What zsh and fish tell of the state they hold, read: entries of words, each begun by a letter. Bash
 * tells its own in the forms that it prints itself.
 *
 * `v NAME LETTERS VALUE` a variable, `a NAME LETTERS COUNT VALUE…` an array, `h NAME LETTERS COUNT
 * (KEY VALUE)…` an association, `f NAME TEXT` a function, `l NAME TEXT` an alias, `p NAME STATE` an option,
 * `u MASK`, `d PATH` a directory, `t NAME TEXT` a trap, `o ITEM NAME` what was too large to tell. Letters
 * and counts stand behind a `-`.
 */
import type { ShellKind, ShellState, ShellStateItem } from '@session-recovery/core'
import {
  type Entry,
  type Held,
  lettersIn,
  nothingHeld,
  omit,
  readEntries,
  stateOf,
  type Told,
} from './told-word.js'

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

/** Reads what a mark of the kind `shell-state` carries; `undefined` when it is made of other words. */
export const readToldState = (shell: ShellKind, payload: string): ShellState | undefined => {
  const held = nothingHeld()
  return readEntries(payload, held, entries) ? stateOf(shell, held) : undefined
}
