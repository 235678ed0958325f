/**
 * Finds which of many words stand in a text by reading it once (the automaton of Aho and Corasick): a reason
 * is looked through for ten words, and ten searches took most of the time that planning took.
 */

// ------------------------------------------------------------------------------------------ model

/** The words that stand in a text, anywhere and in any case, as bits: the first word's is 1, the next 2. */
export type WordFinder = (text: string) => number

/** So many words have a bit of their own. */
export const wordLimit = 30

const codes = 128
const nowhere = -1
const upperA = 65
const upperZ = 90
const toLower = 32

// ----------------------------------------------------------------------------------- constructors

/** Whether a word can be found by a {@link wordFinder}: it is ASCII, and in lower case. */
export const isFindable = (word: string): boolean => !/[^\0-@[-\x7f]/.test(word)

/** @param words at most {@link wordLimit} that can be found; the empty one stands in every text. */
export const wordFinder = (words: readonly string[]): WordFinder => {
  const { next, ends } = trieOf(words)
  follow(next, ends)
  for (const row of next) {
    for (let code = upperA; code <= upperZ; code++) row[code] = row[code + toLower] ?? 0
  }
  const table = Int16Array.from(next.flat())
  const found = Int32Array.from(ends)
  const seenIn = (text: string, isLowered: boolean): number => {
    let state = 0
    let seen = found[0] ?? 0
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code < codes) {
        state = table[state * codes + code] ?? 0
        seen |= found[state] ?? 0
      } else if (isLowered) state = 0
      // The lower case of some letters beyond ASCII is within.
      else return seenIn(text.toLowerCase(), true)
    }
    return seen
  }
  return (text) => seenIn(text, false)
}

// ------------------------------------------------------------------------------------ combinators

interface Trie {
  /** Of each state and character the next state. */
  readonly next: number[][]
  /** Of each state the words that end there. */
  readonly ends: number[]
}

const trieOf = (words: readonly string[]): Trie => {
  const next: number[][] = []
  const ends: number[] = []
  const grown = (): number => {
    ends.push(0)
    return next.push(new Array<number>(codes).fill(nowhere)) - 1
  }
  grown()
  for (const [bit, word] of words.entries()) {
    let state = 0
    for (let i = 0; i < word.length; i++) {
      const row = next[state] ?? []
      const code = word.charCodeAt(i)
      if (row[code] === nowhere) row[code] = grown()
      state = row[code] ?? 0
    }
    ends[state] = (ends[state] ?? 0) | (1 << bit)
  }
  return { next, ends }
}

/** Where no word goes on from a state, the longest end of what was read that begins a word does. */
const follow = (next: number[][], ends: number[]): void => {
  const shorter = new Array<number>(next.length).fill(0)
  const queue = [0]
  for (const state of queue) {
    const row = next[state] ?? []
    const instead = state === 0 ? undefined : next[shorter[state] ?? 0]
    ends[state] = (ends[state] ?? 0) | (ends[shorter[state] ?? 0] ?? 0)
    for (let code = 0; code < codes; code++) {
      const to = row[code] ?? nowhere
      const otherwise = instead?.[code] ?? 0
      if (to === nowhere) row[code] = otherwise
      else {
        shorter[to] = otherwise
        queue.push(to)
      }
    }
  }
}
