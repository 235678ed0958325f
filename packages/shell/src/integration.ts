/**
 * Shell integrations: for each shell that can be made to tell, in signed marks, what it does, how a
 * process of it is started so that it does, and how what it tells of its state is read.
 */
import type { ShellKind, ShellState } from '@session-recovery/core'
import type { Environment } from './environment.js'
import type { Integration } from './host.js'

// ------------------------------------------------------------------------------------------ model

/** What one process is to be made to tell, and what it is to begin with. */
export interface IntegrationPlan {
  /** Signs its marks: made for this process, known to it and the driver alone. */
  readonly nonce: string
  /** Variables of the given environment that the user's start-up files must not change. */
  readonly kept: readonly string[]
  /** The environment the process is given. */
  readonly environment: Environment
  /** Lines to put back into the history, oldest first. */
  readonly historyLines: readonly string[]
  /** What it is to hold besides, from the shell before it; absent: what its start-up files make. */
  readonly state?: ShellState
}

/** The parts of a state in which something may run without being asked for. */
export type RunningItem = 'shellVariables' | 'functions' | 'aliases' | 'traps'

/** One kind of shell. */
export interface ShellIntegration {
  readonly kind: ShellKind
  /** Whether this program, started so, is an interactive shell of the kind that can be integrated. */
  readonly fits: (command: string, args: readonly string[]) => boolean
  /** With a state in its plan the shell tells its own before its first prompt, for the comparison. */
  readonly integrate: (plan: IntegrationPlan) => Integration
  /** Reads what a `shell-state` mark carries; `undefined` when it cannot be read. */
  readonly readState: (payload: string) => ShellState | undefined
  /**
   * Whether what has this name runs without being asked for (a hook, a prompt), besides the variables
   * that are known as such and traps that hold a command: it is not given to a new shell.
   */
  readonly runsByItself: (item: RunningItem, name: string) => boolean
  /** Files of its own, for which it waits beside its terminal when it reads a line; absent: none. */
  readonly isOwnFile?: (file: string) => boolean
}
