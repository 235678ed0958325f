/**
 * A TCP proxy on loopback whose network can fail as networks do: go silent without closing anything, drop
 * what there is, be slow, or refuse. A half-open connection can be made by nothing else on one machine.
 */
import { once } from 'node:events'
import { createServer, connect as dial, type Socket } from 'node:net'
import { listenOnLoopback } from './free-port.js'

// ------------------------------------------------------------------------------------------ model

export interface NetworkProxy {
  readonly host: string
  readonly port: number
  /** Connections taken since the proxy was made, whatever became of them. */
  readonly counted: () => number
  /** Connections there are. */
  readonly open: () => number
  /**
   * Nothing passes either way any more, and nothing is closed: not by bytes, not by an end of either side.
   * A connection made meanwhile is taken and stays as silent.
   */
  readonly silence: () => void
  /** Everything passes again, what was held back first; what was refused is taken again. */
  readonly pass: () => Promise<void>
  /** Closes every connection there is at once; new ones are taken. */
  readonly drop: () => void
  /** Holds everything back by that much in each direction; 0 again for none. */
  readonly delay: (delayMs: number) => void
  /** Takes no connection until it may pass; those there are stay. */
  readonly refuse: () => Promise<void>
  readonly close: () => Promise<void>
}

interface Way {
  readonly allowed: () => Promise<void>
  readonly delayMs: () => number
}

const host = '127.0.0.1'

// ----------------------------------------------------------------------------------- constructors

/** Starts a proxy before a port of this machine. */
export const startNetworkProxy = async (targetPort: number): Promise<NetworkProxy> => {
  const sockets = new Set<Socket>()
  let taken = 0
  let delayMs = 0
  let gate: { readonly opened: Promise<void>; readonly open: () => void } | undefined
  const way: Way = { allowed: async () => gate?.opened, delayMs: () => delayMs }
  const pairs = () => [...sockets].filter((socket) => !socket.destroyed).length / 2
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    taken += 1
    const target = dial({ host, port: targetPort, allowHalfOpen: true, noDelay: true })
    for (const socket of [client, target]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => undefined)
    }
    void carry(client, target, way)
    void carry(target, client, way)
  })
  const port = await listenOnLoopback(server)
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  const openGate = () => {
    gate?.open()
    gate = undefined
  }
  return {
    host,
    port,
    counted: () => taken,
    open: () => Math.ceil(pairs()),
    silence: () => {
      gate ??= newGate()
    },
    pass: async () => {
      openGate()
      if (!server.listening) await listenOnLoopback(server, port)
    },
    drop,
    delay: (byMs) => {
      delayMs = byMs
    },
    refuse: async () => {
      server.close()
    },
    close: async () => {
      drop()
      openGate()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
  }
}

const newGate = () => {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

// ------------------------------------------------------------------------------------ combinators

// One direction. The end of one side, too, waits until it may pass: a cut cable tells nobody anything.
const carry = async (from: Socket, to: Socket, { allowed, delayMs }: Way): Promise<void> => {
  try {
    for await (const chunk of from) {
      if (delayMs() > 0) await new Promise((resolve) => setTimeout(resolve, delayMs()))
      await allowed()
      if (to.destroyed) break
      if (!to.write(chunk)) await Promise.race([once(to, 'drain'), once(to, 'close')])
    }
    await allowed()
    to.end()
  } catch {
    await allowed()
    to.destroy()
  }
}
