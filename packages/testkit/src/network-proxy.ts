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
  /**
   * Only what there is goes silent, and stays so: something on the way forgot it. New connections are as
   * before.
   */
  readonly cut: () => void
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

interface Gate {
  readonly opened: Promise<void>
  readonly open: () => void
}

/** A connection of a client, and the one that was made to the target for it. */
interface Pair {
  readonly sockets: readonly [Socket, Socket]
  /** Where there is one, nothing passes until it is opened. */
  gate: Gate | undefined
}

const host = '127.0.0.1'

// ----------------------------------------------------------------------------------- constructors

/** Starts a proxy before a port of this machine. */
export const startNetworkProxy = async (targetPort: number): Promise<NetworkProxy> => {
  const pairs = new Set<Pair>()
  let taken = 0
  let delayMs = 0
  let gate: Gate | undefined
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    taken += 1
    const target = dial({ host, port: targetPort, allowHalfOpen: true, noDelay: true })
    const pair: Pair = { sockets: [client, target], gate }
    pairs.add(pair)
    for (const socket of pair.sockets) {
      socket.on('error', () => undefined)
      socket.on('close', () => {
        if (pair.sockets.every(({ destroyed }) => destroyed)) pairs.delete(pair)
      })
    }
    const heldMs = () => delayMs
    void carry(client, target, pair, heldMs)
    void carry(target, client, pair, heldMs)
  })
  const port = await listenOnLoopback(server)
  const drop = () => {
    for (const { sockets } of pairs) for (const socket of sockets) socket.destroy()
  }
  return {
    host,
    port,
    counted: () => taken,
    open: () => pairs.size,
    silence: () => {
      gate ??= newGate()
      for (const pair of pairs) pair.gate ??= gate
    },
    cut: () => {
      for (const pair of pairs) pair.gate = newGate()
    },
    pass: async () => {
      gate?.open()
      for (const pair of pairs) if (pair.gate === gate) pair.gate = undefined
      gate = undefined
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
      gate?.open()
      for (const pair of pairs) pair.gate?.open()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
  }
}

const newGate = (): Gate => {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

// ------------------------------------------------------------------------------------ combinators

// One direction. The end of one side, too, waits until it may pass: a cut cable tells nobody anything.
const carry = async (from: Socket, to: Socket, pair: Pair, heldMs: () => number): Promise<void> => {
  try {
    for await (const chunk of from) {
      if (heldMs() > 0) await new Promise((resolve) => setTimeout(resolve, heldMs()))
      await allowed(pair)
      if (to.destroyed) break
      if (!to.write(chunk)) await Promise.race([once(to, 'drain'), once(to, 'close')])
    }
    await allowed(pair)
    to.end()
  } catch {
    await allowed(pair)
    to.destroy()
  }
}

// What may pass may be held back again before it could go on.
const allowed = async (pair: Pair): Promise<void> => {
  while (pair.gate !== undefined) {
    const { gate } = pair
    await gate.opened
    if (pair.gate === gate) return
  }
}
