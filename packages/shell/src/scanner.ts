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
  const signs = { start: markStart(nonce), end: markEnd(nonce) }
  let state: 'outside' | 'inside' | 'skipping' = 'outside'
  let held = ''
  let toSkip = 0

  const outside = (tokens: Token[]): boolean => {
    const at = held.indexOf(signs.start)
    const end = at < 0 ? held.length - heldBack(held, signs.start) : at
    if (end > 0) tokens.push({ _tag: 'output', text: held.slice(0, end) })
    held = held.slice(at < 0 ? end : at + signs.start.length)
    if (at >= 0) state = 'inside'
    return at >= 0
  }

  const inside = (tokens: Token[]): boolean => {
    const read = readFrame(held, signs)
    if (read === undefined) return false
    tokens.push(read.token)
    held = held.slice(read.end)
    toSkip = read.skip ?? 0
    state = toSkip > 0 ? 'skipping' : 'outside'
    return true
  }

  // Keeps no more of what it skips than may be the beginning of what ends that.
  const skipping = (): boolean => {
    const end = frameEnd(held, 0, signs)
    if (end === undefined) {
      const skipped = Math.max(0, held.length - signs.start.length)
      toSkip -= skipped
      held = held.slice(skipped)
      if (toSkip <= 0) state = 'outside'
      return state === 'outside'
    }
    held = held.slice(end.next)
    state = 'outside'
    return true
  }

  const steps = { outside, inside, skipping }
  return (chunk) => {
    const tokens: Token[] = []
    held += chunk
    while (held !== '' && steps[state](tokens));
    return tokens
  }
}

// How many characters at the end of `text` may be the beginning of a mark.
const heldBack = (text: string, start: string): number => {
  const from = text.lastIndexOf('\x1b')
  const tail = from < 0 ? '' : text.slice(from)
  return tail.length < start.length && start.startsWith(tail) ? tail.length : 0
}

interface Signs {
  readonly start: string
  readonly end: string
}

interface Frame {
  readonly token: Token
  readonly end: number
  /** How many characters behind the end are skipped at most, until a mark ends or begins. */
  readonly skip?: number
}

const rejected = (detail: string, end: number, skip = 0): Frame => ({
  token: { _tag: 'rejected', detail },
  end,
  skip,
})

/**
 * Where a mark ends in `text`: by its own end, or, where that was torn, by the beginning of the next.
 *
 * @returns where its payload ends, and where what follows begins.
 */
const frameEnd = (text: string, from: number, { start, end }: Signs) => {
  const at = text.indexOf(end, from)
  const another = text.indexOf(start)
  if (another >= 0 && (at < 0 || another < at)) return { payload: undefined, next: another }
  return at < 0 ? undefined : { payload: at, next: at + end.length }
}

/** The mark `held` begins with, behind its nonce; `undefined` while more is needed. */
const readFrame = (held: string, signs: Signs): Frame | undefined => {
  const fields = header.exec(held)
  if (fields === null) {
    return held.length < headerLimit && !held.includes('\x07')
      ? undefined
      : rejected('a mark without kind and length', 0)
  }
  const length = Number(fields[2])
  const from = fields[0].length
  if (length > payloadLimit) {
    return rejected(`a mark of ${length} characters`, from, 2 * length + slackLimit)
  }
  if (held.length < from + length + signs.end.length) return undefined
  const end = frameEnd(held, from + length, signs)
  if (end === undefined) {
    return held.length < from + 2 * length + slackLimit
      ? undefined
      : rejected('a mark without an end', held.length)
  }
  const payload = end.payload === undefined ? undefined : held.slice(from, end.payload)
  if (payload === undefined || charactersIn(payload) !== length) {
    return rejected('a mark torn by other output', end.next)
  }
  const mark = readMark(fields[1] ?? '', payload)
  return mark === undefined
    ? rejected(`a mark of kind ${fields[1]} that cannot be read`, end.next)
    : { token: { _tag: 'mark', mark }, end: end.next }
}

// As bash counts: characters, not UTF-16 code units.
const charactersIn = (text: string): number => {
  let count = 0
  for (const _ of text) count++
  return count
}
