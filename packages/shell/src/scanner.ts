/**
 * Tells marks from output in a stream that arrives in chunks of any size.
 *
 * Only what begins with our nonce is a mark, and is taken out; everything else is output, to the letter.
 * A mark whose length is wrong was torn by other output: it is taken out, too, and not believed.
 */
import { type Mark, markEnd, markStart, readMark } from './mark.js'

// ------------------------------------------------------------------------------------------ model

export type Token =
  | { readonly _tag: 'output'; readonly text: string }
  | { readonly _tag: 'mark'; readonly mark: Mark }
  /** A mark of ours that cannot be believed. */
  | { readonly _tag: 'rejected'; readonly detail: string }

/** Takes chunks, gives tokens; keeps at most a mark's worth of characters in between. */
export type Scanner = (chunk: string) => readonly Token[]

/** A longer mark is not kept: it is skipped and rejected. */
export const payloadLimit = 1_048_576

// Output that falls into a mark is at most this much longer than the mark before it is given up.
const slackLimit = 65_536

const header = /^([A-Z]);(\d{1,9});/
const headerLimit = 12

// ----------------------------------------------------------------------------------- constructors

/** A scanner for the output of the process that `nonce` was made for. */
export const scannerOf = (nonce: string): Scanner => {
  const start = markStart(nonce)
  let inMark = false
  let held = ''
  let toSkip = 0

  const outside = (tokens: Token[]): boolean => {
    const at = held.indexOf(start)
    const end = at < 0 ? held.length - heldBack(held, start) : at
    if (end > 0) tokens.push({ _tag: 'output', text: held.slice(0, end) })
    held = held.slice(at < 0 ? end : at + start.length)
    inMark = at >= 0
    return inMark
  }

  const inside = (tokens: Token[]): boolean => {
    const read = readFrame(held)
    if (read === undefined) return false
    tokens.push(read.token)
    held = held.slice(read.end)
    toSkip = read.skip ?? 0
    inMark = false
    return true
  }

  const skip = (): void => {
    const skipped = Math.min(toSkip, held.length)
    held = held.slice(skipped)
    toSkip -= skipped
  }

  return (chunk) => {
    const tokens: Token[] = []
    held += chunk
    skip()
    while (held !== '' && (inMark ? inside(tokens) : outside(tokens))) skip()
    return tokens
  }
}

// How many characters at the end of `text` may be the beginning of a mark.
const heldBack = (text: string, start: string): number => {
  const from = text.lastIndexOf('\x1b')
  const tail = from < 0 ? '' : text.slice(from)
  return tail.length < start.length && start.startsWith(tail) ? tail.length : 0
}

interface Frame {
  readonly token: Token
  readonly end: number
  /** How many characters behind the end belong to the frame all the same. */
  readonly skip?: number
}

const rejected = (detail: string, end: number, skip = 0): Frame => ({
  token: { _tag: 'rejected', detail },
  end,
  skip,
})

/** The mark `held` begins with, behind its nonce; `undefined` while more is needed. */
const readFrame = (held: string): Frame | undefined => {
  const fields = header.exec(held)
  if (fields === null) {
    return held.length < headerLimit && !held.includes(markEnd)
      ? undefined
      : rejected('a mark without kind and length', 0)
  }
  const length = Number(fields[2])
  const from = fields[0].length
  if (length > payloadLimit) {
    return rejected(`a mark of ${length} characters`, from, length + 1)
  }
  if (held.length < from + length + 1) return undefined
  // The payload holds no BEL of its own: the first one behind its length ends it.
  const end = held.indexOf(markEnd, from + length)
  if (end < 0) {
    return held.length < from + 2 * length + slackLimit
      ? undefined
      : rejected('a mark without an end', held.length)
  }
  const payload = held.slice(from, end)
  if (charactersIn(payload) !== length) return rejected('a mark torn by other output', end + 1)
  const mark = readMark(fields[1] ?? '', payload)
  return mark === undefined
    ? rejected(`a mark of kind ${fields[1]} that cannot be read`, end + 1)
    : { token: { _tag: 'mark', mark }, end: end + 1 }
}

// As bash counts: characters, not UTF-16 code units.
const charactersIn = (text: string): number => {
  let count = 0
  for (const _ of text) count++
  return count
}
