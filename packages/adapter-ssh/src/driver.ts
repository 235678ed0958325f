/**
 * The driver of real shells on hosts that are reached over SSH.
 */
import type { RecoveryStrategy } from '@session-recovery/core'
import {
  everythingShown,
  type Host,
  type ShellDriver,
  type ShellSession,
  shellDriver,
  wrongNumber,
} from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import { admissionOf } from './admission.js'
import { ledgerOf } from './ledger.js'
import type { SshDriverOptions, SshOpenOptions } from './option.js'
import { type Pool, poolOf } from './pool.js'
import { remoteHost } from './remote-host.js'

export type SshSession = ShellSession
export type SshDriver = ShellDriver<SshOpenOptions>

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

const defaultKeepaliveIntervalMs = 5_000
const defaultKeepaliveCount = 2
const defaultDialTimeoutMs = 10_000

/** A driver without sessions. It dials when the first is opened. */
export const sshDriver = (options: SshDriverOptions): SshDriver => {
  const dialOptions = {
    clock: options.clock,
    admission: admissionOf(options.clock),
    keepaliveIntervalMs: options.keepaliveIntervalMs ?? defaultKeepaliveIntervalMs,
    keepaliveCount: options.keepaliveCount ?? defaultKeepaliveCount,
    dialTimeoutMs: options.dialTimeoutMs ?? defaultDialTimeoutMs,
  }
  const { keepaliveIntervalMs, keepaliveCount, dialTimeoutMs } = options
  const ledger = ledgerOf()
  const pool = poolOf(
    options.hosts,
    (declared) => remoteHost(declared, dialOptions, ledger),
    wrongNumber({ keepaliveIntervalMs, keepaliveCount, dialTimeoutMs }),
  )
  const driver = shellDriver<SshOpenOptions>(
    {
      name: 'ssh',
      pool,
      strategies,
      // What a host shows is known once it is reached: of a session its `shows` tells it.
      shows: everythingShown,
      defaultCommand: ({ SHELL }) => SHELL ?? 'bash',
      adoptedEnvironment: (known) => known,
      close: async () => {
        await Promise.all(pool.members.map(({ host }) => host.close()))
      },
    },
    options,
  )
  return {
    ...driver,
    ...(options.sharesFate === true ? { domainsOf: (wanted) => domainsIn(pool, wanted) } : {}),
    open: (sessionId, wanted) => async () => {
      const member = pool.memberOf(wanted)
      const revoke = E.isRight(member) ? member.right.host.allowAgain() : () => {}
      try {
        return await driver.open(sessionId, wanted)()
      } finally {
        revoke()
      }
    },
    close: async () => {
      for (const { host } of pool.members) host.callOff()
      await driver.close()
    },
    end: async (sessionId) => {
      await driver.end(sessionId)
      // Nobody looks for its process again: what could not be ended now is ended when it can be.
      ledger.replaced(sessionId)
    },
  }
}

/** The host that a session with these options begins on, and whom it logs in there as. */
const domainsIn = (pool: Pool<Host>, options: unknown): readonly string[] => {
  const member = pool.memberOf(options)
  if (E.isLeft(member)) return []
  const { host, port, user } = member.right.declared
  return [`host:${host}:${port}`, `credential:${user}@${host}:${port}`]
}
