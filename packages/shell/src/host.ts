/**
 * Where the processes of sessions run: this machine, or one that is reached over a network. All that a
 * driver of shells needs of the world, and all in which the two differ; what to do with it is one code.
 */
import type { Cancellation, Exit } from '@session-recovery/core'
import type * as E from 'fp-ts/lib/Either.js'
import type { Environment } from './environment.js'
import type { TerminalSize } from './screen.js'

// ------------------------------------------------------------------------------------------ model

/** One process, not to be mixed up with a later one of the same number. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started, in clock ticks since the boot. */
  readonly startTicks?: number
  readonly bootId?: string
}

export const hostShowables = [
  'directory',
  'environment',
  'identity',
  'foreground',
  'waiting',
  'terminalFlags',
  'leftover',
] as const
/** What a host may show of a process without its saying anything. */
export type HostShowable = (typeof hostShowables)[number]

export type HostShowing = ReadonlySet<HostShowable>

/** One process as the kernel shows it. */
export interface ProcessFact {
  readonly pid: number
  /** The name of its program, at most 15 bytes. */
  readonly name: string
  /** R, S, D, T, t, Z, … */
  readonly state: string
  readonly group: number
  /** What it waits for; absent where the kernel does not show it. */
  readonly waiting?: Waiting
  /** It ignores SIGTSTP and SIGTTOU, as shells with job control do; absent where it is not known. */
  readonly ignoresStops?: boolean
}

/** What a process waits for: files it wants to read, others, or something else; or it runs. */
export type Waiting =
  | {
      readonly _tag: 'reading'
      readonly files: readonly string[]
      /** It waits for a while only, and then goes on by itself. */
      readonly bounded: boolean
    }
  /** For others, that can be looked at themselves: a child of its own, or who reads what it writes. */
  | { readonly _tag: 'others' }
  | { readonly _tag: 'elsewhere' }

/** How a terminal reads its input. */
export interface TerminalFlags {
  readonly lineMode: boolean
  readonly echo: boolean
  /** ^C becomes SIGINT for the foreground. */
  readonly signals: boolean
}

/** What a host can see of a session's process and of its terminal at one moment. */
export interface TerminalFact {
  /** `undefined`: nothing could be looked at; what stands there is not known. */
  readonly alive: boolean | undefined
  /** The process that the host started; absent where the kernel shows nothing. */
  readonly leader?: ProcessFact
  /** The path of its terminal. */
  readonly terminal?: string
  /** The process group in the foreground of the terminal. */
  readonly foregroundGroup?: number
  /** The processes of that group, zombies left out. */
  readonly foreground: readonly ProcessFact[]
  /** Asked for separately: it may cost a fork. */
  readonly flags?: TerminalFlags
}

/** What became of what a process left behind. */
export interface Leftover {
  readonly ended: readonly string[]
  readonly letBe: readonly string[]
  /** Its host could not be reached: nothing was ended yet. */
  readonly unreached?: true
  /** Its host does not show it: nothing of it was ended. */
  readonly unseen?: true
}

/** How a program is started on a terminal of its own. */
export interface ProcessStart {
  readonly sessionId: string
  /** Another session, whose place this one takes: its process is of no more use. */
  readonly inPlaceOf?: string
  /** A name sought in the environment's PATH, or a path. */
  readonly command: string
  readonly args: readonly string[]
  /** Where to start; where there is no such directory, in the nearest above it that there is. */
  readonly cwd: string
  readonly environment: Environment
  readonly size: TerminalSize
  /** Makes the program give signed marks; absent: it gives none. */
  readonly integration?: Integration
}

/**
 * What makes a shell give signed marks: files that only its user can read, in a directory of their own,
 * and how the shell is told of them. The host writes the files and removes them when the process is `settled`.
 */
export interface Integration {
  readonly nonce: string
  /** By file name; `directory` is where they will stand. */
  readonly files: (directory: string) => Readonly<Record<string, string>>
  readonly args: (directory: string) => readonly string[]
  readonly environment: (directory: string) => Environment
}

/** What a process tells the session it belongs to. */
export interface ProcessListener {
  readonly output: (text: string) => void
  /** The process ended, or what connects us with it was lost and nothing more is known of it. */
  readonly gone: (end: ProcessEnd) => void
}

export type ProcessEnd =
  | { readonly _tag: 'exited'; readonly exit: Exit }
  | { readonly _tag: 'lost'; readonly detail: string }

