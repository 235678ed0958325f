/**
 * The driver of real local shells on pseudo-terminals.
 */
import type { RecoveryStrategy } from '@session-recovery/core'
import {
  type ShellDriver,
  type ShellDriverOptions,
  type ShellSession,
  shellDriver,
} from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import { localHost, ownEnvironment } from './local-host.js'

export type PtyOptions = ShellDriverOptions
export type PtySession = ShellSession
export type PtyDriver = ShellDriver

/** There is one machine: a session on it has no connection to lose and no other host to go to. */
const strategies: ReadonlySet<RecoveryStrategy> = new Set([
  'restart',
  'reconnect',
  'restore',
  'replicate',
  'migrate',
  'prompt-interrupt',
  'prompt-reset',
  'session-refresh',
  'command-retry',
])

/** A driver without sessions. Its shells run on this machine and end with it. */
export const ptyDriver = (options: PtyOptions): PtyDriver => {
  const machine = localHost(options.clock)
  return shellDriver(
    {
      name: 'pty',
      pool: { hostOf: () => E.right(machine), others: () => [] },
      strategies,
      shows: machine.shows,
      defaultCommand: ({ SHELL }) => SHELL ?? 'bash',
      adoptedEnvironment: (known) => (Object.keys(known).length > 0 ? known : ownEnvironment()),
      close: async () => machine.close(),
    },
    options,
  )
}
