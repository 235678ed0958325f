/**
 * The output of a session, kept raw and bounded: the newest is kept, what was dropped is counted.
 */
import { storedBytes } from '@session-recovery/core'

export interface Output {
  /** What is kept, oldest first. */
  readonly text: () => string
  /** Goes up with whatever may change what is kept. */
  readonly changes: () => number
  /** From now on `text` is left out of what is kept, wherever it stands. */
  readonly hide: (text: string) => void
  readonly droppedBytes: () => number
  /** Whether a program has the terminal show its alternate screen, as full-screen ones do. */
  readonly alternateScreen: () => boolean
  /** The shell is back: the alternate screen, should it be on still, is no program's any more. */
  readonly leaveAlternateScreen: () => void
  readonly append: (text: string) => void
  /** Forgets all and begins with `text`: what that takes less counts as dropped. */
  readonly replace: (text: string) => void
  /** Begins with what another kept, which had dropped as much before. */
  readonly takeOver: (text: string, droppedBytes: number) => void
}

// A cut is moved to the next line, so that it does not fall into a control sequence.
const lineSearchLimit = 4_096

// What is hidden belongs to a process: of those before, this many may still be in what is kept.
const hiddenLimit = 32

/** An empty output that keeps at most `limitBytes` of UTF-8. */
export const outputOf = (limitBytes: number): Output => {
  let chunks: string[] = []
  let bytes = 0
  let dropped = 0
  let alternate = false
  let tail = ''
  let hidden: readonly string[] = []
  let changes = 0
  const shown = (): string =>
    hidden.reduce((text, one) => text.replaceAll(one, ''), chunks.join(''))

  const drop = (): void => {
    // Rare and whole: half of the limit is let go at once, so that appending stays cheap.
    const text = chunks.join('')
    const cut = cutOf(text, Math.floor(limitBytes / 2))
    const kept = text.slice(cut)
    const keptBytes = storedBytes(kept)
    dropped += bytes - keptBytes
    chunks = kept === '' ? [] : [kept]
    bytes = keptBytes
  }

  const append = (text: string): void => {
    changes += 1
    chunks.push(text)
    bytes += storedBytes(text)
    if (bytes > limitBytes) drop()
    alternate = alternateAfter(alternate, tail + text)
    tail = (tail + text).slice(-sequenceLimit)
  }

  const begin = (text: string): void => {
    chunks = []
    bytes = 0
    alternate = false
    tail = ''
    append(text)
  }

  return {
    text: shown,
    changes: () => changes,
    hide: (text) => {
      changes += 1
      hidden = [...hidden, text].slice(-hiddenLimit)
    },
    droppedBytes: () => dropped,
    alternateScreen: () => alternate,
    leaveAlternateScreen: () => {
      alternate = false
      tail = ''
    },
    append,
    replace: (text) => {
      dropped += Math.max(0, bytes - storedBytes(text))
      begin(text)
    },
    takeOver: (text, droppedBytes) => {
      dropped = droppedBytes
      begin(text)
    },
  }
}

/** Where to cut `text` so that at most `keepBytes` remain. */
const cutOf = (text: string, keepBytes: number): number => {
  let left = keepBytes
  let at = text.length
  while (at > 0) {
    const low = text.charCodeAt(at - 1)
    const width = low >= 0xdc00 && low <= 0xdfff && at > 1 ? 2 : 1
    left -= storedBytes(text.slice(at - width, at))
    if (left < 0) break
    at -= width
  }
  const line = text.indexOf('\n', at)
  return at > 0 && line >= 0 && line - at < lineSearchLimit ? line + 1 : at
}

const sequenceLimit = 31
// biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences begin with one
const privateMode = /\x1b\[\?([\d;]*)([hl])/g
const alternateModes: ReadonlySet<string> = new Set(['47', '1047', '1049'])

const alternateAfter = (before: boolean, text: string): boolean => {
  let alternate = before
  for (const [, modes = '', setting] of text.matchAll(privateMode)) {
    if (modes.split(';').some((mode) => alternateModes.has(mode))) alternate = setting === 'h'
  }
  return alternate
}
