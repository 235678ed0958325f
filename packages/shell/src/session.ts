/**
 * A session: one id and one terminal for the app, whatever process stands beneath it and wherever.
 */
import type { Showing } from '@session-recovery/core'
import type { Dialogue } from './dialogue.js'
import type { Environment, Origin } from './environment.js'
import type { Host, KeptProcess, Leftover, ProcessEnd, ProcessIdentity } from './host.js'
import type { Stand } from './inheritance.js'
import { integrationOf } from './integration-table.js'
import type { Mark } from './mark.js'
import { type Output, outputOf } from './output.js'
import { screenOf, type TerminalSize } from './screen.js'
import { keepAside, type SetAside, settleAside } from './set-aside.js'
import type { Shell, ShellListener } from './shell.js'
import { nothingShown, shownBy } from './showing.js'
import type { StateRespawn } from './state-item.js'
import { type LostInput, lineTaken, type TypeAhead, typeAhead } from './type-ahead.js'
import { type Commands, settle, unknownCommands } from './unknown-command.js'

// ------------------------------------------------------------------------------------------ model

/** What a session runs. */
export interface SessionSpec {
  /** A name sought in the environment's PATH, or a path. */
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  /** What the session's environment holds, besides what its host itself gives. */
  readonly environment: Environment
  /** Somebody sits at it: it is never typed at. */
  readonly attended: boolean
  /** How long a command may take; absent: nobody knows. */
  readonly expectedMs?: number
}

/** How a command line that was typed ended. */
export type CommandOutcome =
  | { readonly _tag: 'finished'; readonly exitCode: number }
  /** It had not ended within the time it was given, and goes on. */
  | { readonly _tag: 'late' }
  /**
   * The shell ran another line than was typed: its history, an abbreviation or a key of the user's made one
   * of it. Whatever it did, it is not what was asked for.
   */
  | { readonly _tag: 'altered'; readonly ran: string; readonly exitCode: number }
  /**
   * Nothing was there to take the line, or the shell took it and ran nothing, or its end was not told: then
   * whether it ran is not known. `detail` says which.
   */
  | { readonly _tag: 'lost'; readonly detail: string }

/** A session as the app uses it, across recoveries: the same object, whatever process is beneath. */
export interface ShellSession {
  readonly id: string
  /** The host it stands on, as a person reads it. */
  readonly place: () => string
  /** The process beneath; `undefined` while there is none. */
  readonly pid: () => number | undefined
  readonly identity: () => ProcessIdentity | undefined
  /** Registers a listener for output, without our marks; returns what removes it. */
  readonly onData: (listener: (text: string) => void) => () => void
  /** Writes input as typed; `false`: there is no process, nothing was written. */
  readonly write: (text: string) => boolean
  readonly resize: (size: TerminalSize) => void
  /**
   * Types a command line once the shell is at its prompt, and waits for its finish mark, as long as
   * the process lives. A line that stands there half typed is set aside first; a shell that does not say
   * that its line is empty is not typed at. A line that holds a control character, newlines aside, is
   * `lost` and not typed: to a line editor it is a key. A program that gives no marks, and a shell whose line
   * editor is off (`set +o emacs`, `unsetopt zle`), get no line at all: `lost`. Where the shell tells the line that ran, it is compared
   * with the one that was typed, but for blanks; of more lines than one, and of one that the shell keeps out
   * of its history, nothing is compared.
   */
  readonly exec: (line: string) => Promise<CommandOutcome>
  /** What shows the screen as it is, inert, on a terminal of the same size. */
  readonly screen: () => Promise<string>
  /**
   * The commands that were seen starting and not finishing, oldest first. Whether they did their work is
   * not known; none is run again unless it was declared idempotent. `exec` runs one because the app says so.
   */
  readonly unknownCommands: () => readonly string[]
  /**
   * The lines that stood half typed at the prompt and were taken out, oldest first and bounded. None was
   * run.
   */
  readonly setAside: () => readonly string[]
  /** The app has dealt with one of these: it is named no more. `false`: there is no such one. */
  readonly settle: (line: string) => boolean
  /** The kept output, raw. */
  readonly output: () => string
  /** How much output was dropped to stay in bounds. */
  readonly droppedOutputBytes: () => number
  /**
   * What is shown of it, by its program and its host, and by whom. While it has had no process yet, what
   * its program shows.
   */
  readonly shows: () => Showing
}

