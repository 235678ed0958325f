/**
 * Words in percent-encoding, as fish writes them (`string escape --style=url`), read to the letter. A sign
 * stands before such a word in a mark, which begins no word in bash's quotes.
 */

/** Stands before a percent-encoded word. */
export const percentSign = '^'

const encoded = /(?:[A-Za-z0-9._~/-]|%[0-9A-Fa-f]{2})*/y
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A word that was read: its text, or that its bytes are no UTF-8, and where it ended. */
export interface PercentWord {
  /** Absent: the bytes are not UTF-8, so that no text stands for them. */
  readonly text?: string
  readonly end: number
}

/** Reads the word whose sign stands before `start`, up to the first character that cannot be its own. */
export const readPercentWord = (source: string, start: number): PercentWord => {
  encoded.lastIndex = start
  const word = encoded.exec(source)?.[0] ?? ''
  const end = start + word.length
  const bytes = Buffer.from(
    word.replaceAll(/%(..)/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    ),
    'latin1',
  )
  try {
    return { text: strict.decode(bytes), end }
  } catch {
    return { end }
  }
}
