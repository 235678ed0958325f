/**
 * Ports on loopback for servers that come and go. They are none of those that the kernel gives to whoever
 * dials: a client that dials such a port while its server is away may be given that very port, and is then
 * connected to itself.
 */
import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'

const host = '127.0.0.1'
const first = 20_000
// Linux gives those from 32,768 on by default, other systems later ones.
const afterLast = 32_768
const tries = 50

/** Listens on a port of its own, or on the one that is asked for, and tells which. */
export const listenOnLoopback = async (server: Server, asked?: number): Promise<number> => {
  for (let left = asked === undefined ? tries : 1; ; left -= 1) {
    const port = asked ?? randomInt(first, afterLast)
    const refused = await listening(server, port)
    if (refused === undefined) return port
    if (left <= 1) throw refused
  }
}

/** A port that was free a moment ago. */
export const freePort = async (): Promise<number> => {
  const server = createServer()
  const port = await listenOnLoopback(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

const listening = (server: Server, port: number): Promise<Error | undefined> =>
  new Promise((resolve) => {
    server.once('error', resolve)
    server.listen(port, host, () => {
      server.off('error', resolve)
      resolve(undefined)
    })
  })
