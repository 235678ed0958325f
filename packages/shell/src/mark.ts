/**
 * Marks: what the shell integration says in between the output, invisibly, and how it is written.
 *
 * A mark is `ESC ] 6973 ; NONCE ; KIND ; LENGTH ; PAYLOAD ; NONCE BEL`. The nonce is made for one process
 * and known to it and the driver alone, so that output cannot forge a mark. What a background job writes
 * can fall into one: the length, in characters, shows that, and the nonce at the end keeps such output
 * from ending the mark where it likes.
 */
import { readAssignments, readWord } from './quoting.js'

// ------------------------------------------------------------------------------------------ model

export type Mark =
  /** A line was entered and begins to run. */
  | { readonly _tag: 'started'; readonly historyNumber: number; readonly line: string }
  /**
   * How the last command ended, and where the shell is: `finished` says it before each prompt, `state`
   * when the bound key was pressed.
   */
  | {
      readonly _tag: 'finished' | 'state'
      readonly exitCode: number
      /** The number the next line will have in the history. */
      readonly historyNumber: number
      readonly workingDirectory: string
    }
  /** All exported variables; sent when they differ from those sent last. */
  | {
      readonly _tag: 'environment'
      readonly values: ReadonlyMap<string, string>
      readonly unreadable: readonly string[]
    }
  /** The prompt is on the screen and the shell reads a line. */
  | { readonly _tag: 'prompt' }
  /** The prompt for the rest of a command that is not whole yet: of a quote, a heredoc, a loop. */
  | { readonly _tag: 'continuation' }
  /** The bound key was pressed for the `count`th time. */
  | { readonly _tag: 'answer'; readonly count: number }
  /** The second bound key was pressed: the line that stood half typed, which is taken out; often none. */
  | { readonly _tag: 'set-aside'; readonly text: string }
  /** The newest lines of the history, as `history` lists them, after lines were put back. */
  | { readonly _tag: 'history'; readonly listing: string }
  /** What the shell holds beside its environment, in the words of its kind; sent when it differs. */
  | { readonly _tag: 'shell-state'; readonly payload: string }

/** The number of our private control string. */
export const markCode = 6973

/** What is sent to press the bound key. */
export const boundKey = '\x1b[6973~'

/** What is sent to press the second: the line editor is emptied, and says what stood in it. */
export const asideKey = '\x1b[6974~'

/** A longer line, in characters, is left where it is, and the key is not answered. */
export const asideLimit = 65_536

/** What stands for a line whose bytes are no text. */
export const unreadableLine = '(a line that is no text in UTF-8)'

/** What every mark of a process begins with. */
export const markStart = (nonce: string): string => `\x1b]${markCode};${nonce};`

/** What every mark of a process ends with. */
export const markEnd = (nonce: string): string => `;${nonce}\x07`

// ------------------------------------------------------------------------------------ combinators

const whole = /^\d{1,15}$/

/** Reads a mark by its kind's letter; `undefined` when the payload is not of that kind. */
export const readMark = (letter: string, payload: string): Mark | undefined => {
  switch (letter) {
    case 'A':
      return payload === '' ? { _tag: 'prompt' } : undefined
    case 'P':
      return payload === '' ? { _tag: 'continuation' } : undefined
    case 'C':
      return readStarted(payload)
    case 'D':
      return readState('finished', payload)
    case 'S':
      return readState('state', payload)
    case 'E': {
      const assignments = readAssignments(payload)
      return assignments === undefined ? undefined : { _tag: 'environment', ...assignments }
    }
    case 'K':
      return whole.test(payload) ? { _tag: 'answer', count: Number(payload) } : undefined
    case 'L': {
      const word = readWord(payload, 0)
      return word?.end === payload.length
        ? { _tag: 'set-aside', text: word.text ?? unreadableLine }
        : undefined
    }
    case 'H': {
      const listing = readWhole(payload)
      return listing === undefined ? undefined : { _tag: 'history', listing }
    }
    case 'V':
      return { _tag: 'shell-state', payload }
    default:
      return undefined
  }
}

const readWhole = (payload: string): string | undefined => {
  const word = readWord(payload, 0)
  return word?.end === payload.length ? word.text : undefined
}

// `history 1` lists "  NUMBER  LINE", with a star after the number of a line that was edited.
const listed = /^ *(\d+)[* ] ([\s\S]*)$/

const readStarted = (payload: string): Mark | undefined => {
  const entry = listed.exec(readWhole(payload) ?? '')
  return entry === null
    ? { _tag: 'started', historyNumber: 0, line: '' }
    : { _tag: 'started', historyNumber: Number(entry[1]), line: entry[2] ?? '' }
}

const readState = (_tag: 'finished' | 'state', payload: string): Mark | undefined => {
  const fields = /^(\d{1,3}) (\d{1,15}) /.exec(payload)
  if (fields === null) return undefined
  const workingDirectory = readWhole(payload.slice(fields[0].length))
  return {
    _tag,
    exitCode: Number(fields[1]),
    historyNumber: Number(fields[2]),
    workingDirectory: workingDirectory ?? '',
  }
}
