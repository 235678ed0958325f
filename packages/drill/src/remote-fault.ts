/**
 * The faults of sessions on a remote host: what can happen to the connection and to the server.
 */
import type { Fault, Victim } from './fault.js'
import type { Network } from './network.js'
import { isRemote } from './subject.js'

const networkOf = ({ network }: Pick<Victim, 'network'>): Network => {
  if (network === undefined) throw new Error('this row has no network')
  return network
}

const orFail = async (starting: ReturnType<Network['server']['start']>): Promise<void> => {
  const started = await starting
  if (started._tag === 'Left') throw new Error(`sshd: ${JSON.stringify(started.left)}`)
}

const remote = { fits: isRemote, leaves: 'cut-off' } as const

/** Every fault of a connection. */
export const remoteFaults: readonly Fault[] = [
  {
    ...remote,
    name: 'child-killed',
    what: 'SIGKILL of the server process that holds the connection',
    strike: async (victim) => {
      const { server } = networkOf(victim)
      for (const child of server.children()) server.signalChild(child, 'SIGKILL')
    },
  },
  {
    ...remote,
    name: 'server-stopped',
    what: 'SIGSTOP of the server and all its connections; it goes on later',
    strike: async (victim) => networkOf(victim).server.freeze(),
    relent: async (victim) => networkOf(victim).server.thaw(),
  },
  {
    ...remote,
    name: 'server-restarts',
    what: 'the server is ended, and is back a while later',
    strike: async (victim) => networkOf(victim).server.stop(),
    relent: async (victim) => orFail(networkOf(victim).server.start()),
  },
  {
    ...remote,
    name: 'blackholed',
    what: 'the network takes everything, brings nothing, closes nothing; new connections work',
    strike: async (victim) => networkOf(victim).proxy.cut(),
  },
  {
    ...remote,
    name: 'key-rotated',
    what: 'the server is back with another host key',
    closed: true,
    strike: async (victim) => {
      const { server } = networkOf(victim)
      await server.stop()
      await orFail(server.start({ newHostKey: true }))
    },
  },
  {
    ...remote,
    name: 'key-refused',
    what: 'the connection drops, and the key is refused from then on',
    closed: true,
    strike: async (victim) => {
      const network = networkOf(victim)
      network.useStranger()
      network.proxy.drop()
    },
  },
  {
    ...remote,
    name: 'host-gone',
    what: 'the host is gone for good, and there is another in the pool',
    closed: true,
    pool: true,
    strike: async (victim) => {
      const { proxy, server } = networkOf(victim)
      await proxy.refuse()
      await server.stop()
    },
  },
]