/** What a respawn set out to do, to be compared with what is there. */
export interface Respawn {
  readonly shell: Shell
  /** A shell that gives no marks: what it held besides what it was started with nobody knows. */
  readonly isSilentShell: boolean
  readonly wantedCwd: string
  /** The snapshot named no directory. */
  readonly cwdUnknown: boolean
  readonly environment: Environment
  readonly fromSnapshot: readonly string[]
  readonly refused: Environment
  /** Where each variable of the environment comes from. */
  readonly origins: Readonly<Record<string, Origin>>
  readonly state: StateRespawn
  readonly historyLines: readonly string[]
  /** Lines left out because they held a secret. */
  readonly redactedLines: number
  /** The text of the screen's lines before; `undefined` when the screen was not brought back. */
  readonly screenLines: readonly string[] | undefined
  readonly leftover: Leftover
  /** What was typed at the process before and not seen to be taken. */
  readonly lostInput: LostInput
  /** Variables whose secret nobody has any more. */
  readonly lostVariables: readonly string[]
}

/** What a run of strategies did, for the verification to compare with what is there. */
export interface Deed {
  /** A process was started anew. */
  readonly respawn?: Respawn
  /** The process that was attached to again. */
  readonly attached?: Shell
  /** The session that took this one's place. */
  readonly replica?: Session
  /** The commands that were run again, and how each ended. */
  readonly retried?: readonly RetriedCommand[]
  /** What a person should know besides. */
  readonly remarks?: readonly string[]
}

export interface RetriedCommand {
  readonly line: string
  readonly exitCode: number
  readonly tries: number
}

/** What is needed to attach to the process once more. */
export interface Rope {
  readonly kept: KeptProcess
  readonly shell: Shell
}

/** Stands for an output and a history as they were. */
export interface Bulk {
  readonly outputChanges: number
  readonly history: readonly string[]
}

/** A session as the driver holds it. */
export interface Session extends Commands, SetAside, Stand, TypeAhead {
  readonly id: string
  readonly spec: SessionSpec
  /** The app's own options, which a pool of hosts may read. */
  readonly options: unknown
  host: Host
  readonly face: ShellSession
  readonly output: Output
  readonly listener: ShellListener
  size: TerminalSize
  /** The newest lines that were entered, bounded, and how many older ones were dropped. */
  history: readonly string[]
  droppedHistoryLines: number
  /** Of which output and history the last capture was; a new one with each change of theirs. */
  bulk: Bulk
  /** When the foreground was first seen waiting, or stopped, without a break since. */
  waitingSinceMs: number | undefined
  stoppedSinceMs: number | undefined
  deed: Deed
  /** The process to attach to, where one outlives its connection. */
  rope: Rope | undefined
  /** The session whose place it takes. */
  inPlaceOf: string | undefined
  /** Another has taken its place: nothing may be written to it, and what it still does is ignored. */
  fenced: boolean
  /** The command that the last strategy interrupted. */
  interrupted: string | undefined
  watched: boolean
  /** Since the marks were last seen to say the truth, something was entered that may have torn them out. */
  isDoubted: boolean
  /** Given up for good: no process may be started any more. */
  ended: boolean
  readonly tell: (text: string) => void
}

/** What a session tells the driver. */
export interface SessionListener {
  readonly changed: () => void
  readonly gone: (end: ProcessEnd) => void
}

/** A session to be made. */
export interface SessionStart {
  readonly id: string
  readonly spec: SessionSpec
  readonly options: unknown
  readonly host: Host
  readonly size: TerminalSize
  readonly outputLimitBytes: number
}

// ----------------------------------------------------------------------------------- constructors

const historyLimit = 1_000