/** A running program on a terminal of its own. */
export interface Process {
  readonly identity: ProcessIdentity
  /** What its host shows of it; nothing else is asked for, nor believed. */
  readonly shows: HostShowing
  /** Where it was started. */
  readonly startedIn: string
  /** `false`: the process is gone, nothing was written. */
  readonly write: (text: string) => boolean
  readonly resize: (size: TerminalSize) => void
  /** What the kernel shows now; `flags`: also how the terminal reads. */
  readonly look: (flags: boolean) => Promise<TerminalFact>
  /** Sends a signal to the process itself, or to the group if it still is the terminal's foreground. */
  readonly signal: (to: 'process' | { readonly group: number }, name: Signal) => Promise<boolean>
  /** What the kernel says of its directory and of the environment it was started with. */
  readonly surroundings: () => Promise<{
    readonly workingDirectory?: string
    readonly environment?: Environment
  }>
  /** The files of the integration were read: they may go. */
  readonly settled: () => void
  /** Ends the process, asked first, then forced, and what it leaves behind; also of one that is gone. */
  readonly end: () => Promise<Leftover>
  /** Present where the process outlives its connection. */
  readonly keeping?: Keeping
}

/** How a process that outlives its connection is let go and found again. */
export interface Keeping {
  /** What `Host.attach` needs. */
  readonly kept: KeptProcess
  /** Gives the connection up and lets the process be; nothing is told of it any more. */
  readonly letGo: () => void
}

export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGCONT' | 'SIGKILL'

/** A process that goes on without us, and can be attached to again. */
export interface KeptProcess {
  readonly name: string
  readonly identity: ProcessIdentity
}

/** It could not be started, or attached to; nothing of the try is left. */
export interface StartFailure {
  readonly detail: string
  /** Nothing that is tried again can help: the host's key changed, say. */
  readonly permanent?: boolean
  /** The credential was refused: what needs it must not be tried again. */
  readonly credentialRefused?: boolean
  /** The host did not prove to be the one that is known; it was told nothing. */
  readonly hostKeyRefused?: boolean
  /** Of an attach: there is no such process any more. */
  readonly gone?: boolean
  /** The option that is wrong. */
  readonly field?: string
}

/** What became of a process that was kept and that nobody can attach to any more. */
export type KeptEnd =
  | { readonly _tag: 'ended'; readonly leftover: Leftover }
  /** There is no such process any more, maybe a later one of the same number. */
  | { readonly _tag: 'gone' }
  | { readonly _tag: 'let-be'; readonly detail: string }

export type Started =
  | { readonly _tag: 'started'; readonly process: Process }
  | { readonly _tag: 'not-started'; readonly failure: StartFailure }

export interface Host {
  /** As a person reads it: `this machine`, `me@build:22`. */
  readonly name: string
  /** What the host itself gives a new session, today; absent: nothing, all comes from the session. */
  readonly environment?: (signal?: Cancellation) => Promise<E.Either<StartFailure, Environment>>
  readonly start: (
    start: ProcessStart,
    listener: ProcessListener,
    signal?: Cancellation,
  ) => Promise<Started>
  /** Finds out whether the host is reached and lets us in; absent where it is always there. */
  readonly probe?: (signal?: Cancellation) => Promise<E.Either<StartFailure, void>>
  /** Connects with a process that was kept; absent where none ever is. */
  readonly attach?: (
    kept: KeptProcess,
    size: TerminalSize,
    listener: ProcessListener,
    signal?: Cancellation,
  ) => Promise<Started>
  /**
   * Ends a process that another driver started and that was kept, if it still is the one that is meant;
   * absent where none ever is. Left: the host could not be reached; it is owed its end once another
   * process has taken the session's place.
   */
  readonly endKept?: (
    sessionId: string,
    kept: KeptProcess,
    signal?: Cancellation,
  ) => Promise<E.Either<StartFailure, KeptEnd>>
}

/** The hosts a driver may use. */
export interface HostPool {
  /**
   * The host for a session with these options of the app's.
   *
   * @param place the name of the host it stood on when it was seen last.
   */
  readonly hostOf: (
    sessionId: string,
    options: unknown,
    place?: string,
  ) => E.Either<StartFailure, Host>
  /** Other hosts that meet what the session's options require, the best first. */
  readonly others: (current: Host, options: unknown) => readonly Host[]
}
