/**
 * The network of one row whose session stands on a remote host: a real sshd behind a proxy that can go
 * silent, a second one where there is a pool, and the driver that reaches them.
 */

import { type SshDriver, type SshKeeper, sshDriver } from '@session-recovery/adapter-ssh'
import { systemClock } from '@session-recovery/engine'
import {
  type NetworkProxy,
  type Sshd,
  startNetworkProxy,
  startSshd,
} from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'

// ------------------------------------------------------------------------------------------ model

export interface Network {
  readonly server: Sshd
  readonly proxy: NetworkProxy
  /** Another host of the pool, where there is one. */
  readonly other: Sshd | undefined
  /** From now on the app logs in with a key the server does not know. */
  readonly useStranger: () => void
  readonly driver: () => SshDriver
  readonly close: () => Promise<void>
}

// ----------------------------------------------------------------------------------- constructors

// A machine that is busy with other rows must not make a connection look lost.
const keepaliveIntervalMs = 800
const keepaliveCount = 2
const dialTimeoutMs = 3_000

const started = async (): Promise<Sshd> => {
  const sshd = await startSshd()()
  if (E.isLeft(sshd)) throw new Error(`sshd: ${JSON.stringify(sshd.left)}`)
  return sshd.right
}

/** A server, or two. */
export const raiseNetwork = async (keeper: SshKeeper, hasPool: boolean): Promise<Network> => {
  const [server, other] = await Promise.all([started(), hasPool ? started() : undefined])
  const proxy = await startNetworkProxy(server.port)
  let isStranger = false
  const hostOf = (sshd: Sshd, port: number) => ({
    host: sshd.host,
    port,
    user: sshd.user,
    keeper,
    credential: {
      _tag: 'private-key' as const,
      privateKey: () => (isStranger ? sshd.strangerKey : sshd.clientKey),
    },
    hostKeys: { _tag: 'pinned' as const, keys: [sshd.hostKey()] },
  })
  const hosts = [
    hostOf(server, proxy.port),
    ...(other === undefined ? [] : [hostOf(other, other.port)]),
  ]
  return {
    server,
    proxy,
    other,
    useStranger: () => {
      isStranger = true
    },
    driver: () =>
      sshDriver({ clock: systemClock, hosts, keepaliveIntervalMs, keepaliveCount, dialTimeoutMs }),
    close: async () => {
      await proxy.close()
      await server.close()
      await other?.close()
    },
  }
}