/** A session without a process yet. */
export const sessionOf = (
  { id, spec, options, host, size, outputLimitBytes }: SessionStart,
  exec: (session: Session, line: string) => Promise<CommandOutcome>,
  listener: SessionListener,
): Session => {
  const output = outputOf(outputLimitBytes)
  const dataListeners = new Set<(text: string) => void>()
  const tell = (text: string): void => {
    for (const told of [...dataListeners]) told(text)
  }
  let unsaid = false
  const session: Session = {
    id,
    spec,
    options,
    host,
    output,
    size,
    shell: undefined,
    history: [],
    droppedHistoryLines: 0,
    bulk: { outputChanges: 0, history: [] },
    waitingSinceMs: undefined,
    stoppedSinceMs: undefined,
    deed: {},
    rope: undefined,
    inherited: undefined,
    inPlaceOf: undefined,
    fenced: false,
    interrupted: undefined,
    unknown: [],
    noted: undefined,
    setAside: [],
    typed: undefined,
    ahead: '',
    isDoubted: false,
    watched: true,
    ended: false,
    tell,
    listener: {
      output: (text) => {
        output.append(text)
        tell(text)
      },
      mark: (mark, dialogue) => {
        const isAside = afterMark(session, mark, dialogue)
        const tells = mark._tag === 'environment' || mark._tag === 'shell-state'
        if (mark._tag === 'started' || tells) unsaid = true
        // By the prompt all that a command changed has been told. Its start is told at once: were the app
        // to end now, nobody else would know that it ran.
        const told = mark._tag === 'prompt' && unsaid
        if (told) unsaid = false
        if ((told || isAside || mark._tag === 'started') && session.watched) listener.changed()
      },
      gone: (end, wanted) => {
        if (!wanted && session.watched && !session.fenced) listener.gone(end)
      },
    },
    face: {
      id,
      place: () => session.host.name,
      pid: () => session.face.identity()?.pid,
      identity: () => livingShell(session)?.process.identity,
      onData: (told) => {
        dataListeners.add(told)
        return () => dataListeners.delete(told)
      },
      write: (text) => written(session, text),
      resize: (to) => {
        session.size = to
        livingShell(session)?.process.resize(to)
      },
      exec: (line) => exec(session, line),
      screen: async () => (await screenOf(output.text(), session.size)).inert,
      unknownCommands: () => unknownCommands(session),
      setAside: () => session.setAside,
      settle: (line) => {
        const settled = settle(session, line) || settleAside(session, line)
        if (settled && session.watched) listener.changed()
        return settled
      },
      output: output.text,
      droppedOutputBytes: output.droppedBytes,
      shows: () => shownOf(session),
    },
  }
  return session
}

// ------------------------------------------------------------------------------------ combinators

// What a mark changes in a session. Gives whether a line was set aside.
const afterMark = (session: Session, mark: Mark, { running }: Dialogue): boolean => {
  if (mark._tag === 'started' && running?.line !== undefined) {
    const all = [...session.history, running.line]
    session.history = all.slice(-historyLimit)
    session.droppedHistoryLines += all.length - session.history.length
  }
  if (mark._tag === 'started') {
    session.typed = undefined
    lineTaken(session)
  }
  if (mark._tag === 'prompt') session.output.leaveAlternateScreen()
  // What is typed by then is in its editor, or was read by what ran.
  if (mark._tag === 'prompt' || mark._tag === 'set-aside') session.ahead = ''
  return mark._tag === 'set-aside' && keepAside(session, mark.text)
}

const written = (session: Session, text: string): boolean => {
  session.isDoubted = true
  const isWritten = !session.fenced && (session.shell?.write(text) ?? false)
  if (isWritten && shownOf(session).commands !== 'nobody') typeAhead(session, text)
  return isWritten
}

/** What is shown of a session: of its process, or, where it has had none yet, of its program alone. */
export const shownOf = ({ shell, spec }: Pick<Session, 'shell' | 'spec'>): Showing =>
  shell?.shows ?? shownBy(integrationOf(spec.command, spec.args) !== undefined, nothingShown)

/** The process of a session, if it lives. */
export const livingShell = (session: Session): Shell | undefined =>
  session.shell?.gone() === undefined ? session.shell : undefined
