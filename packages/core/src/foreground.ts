/**
 * What stands in a terminal's foreground and what it waits for, told from what the kernel and the signed
 * marks show, never from text that looks like a prompt.
 *
 * That a program reads its terminal key by key says that it waits for a key, not for what. There the name
 * of the program is the only thing that tells a pager from a shell in the shell; the reasons say so.
 */
import * as t from 'io-ts'
import { oneOf, struct } from './codec.js'

// ------------------------------------------------------------------------------------------ model

export type ForegroundKind =
  | 'at-prompt'
  | 'running'
  | 'waiting-for-line'
  | 'waiting-for-password'
  | 'full-screen'
  | 'pager'
  | 'stopped'
  | 'dead'
  | 'unknown'

/** A program that holds somebody's work while it waits: it is well at its own prompt, however long. */
export type WorkHolder = 'repl' | 'editor'

/** What is in the foreground, with the observations that say so. */
export const Foreground = struct(
  'foreground',
  {
    kind: oneOf<ForegroundKind>(
      'foreground kind',
      'at-prompt',
      'running',
      'waiting-for-line',
      'waiting-for-password',
      'full-screen',
      'pager',
      'stopped',
      'dead',
      'unknown',
    ),
    reasons: t.array(t.string),
  },
  {
    /** What waits for a line is a program that holds somebody's work, by its name. */
    holdsWork: oneOf<WorkHolder>('holder of work', 'repl', 'editor'),
  },
)
export type Foreground = t.TypeOf<typeof Foreground>

/** What a driver could see at one moment; what it could not see is left out. */
export interface ForegroundSighting {
  readonly alive: boolean
  /**
   * The last signed mark: the shell printed its prompt, the prompt for the rest of a command that is
   * not whole yet, or it started a command.
   */
  readonly mark?: 'prompt' | 'continuation' | 'command'
  /** The state letter of the foreground process: R, S, D, T, Z. */
  readonly processState?: string
  /**
   * The foreground sleeps in a read of its terminal, and in nothing else: it goes on by input alone.
   */
  readonly readsTerminal?: boolean
  /** It reads its terminal for a while only, and goes on by itself. */
  readonly readsForAWhile?: boolean
  /** The name of the program that reads the terminal, at most 15 bytes. */
  readonly reader?: string
  /** What reads the terminal ignores the stop signals of a terminal, as shells with job control do. */
  readonly readerControlsJobs?: boolean
  /** The foreground process is the shell itself. */
  readonly foregroundIsShell?: boolean
  readonly lineMode?: boolean
  readonly echo?: boolean
  readonly alternateScreen?: boolean
}

const pagers: ReadonlySet<string> = new Set(['less', 'more', 'most', 'pager', 'lv', 'pg'])
const editors: ReadonlySet<string> = new Set(['ed', 'red', 'ex'])
const repls: ReadonlySet<string> = new Set(
  'bc gdb ghci gnuplot guile irb lua maxima mysql mariadb ocaml octave php psql R sftp sqlite3'.split(
    ' ',
  ),
)
const replFamily = /^(i?python|pypy|lua)\d*(\.\d+)*$/

// ------------------------------------------------------------------------------------ combinators

/**
 * Tells what is in the foreground; `unknown` wherever what is seen does not suffice.
 *
 * @example
 * foregroundOf({ alive: true, mark: 'prompt' }).kind // => 'at-prompt'
 * foregroundOf({ alive: true, mark: 'command', readsTerminal: true, lineMode: true, echo: false }).kind // => 'waiting-for-password'
 * foregroundOf({ alive: true }).kind // => 'unknown'
 */
