/**
 * What can be shown of a session, and by whom: declared by a driver, so that a program can tell beforehand
 * what will be known, what will be `unknown`, and why. What nobody shows is never called restored.
 */
import { oneOf, struct } from './codec.js'

// ------------------------------------------------------------------------------------------ model

export const showables = [
  /** That the shell is at its prompt, and that it answers there. */
  'prompt',
  /** That a command begins and ends, and its line. */
  'commands',
  /** How a command ended. */
  'exitCodes',
  'directory',
  /** The exported variables; the kernel shows those a process was started with. */
  'environment',
  /** Variables, functions, aliases, options, umask, directory stack, traps. */
  'shellState',
  'history',
  /** What tells a process apart from a later one of the same number. */
  'identity',
  /** Which processes have the terminal's foreground. */
  'foreground',
  /** What a process waits for. */
  'waiting',
  /** How the terminal reads: line by line, with echo, with ^C as a signal. */
  'terminalFlags',
  /** What a process leaves behind when it ends. */
  'leftover',
] as const
export type Showable = (typeof showables)[number]

/** Who shows it: the session in signed marks, the kernel of its host, its own answer, or the app. */
export type Teller = 'mark' | 'kernel' | 'probe' | 'host' | 'nobody'
const Shower = oneOf<Teller>('teller', 'mark', 'kernel', 'probe', 'host', 'nobody')

/** Of everything that could be shown, who shows it. */
export const Showing = struct('showing', {
  prompt: Shower,
  commands: Shower,
  exitCodes: Shower,
  directory: Shower,
  environment: Shower,
  shellState: Shower,
  history: Shower,
  identity: Shower,
  foreground: Shower,
  waiting: Shower,
  terminalFlags: Shower,
  leftover: Shower,
})
export type Showing = Readonly<Record<Showable, Teller>>

// ----------------------------------------------------------------------------------- constructors

/** Only what is named is shown. */
export const showingOf = (shown: Partial<Showing>): Showing => ({
  prompt: 'nobody',
  commands: 'nobody',
  exitCodes: 'nobody',
  directory: 'nobody',
  environment: 'nobody',
  shellState: 'nobody',
  history: 'nobody',
  identity: 'nobody',
  foreground: 'nobody',
  waiting: 'nobody',
  terminalFlags: 'nobody',
  leftover: 'nobody',
  ...shown,
})

// ------------------------------------------------------------------------------------ combinators

/**
 * What nobody shows.
 *
 * @example
 * unshown(showingOf({ prompt: 'mark' })).includes('prompt') // => false
 * unshown(showingOf({ prompt: 'mark' })).includes('waiting') // => true
 */
export const unshown = (showing: Showing): readonly Showable[] =>
  showables.filter((each) => showing[each] === 'nobody')
