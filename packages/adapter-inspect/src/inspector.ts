/**
 * The live view: a sink for the engine, and beside it a WebSocket server for viewers that speak the
 * Stately inspector's protocol.
 *
 * The server is our own, since the library's relay listens on every interface and lets everybody in:
 * this one listens on 127.0.0.1 alone and refuses, before the upgrade, whom `admission` does not admit.
 * Nothing here keeps the host's process alive, and viewers can only look.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Notice, SessionStateName, Sink } from '@session-recovery/core'
import { systemClock } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { WebSocketServer } from 'ws'
import { refusalOf } from './admission.js'
import { type Audience, audience } from './audience.js'
import { type Actor, actorKey, nameOf, type SessionActor, teller } from './message.js'
import {
  type InspectError,
  type InspectOptions,
  type ListenFailed,
  type Settings,
  settingsFrom,
} from './option.js'
import { type Roster, roster } from './roster.js'

// ------------------------------------------------------------------------------------------ model

export interface Inspector {
  /** To be subscribed to the engine before it starts, so that no session is missed. */
  readonly sink: Sink
  /** Where viewers connect, with the token in it: it is a secret of whoever started the inspector. */
  readonly url: string
  readonly address: { readonly host: '127.0.0.1'; readonly port: number }
  /** Viewers that look now, and those dropped so far because they did not keep up. */
  readonly viewers: () => { readonly connected: number; readonly dropped: number }
  /** Ends every connection and frees the port; from then on the sink does nothing. */
  readonly close: () => Promise<void>
}

/** The one interface that is listened on. */
const host = '127.0.0.1'

/** Viewers have nothing to say. */
const inboundLimitBytes = 1_024

/** Connections at one time, viewers or not yet. */
const spareConnections = 32

// ----------------------------------------------------------------------------------- constructors

/** Starts listening. Fails when an option is out of range or the port cannot be had. */
export const startInspector =
  (options: InspectOptions): TE.TaskEither<InspectError, Inspector> =>
  async () => {
    const settings = settingsFrom(options)
    if (E.isLeft(settings)) return settings
    const server = createServer()
    const listening = await listen(server, settings.right.port)
    return E.isLeft(listening) ? listening : E.right(inspect(server, settings.right))
  }

const listen = (server: Server, port: number): Promise<E.Either<ListenFailed, void>> =>
  new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const code = error.code === undefined ? {} : { code: error.code }
      resolve(E.left({ _tag: 'ListenFailed', port, ...code, message: error.message }))
    }
    server.once('error', failed)
    server.listen(port, host, () => {
      server.off('error', failed)
      resolve(E.right(undefined))
    })
  })

const inspect = (server: Server, settings: Settings): Inspector => {
  const { port } = server.address() as AddressInfo
  const actors = roster(settings.limit.sessions)
  let messages = 0
  const tell = teller(settings.policy, () => String(++messages))
  const viewers = audience({
    bufferLimitBytes: settings.limit.bufferBytes,
    logger: settings.logger,
    present: actors.keys,
    introduce: (key) => {
      const actor = actors.find(key)
      if (actor === undefined) return []
      const told = tell(actor)
      return [told.actor, told.snapshot].map((message) => JSON.stringify(message))
    },
  })
  serve(server, port, settings, viewers)

  const show = (actor: Actor): void => {
    const isNew = actors.keep(actor)
    const key = actorKey(actor.machine, nameOf(actor))
    viewers.tell(key, () => {
      const { actor: born, event, snapshot } = tell(actor)
      const all = isNew ? [born, event, snapshot] : [event, snapshot]
      return all.map((message) => JSON.stringify(message))
    })
    if (actor.state === 'unregistered') actors.forget(key)
  }
  let closed: Promise<void> | undefined
  return {
    sink: (notice) => {
      const actor = closed === undefined ? actorOf(notice, actors) : undefined
      if (actor !== undefined) show(actor)
    },
    url: `ws://${host}:${port}/?token=${settings.token}`,
    address: { host, port },
    viewers: () => ({ connected: viewers.size(), dropped: viewers.dropped() }),
    close: () => {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve())
        viewers.leave()
        server.closeAllConnections()
      })
      return closed
    },
  }
}

