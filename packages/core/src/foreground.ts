/**
 * What stands in a terminal's foreground and what it waits for, told from what the kernel and the signed
 * marks show, never from text that looks like a prompt.
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

/** What is in the foreground, with the observations that say so. */
export const Foreground = struct('foreground', {
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
})
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
  /** The foreground process sleeps in a read of its terminal. */
  readonly readsTerminal?: boolean
  /** The foreground process is the shell itself. */
  readonly foregroundIsShell?: boolean
  readonly lineMode?: boolean
  readonly echo?: boolean
  readonly alternateScreen?: boolean
}

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
  if (seen.alternateScreen === true) {
    return { kind: 'full-screen', reasons: ['the alternate screen is on'] }
  }
  if (seen.mark === 'prompt' && seen.foregroundIsShell !== false) {
    return { kind: 'at-prompt', reasons: ['the last signed mark is a prompt'] }
  }
  if (seen.mark === 'continuation' && seen.foregroundIsShell !== false) return unfinished(seen)
  if (seen.readsTerminal === true && seen.mark === undefined && seen.foregroundIsShell !== false) {
    return { kind: 'unknown', reasons: ['it may be the shell that waits, at its own prompt'] }
  }
  if (seen.readsTerminal === true) return waiting(seen)
  if (seen.readsTerminal === false) {
    return { kind: 'running', reasons: ['the foreground process does not wait for the terminal'] }
  }
  return { kind: 'unknown', reasons: ['what the foreground process waits for cannot be seen'] }
}

const unfinished = (seen: ForegroundSighting): Foreground => {
  const marked = 'the last signed mark is the prompt for the rest of a command'
  return seen.readsTerminal === true && seen.foregroundIsShell === true
    ? { kind: 'waiting-for-line', reasons: [marked, 'the shell sleeps in a read of its terminal'] }
    : { kind: 'unknown', reasons: [marked, 'that the shell reads its rest cannot be seen'] }
}

const waiting = (seen: ForegroundSighting): Foreground => {
  const reads = 'the foreground process sleeps in a read of its terminal'
  if (seen.echo === false && seen.lineMode === true) {
    return { kind: 'waiting-for-password', reasons: [reads, 'line mode with echo off'] }
  }
  if (seen.echo === true && seen.lineMode === true) {
    return { kind: 'waiting-for-line', reasons: [reads, 'line mode with echo on'] }
  }
  return { kind: 'unknown', reasons: [reads, "the terminal's mode does not tell for what"] }
}
