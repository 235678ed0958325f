/**
 * What a shell tells of the state it holds, as words: entries, each begun by a letter that says what the
 * words behind it are, and what they are gathered into. Which letters there are each shell has for itself.
 */
import type { ShellKind, ShellState, ShellStateItem, ShellVariable } from '@session-recovery/core'
import { readWord } from './quoting.js'

// ------------------------------------------------------------------------------------------ model

/** A word; `undefined`: its bytes are no text. */
export type Told = string | undefined

/** What was read so far. */
export interface Held {
  readonly variables: Map<string, ShellVariable>
  readonly functions: Map<string, string>
  readonly aliases: Map<string, string>
  readonly options: Map<string, boolean>
  readonly traps: Map<string, string>
  readonly directoryStack: string[]
  readonly omitted: Map<ShellStateItem, string[]>
  umask: string
}

export interface Entry<H extends Held = Held> {
  /** How many words stand behind the letter; of a list before its values. */
  readonly words: number
  /** How many words each value of a list has; the last word before them is their count. */
  readonly each?: number
  readonly read: (held: H, words: readonly Told[]) => void
}

// ----------------------------------------------------------------------------------- constructors

export const nothingHeld = (): Held => ({
  variables: new Map(),
  functions: new Map(),
  aliases: new Map(),
  options: new Map(),
  traps: new Map(),
  directoryStack: [],
  omitted: new Map(),
  umask: '',
})

/** What was read, as a state. The last exit code is told with each prompt, not here. */
export const stateOf = (shell: ShellKind, held: Held): ShellState => ({
  shell,
  variables: Object.fromEntries(held.variables),
  functions: Object.fromEntries(held.functions),
  aliases: Object.fromEntries(held.aliases),
  options: Object.fromEntries(held.options),
  umask: held.umask,
  directoryStack: held.directoryStack,
  traps: Object.fromEntries(held.traps),
  lastExitCode: 0,
  ...(held.omitted.size === 0 ? {} : { omitted: Object.fromEntries(held.omitted) }),
})

// ------------------------------------------------------------------------------------ combinators

/** Names what the shell held and could not tell. */
export const omit = ({ omitted }: Held, item: ShellStateItem, name: Told): void => {
  omitted.set(item, [...(omitted.get(item) ?? []), name ?? '(no text)'])
}

/** Letters and counts stand behind a `-`. */
export const lettersIn = (word: Told): string => (word ?? '').slice(1)

/** Reads `source` into `held`, entry by entry; `false`: it is made of other words. */
export const readEntries = <H extends Held>(
  source: string,
  held: H,
  entries: Readonly<Record<string, Entry<H>>>,
): boolean => {
  const words = wordsIn(source)
  if (words === undefined) return false
  for (let at = 0; at < words.length; ) {
    const entry = entries[words[at] ?? '']
    if (entry === undefined) return false
    const count = entry.each === undefined ? 0 : Number(lettersIn(words[at + entry.words]))
    const end = at + 1 + entry.words + count * (entry.each ?? 0)
    if (!(end <= words.length)) return false
    entry.read(held, words.slice(at + 1, end))
    at = end
  }
  return true
}

/** The words of `source`; `undefined` when it is not made of words. */
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
