/**
 * One process on one pseudo-terminal: started, listened to, written to, ended. What it says in signed
 * marks becomes its dialogue, everything else its output.
 */
import { unlinkSync } from 'node:fs'
import { constants } from 'node:os'
import { type IPty, spawn } from '@lydell/node-pty'
import type { Clock, Exit } from '@session-recovery/core'
import type { Environment, TerminalSize } from '@session-recovery/shell'
import {
  afterMark,
  boundKey,
  type Dialogue,
  type Mark,
  scannerOf,
  silent,
  waitFor,
} from '@session-recovery/shell'
import { identityOf, lives, type ProcessIdentity, sendSignal, terminalOf } from './process.js'

// ------------------------------------------------------------------------------------------ model

export interface ShellStart {
  /** The program, as an absolute path. */
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly environment: Environment
  readonly size: TerminalSize
  /** Absent: the program gives no marks. */
  readonly integration?: { readonly nonce: string; readonly initFile: string }
}

/** What a shell tells the session it belongs to. */
export interface ShellListener {
  readonly output: (text: string) => void
  readonly mark: (mark: Mark, dialogue: Dialogue) => void
  /** The process ended; `wanted`: by {@link Shell.end}. */
  readonly exit: (exit: Exit, wanted: boolean) => void
}

export interface Shell {
  readonly identity: ProcessIdentity
  readonly integrated: boolean
  readonly dialogue: () => Dialogue
  readonly exit: () => Exit | undefined
  /** The path of its terminal, where the kernel shows it. */
  readonly terminal: () => string | undefined
  /** `false`: the process is gone, nothing was written. */
  readonly write: (text: string) => boolean
  /** Presses the bound key; returns the count its answer must reach. */
  readonly press: () => number
  readonly resize: (size: TerminalSize) => void
  /** Sends a signal to this very process; `false` when it is gone. */
  readonly signal: (signal: NodeJS.Signals) => boolean
  /** Calls `wake` whenever something was heard; returns what stops that. */
  readonly onChange: (wake: () => void) => () => void
  /** Ends the process: asked first, then forced; resolves when it is gone. */
  readonly end: () => Promise<void>
}

// ----------------------------------------------------------------------------------- constructors

const signalNames = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name] as const),
)

const exitOf = (exitCode: number, signal: number | undefined): Exit =>
  signal === undefined || signal === 0
    ? { exitCode }
    : { signal: signalNames.get(signal as never) ?? `signal ${signal}` }

const askedWithinMs = 300
const forcedWithinMs = 5_000

/** Starts a process. Throws what the system says when no terminal can be had. */
export const startShell = (start: ShellStart, listener: ShellListener, clock: Clock): Shell => {
  const pty = spawnPty(start)
  const identity = identityOf(pty.pid)
  const wakes = new Set<() => void>()
  let dialogue = silent
  let exit: Exit | undefined
  let ending: Promise<void> | undefined
  let initFile = start.integration?.initFile

  const forgetInitFile = (): void => {
    if (initFile !== undefined) removeFile(initFile)
    initFile = undefined
  }
  const wakeAll = (): void => {
    for (const wake of [...wakes]) wake()
  }
  const hear = hearing(start.integration?.nonce, {
    output: listener.output,
    mark: (mark) => {
      forgetInitFile()
      dialogue = afterMark(dialogue, mark, clock.wallMs())
      listener.mark(mark, dialogue)
    },
  })
  pty.onData((chunk) => {
    hear(chunk)
    wakeAll()
  })
  pty.onExit(({ exitCode, signal }) => {
    exit = exitOf(exitCode, signal)
    forgetInitFile()
    listener.exit(exit, ending !== undefined)
    wakeAll()
  })

  const shell: Shell = {
    identity,
    integrated: start.integration !== undefined,
    dialogue: () => dialogue,
    exit: () => exit,
    terminal: () => terminalOf(identity.pid),
    write: (text) => {
      if (exit !== undefined) return false
      pty.write(text)
      return true
    },
    press: () => {
      const next = dialogue.answers + 1
      shell.write(boundKey)
      return next
    },
    resize: ({ cols, rows }) => {
      if (exit === undefined) pty.resize(cols, rows)
    },
    signal: (signal) => exit === undefined && lives(identity) && sendSignal(identity.pid, signal),
    onChange: (wake) => {
      wakes.add(wake)
      return () => wakes.delete(wake)
    },
    end: () => {
      ending ??= endShell(shell, clock)
      return ending
    },
  }
  return shell
}

const spawnPty = (start: ShellStart): IPty =>
  spawn(
    start.program,
    start.integration === undefined
      ? [...start.args]
      : ['--init-file', start.integration.initFile, ...start.args],
    {
      ...start.size,
      cwd: start.cwd,
      env: { ...start.environment },
      name: start.environment.TERM ?? 'xterm-256color',
    },
  )

interface Heard {
  readonly output: (text: string) => void
  readonly mark: (mark: Mark) => void
}

const hearing = (nonce: string | undefined, heard: Heard): ((chunk: string) => void) => {
  if (nonce === undefined) return heard.output
  const scan = scannerOf(nonce)
  return (chunk) => {
    for (const token of scan(chunk)) {
      if (token._tag === 'output') heard.output(token.text)
      else if (token._tag === 'mark') heard.mark(token.mark)
    }
  }
}

const endShell = async (shell: Shell, clock: Clock): Promise<void> => {
  const gone = (withinMs: number) =>
    waitFor({ clock, withinMs, wakeBy: shell.onChange }, () => shell.exit())
  shell.signal('SIGHUP')
  shell.signal('SIGCONT')
  if ((await gone(askedWithinMs))._tag === 'seen') return
  shell.signal('SIGKILL')
  await gone(forcedWithinMs)
}

const removeFile = (path: string): void => {
  try {
    unlinkSync(path)
  } catch {
    // Gone already: the directory it stood in was removed with all it held.
  }
}