export const foregroundOf = (seen: ForegroundSighting): Foreground => {
  if (!seen.alive) return { kind: 'dead', reasons: ['the process is gone'] }
  if (seen.processState === 'T' || seen.processState === 't') {
    return { kind: 'stopped', reasons: ['the foreground process is stopped by a signal'] }
  }
  if (seen.alternateScreen === true) return onAlternateScreen(seen)
  if (seen.mark === 'prompt' && seen.foregroundIsShell !== false) {
    return { kind: 'at-prompt', reasons: ['the last signed mark is a prompt'] }
  }
  if (seen.mark === 'continuation' && seen.foregroundIsShell !== false) return unfinished(seen)
  if (seen.readsTerminal === true && seen.mark === undefined && seen.foregroundIsShell !== false) {
    return { kind: 'unknown', reasons: ['it may be the shell that waits, at its own prompt'] }
  }
  if (seen.readsTerminal === true) return waiting(seen)
  if (seen.readsTerminal === false) {
    const reason =
      seen.readsForAWhile === true
        ? 'the foreground process waits for its terminal for a while only, and goes on by itself'
        : 'the foreground process does not wait for the terminal'
    return { kind: 'running', reasons: [reason] }
  }
  return { kind: 'unknown', reasons: ['what the foreground process waits for cannot be seen'] }
}

const reads = 'the foreground process sleeps in a read of its terminal'
const byKey = 'key by key, without echo'

const onAlternateScreen = (seen: ForegroundSighting): Foreground => {
  const reason = 'the alternate screen is on'
  return seen.readsTerminal === true && seen.lineMode === false && isPager(seen)
    ? { kind: 'pager', reasons: [reason, reads, byKey, nameTells(seen, 'a pager')] }
    : { kind: 'full-screen', reasons: [reason] }
}

const isPager = ({ reader }: ForegroundSighting): boolean =>
  reader !== undefined && pagers.has(reader)

const isRepl = ({ reader }: ForegroundSighting): boolean =>
  reader !== undefined && (repls.has(reader) || replFamily.test(reader))

const nameTells = ({ reader }: ForegroundSighting, what: string): string =>
  `its name, ${reader}, is what tells that it is ${what}`

const unfinished = (seen: ForegroundSighting): Foreground => {
  const marked = 'the last signed mark is the prompt for the rest of a command'
  return seen.readsTerminal === true && seen.foregroundIsShell === true
    ? { kind: 'waiting-for-line', reasons: [marked, 'the shell sleeps in a read of its terminal'] }
    : { kind: 'unknown', reasons: [marked, 'that the shell reads its rest cannot be seen'] }
}

const waiting = (seen: ForegroundSighting): Foreground => {
  if (seen.readerControlsJobs === true && seen.foregroundIsShell !== true) {
    return {
      kind: 'unknown',
      reasons: [
        reads,
        'it ignores the stop signals, as a shell does that may be at its own prompt',
      ],
    }
  }
  if (seen.lineMode === true) return waitingForLine(seen)
  if (seen.lineMode === false && seen.echo === false && seen.foregroundIsShell === false) {
    return waitingForKey(seen)
  }
  return { kind: 'unknown', reasons: [reads, "the terminal's mode does not tell for what"] }
}

const waitingForLine = (seen: ForegroundSighting): Foreground => {
  if (seen.echo === undefined) {
    return { kind: 'unknown', reasons: [reads, 'whether it is shown cannot be seen'] }
  }
  if (!seen.echo) {
    return { kind: 'waiting-for-password', reasons: [reads, 'line mode with echo off'] }
  }
  const reasons = [reads, 'line mode with echo on']
  return seen.reader !== undefined && editors.has(seen.reader)
    ? {
        kind: 'waiting-for-line',
        reasons: [...reasons, nameTells(seen, 'an editor')],
        holdsWork: 'editor',
      }
    : { kind: 'waiting-for-line', reasons }
}

const waitingForKey = (seen: ForegroundSighting): Foreground => {
  const reasons = [reads, byKey]
  if (isPager(seen)) return { kind: 'pager', reasons: [...reasons, nameTells(seen, 'a pager')] }
  if (isRepl(seen)) {
    return {
      kind: 'waiting-for-line',
      reasons: [...reasons, nameTells(seen, 'an interpreter at its own prompt')],
      holdsWork: 'repl',
    }
  }
  return { kind: 'unknown', reasons: [...reasons, 'its name does not tell for what'] }
}