// ------------------------------------------------------------------------------------ combinators

/** What a notice changes about an actor; `undefined` where there is nothing to be seen of it. */
const actorOf = (notice: Notice, actors: Roster): Actor | undefined => {
  switch (notice._tag) {
    case 'decided': {
      const { entry, record, durable } = notice
      const event = durable ? entry.event : { ...entry.event, durable }
      const { state, control } = record
      return { machine: 'session', state, control, event, atMs: entry.wallMs }
    }
    case 'captured': {
      const { view, token } = notice
      const actor = sessionIn(actors, notice.sessionId)
      return token === undefined
        ? moved(actor, actor?.state, { type: 'updated', view })
        : moved(actor, afterCapture(actor), { type: 'captured', view })
    }
    case 'capture-failed': {
      const actor = sessionIn(actors, notice.sessionId)
      return moved(actor, afterCapture(actor), { type: 'captureFailed', detail: notice.detail })
    }
    case 'domain-decided': {
      const { event, record } = notice
      const { state, control } = record
      return { machine: 'domain', state, control, event, atMs: systemClock.wallMs() }
    }
    case 'store-failed':
    case 'damaged':
    case 'started':
    case 'stopped':
      return undefined
  }
}

const sessionIn = (actors: Roster, sessionId: string): SessionActor | undefined => {
  const actor = actors.find(actorKey('session', sessionId))
  return actor?.machine === 'session' ? actor : undefined
}

/** A capture ends idle; one that ends when the session is no longer well moves nothing. */
const afterCapture = (actor: SessionActor | undefined): SessionStateName | undefined => {
  const isWell = actor?.state === 'registered' || actor?.state.startsWith('snapshotting.')
  return isWell ? 'snapshotting.idle' : actor?.state
}

const moved = (
  actor: SessionActor | undefined,
  state: SessionStateName | undefined,
  event: Actor['event'],
): Actor | undefined =>
  actor === undefined || state === undefined
    ? undefined
    : { ...actor, state, event, atMs: systemClock.wallMs() }

// ----------------------------------------------------------------------------------------- server

/** Answers those who connect: admits viewers, refuses everybody else before the upgrade. */
const serve = (server: Server, port: number, settings: Settings, viewers: Audience): void => {
  const { token, allowedOrigins, logger, limit } = settings
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: inboundLimitBytes,
    perMessageDeflate: false,
  })
  const statusFor = (request: IncomingMessage): number | undefined => {
    const refusal = refusalOf(request, { token, port, allowedOrigins })
    if (refusal === undefined) return viewers.size() < limit.viewers ? undefined : 503
    logger('warn', 'a viewer was refused', refusal)
    return refusal.status
  }
  server.unref()
  server.maxConnections = limit.viewers + spareConnections
  server.on('connection', (socket) => socket.unref())
  server.on('error', (error) => logger('error', 'the inspector failed', error))
  server.on('request', (request, response) => {
    const status = statusFor(request) ?? 426
    response.writeHead(status, { connection: 'close', upgrade: 'websocket' }).end()
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', (error) => logger('debug', 'a connection failed', error))
    const status = statusFor(request)
    if (status !== undefined) return refuse(socket, status)
    sockets.handleUpgrade(request, socket, head, viewers.join)
  })
}

const reasons: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  503: 'Service Unavailable',
}

const refuse = (socket: Duplex, status: number): void => {
  const head = [`HTTP/1.1 ${status} ${reasons[status]}`, 'Connection: close', 'Content-Length: 0']
  socket.once('finish', () => socket.destroy())
  socket.end(`${head.join('\r\n')}\r\n\r\n`)
}
