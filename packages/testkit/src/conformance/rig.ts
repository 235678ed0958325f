/**
 * What the conformance suite needs of the world around a driver: real sessions to ask it about, ways to
 * break them behind its back, and eyes that do not look through the driver.
 */
import type { Driver, Exit, Traits } from '@session-recovery/core'

// ------------------------------------------------------------------------------------------ model

/** Ways to break a session, or what is started next in its place. */
export const faults = [
  /** The process ends by itself with exit code 7. */
  'exit',
  /** The process is killed, and has no say in it. */
  'killed',
  /** The process is there, and answers nothing any more. */
  'hang',
  /** What connects driver and process is dead, and nobody was told. */
  'half-open',
  /** What is started next never becomes ready, and does not end by itself. */
  'slow-cancel',
  /** What is started next runs, says in every way it can that all is well, and is no session. */
  'lying-success',
] as const
export type Fault = (typeof faults)[number]

/** What a driver must notice by itself, once. */
export type Noticed =
  | { readonly _tag: 'exited'; readonly exit: Exit }
  | { readonly _tag: 'transport-lost' }

/** How a fault is brought about. */
export interface Mishap {
  readonly strike: (sessionId: string) => Promise<void>
  /** Absent: nothing is told until somebody asks. */
  readonly noticed?: Noticed
  /** Takes back what would make every later start fail, too. */
  readonly mend?: (sessionId: string) => Promise<void>
}

/** What is so, told by who does not ask the driver. */
export interface Life {
  /** Its process runs, is not stopped, and is the session. */
  readonly alive: boolean
  /** Tells one process from every other; absent: there is none. */
  readonly identity?: string
  readonly detail: string
}

/** One driver with its sessions, made anew for every case. */
export interface Rig {
  readonly driver: Driver
  /** What is declared of its sessions; `attended` is set by the cases that need it. */
  readonly traits: Traits
  /** Opens a session that stands at its prompt, or whatever it does when nothing is asked of it. */
  readonly open: (sessionId: string, options?: { readonly attended?: boolean }) => Promise<void>
  readonly mishaps: Partial<Readonly<Record<Fault, Mishap>>>
  readonly probe: (sessionId: string) => Promise<Life>
  /** Puts a value into the environment of the session, under {@link rememberedName}. */
  readonly remember: (sessionId: string, value: string) => Promise<void>
  /** The value as the session itself has it now. */
  readonly recall: (sessionId: string) => Promise<string | undefined>
  /** Starts a command that counts its runs, then reads its terminal for ever; gives its line. */
  readonly begin: (sessionId: string) => Promise<string>
  /** How often that command was run. */
  readonly begun: (sessionId: string) => Promise<number>
  /** All that was typed at the session so far, by whomever. */
  readonly typedBytes: (sessionId: string) => number
  /** The processes that run now in any of the sessions, each told apart from every other. */
  readonly processes: () => Promise<readonly string[]>
  /** Closes the driver and removes what was made for it; a second time it does nothing. */
  readonly close: () => Promise<void>
  /** Processes, timers, handles and files that are left after `close`. */
  readonly remains: () => Promise<readonly string[]>
}

export interface Harness {
  readonly name: string
  readonly make: () => Promise<Rig>
  /**
   * How long the suite waits for what must come, in milliseconds; a driver that is called off must have
   * ceased by then. Default 20,000. It must be shorter than the driver's own bounds.
   */
  readonly patienceMs?: number
}

/** The variable that `remember` sets. */
export const rememberedName = 'CONFORMANCE_VALUE'
